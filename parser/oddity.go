package parser

import "strings"

// Servers of odd shapes: the peer stuck to a name, behind the `by`, or alone.
var (
	smap = grammar{
		name: "smap",
		example: "from r.example(198.51.100.7) by mx.example via smap (V1.3) id xma093673; " +
			"Wed, 26 Mar 03 20:43:24 -0600",
		mark: func(c *clauses) bool { return equal(c.via(), "smap") },
		read: readSmap,
	}
	// obtuse writes a comma behind its name. What a client claims to be it quotes, as no server
	// may: such lines are not read.
	obtuse = grammar{
		name: "obtuse",
		example: "from r.example(198.51.100.7) via SMTP by mx.example, id smtpdEDUB8h; " +
			"Sun, 13 Nov 2005 14:50:12 +0100",
		mark: func(c *clauses) bool {
			return len(c.from) == 4 && c.from[2].is("via") && hasPrefix(c.clause("id"), "smtpd")
		},
		read: func(c *clauses) (client, bool) {
			own := *c
			own.from = c.from[:2]
			return readSmap(&own)
		},
	}
	os400 = grammar{
		name: "os400",
		example: "from h.example([198.51.100.7]) by mx.example (IBM OS/400 SMTP V05R01M00) with TCP; " +
			"Wed, 15 May 2002 10:23:51 +0000",
		mark: func(c *clauses) bool { return c.product("IBM OS/400") },
		read: gluedBracket,
	}
	jetMail = grammar{
		name: "jetmail",
		example: "from 192.0.2.9([198.51.100.7]) by mx.example(JetMail 2.5.3.0) with SMTP id " +
			"jm23d41e3a2; Fri, 26 Jul 2002 18:20:23 -0000",
		mark: func(c *clauses) bool { return c.product("JetMail ") },
		read: gluedBracket,
	}
	vpop3 = grammar{
		name: "vpop3",
		example: "from 198.51.100.7 by mx.example ([192.0.2.9] running VPOP3) with ESMTP; " +
			"Thu, 16 May 2002 04:27:12 +0100",
		mark: func(c *clauses) bool {
			return c.product("[") && hasSuffix(c.rest[0].text, "] running VPOP3")
		},
		read: firstToken,
	}
	caffeine = grammar{
		name: "caffeine",
		example: "Received from 198.51.100.7 by Caffeine/http-relay (mtl-mtsp-c02-3) with SMTP id " +
			"7be98651 " +
			"for t@example; Sat, 25 Feb 2023 05:46:26 +0000 (UTC)",
		mark: func(c *clauses) bool { return hasPrefix(c.by, "Caffeine/") },
		read: firstToken,
	}
	// gateway are mail filters that know clients by their addresses alone.
	gateway = grammar{
		name: "gateway",
		example: "from 198.51.100.7 by mx.example (InterScan E-Mail VirusWall NT); " +
			"Mon, 29 Jul 2002 11:33:24 +0200",
		mark: func(c *clauses) bool {
			return c.product("InterScan E-Mail VirusWall NT", "SMTPL release") ||
				c.remark("Tumbleweed MMS SMTP Relay", " Tumbleweed MMS SMTP Relay")
		},
		read: firstToken,
	}
	// mailSweeper and LSMTP write HELO and PTR name, and a name may be an address that its owner
	// made up. Only what no name can have tells the peer: brackets, or a port.
	mailSweeper = grammar{
		name: "mailsweeper",
		example: "from h.example (unverified [198.51.100.7]) by mx.example (Content Technologies " +
			"SMTPRS 4.2.9) with ESMTP id <T5c72c681@mx.example>; Thu, 1 Aug 2002 17:34:17 +0100",
		mark: func(c *clauses) bool { return c.product("Content Technologies SMTPRS") },
		read: soleBracket,
	}
	lsmtp = grammar{
		name: "lsmtp",
		example: "from h.example (198.51.100.7:1146) by mx.example (LSMTP for Windows NT v1.1b) with " +
			"SMTP id <82.000001A0@mx.example>; 21 Jul 2002 11:28:26 -0400",
		mark: func(c *clauses) bool { return c.product("LSMTP ") },
		read: func(c *clauses) (client, bool) {
			p, ok := bareParen(c)
			return p, ok && strings.Contains(c.from[1].text, ":")
		},
	}
	// mandrill shows the client of its API.
	mandrill = grammar{
		name: "mandrill",
		example: "from [198.51.100.7] by mandrillapp.com id 4f573f9b8c264e469c27d2f3335d98f2; " +
			"Mon, 02 Dec 2024 17:21:46 +0000",
		mark: func(c *clauses) bool { return sameName(c.by, "mandrillapp.com") },
		read: firstToken,
	}
	// navgw is Norton's gateway: all that stands before the `by` is a comment.
	navgw = grammar{
		name: "navgw",
		example: "(from h.example [198.51.100.7]) by mx.example (NAVGW 2.5.2.12) with SMTP id " +
			"M2006060503484615455; Mon, 05 Jun 2006 03:48:47 +0100",
		mark: func(c *clauses) bool {
			return c.product("NAVGW") && len(c.from) == 1 && c.from[0].isGroup("from ")
		},
		read: func(c *clauses) (client, bool) {
			inner := c.from[0]
			inner.text = inner.text[len("from "):]
			return bracketPeer(&inner)
		},
	}
	// avMailGate writes the peer for its missing name.
	avMailGate = grammar{
		name: "avmailgate",
		example: "from 192.0.2.9 ([198.51.100.7] [198.51.100.7]) by mx.example (AvMailGate-2.0.0.6) " +
			"id 09721-136129B5; Thu, 05 Sep 2002 18:18:44 -0400",
		mark: func(c *clauses) bool { return c.product("AvMailGate-") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 2 || c.from[1].kind != group {
				return soleBracket(c)
			}
			name, literal, _ := strings.Cut(c.from[1].text, " ")
			if name != literal {
				return soleBracket(c)
			}
			ip, ok := parseLiteral(literal)
			return client{ip: ip, helo: c.firstWord()}, ok
		},
	}
	// mailEssentials has a port inside its brackets, and stands behind its name without a comment.
	mailEssentials = grammar{
		name: "mail-essentials",
		example: "From h.example (r.example[198.51.100.7 port:4688]) by mx.example Mail essentials " +
			"(server 2.422) with SMTP id: <7700@mx>; Mon, 22 Jul 2002 09:41:41 +0200",
		mark: func(c *clauses) bool {
			return len(c.rest) > 1 && c.rest[0].is("Mail") && c.rest[1].is("essentials")
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 2 || c.from[1].kind != group || c.from[1].glued {
				return unfit()
			}
			name, peer, _ := strings.Cut(c.from[1].text, "[")
			peer, _, ok := cutAt(peer, " port:")
			ip, isAddress := parseAddr(peer)
			return client{ip: ip, rdns: hostName(name), helo: c.firstWord()}, ok && isAddress
		},
	}
	// intermail and its kin write the peer alone where there was no HELO.
	intermail = grammar{
		name: "intermail",
		example: "from [198.51.100.7] by mx.example (InterMail vM.5.01.05.12) with ESMTP id 2002; " +
			"Wed, 15 May 2002 10:23:51 +0000",
		mark: func(c *clauses) bool {
			return c.product("InterMail", "NTMail", "Post.Office", "ArGoSoft")
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 1 {
				return firstToken(c)
			}
			return soleBracket(c)
		},
	}
	// slmail writes `by` before `from`, and more than the address in the peer's comment.
	slmail = grammar{
		name: "slmail",
		example: "by mx.example from h.example (198.51.100.7::mail daemon; unverified,SLMail V3.0); " +
			"Sat, 11 May 2002 05:18:02 +0500",
		mark: func(c *clauses) bool {
			return len(c.from) == 0 && len(c.rest) == 3 && c.rest[0].is("from") &&
				c.rest[2].kind == group && isSLMail(c.rest[2].text)
		},
		read: func(c *clauses) (client, bool) {
			peer, _, _ := strings.Cut(c.rest[2].text, "::")
			ip, ok := parseAddr(peer)
			return client{ip: ip, helo: c.rest[1].text}, ok
		},
	}
)

