package parser

import (
	"bytes"
	"strings"
)

// Bounds of what is read in a part.
const (
	maxText   = 64 << 10 // bytes
	maxGroups = 100      // groups of fields in a delivery report
	maxAbout  = 8        // what a report speaks of
)

// report is what the parts of a message show it to be, each with what it must hold to be that.
type report struct {
	delivery    bool // a delivery report: what became of mail to somebody (RFC 3464, 6533)
	status      bool // the part of one, even if it is empty
	disposition bool // a disposition notification (RFC 8098)
	proper      bool // it is by the author of the whole, in the form it must have
	feedback    bool // a feedback report (RFC 5965)
	returned    bool // a message that is returned, or its header
	declared    bool // the message calls itself a delivery report (RFC 6522)
	own         bool // the returned message is by somebody of the reader's domain
	agreed      bool // the report speaks of the returned message
	hotmail     bool // the returned message has Hotmail's note about whom it went to
	fate        bool // plain text tells what became of mail to somebody
	text        bool // there is plain text
	links       bool // it may hold the address of a web page
	hypertext   bool // there is other text
	hyperlinks  bool // it may hold a link, a picture or a form
	pictures    bool // there are pictures
	files       bool // there is anything else, or something that is not read
}

// isPlain tells whether there is nothing but what servers wrote before there were reports: plain
// text, and perhaps the message that it is about.
func (r *report) isPlain() bool { return !r.hypertext && !r.pictures && !r.files }

// isQuiet tells whether its reader is shown nothing that leads anywhere but to a mailbox, plain
// text aside.
func (r *report) isQuiet() bool { return !r.hyperlinks && !r.pictures && !r.files }

// reporter reads the parts of a message.
type reporter struct {
	report
	whole  *header // of the message
	author string  // the mailbox it is from
	reader string  // the mailbox it is written to
	about  []string
}

// reportOf looks at the parts of a message.
func reportOf(h *header) *report {
	r := reporter{whole: h, author: addressIn(h.text("From")), reader: addressIn(h.text("To"))}
	m := mediaOf(h)
	r.declared = m.is("multipart/report") && equal(m.param("report-type"), "delivery-status")
	if !eachPart(h, r.read) {
		r.files = true
	}
	return &r.report
}

func (r *reporter) read(p *part) {
	r.files = r.files || p.isOpaque()
	switch m := p.media; {
	case m.is("message/delivery-status", "message/global-delivery-status"):
		r.status = true
		r.readStatus(p.decoded(maxText))
	case m.is("message/disposition-notification", "message/global-disposition-notification"):
		h := scanHeader(p.decoded(maxText), nil)
		r.readDisposition(&h)
	case m.is("message/feedback-report"):
		h := scanHeader(p.decoded(maxText), nil)
		r.readFeedback(&h)
	case p.isMessage():
		h := scanHeader(bytes.TrimLeft(p.decoded(maxText), "\r\n"), nil)
		r.readReturned(&h)
	case p.header != r.whole && p.header.has("Received") && p.header.has("From"):
		r.readReturned(p.header) // QUIRK: some return a message as a part, without a part around it
	default:
		r.readShown(p)
	}
}

// readShown reads what a reader is shown. What is longer than the bound may hold anything.
func (r *reporter) readShown(p *part) {
	long := len(p.body) > maxText
	switch m := p.media; {
	case m.is("", "text", "text/plain"), m.isMultipart(): // without parts it is text
		text := p.decoded(maxText)
		r.text = true
		r.links = r.links || long || holdsLink(text)
		r.readText(text)
	case hasPrefix(string(m), "text/"):
		r.hypertext = true
		r.hyperlinks = r.hyperlinks || long || holdsHyperlink(p.decoded(maxText))
	case hasPrefix(string(m), "image/"):
		r.pictures = true
	case !m.is("application/ms-tnef"): // Exchange's own form of all of this
		r.files = true
	}
}

// readStatus reads the groups of fields of a delivery report.
func (r *reporter) readStatus(status []byte) {
	var buf [16]field
	for range maxGroups {
		status = bytes.TrimLeft(status, "\r\n")
		h := scanHeader(status, buf[:0])
		for _, name := range [...]string{"Final-Recipient", "Original-Recipient"} {
			if recipient, ok := recipientIn(h.text(name)); ok {
				r.delivery = r.delivery || tellsFate(&h)
				r.speaksOf(recipient)
			}
		}
		if status = h.body; len(status) == 0 {
			return
		}
	}
}

// recipientIn reads `TYPE; ADDRESS`, and tells whether there is one (RFC 3464, section 2.3.1).
func recipientIn(value string) (string, bool) {
	kind, recipient, _ := strings.Cut(value, ";")
	recipient = addressIn(strings.TrimSpace(recipient))
	return recipient, strings.TrimSpace(kind) != "" && recipient != ""
}

