package parser

import (
	"cmp"
	"mime"
	"strings"
)

// What a message is, if it is not its sender's own: a report or an answer, gone to a forged
// address. Each takes proof by envelope and by structure. The null reverse path is what the
// standards ask of reports (RFC 3461, section 6.1; RFC 8098, section 3) and what answers have; a
// sender who takes answers must show twice as much in its place, in two parts that agree. Whoever
// forges less is known by how the message was injected. Nobody can tell a report that is forged as
// a whole, with a status and a returned message that agree, nor an answer without a link: such
// spam is classed as what it looks like. That moves the list's answer, and leaves the score as it
// is.

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
	case !r.isQuiet():
		return Unknown, false
	case r.feedback && r.returned && (r.agreed || e.sender.null && r.own):
		e.markSender()
		e.mark("message/feedback-report", "returned message")
	case r.hotmail && !r.text && !r.hypertext && isComplaint(e.header):
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
	daemon := isDaemonField(e.header.text("From"))
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

// isBounce asks for the more, the more room there is for what is no report. Where its reader can
// be shown a web page in HTML, everything must be there and agree. Else a delivery report must be
// two of three: by a server, in a report's form, and about the message that it returns; without
// the last its text holds no address of a web page. What has another form must be a server's or
// about a message by the reader's domain, and returns that, or in plain text tells its fate.
func (e *evidence) isBounce(daemon, failed bool) bool {
	r := e.report
	tied := r.own || r.agreed // so it is returned
	switch {
	case r.files:
		return false
	case !e.sender.null:
		return daemon && r.own &&
			(r.delivery && r.declared || r.isPlain() && isDaemon(e.sender.path))
	case !r.isQuiet():
		// QUIRK: Google's reports hold an empty status where it refused the mail itself.
		return daemon && r.declared && (r.delivery && tied || failed && r.status && r.returned)
	case r.delivery:
		return daemon && tied ||
			r.declared && (tied || (daemon || !e.header.has("From")) && !r.links)
	case r.returned:
		return daemon && r.declared && tied || r.isPlain() && (daemon || r.own)
	}
	return daemon && r.fate && !r.links && r.isPlain()
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

// readReceipt knows disposition notifications (RFC 8098): by the one who got the mail, or about
// the message that they return.
func readReceipt(e *evidence) (Cause, bool) {
	r := e.report
	if !e.sender.null || !r.disposition || !r.proper && !r.agreed || !r.isQuiet() {
		return Unknown, false
	}
	e.markSender()
	e.mark("message/disposition-notification")
	return Autoreply, true
}

// autoreply knows the answers of people's absence (RFC 3834): a field that says so, the message
// that is answered, and text with nothing attached and no link in it.
func autoreply(e *evidence) (Cause, bool) {
	r := e.report
	if !e.sender.null || !r.text || r.links || !r.isQuiet() || r.returned {
		return Unknown, false
	}
	says, about := autoField(e.header), answeredField(e.header)
	if isExchangeRule(e.header) {
		says, about = exchangeRule, cmp.Or(about, autoSubject(e.header))
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

// exchangeRule is Exchange's note of whose rule it is by which it answers: the author's.
const exchangeRule = "X-MS-Exchange-Inbox-Rules-Loop"

func isExchangeRule(h *header) bool {
	author := addressIn(h.text("From"))
	return author != "" && equal(h.text(exchangeRule), author) &&
		h.begins("X-Auto-Response-Suppress", "All")
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

// autoField gives the name of the field that calls the message an automatic answer; "" if none
// does.
func autoField(h *header) string {
	for _, f := range autoFields {
		value := h.text(f.name)
		if value != "" && hasPrefix(value, f.start) && !equal(value, "no") {
			return f.name
		}
	}
	return ""
}

// autoSubjects are how Exchange begins the subject of an answer, before that of the message.
var autoSubjects = [...]string{"auto:", "automatic reply", "out of office", "abwesenheitsnotiz",
	"automatische antwort", "réponse automatique", "respuesta automática", "risposta automatica",
	"automatisch antwoord"}

// autoSubject gives the name of the subject if it is an answer's. Alone it shows nothing.
func autoSubject(h *header) string {
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
