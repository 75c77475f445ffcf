package parser

import (
	"slices"
	"strings"
)

// Yahoo's and Critical Path's machines, and the webmails. A webmail's client is the browser's
// address as the web server saw it (REMOTE_ADDR); what a proxy claims to forward for is the
// sender's word.
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
		read: peerHello,
	}
	// cpmta writes as qmail does, but for a peer without a name, which it puts first.
	cpmta = grammar{
		name: "cpmta",
		example: "from 198.51.100.7 (HELO [192.0.2.9]) by smtp.example (192.0.2.8) with SMTP; " +
			"24 Jul 2002 06:19:53 -0700",
		mark: func(c *clauses) bool {
			_, isAddress := parseHost(c.firstWord())
			return isAddress && hasHelloComment(c) && len(c.from) == 2
		},
		read: peerHello,
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
			return last > 0 && isMailUser(c.from[last])
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
func isHTTP(c *clauses) bool { return c.with("HTTP") || hasPrefix(c.via(), "HTTP") }

// peerHello reads `from PEER (HELO h) by` and nothing else. Of a server that does not tell its own
// address either, a HELO in brackets could as well be the peer, behind a PTR name that is `HELO`.
func peerHello(c *clauses) (client, bool) {
	ip, ok := parseHost(c.from[0].text)
	helo := helloOf(&c.from[1])
	_, byAddress := parseHost(c.by)
	return client{ip: ip, helo: helo},
		ok && (byAddress || showsOwn(c) || !strings.ContainsAny(helo, "[]"))
}

// readWebmail reads the shapes of Hotmail and AOL (`from PEER`) and Roundcube (`from NAME ([PEER])`
// or `from [PEER]`, behind a proxy `from CLAIMED via` and then the same). Most APIs show no client.
func readWebmail(c *clauses) (client, bool) {
	// Horde and its mail program print the first address of an X-Forwarded-For field as if it were
	// the peer's. Any browser can send that field.
	if c.product("Horde Framework", "IMP") {
		return hidden(c)
	}
	own := *c
	via := func(t token) bool { return t.is("via") }
	if i := slices.IndexFunc(c.from, via); i > 0 && c.with("HTTP") && isClaim(c.from[:i]) {
		own.from, own.hasFrom = c.from[i+1:], true
	}
	if p, ok := firstToken(&own); ok {
		return p, true
	}
	if slices.ContainsFunc(c.from, isMailUser) { // whose name closed its comment
		return unfit()
	}
	if p, ok := soleBracket(&own); ok {
		return p, true
	}
	return hidden(c)
}

// isClaim knows Roundcube's `CLAIMED` or `NAME (CLAIMED)`. Comments with blanks are of servers that
// write the peer first.
func isClaim(tokens []token) bool {
	return len(tokens) == 1 ||
		len(tokens) == 2 && isName(&tokens[0]) && !strings.ContainsAny(tokens[1].text, " ()")
}

// isMailUser knows the comment in which SquirrelMail and NaSMail tell the account.
func isMailUser(t token) bool {
	return t.isGroup("SquirrelMail authenticated user ") ||
		t.isGroup("NaSMail authenticated user ")
}

// readSquirrelmail reads `from PEER (…)` and `from NAME ([PEER]) (…)`, where the account's comment may
// stand behind one about a proxy, and nothing else.
func readSquirrelmail(c *clauses) (client, bool) {
	for i := range c.from[1:] {
		t := &c.from[1+i]
		isOwn := isMailUser(*t) || t.isGroup("proxying for ") || i == 0 && t.isGroup("[")
		if !isOwn || t.glued || hidesPeer(t) {
			return unfit()
		}
	}
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
	return last >= 0 && isLogin(&c.from[last])
}

// isLogin knows how a mail account logged in.
func isLogin(t *token) bool {
	return t.kind == group && (hasSuffix(t.text, " with login") || hasSuffix(t.text, " with plain"))
}

func readYahooLogin(c *clauses) (client, bool) {
	last := len(c.from) - 1
	_, isAddress := parseHost(c.firstWord())
	if last > 2 || last == 2 && (isAddress || !isHello(&c.from[1])) {
		return unfit() // a HELO that closed its comment, behind the peer
	}
	t := c.from[last]
	t.text = t.text[:len(t.text)-len(" with login")] // or plain
	p, ok := barePeer(&t)
	p.helo = c.firstWord()
	return p, ok
}
