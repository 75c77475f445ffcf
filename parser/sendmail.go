package parser

import "strings"

// Sendmail (srvrsmtp.c) takes letters, digits and `[].-_#:` in a HELO, with AllowBogusHELO
// anything up to the first blank; ident replies are cleaned. So HELO is one word, with a comment
// stuck to it at worst, and the peer's comment stands off by a blank. `(may be forged)` is a
// comment in that comment.
var sendmail = grammar{
	name: "sendmail",
	example: "from h.example (IDENT:u@r.example [198.51.100.7] (may be forged)) " +
		"by mx.example (8.17.1/8.17.1) with ESMTP id h2F0c2x31856 for <t@example>; " +
		"Sat, 15 Mar 2003 00:38:03 GMT",
	mark: func(c *clauses) bool { return isSendmailVersion(c) || isSendmailUser(c) },
	read: readSendmail,

	strictHelo: true,
}

func readSendmail(c *clauses) (client, bool) {
	if isSendmailUser(c) {
		return onHost(c)
	}
	if len(c.from) == 2 && c.from[1].kind == group && isLocalUser(c.from[1].text) {
		return onHost(c)
	}
	return afterHelo(c)
}

// isSendmailVersion knows binary and configuration version, as `8.17.1/8.17.1`, `8.12.9+Sun/8.12.9`
// or `AIX4.3/8.9.3`.
func isSendmailVersion(c *clauses) bool {
	if len(c.rest) == 0 || c.rest[0].kind != group {
		return false
	}
	v := c.rest[0].text
	if !strings.Contains(v, "/") {
		return false
	}
	return v[0] >= '0' && v[0] <= '9' || hasPrefix(v, "AIX") || hasPrefix(v, "SMI-")
}

// isSendmailUser knows the line of a program: `(from user@host) by …`. With more in the comment
// it is another product's, and may tell of a connection.
func isSendmailUser(c *clauses) bool {
	return !c.hasFrom && len(c.from) == 1 && c.from[0].isGroup("from ") && c.by != "" &&
		!strings.ContainsAny(c.from[0].text[len("from "):], " []()")
}

// isLocalUser knows what stands in the peer's place when a program speaks SMTP over a pipe or a
// unix socket: a user at a host without an address, or the socket.
func isLocalUser(s string) bool {
	if isAlone(s, " [[UNIX: localhost]]") {
		return true
	}
	return strings.Contains(s, "@") && !strings.ContainsAny(s, " []()") && !endsNumeric(s)
}

// isAlone tells whether a text is one word and then that ending. With more, a stranger's words may
// stand in it.
func isAlone(s, end string) bool {
	name, ok := cutSuffix(s, end)
	return ok && !strings.ContainsAny(name, " ()[]")
}

// endsNumeric tells whether what follows the last @ is an address.
func endsNumeric(s string) bool {
	_, host := cutIdent(s)
	_, ok := parseHost(host)
	return ok
}
