package parser

import (
	"mime"
	"strings"
)

// What a message is, if it is not its sender's own: a report or an answer, gone to a forged
// address. Each takes proof by envelope and by structure. The null reverse path is what the
// standards ask of reports (RFC 3461, section 6.1; RFC 8098, section 3) and what answers have; a
// sender who takes answers must show twice as much in its place, in two parts that agree. Nobody
// can tell a report from one that is forged as a whole, but whoever forges less is known by how
// the message was injected.

// markSender notes the reverse path where it counts.
func (e *evidence) markSender() {
	if e.sender.null {
		e.mark("reverse path <>")
	}
}

// abuseReport knows feedback reports (RFC 5965), and Hotmail's of its own form. Most feedback
// loops have a reverse path of their own.
func abuseReport(e *evidence) (Cause, bool) {
	r := e.report
	switch {
	case r == nil:
		return Unknown, false
	case r.feedback && r.returned && (e.sender.null || r.agreed):
		e.markSender()
		e.mark("message/feedback-report", "returned message")
	case r.hotmail && !r.text && r.isPlain() && isComplaint(e.header):
		e.markSender()
		e.markField("From")
		e.markField("Subject")
		e.mark("X-HmXmrOriginalRecipient in the returned message")
	default:
		return Unknown, false
	}
	return Autoreply, true
}

// isComplaint knows Hotmail's reports by their own fields.
func isComplaint(h *header) bool {
	return h.begins("Subject", "complaint about message from ") &&
		equal(addressIn(h.text("From")), "staff@hotmail.com")
}

// bounce knows delivery reports (RFC 3464) and what older servers send in their place.
func bounce(e *evidence) (Cause, bool) {
	if e.report == nil || e.report.disposition {
		return Unknown, false
	}
	from := e.header.text("From")
	daemon := strings.HasSuffix(from, "<>") || isDaemon(addressIn(from))
	failed := strings.Contains(e.header.text("X-Failed-Recipients"), "@")
	if !e.isBounce(daemon, failed) {
		return Unknown, false
	}
	e.markSender()
	if daemon {
		e.markField("From")
	}
	if failed {
		e.markField("X-Failed-Recipients")
	}
	e.markReport()
	return Bounce, true
}

// isBounce asks of a report that it tells a recipient's fate or returns a message, and that nobody
// but a server sends it or that it returns the message; of an older form, that it is nothing but
// plain text, by a server or about a message of the reader's, and tells a fate or returns that.
func (e *evidence) isBounce(daemon, failed bool) bool {
	r := e.report
	switch {
	case !e.sender.null:
		return daemon && r.own && (r.delivery || r.isPlain() && isDaemon(e.sender.path))
	case r.delivery:
		return daemon || r.returned || !e.header.has("From")
	case r.declared && daemon && r.returned:
		return true
	}
	return r.isPlain() && (daemon || r.own) && (r.returned || r.fate || failed)
}

// markReport notes the parts that a bounce is made of.
func (e *evidence) markReport() {
	if e.report.delivery {
		e.mark("message/delivery-status")
	} else if e.report.fate {
		e.mark("a failed delivery, in plain text")
	}
	if e.report.returned {
		e.mark("returned message")
	}
}

// readReceipt knows disposition notifications (RFC 8098).
func readReceipt(e *evidence) (Cause, bool) {
	if !e.sender.null || !e.report.disposition {
		return Unknown, false
	}
	e.markSender()
	e.mark("message/disposition-notification")
	return Autoreply, true
}

// autoreply knows the answers of people's absence (RFC 3834): a field that says so, the message
// that is answered, and text with nothing attached.
func autoreply(e *evidence) (Cause, bool) {
	r := e.report
	if !e.sender.null || !r.text || r.files || r.returned {
		return Unknown, false
	}
	says, about := autoField(e.header), answeredField(e.header)
	if isExchangeRule(e.header) {
		says, about = exchangeRule, exchangeSuppress
	}
	if says == "" || about == "" {
		return Unknown, false
	}
	e.markSender()
	e.markField(says)
	e.markField(about)
	return Autoreply, true
}

