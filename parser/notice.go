package parser

import "strings"

// Old servers tell in plain text what became of a message, and many copy the message below. What
// can be told apart in any language is looked for line by line: the fields of a message, the
// fields of a delivery report, a mailbox on a line of its own, and the reply of a server.

// maxNotice bounds a line of text that is looked at, in bytes.
const maxNotice = 1000

// notice is what the lines of a text have shown so far.
type notice struct {
	fields    int  // of a message's header, one after the other
	returned  bool // enough of them
	own       bool // one of them is by somebody of the reader's domain
	recipient bool // a delivery report's recipient
	action    bool // what a delivery report says about it
	fate      bool
}

// readText looks for a notice of an old server.
func (r *reporter) readText(text []byte) {
	var n notice
	for len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if len(line) <= maxNotice {
			n.read(string(line), r.reader)
		}
	}
	r.returned = r.returned || n.returned
	r.own = r.own || n.returned && n.own
	r.fate = r.fate || n.fate || n.recipient && n.action
}

func (n *notice) read(raw, reader string) {
	line := strings.TrimSpace(raw)
	name, value, isField := strings.Cut(line, ":")
	switch strength := fieldStrength(name); {
	case isField && strength > 0:
		n.fields += strength
		n.own = n.own || isAuthor(name) && sameDomain(addressIn(strings.TrimSpace(value)), reader)
		n.returned = n.returned || n.fields >= enoughFields
	case !isField && raw == line: // no continuation of a field
		n.fields = 0
	}
	n.recipient = n.recipient || isField && isRecipient(name)
	n.action = n.action || isField && (equal(name, "Action") ||
		equal(name, "Status"))
	n.fate = n.fate || hasReply(line) || namesAnother(line, reader)
}

// enoughFields is the strength from which fields are a message's.
const enoughFields = 3

// fieldStrength tells how much a field shows that a text is a header: people who quote a message
// write some of its fields, but never those of its transport.
func fieldStrength(name string) int {
	for _, transport := range [...]string{"Received", "Message-ID", "Return-Path"} {
		if equal(name, transport) {
			return enoughFields
		}
	}
	for _, shown := range [...]string{"From", "To", "Subject", "Date", "Sent"} {
		if equal(name, shown) {
			return 1
		}
	}
	return 0
}

func isAuthor(name string) bool {
	return equal(name, "From") || equal(name, "Return-Path")
}

func isRecipient(name string) bool {
	return equal(name, "Final-Recipient") || equal(name, "Original-Recipient")
}

// namesAnother knows a line that begins with a mailbox in angle brackets, or is nothing but a
// mailbox, if it is not the reader's own.
func namesAnother(line, reader string) bool {
	address := strings.TrimSuffix(line, ":")
	if strings.HasPrefix(line, "<") {
		address, _, _ = strings.Cut(line[1:], ">")
	}
	name, domain, found := strings.Cut(address, "@")
	return found && name != "" && strings.Contains(domain, ".") &&
		!strings.ContainsAny(address, " <>()/\"") && !equal(address, reader)
}

// hasReply knows a server's refusal (RFC 5321, section 4.2): a code and, to tell it from other
// numbers, an enhanced code (RFC 3463) behind it or a mailbox in the line.
func hasReply(line string) bool {
	for i := 0; i+len("550 ") <= len(line); i++ {
		if i > 0 && line[i-1] != ' ' && line[i-1] != '(' && line[i-1] != ':' && line[i-1] != '\'' {
			continue
		}
		if isRefusal(line[i:]) {
			return true
		}
	}
	return false
}

func isRefusal(s string) bool {
	if s[0] != '4' && s[0] != '5' || !isDigit(s[1]) || !isDigit(s[2]) || s[3] != ' ' && s[3] != '-' {
		return false
	}
	rest := s[len("550 "):]
	enhanced := len(rest) > len("5.1.") && rest[0] == s[0] && rest[1] == '.' && isDigit(rest[2]) &&
		rest[3] == '.'
	return enhanced || strings.Contains(rest, "@")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
