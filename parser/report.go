package parser

import (
	"bytes"
	"strings"
)

// Bounds of what is read in a part.
const (
	maxText   = 64 << 10 // bytes
	maxGroups = 100      // groups of fields in a delivery report
	maxAbout  = 8        // what a feedback report names
)

// report is what the parts of a message show it to be, each with what it must hold to be that.
type report struct {
	delivery    bool // a delivery report: what became of mail to somebody (RFC 3464, 6533)
	disposition bool // a disposition notification (RFC 8098)
	feedback    bool // a feedback report (RFC 5965)
	returned    bool // a message that is returned, or its header
	declared    bool // the message calls itself a delivery report (RFC 6522)
	own         bool // the returned message is by somebody of the reader's domain
	agreed      bool // the feedback report speaks of the returned message
	hotmail     bool // the returned message has Hotmail's note about whom it went to
	fate        bool // plain text tells what became of mail to somebody
	text        bool // there is plain text
	hypertext   bool // there is other text
	files       bool // there is anything else
}

// isPlain tells whether there is nothing but what servers wrote before there were reports: plain
// text, and perhaps the message that it is about.
func (r *report) isPlain() bool { return !r.hypertext && !r.files }

// reporter reads the parts of a message.
type reporter struct {
	report
	whole  *header // of the message
	reader string  // the mailbox it is written to
	about  []string
}

// reportOf looks at the parts of a message.
func reportOf(h *header) *report {
	r := reporter{whole: h, reader: addressIn(h.text("To"))}
	m := mediaOf(h)
	r.declared = m.is("multipart/report") && equal(m.param("report-type"), "delivery-status")
	eachPart(h, r.read)
	return &r.report
}

func (r *reporter) read(p *part) {
	switch m := p.media; {
	case m.is("message/delivery-status", "message/global-delivery-status"):
		r.delivery = r.delivery || tellsFate(p.decoded(maxText))
	case m.is("message/disposition-notification", "message/global-disposition-notification"):
		h := scanHeader(p.decoded(maxText), nil)
		r.disposition = r.disposition || h.has("Disposition") && h.has("Final-Recipient")
	case m.is("message/feedback-report"):
		h := scanHeader(p.decoded(maxText), nil)
		r.readFeedback(&h)
	case p.isMessage():
		h := scanHeader(bytes.TrimLeft(p.decoded(maxText), "\r\n"), nil)
		r.readReturned(&h)
	case p.header != r.whole && p.header.has("Received") && p.header.has("From"):
		r.readReturned(p.header) // QUIRK: some return a message as a part, without a part around it
	case m.is("", "text", "text/plain"), m.isMultipart(): // without parts it is text
		r.text = true
		r.readText(p.decoded(maxText))
	case hasPrefix(string(m), "text/"):
		r.hypertext = true
	case !m.is("application/ms-tnef"): // Exchange's own form of all of this
		r.files = true
	}
}

// tellsFate tells whether a delivery report names a recipient and what became of the mail: a group
// of fields without them is no report (RFC 3464, section 2.3).
func tellsFate(status []byte) bool {
	var buf [16]field
	for range maxGroups {
		status = bytes.TrimLeft(status, "\r\n")
		h := scanHeader(status, buf[:0])
		recipient := h.text("Final-Recipient") + h.text("Original-Recipient")
		if strings.Contains(recipient, ";") && (h.has("Action") || h.has("Status")) {
			return true
		}
		if status = h.body; len(status) == 0 {
			break
		}
	}
	return false
}

// readFeedback asks for two of the fields that must be there (RFC 5965, section 3.1): many leave
// out the third.
func (r *reporter) readFeedback(h *header) {
	r.feedback = r.feedback || h.has("Feedback-Type") && (h.has("Version") || h.has("User-Agent"))
	for _, name := range [...]string{"Original-Mail-From", "Original-Rcpt-To", "Source-IP",
		"Reported-Domain", "Message-ID"} {
		value := addressIn(h.text(name))
		if len(value) > len("1.1.1.1") && len(r.about) < maxAbout {
			r.about = append(r.about, value)
		}
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

// isDaemon knows the address of a mail server that writes for itself.
func isDaemon(address string) bool {
	name, _, _ := strings.Cut(strings.Trim(address, `"`), "@")
	for _, daemon := range [...]string{"mailer-daemon", "mailer_daemon", "mailerdaemon",
		"mail-daemon", "mail.delivery.system", "mdaemon", "postmaster", "post_master"} {
		if equal(name, daemon) {
			return true
		}
	}
	return false
}
