package parser

import "strings"

// Servers that write the peer in brackets alone, without a comment around them: `from HELO [PEER]
// by`. What they let into a HELO is not known, so nothing but that shape is read: one word, one
// address, and the `by` at once.
var (
	mdaemon = grammar{
		name: "mdaemon",
		example: "from h.example [(198.51.100.7)] by mx.example (192.0.2.9) (MDaemon PRO v19.0.2) " +
			"with ESMTP id md50018233933.msg; Tue, 16 Jul 2019 11:39:22 +0200",
		mark: func(c *clauses) bool { return c.remark("MDaemon") },
		read: readMDaemon,
	}
	imail = grammar{
		name: "imail",
		example: "from [192.0.2.9] [198.51.100.7] by mx.example with ESMTP (SMTPD32-6.05) " +
			"id A858FC200160; Mon, 29 Jul 2002 16:40:56 -0400",
		mark: func(c *clauses) bool { return c.remark("SMTPD32") },
		read: bareBracket,
	}
	slmailNT = grammar{
		name: "slmail",
		example: "from [192.0.2.9] [198.51.100.7] by mx.example [192.0.2.8] (SLmail 5.1.0.4420) with " +
			"SMTP id CAE63C149A9011D69C5E; Thu, 18 Jul 2002 19:37:03 -0400",
		mark: func(c *clauses) bool { return c.remark("SLmail ") },
		read: bareBracket,
	}
	ccMail = grammar{
		name: "ccmail",
		example: "from r.example [198.51.100.7] by mx.example (ccMail Link to SMTP R8.52.02.1) ; " +
			"Tue, 30 Jul 2002 00:32:11 -0700",
		mark: func(c *clauses) bool { return c.product("ccMail Link to SMTP") },
		read: bareBracket,
	}
	xwall = grammar{
		name: "xwall",
		example: "from r.example [198.51.100.7] by mx.example with XWall v3.21 ; " +
			"Tue, 10 Sep 2002 13:18:34 -0400",
		mark: func(c *clauses) bool { return c.with("XWall") },
		read: bareBracket,
	}
	// proxyPlus gives every host the name of the product.
	proxyPlus = grammar{
		name: "proxy+",
		example: "from [192.0.2.9] [198.51.100.7] by Proxy+; Sat, 04 May 2002 11:45:55 +0200 " +
			"for multiple recipients",
		mark: func(c *clauses) bool { return equal(c.by, "Proxy+") },
		read: bareBracket,
	}
	// netMail is Novell's, by two names. With SMTP AUTH the account stands before the peer.
	netMail = grammar{
		name: "netmail",
		example: "from h.example a@mx.example [198.51.100.7] by mx.example with NetMail SMTP Agent " +
			"$Revision: 3.11 $ on Novell NetWare; Fri, 16 Aug 2002 04:15:52 -0600",
		mark: func(c *clauses) bool { return c.with("NetMail SMTP", "Novonyx SMTP") },
		read: func(c *clauses) (client, bool) {
			own := *c
			if len(c.from) == 3 && c.from[1].kind == word && strings.Contains(c.from[1].text, "@") {
				own.from = []token{c.from[0], c.from[2]}
			}
			return bareBracket(&own)
		},
	}
	// smail has a `from` before the peer too.
	smail = grammar{
		name: "smail",
		example: `from h.example from [198.51.100.7] by mx.example (/\##/\ Smail3.1.30.16 #30.56) ` +
			"with esmtp id <mO/17oq5G-001lAfO@mx.example>; Tue, 10 Sep 2002 13:49:58 -0500 (CDT)",
		mark: func(c *clauses) bool { return c.product(`/\##/\ Smail`) },
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 3 || !c.from[1].is("from") {
				return unfit()
			}
			own := *c
			own.from = []token{c.from[0], c.from[2]}
			return bareBracket(&own)
		},
	}
	altaVista = grammar{
		name: "altavista",
		example: "from PC01 [198.51.100.7] (HELO 192.0.2.9) by mx.example (AltaVista Mail V2.0/2.0 " +
			"BL23 listener) id 0000_0041_3d51_a18a_f810; Wed, 07 Aug 2002 15:39:06 -0700",
		mark: func(c *clauses) bool { return c.product("AltaVista Mail") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 3 || !isHello(&c.from[2]) {
				return unfit()
			}
			own := *c
			own.from = c.from[:2]
			p, ok := bareBracket(&own)
			p.rdns, p.helo = hostName(p.helo), helloOf(&c.from[2])
			return p, ok
		},
	}
)

// readMDaemon reads three shapes. The oldest shows the peer only where it also shows its own
// address behind its name; without that, a bracket could only be the HELO's.
func readMDaemon(c *clauses) (client, bool) {
	switch f := c.from; {
	case len(f) == 1:
		return hidden(c)
	case len(f) == 4 && f[1].is("[") && f[2].glued && f[3].is("]"):
		p, ok := barePeer(&f[2])
		p.helo = f[0].text
		return p, ok
	case len(c.rest) == 0 || !isBareLiteral(&c.rest[0]):
		return unfit()
	}
	return bareBracket(c)
}

// bareBracket reads `from HELO [PEER] by` and nothing else.
func bareBracket(c *clauses) (client, bool) {
	if len(c.from) != 2 || c.from[0].kind != word || !isBareLiteral(&c.from[1]) {
		return unfit()
	}
	ip, ok := parseLiteral(c.from[1].text)
	return client{ip: ip, helo: c.from[0].text}, ok
}
