package parser

// Microsoft's servers write HELO first. What they let into it is not documented, so every shape
// is exact. The comment behind the `by` is the server's own address.
var (
	// smtpsvc is the SMTP service of IIS and of Exchange 2000 and 2003. `mail pickup service` is a
	// program that left the message in a folder.
	smtpsvc = grammar{
		name: "smtpsvc",
		example: "from h ([198.51.100.7] RDNS failed) by mx.example with Microsoft " +
			"SMTPSVC(6.0.3790.0); " +
			"Thu, 23 Sep 2004 08:51:06 -0700",
		mark: func(c *clauses) bool { return c.with("Microsoft SMTPSVC") },
		read: func(c *clauses) (client, bool) {
			switch {
			case len(c.from) == 3 && c.from[0].is("mail") && c.from[1].is("pickup") &&
				c.from[2].is("service"):
				return onHost(c)
			case len(c.from) == 3 && c.from[1].is("-"): // NT 4
				ip, ok := parseHost(c.from[2].text)
				return client{ip: ip, helo: c.from[0].text}, ok
			}
			return soleBracket(c)
		},
	}
	exchange55 = grammar{
		name: "exchange55",
		example: "from 192.0.2.9 (r.example [198.51.100.7]) by mx.example with SMTP " +
			"(Microsoft Exchange Internet Mail Service Version 5.5.2653.13) id QYY194NR; " +
			"Sat, 24 Aug 2002 09:00:00 +0100",
		mark: func(c *clauses) bool {
			return c.remark("Microsoft Exchange Internet Mail") || c.with("Internet Mail Service")
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 0 { // a mailbox of this server
				return onHost(c)
			}
			return soleBracket(c)
		},
	}
	// exchangeMapi is the line of a mailbox user; the addresses are internal ones.
	exchangeMapi = grammar{
		name: "exchange-mapi",
		example: "from a.example ([198.51.100.7]) by b.example ([192.0.2.9]) with mapi id " +
			"15.20.1943.023; " +
			"Wed, 5 Jun 2019 10:17:08 +0000",
		mark: func(c *clauses) bool { return c.with("mapi") },
		read: soleBracket,
	}
	// exchange is Exchange 2007 to 365. Build numbers look like addresses: `id 8.3.213.0` is one.
	exchange = grammar{
		name: "exchange",
		example: "from [192.0.2.9] (198.51.100.7) by mx.example (192.0.2.8) with Microsoft SMTP Server " +
			"(version=TLS1_2, cipher=X) id 15.20.9228.7 via Frontend Transport; " +
			"Mon, 13 Oct 2025 04:36:11 +0000",
		mark: func(c *clauses) bool {
			return c.with("Microsoft SMTP Server") || c.with("HTTPS") && isBareParen(c) && showsOwn(c)
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 1 {
				return hidden(c)
			}
			return bareParen(c)
		},
	}
)

// showsOwn tells whether the server's own address stands behind its name.
func showsOwn(c *clauses) bool {
	if len(c.rest) == 0 {
		return false
	}
	_, ok := barePeer(&c.rest[0])
	return ok
}
