package parser

import (
	"math/bits"
	"strings"
)

// Old servers tell in plain text what became of a message, and many copy the message below. What
// can be told apart in any language is looked for line by line: the fields of a message, the
// fields of a delivery report, the reply of a server, and whose mailbox it is about.

// maxNotice bounds a line of text that is looked at, in bytes.
const maxNotice = 1000

// notice is what the lines of a text have shown so far.
type notice struct {
	reporter  *reporter
	fields    uint // of a message's header, one after the other: a bit for each of shownFields
	returned  bool // enough of them
	own       bool // one of them is by somebody of the reader's domain
	recipient bool // a delivery report's recipient
	action    bool // what a delivery report says about it
	reply     bool // a server's refusal
	mailbox   bool // somebody else's
	bounced   bool // one of the author's own domain, as servers write it
}

// readText looks for a notice of an old server.
func (r *reporter) readText(text []byte) {
	n := notice{reporter: r}
	for len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if len(line) <= maxNotice {
			n.read(string(line))
		}
	}
	r.returned = r.returned || n.returned
	r.own = r.own || n.returned && n.own
	r.fate = r.fate || n.reply && n.mailbox || n.bounced || n.recipient && n.action
}

func (n *notice) read(raw string) {
	line := strings.TrimSpace(raw)
	name, value, isField := strings.Cut(line, ":")
	switch bit := fieldBit(name); {
	case isField && bit != 0:
		n.fields |= bit
		n.returned = n.returned || strength(n.fields) >= enoughFields
		n.own = n.own || isAuthor(name) &&
			sameDomain(addressIn(strings.TrimSpace(value)), n.reporter.reader)
	case !isField && raw == line: // no continuation of a field
		n.fields = 0
	}
	n.recipient = n.recipient || isField && isRecipient(name)
	n.action = n.action || isField && (equal(name, "Action") || equal(name, "Status"))
	n.readFate(line)
}

// readFate looks for a reply and a mailbox.
func (n *notice) readFate(line string) {
	reply, mailbox := replyIn(line)
	n.reply = n.reply || reply
	n.mailbox = n.mailbox || mailbox
	if address, bracketed := n.reporter.another(line); address != "" {
		n.mailbox = true
		n.bounced = n.bounced || bracketed && sameDomain(address, n.reporter.author)
	}
}

// shownFields are the fields that show a text to be a header, those of its transport first: people
// who quote a message write some of the others.
var shownFields = [...]string{"Received", "Message-ID", "Return-Path",
	"From", "To", "Subject", "Date", "Sent"}

const (
	transportFields = 3 // of shownFields, each worth two of the others
	enoughFields    = 3
)

// fieldBit gives a field's bit; 0 if it shows nothing.
func fieldBit(name string) uint {
	for i, field := range shownFields {
		if equal(name, field) {
			return 1 << i
		}
	}
	return 0
}

// strength tells how much fields show a text to be a header. None counts twice.
func strength(fields uint) int {
	const transport = 1<<transportFields - 1
	return bits.OnesCount(fields) + bits.OnesCount(fields&transport)
}

func isAuthor(name string) bool {
	return equal(name, "From") || equal(name, "Return-Path")
}

func isRecipient(name string) bool {
	return equal(name, "Final-Recipient") || equal(name, "Original-Recipient")
}

// another gives the mailbox with which a line begins in angle brackets, or of which it is made, if
// it is not the reader's own; else "".
func (r *reporter) another(line string) (address string, bracketed bool) {
	address, bracketed = strings.CutPrefix(line, "<")
	if bracketed {
		address, _, _ = strings.Cut(address, ">")
	}
	address = strings.TrimSuffix(address, ":")
	name, domain, found := strings.Cut(address, "@")
	if !found || name == "" || !strings.Contains(domain, ".") ||
		strings.ContainsAny(address, " <>()/\"") || equal(address, r.reader) {
		return "", false
	}
	return address, bracketed
}

// replyIn knows a server's refusal (RFC 5321, section 4.2), and tells whether it names a mailbox.
// What tells its code from other numbers is an enhanced code (RFC 3463) or a mailbox behind it, or
// that it is a usual code and begins the line.
func replyIn(line string) (reply, mailbox bool) {
	for i := 0; i+len("550 ") <= len(line); i++ {
		if i > 0 && strings.IndexByte(" (:'", line[i-1]) < 0 || !isRefusal(line[i:]) {
			continue
		}
		rest := line[i+len("550 "):]
		mailbox = strings.Contains(rest, "@")
		if mailbox || isEnhanced(line[i], rest) || i == 0 && isUsualRefusal(line[:3]) {
			return true, mailbox
		}
	}
	return false, false
}

func isRefusal(s string) bool {
	return (s[0] == '4' || s[0] == '5') && isDigit(s[1]) && isDigit(s[2]) &&
		(s[3] == ' ' || s[3] == '-')
}

// isEnhanced knows an enhanced code of the class.
func isEnhanced(class byte, s string) bool {
	return len(s) > len("5.1.") && s[0] == class && s[1] == '.' && isDigit(s[2]) && s[3] == '.'
}

// isUsualRefusal knows the codes by which mail is refused, round sums of money not among them.
func isUsualRefusal(code string) bool {
	return code == "421" || code[:2] == "45" || code[:2] == "55"
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
