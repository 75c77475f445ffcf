package parser

import "strings"

// Servers of odd shapes: the peer in bare brackets, before the `by` without a blank, or behind it.
var (
	mdaemon = grammar{
		name: "mdaemon",
		example: "from h.example [(198.51.100.7)] by mx.example (192.0.2.9) (MDaemon PRO v19.0.2) " +
			"with ESMTP id md50018233933.msg; Tue, 16 Jul 2019 11:39:22 +0200",
		mark: func(c *clauses) bool { return c.remark("MDaemon") },
		read: func(c *clauses) (client, bool) {
			switch f := c.from; {
			case len(f) == 1:
				return hidden(c)
			case len(f) == 4 && f[1].is("[") && f[2].glued && f[3].is("]"):
				p, ok := barePeer(&f[2])
				p.helo = f[0].text
				return p, ok
			}
			return bareBracket(c)
		},
	}
	imail = grammar{
		name: "imail",
		example: "from [192.0.2.9] [198.51.100.7] by mx.example with ESMTP (SMTPD32-6.05) " +
			"id A858FC200160; Mon, 29 Jul 2002 16:40:56 -0400",
		mark: func(c *clauses) bool { return c.remark("SMTPD32") },
		read: bareBracket,
	}
	smap = grammar{
		name: "smap",
		example: "from r.example(198.51.100.7) by mx.example via smap (V1.3) id xma093673; " +
			"Wed, 26 Mar 03 20:43:24 -0600",
		mark: func(c *clauses) bool { return strings.EqualFold(c.clause("via"), "smap") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 2 || !c.from[1].glued {
				return unfit()
			}
			p, ok := barePeer(&c.from[1])
			p.rdns = hostName(c.from[0].text)
			return p, ok
		},
	}
	os400 = grammar{
		name: "os400",
		example: "from h.example([198.51.100.7]) by mx.example (IBM OS/400 SMTP V05R01M00) with TCP; " +
			"Wed, 15 May 2002 10:23:51 +0000",
		mark: func(c *clauses) bool { return c.product("IBM OS/400") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) != 2 || !c.from[1].glued {
				return unfit()
			}
			p, ok := bracketPeer(&c.from[1])
			p.helo = c.from[0].text
			return p, ok
		},
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

func isSLMail(s string) bool {
	_, product, ok := cutAt(s, "::mail daemon")
	_, _, named := cutAt(product, ",SLMail")
	return ok && named
}

// bareBracket reads `from HELO [PEER] by` and nothing else.
func bareBracket(c *clauses) (client, bool) {
	if len(c.from) != 2 || c.from[1].kind != word || c.from[1].glued {
		return unfit()
	}
	ip, ok := parseLiteral(c.from[1].text)
	return client{ip: ip, helo: c.from[0].text}, ok
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