// readSmap reads `from NAME(PEER)` and `from NAME(PEER, HELO h)`.
func readSmap(c *clauses) (client, bool) {
	if len(c.from) != 2 || !c.from[1].glued || c.from[1].kind != group {
		return unfit()
	}
	peer, helo, _ := cutAt(c.from[1].text, ", HELO ")
	ip, ok := parseAddr(peer)
	return client{ip: ip, rdns: hostName(c.from[0].text), helo: helo}, ok
}

func isSLMail(s string) bool {
	_, product, ok := cutAt(s, "::mail daemon")
	_, _, named := cutAt(product, ",SLMail")
	return ok && named
}

// gluedBracket reads `from HELO([PEER]) by` and nothing else.
func gluedBracket(c *clauses) (client, bool) {
	if len(c.from) != 2 || !c.from[1].glued {
		return unfit()
	}
	p, ok := bracketPeer(&c.from[1])
	p.helo = c.from[0].text
	return p, ok
}

// The two shapes that many products share, and write without naming themselves.
var (
	// paren is Exchange's, KumoMTA's and hidden PowerMTA's shape.
	paren = grammar{
		name: "paren",
		example: "from [192.0.2.9] (198.51.100.7) by mx.example id hu1khm39n7cb for <t@example>; " +
			"Thu, 16 Oct 2025 05:40:10 +0200 (envelope-from <x@example>)",
		mark: isBareParen,
		read: bareParen,
	}
	// bracket is Postfix' and Sendmail's shape: hMailServer, SES, Barracuda, Proofpoint, Mimecast,
	// Courier, Kerio, Rockliffe, Symantec and many more.
	bracket = grammar{
		name: "bracket",
		example: "from [192.0.2.9] (r.example [198.51.100.7]) by mx.example with ESMTP id " +
			"kGfJkO3fUvGytjnn; " +
			"Sun, 12 Oct 2025 22:50:14 -0500 (EST)",
		mark: func(c *clauses) bool { return c.hasFrom && c.by != "" },
		read: soleBracket,
	}
)
