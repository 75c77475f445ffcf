package parser

import "strings"

// Servers that name themselves behind the `by`. Where it is known what they let into a HELO the
// grammar says so; the others are read only if a single comment can be the peer's.
var (
	// haraka splits a HELO at blanks only, so tabs bring whole clauses in. Behind its `by` stand
	// only words that it quotes.
	haraka = grammar{
		name: "haraka",
		example: "from a\t([192.0.2.9])\tby\tmx.example (r.example [198.51.100.7]) by mx.example " +
			"(Haraka/2.8.18) with ESMTPA id 349C9C2B.1 envelope-from <a@example> (authenticated bits=0); " +
			"Tue, 03 Jul 2018 14:18:13 +0200",
		mark:    func(c *clauses) bool { return c.product("Haraka/") },
		read:    beforeBy,
		anyHelo: true,
	}
	// opensmtpd checks HELO and name. `[local]` is a program, even with ESMTPA.
	opensmtpd = grammar{
		name: "opensmtpd",
		example: "from h.example (r.example [198.51.100.7]) by mx.example (OpenSMTPD) with ESMTP " +
			"id 0689174f for <t@example>; Thu, 9 Oct 2025 01:04:13 +0000 (UTC)",
		mark: func(c *clauses) bool { return c.product("OpenSMTPD") },
		read: func(c *clauses) (client, bool) {
			switch {
			case len(c.from) == 0: // mask-src
				return hidden(c)
			case len(c.from) == 2 && isAlone(c.from[1].text, " [local]"):
				return onHost(c)
			}
			return afterHelo(c)
		},
		strictHelo: true,
	}
	// chasquid takes the HELO up to the first blank and prints it as it came, so a comment may be
	// stuck to it; the peer's own stands off. Of mail accounts it prints the HELO alone.
	chasquid = grammar{
		name: "chasquid",
		example: "from a([192.0.2.9]) ([198.51.100.7]) by mx.example (chasquid) with ESMTPS tls " +
			"TLS_AES " +
			"(over SMTP, TLS-1.3, envelope from \"a@example\") ; Mon, 01 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.product("chasquid") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 1 {
				return hidden(c)
			}
			return beforeBy(c)
		},
	}
	// mox parses the HELO strictly. Of mail accounts it prints its own name alone.
	mox = grammar{
		name: "mox",
		example: "from [192.0.2.9] (r.example [198.51.100.7]) (xn--h.example) by mx.example " +
			"([192.0.2.8]) " +
			"via tcp with UTF8SMTPS id abc; 1 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool {
			return len(c.marks) > 2 && showsOwn(c) && c.marks[1].is("via") && c.marks[2].is("tcp")
		},
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 1 {
				return hidden(c)
			}
			own := *c
			own.from = c.from[:min(len(c.from), 2)] // a HELO in its ASCII form may follow
			return afterHelo(&own)
		},
		strictHelo: true,
	}
	// maddy leaves HELO and `from` out where the HELO is no domain.
	maddy = grammar{
		name: "maddy",
		example: "(r.example [198.51.100.7]) by mx.example (envelope-sender <a@example>) with ESMTP " +
			"id 8c1f; Mon, 01 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.product("envelope-sender ") },
		read: soleBracket,
	}
	// stalwart prints the HELO as it came, and nothing of the sender's behind the `by`.
	stalwart = grammar{
		name: "stalwart",
		example: "from [192.0.2.9] (unknown [198.51.100.7] (AS64500 Example (Backbone), ZZ)) " +
			"(using TLSv1.3 with cipher X) by mx.example (Stalwart SMTP) with ESMTPS id 3D8C2F01; " +
			"Sat, 29 Nov 2025 21:40:47 +0000",
		mark:    func(c *clauses) bool { return c.product("Stalwart") },
		read:    beforeBy,
		anyHelo: true,
	}
	// zonemta writes the name behind the address.
	zonemta = grammar{
		name: "zonemta",
		example: "from [192.0.2.9] ([198.51.100.7] r.example) (Authenticated sender: a@example) " +
			"by mx.example (ZoneMTA) with ESMTPSA id 18f.001; Mon, 01 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.product("ZoneMTA") },
		read: soleBracket,
	}
	communigate = grammar{
		name: "communigate",
		example: "from [198.51.100.7] (account a@example HELO [192.0.2.9]) by mx.example " +
			"(CommuniGate Pro SMTP 5.1.13) with ESMTPSA id 9830625 for t@example; " +
			"Mon, 07 Apr 2008 08:42:48 +0700",
		mark: func(c *clauses) bool { return c.product("CommuniGate Pro", "Stalker SMTP Server") },
		read: readCommunigate,
	}
	domino = grammar{
		name: "domino",
		example: "from h.example ([198.51.100.7]) by mx.example (Lotus Domino Release 8.5.3FP6) with " +
			"ESMTP " +
			"id 2014082210151234-12345 ; Fri, 22 Aug 2014 10:15:12 +0200",
		mark: func(c *clauses) bool { return c.product("Lotus Domino", "HCL Domino") },
		read: soleBracket,
	}
	icewarp = grammar{
		name: "icewarp",
		example: "from ([198.51.100.7]) by mx.example (IceWarp 9.4.2 (2009-05-21) by SoftMail) with " +
			"ASMTP " +
			"id WBS77905; Wed, 27 Nov 2024 01:18:05 +0900",
		mark: func(c *clauses) bool { return c.product("IceWarp", "Merak") },
		read: soleBracket,
	}
	kumomta = grammar{
		name: "kumomta",
		example: "from [192.0.2.9] (198.51.100.7) by mx.example (KumoMTA 192.0.2.8) with ESMTP id 0b1; " +
			"Mon, 01 Jan 2024 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.product("KumoMTA") },
		read: bareParen,
	}
	powermta = grammar{
		name: "powermta",
		example: "from [192.0.2.9] (198.51.100.7) by mx.example (PowerMTA(TM) v3.5r16) id " +
			"hehvng0ik18p; " +
			"Thu, 29 Apr 2012 23:34:45 +0200 (envelope-from <a@example>)",
		mark: func(c *clauses) bool { return c.product("PowerMTA") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 0 {
				return hidden(c)
			}
			return bareParen(c)
		},
	}
	xmail = grammar{
		name: "xmail",
		example: "from [192.0.2.9] (198.51.100.7:3124) by mx.example (192.0.2.8:25) with " +
			"[XMail 1.21 ESMTP Server] id <S1> for <t@example> from <a@example>; " +
			"Mon, 01 Jan 2007 00:00:00 +0000",
		mark: func(c *clauses) bool { return c.with("[XMail") },
		read: bareParen,
	}
	// momentum writes the peer first, like Exim, and the envelope sender before its own name.
	momentum = grammar{
		name: "momentum",
		example: "from [198.51.100.7] ([198.51.100.7:4021] helo=[192.0.2.9]) by mx.example " +
			"(envelope-from <a@example>) (ecelerity 4.2.1 r(msys)) with ESMTPSA id 1; " +
			"Mon, 01 Jan 2024 00:00:00 +0000",
		mark: isMomentum,
		read: func(c *clauses) (client, bool) {
			if len(c.from) == 1 { // without a HELO
				return soleBracket(c)
			}
			return addressFirst(c)
		},
	}
	// zmailer writes the peer first, and what the client said in quotes.
	zmailer = grammar{
		name: "zmailer",
		example: `from r.example ([198.51.100.7]:3332 "EHLO [192.0.2.9]" ident: "x[2]") by ` +
			"mx.example with ESMTP id S5253312AbSIFGCT; Fri, 6 Sep 2002 10:02:19 +0400",
		mark: func(c *clauses) bool { return len(c.from) == 2 && isZMailer(&c.from[1]) },
		read: func(c *clauses) (client, bool) {
			p, ok := addressFirst(c)
			_, p.helo, _ = cutAt(c.from[1].text, "LO ")
			p.helo, _, _ = strings.Cut(p.helo, `"`)
			return p, ok
		},
	}
	// cyrus takes mail by LMTP, mostly over a socket.
	cyrus = grammar{
		name: "cyrus",
		example: "from mx.example ([198.51.100.7]) (authenticated user=a bits=0) by box.example " +
			"(Cyrus v2.3.7) with LMTPA; Thu, 26 May 2011 12:20:56 -0700",
		mark: func(c *clauses) bool { return c.product("Cyrus ") },
		read: func(c *clauses) (client, bool) {
			if len(c.from) > 1 && equal(c.from[1].text, "[unix socket]") {
				return onHost(c)
			}
			return soleBracket(c)
		},
	}
	// amavis hands on over loopback what it was handed over loopback, or names the client that
	// XFORWARD told it.
	amavis = grammar{
		name: "amavis",
		example: "from mx.example ([198.51.100.7]) by localhost (mx.example [127.0.0.1]) " +
			"(amavisd-new, port 10024) with ESMTP id UVwjapZ0X3EM; Fri, 30 Dec 2022 01:35:34 +0700",
		mark: func(c *clauses) bool { return c.remark("amavis") },
		read: soleBracket,
	}
)

