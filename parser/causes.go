package parser

import "strings"

// maxClaims bounds how many lines below the source are read for the cause.
const maxClaims = 4

// evidence is what the cause is read from. Nearly all of it is the sender's word, so whatever
// excuses the sender as the victim of somebody else's forgery needs two things: the envelope must
// say so, and the message must be built like it. A field alone gains nothing.
type evidence struct {
	header *header
	trace  *Trace
	sender sender
	report report  // what the parts of the message are
	lowest witness // the line that showed the source
	claim  witness // the topmost line that is not believed: a claim by whoever wrote it
	marks  []string
}

// mark notes what decided.
func (e *evidence) mark(marks ...string) { e.marks = append(e.marks, marks...) }

// causeRules is the order of asking; each gives a cause if it finds it. What a message is comes
// first: bounces often call themselves auto-submitted, and answers pass through lists. How it was
// injected comes last.
var causeRules = [...]func(*evidence) (Cause, bool){
	abuseReport, bounce, readReceipt, autoreply, list,
	unattributed, webmailed, scripted, submitted, proxied, relayed, direct,
}

// causeOf reads the cause of a walked message, and what decided.
func causeOf(w *walk, c *Connection) (Cause, []string) {
	h := w.lines.header
	e := evidence{header: h, trace: &w.trace, sender: senderOf(h, c), lowest: w.lowest}
	if e.trace.Source.IsValid() {
		e.claim = w.claim()
	}
	if e.sender.null || media(h.text("Content-Type")).is("multipart/report") {
		e.report = reportOf(h)
	}
	for _, rule := range causeRules {
		if cause, ok := rule(&e); ok {
			return cause, e.marks
		}
	}
	return Unknown, e.marks
}

// claim reads the topmost of the lines that are left, bookkeeping aside; the zero witness if no
// grammar fits it.
func (w *walk) claim() witness {
	lines := w.lines
	for range maxClaims {
		value, ok := lines.line()
		if !ok || !w.line().lex(unfold(value)) {
			return witness{}
		}
		r, ok := w.buf.read()
		if !ok {
			return witness{}
		}
		if r.client.origin != queued {
			return r.witness()
		}
	}
	return witness{}
}

// sender is the reverse path.
type sender struct {
	null bool   // <>: no answer to this message is wanted
	path string // "" if null or not known
}

// senderOf takes the reverse path of our own session. Without a session the delivering host has
// left it in the topmost Return-Path (RFC 5321, section 4.4) or in the mbox line.
func senderOf(h *header, c *Connection) sender {
	switch {
	case c.NullSender || c.MailFrom == "<>":
		return sender{null: true}
	case c.MailFrom != "" || c.Peer.IsValid():
		return sender{path: c.MailFrom}
	}
	if path, ok := h.find("Return-Path"); ok {
		return leftSender(strings.Trim(unfold(path), " "))
	}
	_, path, _ := strings.Cut(string(h.mbox), " ")
	path, _, _ = strings.Cut(path, " ")
	return leftSender(path)
}

// leftSender is a reverse path as a delivering host leaves it; many write MAILER-DAEMON for <>.
func leftSender(path string) sender {
	if path == "<>" || hasPrefix(strings.Trim(path, "<>"), "MAILER-DAEMON") {
		return sender{null: true}
	}
	return sender{path: strings.Trim(path, "<>")}
}

// abuseReport knows RFC 5965.
func abuseReport(e *evidence) (Cause, bool) {
	if !e.report.feedback || !e.report.original {
		return Unknown, false
	}
	e.mark("abuse-report")
	if e.sender.null {
		e.mark("null-sender")
	}
	return Autoreply, e.sender.null
}

// bounce knows delivery reports (RFC 3464) and what older servers send in their place: never by a
// sender that wants answers, and never without the recipient's fate or the message itself.
func bounce(e *evidence) (Cause, bool) {
	if !e.sender.null {
		return Unknown, false
	}
	switch fromDaemon := isDaemon(e.header.text("From")); {
	case e.report.delivery:
		e.mark("null-sender", "delivery-status")
	case fromDaemon && e.header.has("X-Failed-Recipients"):
		e.mark("null-sender", "daemon", "x-failed-recipients")
	case fromDaemon && e.report.original:
		e.mark("null-sender", "daemon", "original-message")
	default:
		return Unknown, false
	}
	return Bounce, true
}

// readReceipt knows disposition notifications (RFC 8098).
func readReceipt(e *evidence) (Cause, bool) {
	if !e.sender.null || !e.report.disposition {
		return Unknown, false
	}
	e.mark("null-sender", "disposition-notification")
	return Autoreply, true
}

// autoreply knows the answers of people's absence (RFC 3834): the null reverse path, a field that
// says so, and a message that is answered.
func autoreply(e *evidence) (Cause, bool) {
	if !e.sender.null || !e.header.has("In-Reply-To") && !e.header.has("References") {
		return Unknown, false
	}
	field := autoField(e.header)
	if field == "" {
		return Unknown, false
	}
	e.mark("null-sender", "in-reply-to", field)
	return Autoreply, true
}

// list knows mailing lists by List-Id (RFC 2919), at least two more of their fields (RFC 2369), and
// a reverse path for bounces. It excuses nothing.
func list(e *evidence) (Cause, bool) {
	if e.sender.null || !e.header.has("List-Id") || !isListPath(e.sender.path) {
		return Unknown, false
	}
	fields := 0
	for _, name := range [...]string{"List-Unsubscribe", "List-Subscribe", "List-Post", "List-Help",
		"List-Archive", "List-Owner"} {
		if e.header.has(name) {
			fields++
		}
	}
	if fields < 2 {
		return Unknown, false
	}
	e.mark("list-id", "list-fields", "list-sender")
	return List, true
}

// unattributed keeps from guessing how an unknown host injected a message.
func unattributed(e *evidence) (Cause, bool) { return Unknown, !e.trace.Source.IsValid() }
