package parser

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxClaims bounds how many lines below the source are read for the cause.
const maxClaims = 4

// evidence is what the cause is read from. Nearly all of it is the sender's word, so whatever
// excuses the sender as the victim of somebody else's forgery needs two things: the envelope must
// say so, and the message must be built like it. A field alone gains nothing.
type evidence struct {
	header *header
	trace  *Trace
	helo   string // of our own session
	sender sender
	report *report // what the parts of the message are; nil where they were not looked at
	lowest witness // of the line that showed the source
	claim  witness // of the topmost line that is not believed: a claim by whoever wrote it
	claims *claims // what the fields claim; nil for nothing
	marks  []string
}

// causeRules is the order of asking; each gives a cause if it finds it. What a message is comes
// first: bounces often call themselves auto-submitted, and answers pass through lists. How it was
// injected comes last: what the line of a trusted host shows before what the source claims.
var causeRules = [...]func(*evidence) (Cause, bool){
	abuseReport, bounce, readReceipt, autoreply, list,
	unattributed, attested, webmailed, scripted, submitted, proxied, relayed, direct,
}

// causeOf reads the cause of a walked message, and what decided.
func causeOf(w *walk, c *Connection) (Cause, []string) {
	h := w.lines.header
	e := evidence{header: h, trace: &w.trace, helo: c.Helo, sender: senderOf(h, c)}
	if e.mayReport() {
		e.report = reportOf(h)
	}
	if e.trace.Source.IsValid() {
		e.lowest = w.lowest.witness() // before the buffer of its tokens is used again
		e.claim = w.claim()
		e.claims = claimsOf(h, e.trace.Source, e.trace.Ignored > 0)
	}
	for _, rule := range causeRules {
		if cause, ok := rule(&e); ok {
			return cause, e.marks
		}
	}
	return Unknown, e.marks
}

// mayReport tells whether the parts are worth a look: most mail has a sender who wants answers and
// calls itself no report.
func (e *evidence) mayReport() bool {
	h := e.header
	return e.sender.null || isDaemon(e.sender.path) ||
		h.begins("Content-Type", "multipart/report") || isComplaint(h)
}

// claim reads the topmost of the lines that are left, bookkeeping and the host's lines to itself
// aside; the zero witness if no grammar fits one of them. If the host handed the message to itself
// and nothing stands below, that line is the one.
func (w *walk) claim() witness {
	lines := w.lines
	var itself witness
	for range maxClaims {
		value, ok := lines.line()
		if !ok {
			return itself
		}
		if !w.line.lex(unfold(value)) {
			return witness{}
		}
		r, ok := w.line.read()
		switch {
		case !ok:
			return witness{}
		case r.client.origin == queued:
		case r.client.ip.IsLoopback() && r.account() == "" && r.web() == "":
			itself = r.witness()
		default:
			return r.witness()
		}
	}
	return witness{}
}

// Bounds of what is told about a cause.
const (
	maxMarks = 8
	maxMark  = 120 // bytes of one
)

// mark notes what decided, in words by which whoever runs the source can find it: a field or a
// clause as it stands in the message, or what it is. Most of it is the sender's words, so it is
// cut, and holds nothing that does more than show.
func (e *evidence) mark(marks ...string) {
	for _, m := range marks {
		if m != "" && len(e.marks) < maxMarks {
			e.marks = append(e.marks, printable(m))
		}
	}
}

// begins tells whether the topmost field of that name begins with the text.
func (h *header) begins(name, text string) bool {
	value, _ := h.find(name)
	value = bytes.TrimLeft(value, " \t\r\n")
	return len(value) >= len(text) && equal(value[:len(text)], text)
}

// markField notes the topmost field of that name, if there is one.
func (e *evidence) markField(name string) {
	if value, ok := e.header.find(name); ok {
		e.mark(name + ": " + unfold(value[:min(len(value), maxMark)]))
	}
}

// printable cuts a text and puts a question mark where a character does not show.
func printable(s string) string {
	s = s[:min(len(s), maxMark)]
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return strings.Map(visible, strings.ToValidUTF8(s, "?"))
		}
	}
	return s
}

func visible(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// sender is the reverse path.
type sender struct {
	null bool   // <>: no answer to this message is wanted
	path string // "" if null or not known
}

// senderOf takes the reverse path of our own session. Without a session the delivering host has
// left it in a Return-Path field (RFC 5321, section 4.4) or in the mbox line.
func senderOf(h *header, c *Connection) sender {
	switch {
	case c.NullSender || c.MailFrom == "<>":
		return sender{null: true}
	case c.MailFrom != "" || c.Peer.IsValid():
		return sender{path: c.MailFrom}
	}
	if path, ok := h.returnPath(); ok {
		return leftSender(strings.Trim(unfold(path), " "))
	}
	_, path, _ := strings.Cut(string(h.mbox), " ")
	path, _, _ = strings.Cut(path, " ")
	return leftSender(path)
}

// returnPath gives the topmost Return-Path. The delivering host writes it above its own Received
// line; what stands below that came with the message.
func (h *header) returnPath() ([]byte, bool) {
	for i := range h.fields {
		f := &h.fields[i]
		if equal(h.of(f.name), "Return-Path") {
			return h.of(f.value), true
		}
		if equal(h.of(f.name), "Received") {
			break
		}
	}
	return nil, false
}

// leftSender is a reverse path as a delivering host leaves it; many write MAILER-DAEMON for <>.
func leftSender(path string) sender {
	if path == "<>" || hasPrefix(strings.Trim(path, "<>"), "MAILER-DAEMON") {
		return sender{null: true}
	}
	return sender{path: strings.Trim(path, "<>")}
}

// unattributed keeps from guessing how an unknown host injected a message.
func unattributed(e *evidence) (Cause, bool) { return Unknown, !e.trace.Source.IsValid() }