// isMomentum knows the product by its name, right behind the `by` or the envelope sender. There it
// could be the sender's, if that does not end before it: the end would stand behind.
func isMomentum(c *clauses) bool {
	if len(c.rest) > 1 && c.product("envelope-from <") && c.rest[1].isGroup("ecelerity ") {
		return !strings.ContainsAny(c.line[c.rest[0].end():], `"<>`)
	}
	return c.product("ecelerity ")
}

// isZMailer knows ZMailer's comment: the peer, and behind it a greeting in quotes. With a comment in
// it, it may be another server's line, of which a HELO has swallowed the peer.
func isZMailer(t *token) bool {
	_, greeting, _ := strings.Cut(t.text, " ")
	return t.isGroup("[") && strings.IndexByte(greeting, '(') < 0 && !isLogin(t) &&
		(hasPrefix(greeting, `"HELO`) || hasPrefix(greeting, `"EHLO`))
}

// readCommunigate knows that CommuniGate Pro puts the peer first, as `[PEER] (HELO h)` or
// `[PEER] (account a HELO h)`, on the web `[PEER] (account a)`, but behind a name it has verified, as `NAME ([PEER] verified)` or
// `NAME (account a [PEER] verified)`.
func readCommunigate(c *clauses) (client, bool) {
	if len(c.from) != 2 || c.from[0].kind != word || c.from[1].kind != group {
		return unfit()
	}
	text, account := cutPrefix(c.from[1].text, "account ")
	if account {
		_, text, _ = strings.Cut(text, " ")
	}
	helo, greeted := cutPrefix(text, "HELO ")
	if greeted || account && text == "" { // webmail has no HELO
		ip, ok := parseLiteral(c.from[0].text)
		return client{ip: ip, helo: helo}, ok
	}
	literal, ok := cutSuffix(text, " verified")
	if !ok {
		return unfit()
	}
	ip, ok := parseLiteral(literal)
	return client{ip: ip, helo: c.from[0].text, rdns: hostName(c.from[0].text)}, ok
}