// answeredField gives the name of the field that tells which message is answered; "" if none does.
func answeredField(h *header) string {
	for _, name := range [...]string{"In-Reply-To", "References"} {
		if _, id, _ := strings.Cut(h.text(name), "<"); strings.Contains(id, "@") {
			return name
		}
	}
	return ""
}

// Exchange names no message in an answer, but whose rule it is by: the author's.
const (
	exchangeRule     = "X-MS-Exchange-Inbox-Rules-Loop"
	exchangeSuppress = "X-Auto-Response-Suppress"
)

func isExchangeRule(h *header) bool {
	author := addressIn(h.text("From"))
	return author != "" && equal(h.text(exchangeRule), author) && h.begins(exchangeSuppress, "All")
}

// autoFields are the fields that call a message an automatic answer, each with how its value
// begins. Neither X-Auto-Response-Suppress nor Precedence: bulk does: lists and advertisers write
// them. Auto-Submitted: auto-generated is no answer to anything (RFC 3834, section 5).
var autoFields = [...]struct{ name, start string }{
	{"Auto-Submitted", "auto-replied"},
	{"X-Autoreply", ""}, {"X-Autorespond", ""}, {"X-AutoReply-From", ""}, {"X-Mail-Autoreply", ""},
	{"Precedence", "auto_reply"}, {"X-Precedence", "auto_reply"},
	{"X-Autogenerated", "reply"}, {"X-FC-MachineGenerated", ""},
	{"X-POST-MessageClass", "9; autoresponder"}, {"X-Apple-Action", "vacation"},
	{"Delivered-To", "autoresponder"},
}

// autoSubjects are how the subjects of automatic answers begin.
var autoSubjects = [...]string{"auto:", "auto reply", "autoreply", "automatic reply",
	"out of office", "out of the office", "abwesenheitsnotiz", "automatische antwort",
	"réponse automatique", "respuesta automática", "risposta automatica", "automatisch antwoord"}

// autoField gives the name of the field that calls the message an automatic answer; "" if none
// does.
func autoField(h *header) string {
	for _, f := range autoFields {
		value := h.text(f.name)
		if value != "" && hasPrefix(value, f.start) && !equal(value, "no") {
			return f.name
		}
	}
	subject := h.text("Subject")
	if words, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		subject = words
	}
	for _, start := range autoSubjects {
		if hasPrefix(subject, start) {
			return "Subject"
		}
	}
	return ""
}

// listFields are the fields of list servers that count beside List-Id (RFC 2369, and what the
// servers write on top).
var listFields = [...]string{"List-Unsubscribe", "List-Subscribe", "List-Post", "List-Help",
	"List-Archive", "List-Owner", "X-Mailman-Version", "X-BeenThere", "X-Google-Group-Id",
	"X-ListServer"}

// list knows mailing lists by List-Id (RFC 2919) or the older Mailing-List, at least two more of
// their fields, and a reverse path for bounces. It excuses nothing.
func list(e *evidence) (Cause, bool) {
	id := "List-Id"
	if !e.header.has(id) {
		id = "Mailing-List"
	}
	if e.sender.null || !e.header.has(id) || !isListPath(e.sender.path) {
		return Unknown, false
	}
	var found []string
	for _, name := range listFields {
		if e.header.has(name) {
			found = append(found, name)
		}
	}
	if len(found) < 2 {
		return Unknown, false
	}
	e.markField(id)
	e.mark("reverse path <" + e.sender.path + ">")
	e.mark(found...)
	return List, true
}

// isListPath knows the reverse paths of list servers: a name for bounces, or the recipient in it.
func isListPath(path string) bool {
	name, _, _ := strings.Cut(strings.ToLower(path), "@")
	for _, sign := range [...]string{"bounce", "owner-", "-owner", "-return", "-admin", "-errors",
		"="} {
		if strings.Contains(name, sign) {
			return true
		}
	}
	return false
}
