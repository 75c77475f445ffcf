package parser

import "strings"

// Exim (host.c) writes what it knows first and the HELO behind it, so reading from the left is
// right even where helo_accept_junk_hosts lets whole clauses into a HELO. With a verified name the
// comment begins with the peer, without one the peer is the first token. Old configurations print
// $sender_fullhost instead, which ends with the peer.
var exim = grammar{
	name: "exim",
	example: "from r.example ([198.51.100.7]:39524 helo=[192.0.2.9]) by mx.example with esmtpsa " +
		"(TLS1.2) tls TLS_AES (Exim 4.96.2) (envelope-from <a@example>) id 1sHw2u-000wPW-18; " +
		"Fri, 14 Jun 2024 00:00:00 +0000",
	mark: func(c *clauses) bool { return c.remark("Exim ", "WEB.DE(Exim)") || isNamelessExim(c) },
	read: readExim,
}

func readExim(c *clauses) (client, bool) {
	if c.with("local") { // local, local-smtp, local-esmtp, local-bsmtp
		return eximUser(c)
	}
	if n := len(c.from); n > 1 && isBareLiteral(&c.from[n-1]) {
		return fullHost(c)
	}
	return addressFirst(c)
}

// eximUser reads `from USER by S with local`, or `from USER (helo=h) by S with local-esmtp`. Of a
// connection Exim writes the peer there, so anything else is not its line.
func eximUser(c *clauses) (client, bool) {
	named := len(c.from) == 1 && isName(&c.from[0]) ||
		len(c.from) == 2 && isName(&c.from[0]) && c.from[1].isGroup("helo=") &&
			!strings.ContainsAny(c.from[1].text, " ()[]")
	if !named || !c.marks[0].is("with") {
		return unfit()
	}
	return onHost(c)
}

// isNamelessExim knows Exim where a site has it print another name, or none: by its message id,
// and a shape of its own.
func isNamelessExim(c *clauses) bool {
	if len(c.from) == 0 || c.from[0].kind != word && len(c.from) < 2 {
		return false
	}
	return hasEximShape(c) && isEximID(c.clause("id"))
}

func hasEximShape(c *clauses) bool {
	switch {
	case len(c.from) == 1:
		return c.with("local")
	case len(c.from) == 2 && isEximComment(&c.from[1]),
		len(c.from) == 2 && strings.Contains(c.from[1].text, "] helo="):
		return true
	}
	_, ok := fullHost(c)
	return ok
}

// isEximID knows the form of Exim's message ids, by the lengths of their three parts.
func isEximID(id string) bool {
	start, rest, _ := strings.Cut(id, "-")
	pid, end, _ := strings.Cut(rest, "-")
	return len(start) == 6 &&
		(len(pid) == 6 && len(end) == 2 || len(pid) == 11 && len(end) == 4) // since 4.97
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

// fullHost reads $sender_fullhost: `from NAME (HELO) [PEER]:port by`, where the name or the HELO
// may be missing. No other form of Exim's ends with an address: behind a HELO a comment closes.
func fullHost(c *clauses) (client, bool) {
	last := len(c.from) - 1
	if last < 1 || last > 2 || !isBareLiteral(&c.from[last]) {
		return unfit()
	}
	var p client
	for i := range c.from[:last] {
		switch t := &c.from[i]; {
		case t.kind == group && i == last-1:
			p.helo = t.text
		case t.kind == word && i == 0:
			p.rdns = hostName(t.text)
		default:
			return unfit()
		}
	}
	ip, ok := parseHost(c.from[last].text)
	p.ip = ip
	return p, ok
}

// isBareLiteral knows a word in brackets that stands off from what is before it.
func isBareLiteral(t *token) bool { return t.kind == word && t.text[0] == '[' && !t.glued }