// tellsFate tells whether a group of fields says what became of the mail: by a status code, and an
// action that is no contradiction of it (RFC 3464, section 2.3.3 and 2.3.4; RFC 3463, section 2).
// QUIRK: some servers leave the action out.
func tellsFate(h *header) bool {
	status := h.text("Status")
	if len(status) < len("5.0.0") || status[1] != '.' || !isDigit(status[2]) {
		return false
	}
	action, _, _ := strings.Cut(h.text("Action"), " ")
	for _, a := range [...]struct{ action, classes string }{{"", "245"}, {"failed", "45"},
		{"delayed", "4"}, {"delivered", "2"}, {"relayed", "2"}, {"expanded", "2"}} {
		if equal(action, a.action) {
			return strings.IndexByte(a.classes, status[0]) >= 0
		}
	}
	return false
}

// readDisposition asks for the two fields that must be there, and whether they have the form that
// they must have and the author of the whole gives them (RFC 8098, section 3.1).
func (r *reporter) readDisposition(h *header) {
	if !h.has("Disposition") || !h.has("Final-Recipient") {
		return
	}
	r.disposition = true
	mode, kind, _ := strings.Cut(h.text("Disposition"), ";")
	recipient, ok := recipientIn(h.text("Final-Recipient"))
	r.proper = r.proper || ok && sameDomain(recipient, r.author) &&
		strings.Contains(mode, "/") && strings.TrimSpace(kind) != ""
	r.speaksOf(addressIn(h.text("Original-Message-ID")))
}

// readFeedback asks for two of the fields that must be there (RFC 5965, section 3.1): many leave
// out the third.
func (r *reporter) readFeedback(h *header) {
	r.feedback = r.feedback || h.has("Feedback-Type") && (h.has("Version") || h.has("User-Agent"))
	for _, name := range [...]string{"Original-Mail-From", "Original-Rcpt-To", "Source-IP",
		"Reported-Domain", "Message-ID"} {
		r.speaksOf(addressIn(h.text(name)))
	}
}

// speaksOf notes what must stand in the header of the message that a report is about.
func (r *reporter) speaksOf(value string) {
	if len(value) > len("1.1.1.1") && len(r.about) < maxAbout {
		r.about = append(r.about, value)
	}
}

func (r *reporter) readReturned(h *header) {
	if !h.has("From") && !h.has("Received") && !h.has("Message-ID") {
		return
	}
	r.returned = true
	r.hotmail = r.hotmail || h.has("X-HmXmrOriginalRecipient")
	for _, name := range [...]string{"From", "Return-Path", "Sender", "Reply-To"} {
		r.own = r.own || sameDomain(addressIn(h.text(name)), r.reader)
	}
	for _, value := range r.about {
		r.agreed = r.agreed || bytes.Contains(h.head[:len(h.head)-len(h.body)], []byte(value))
	}
}

// addressIn gives the last address in a field, without the angle brackets; "" for the null one.
func addressIn(value string) string {
	if open := strings.LastIndexByte(value, '<'); open >= 0 {
		address, _, _ := strings.Cut(value[open+1:], ">")
		return strings.TrimSpace(address)
	}
	address, _, _ := strings.Cut(value, " ")
	return address
}

// sameDomain tells whether two addresses belong to one domain or to one and a part of it.
func sameDomain(a, b string) bool {
	_, a = cutIdent(a)
	_, b = cutIdent(b)
	if len(a) < len(b) {
		a, b = b, a
	}
	return strings.Contains(b, ".") && (equal(a, b) || hasSuffix(a, "."+b))
}

// daemons are the names of mail servers that write for themselves, in their addresses and before
// a null one.
var daemons = [...]string{"mailer-daemon", "mailer_daemon", "mailerdaemon", "mail-daemon",
	"mail.delivery.system", "mdaemon", "postmaster", "post_master"}

// isDaemon knows the address of a mail server that writes for itself.
func isDaemon(address string) bool {
	name, _, _ := strings.Cut(strings.Trim(address, `"`), "@")
	for _, daemon := range daemons {
		if equal(name, daemon) {
			return true
		}
	}
	return false
}

// isDaemonField knows a From field by a mail server: with a daemon's address, or with a daemon's
// name before the null address. A null address alone is anybody's.
func isDaemonField(from string) bool {
	name, nobody := strings.CutSuffix(from, "<>")
	if !nobody {
		return isDaemon(addressIn(from))
	}
	name = strings.ReplaceAll(strings.Trim(name, ` "`), " ", ".")
	return isDaemon(name)
}
