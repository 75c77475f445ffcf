package parser

import "strings"

// qmail (received.c) and the servers that write like it put the PTR name first, then the HELO in a
// comment, the peer last: `from NAME (HELO h) (ident@PEER) by`. qmail prints all of them through
// safeput, which leaves no blanks and no parentheses, so the shape is exact and a third comment
// is nobody's.
var (
	qmailLDAP = grammar{
		name: "qmail-ldap",
		example: "from unknown (HELO h.example) (192.0.2.9@[198.51.100.7]) (envelope-sender " +
			"<a@example>) " +
			"by mx.example (qmail-ldap-1.03) with SMTP for <t@example>; 28 Jan 2013 21:50:51 -0000",
		mark: func(c *clauses) bool { return c.product("qmail-ldap") },
		read: helloComment,
	}
	james = grammar{
		name: "james",
		example: "from r.example (EHLO [192.0.2.9]) ([198.51.100.7]) by mx.example (JAMES SMTP " +
			"Server ) " +
			"with ESMTPSA ID 4711 for <t@example>; Mon, 1 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.product("JAMES") },
		read: helloComment,
	}
	ironport = grammar{
		name: "ironport",
		example: "from unknown (HELO [192.0.2.9]) ([198.51.100.7]) by mx.example with ESMTP; " +
			"07 Jul 2025 03:56:19 +0400",
		mark: func(c *clauses) bool {
			return hasHelloComment(c) && len(c.from) == 3 && c.from[2].isGroup("[") && c.with("ESMTP")
		},
		read: helloComment,
	}
	qmail = grammar{
		name: "qmail",
		example: "from r.example (HELO 192.0.2.9) (192.0.2.8@198.51.100.7) by mx.example with SMTP; " +
			"28 Jan 2013 21:50:51 -0000",
		mark: hasHelloComment,
		read: helloComment,
	}
	// qmailSameName is qmail's line where the HELO is the PTR name.
	qmailSameName = grammar{
		name:    "qmail",
		example: "from r.example (198.51.100.7) by mx.example with SMTP; 14 Nov 2003 08:05:50 -0000",
		mark: func(c *clauses) bool {
			return isBareParen(c) && c.with("SMTP") && c.clause("id") == ""
		},
		read: func(c *clauses) (client, bool) {
			p, ok := bareParen(c)
			p.rdns = hostName(p.helo)
			return p, ok
		},
	}
	// qpsmtpd splits a HELO at blanks only and prints it as it came, with parentheses and tabs;
	// behind the `by` it prints nothing of the sender's.
	qpsmtpd = grammar{
		name: "qpsmtpd",
		example: "from r.example (HELO a)(192.0.2.9) (198.51.100.7) by mx.example (qpsmtpd/0.94) " +
			"with ESMTP; Tue, 04 Jul 2023 20:17:56 +0000",
		mark: func(c *clauses) bool { return c.product("qpsmtpd/") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 0 || c.from[len(c.from)-1].glued {
				return unfit()
			}
			p, ok := barePeer(&c.from[len(c.from)-1])
			p.rdns = hostName(c.from[0].text)
			if hasHelloComment(c) {
				p.helo = helloOf(&c.from[1])
			}
			return p, ok
		},
		anyHelo: true,
	}
	// gmx is the old GMX shape, with the peer in brackets alone.
	gmx = grammar{
		name: "gmx",
		example: "from r.example (EHLO h.example) [198.51.100.7] by mail.gmx.example (mp010) with " +
			"SMTP; " +
			"28 Jan 2013 21:50:51 +0100",
		mark: func(c *clauses) bool {
			return hasHelloComment(c) && len(c.from) == 3 && c.from[2].kind == word
		},
		read: func(c *clauses) (client, bool) {
			ip, ok := parseLiteral(c.from[2].text)
			return client{ip: ip, rdns: hostName(c.from[0].text), helo: helloOf(&c.from[1])}, ok
		},
	}
)

// hasHelloComment knows the shape by its second token.
func hasHelloComment(c *clauses) bool {
	return c.hasFrom && len(c.from) >= 2 && c.from[0].kind == word && isHello(&c.from[1])
}

// isHello tells `(HELO h)` from Exim's `(helo=h)` and from ratware's `(HELLO h)`.
func isHello(t *token) bool {
	const size = len("HELO")
	return (t.isGroup("HELO") || t.isGroup("EHLO") || t.isGroup("LHLO")) &&
		(len(t.text) == size || t.text[size] == ' ')
}

// helloOf gives the HELO in `(HELO h)`.
func helloOf(t *token) string { return strings.TrimSpace(t.text[len("HELO"):]) }

// helloComment reads `from NAME (HELO h) (ident@PEER) by`, with `(PEER)` alone where nobody
// answered ident, and `()` or `(account)` where the server shows no peer.
func helloComment(c *clauses) (client, bool) {
	if !hasHelloComment(c) {
		return soleBracket(c)
	}
	if len(c.from) < 3 || c.from[2].glued || !allRemarks(c.from[3:]) {
		return unfit()
	}
	if isPeerFirst(c) {
		return unfit() // and a HELO that closed its comment
	}
	helo := helloOf(&c.from[1])
	if strings.Contains(helo, " ") {
		return unfit()
	}
	p, ok := identPeer(&c.from[2])
	p.rdns, p.helo = hostName(c.from[0].text), helo
	if !ok && c.from[2].kind == group && !strings.ContainsAny(c.from[2].text, " []()") {
		p.ident = c.from[2].text
		return p, true
	}
	return p, ok
}

// isPeerFirst tells whether an address that stands first is the peer, as Yahoo, Critical Path and
// CommuniGate write it, and not its name: anybody may call his host like an address.
func isPeerFirst(c *clauses) bool {
	_, isAddress := parseHost(c.from[0].text)
	_, byAddress := parseHost(c.by)
	return isAddress && (c.from[0].text[0] == '[' || byAddress || showsOwn(c) || c.with("SMTPs"))
}

// isBareParen knows `from NAME (PEER) by` and nothing else.
func isBareParen(c *clauses) bool {
	if len(c.from) != 2 || c.by == "" || !c.hasFrom {
		return false
	}
	_, ok := barePeer(&c.from[1])
	return ok
}

// qmailQueue is the line that qmail-queue adds, or Critical Path's cpmta. It names no host. `invoked
// from network` stands right above the line of the daemon that took the message, even where it tells
// the peer, too; the other forms are local.
var qmailQueue = grammar{
	name: "qmail",
	example: "(qmail 87263 messnum 771997 invoked from network[198.51.100.7/r.example]); " +
		"8 Mar 2004 23:59:05 -0000",
	mark: func(c *clauses) bool {
		return !c.hasFrom && c.by == "" && len(c.from) == 1 &&
			(c.from[0].isGroup("qmail ") || c.from[0].isGroup("cpmta "))
	},
	read: readQmailQueue,
}

func readQmailQueue(c *clauses) (client, bool) {
	_, how, ok := cutAt(c.from[0].text, " invoked ")
	switch {
	case !ok:
		return unfit()
	case equal(how, "from network"):
		return client{origin: queued}, true
	case hasPrefix(how, "from network["):
		peer, name, _ := strings.Cut(strings.TrimSuffix(how[len("from network["):], "]"), "/")
		ip, ok := parseAddr(peer)
		return client{origin: queued, ip: ip, rdns: hostName(name)}, ok
	case hasPrefix(how, "by "), equal(how, "for bounce"):
		return onHost(c)
	}
	return unfit()
}
