package parser

import "strings"

// Exim (host.c) writes what it knows first and the HELO behind it, so reading from the left is
// right even where helo_accept_junk_hosts lets whole clauses into a HELO. With a verified name the
// comment begins with the peer, without one the peer is the first token.
var exim = grammar{
	name: "exim",
	example: "from r.example ([198.51.100.7]:39524 helo=[192.0.2.9]) by mx.example with esmtpsa " +
		"(TLS1.2) tls TLS_AES (Exim 4.96.2) (envelope-from <a@example>) id 1sHw2u-000wPW-18; " +
		"Fri, 14 Jun 2024 00:00:00 +0000",
	mark: func(c *clauses) bool { return c.remark("Exim ") },
	read: readExim,
}

func readExim(c *clauses) (client, bool) {
	if c.with("local") { // local, local-smtp, local-esmtp, local-bsmtp
		return onHost(c)
	}
	return addressFirst(c)
}

// addressFirst reads `from NAME ([PEER]:port helo=H …` and `from [PEER] (helo=H …`, where the
// second comment must begin with one of Exim's keys.
func addressFirst(c *clauses) (client, bool) {
	if len(c.from) == 0 || c.from[0].kind != word {
		return unfit()
	}
	second := token{kind: word}
	if len(c.from) > 1 {
		second = c.from[1]
	}
	if second.isGroup("[") && !second.glued {
		open := second.text[:strings.IndexByte(second.text, ']')+1]
		ip, ok := parseLiteral(open)
		name := hostName(c.from[0].text)
		return client{ip: ip, rdns: name, helo: eximHelo(second.text, name)}, ok
	}
	ip, ok := parseHost(c.from[0].text)
	if len(c.from) > 1 && !isEximComment(&second) {
		return unfit()
	}
	return client{ip: ip, helo: eximHelo(second.text, "")}, ok
}

func isEximComment(t *token) bool {
	return t.isGroup("helo=") || t.isGroup("port=") || t.isGroup("ident=")
}

// eximHelo finds the HELO in Exim's comment. It is left out where it is the verified name.
func eximHelo(comment, name string) string {
	_, helo, ok := cutAt(comment, "helo=")
	if !ok {
		return name
	}
	helo, _, _ = strings.Cut(helo, " ")
	return helo
}
