package parser

// Yahoo's machines and the webmails. A webmail's client is the browser's address as the web server
// saw it (REMOTE_ADDR); what a proxy claims to forward for is the sender's word.
var (
	// yahooBullet is Yahoo's internal protocol. Ratware loves to claim it in other shapes.
	yahooBullet = grammar{
		name: "yahoo",
		example: "from [198.51.100.7] by nm2.bullet.mail.ukl.yahoo.com with NNFMP; " +
			"09 Mar 2011 11:19:46 -0000",
		mark: func(c *clauses) bool { return c.with("NNFMP") },
		read: firstToken,
	}
	yahooMX = grammar{
		name: "yahoo",
		example: "from 198.51.100.7 (EHLO 192.0.2.9) by 10.197.33.205 with SMTPs (version=TLS1_3 " +
			"cipher=X); " +
			"Sat, 25 Oct 2025 18:00:34 +0000",
		mark: func(c *clauses) bool {
			return c.with("SMTPs") && hasHelloComment(c) && len(c.from) == 2
		},
		read: func(c *clauses) (client, bool) {
			ip, ok := parseHost(c.from[0].text)
			return client{ip: ip, helo: helloOf(&c.from[1])}, ok
		},
	}
	yahooLogin = grammar{
		name: "yahoo",
		example: "from pc (user@198.51.100.7 with login) by smtp111.mail.ne1.yahoo.com with SMTP; " +
			"17 Jan 2011 08:23:27 -0800 PST",
		mark: hasLogin,
		read: readYahooLogin,
	}
	squirrelmail = grammar{
		name: "squirrelmail",
		example: "from 198.51.100.7 (proxying for 192.0.2.9, unknown) (SquirrelMail authenticated " +
			"user al) " +
			"by webmail.example with HTTP; Wed, 21 Aug 2002 14:52:11 +0800",
		mark: func(c *clauses) bool {
			last := len(c.from) - 1
			return last > 0 && (c.from[last].isGroup("SquirrelMail authenticated user ") ||
				c.from[last].isGroup("NaSMail authenticated user "))
		},
		read: readSquirrelmail,
	}
	webmail = grammar{
		name: "webmail",
		example: "from 198.51.100.7:13012 by web.example with HTTP/1.1 (Lisa V7-5-5-0.0 on API " +
			"V5-51-3-2); " +
			"Thu, 07 Sep 23 14:07:33 +0200",
		mark: isHTTP,
		read: readWebmail,
	}
)

// isHTTP tells whether the message came in over HTTP: `with HTTP`, `with HTTP (HTTP/1.1 POST)`,
// `via HTTP` and the like.
func isHTTP(c *clauses) bool { return c.with("HTTP") || hasPrefix(c.clause("via"), "HTTP") }

// readWebmail reads the shapes of Hotmail and AOL (`from PEER`), Roundcube (`from [PEER]`, behind a
// proxy `from CLAIMED via PEER`) and Horde (`from PEER ([PEER])`). Most APIs show no client.
func readWebmail(c *clauses) (client, bool) {
	if n := len(c.from); n >= 3 && c.from[n-2].is("via") {
		ip, ok := parseHost(c.from[n-1].text)
		return client{ip: ip}, ok
	}
	if p, ok := firstToken(c); ok {
		return p, true
	}
	for i := range c.from { // a user's name that closed its comment
		if c.from[i].isGroup("SquirrelMail ") || c.from[i].isGroup("NaSMail ") {
			return unfit()
		}
	}
	if p, ok := soleBracket(c); ok {
		return p, true
	}
	return hidden(c)
}

// readSquirrelmail reads `from PEER (…)` and `from NAME ([PEER]) (…)`.
func readSquirrelmail(c *clauses) (client, bool) {
	if c.from[1].isGroup("[") {
		p, ok := bracketPeer(&c.from[1])
		p.rdns = hostName(c.from[0].text)
		return p, ok
	}
	ip, ok := parseHost(c.from[0].text)
	return client{ip: ip}, ok
}

// hasLogin knows Yahoo's comment about a mail account, last before the `by`.
func hasLogin(c *clauses) bool {
	last := len(c.from) - 1
	return last > 0 && isLogin(&c.from[last])
}

// isLogin knows how a mail account logged in.
func isLogin(t *token) bool {
	return t.kind == group && (hasSuffix(t.text, " with login") || hasSuffix(t.text, " with plain"))
}

func readYahooLogin(c *clauses) (client, bool) {
	last := len(c.from) - 1
	if last > 2 || last == 2 && !isHello(&c.from[1]) {
		return unfit()
	}
	t := c.from[last]
	t.text, _, _ = cutAt(t.text, " with ")
	p, ok := barePeer(&t)
	p.helo = c.from[0].text
	return p, ok
}
