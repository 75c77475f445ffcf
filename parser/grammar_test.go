package parser

import (
	"net/netip"
	"strings"
	"testing"
)

// peer is the client of every example, decoys what they hold besides.
var peer = netip.MustParseAddr("198.51.100.7")

// TestExamples reads the example of every grammar: the grammar itself must read it, and find the
// peer.
func TestExamples(t *testing.T) {
	for _, g := range grammars {
		t.Run(g.name, func(t *testing.T) {
			r, ok := readValue([]byte(g.example))
			if !ok {
				t.Fatalf("unreadable: %s", g.example)
			}
			if r.grammar != g {
				t.Errorf("read by %q: %s", r.grammar.name, r.grammar.example)
			}
			if want := shownIn(g); r.client.ip != want {
				t.Errorf("peer = %s, want %s", r.client.ip, want)
			}
			if strings.Contains(g.example, "; ") && parseDate(g.example[strings.LastIndex(g.example,
				"; ")+2:]).IsZero() {
				t.Errorf("unreadable date in %s", g.example)
			}
		})
	}
}

// shownIn is the peer that stands in a grammar's example: Google's queue shows none.
func shownIn(g *grammar) netip.Addr {
	if g == &googleQueue {
		return netip.Addr{}
	}
	return peer
}

// TestForms reads the other forms of the families: what else shows a peer, what shows none, and
// what records a user.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		name, value, format string
		want                string // the peer, "hidden", "local", "queued", or "" for unreadable
	}{
		{"postfix, no name", "from h (unknown [198.51.100.7]) by m (Postfix) with SMTP id 1", "postfix",
			"198.51.100.7"},
		{"postfix, IPv6", "from h (r.example [IPv6:2001:db8::7]) by m (Postfix) with SMTP id 1",
			"postfix", "2001:db8::7"},
		{"postfix of a distribution",
			"from h (r [198.51.100.7]) by m (Postfix on SuSE Linux 8.0 (i386)) with SMTP id 1", "postfix",
			"198.51.100.7"},
		{"postfix, no blank in the comment",
			"from h (r.example[198.51.100.7]) by m (Postfix) with SMTP id 1", "postfix", "198.51.100.7"},
		{"postfix, local", "by m (Postfix, from userid 33) id AA", "postfix", "local"},
		{"postfix, hidden", "by m (Postfix) with ESMTPSA id AA", "postfix", "hidden"},
		{"postfix with a second comment",
			"from h (r [198.51.100.7]) (x [192.0.2.9]) by m (Postfix) with SMTP id 1", "postfix", ""},
		{"sendmail, no name", "from h ([198.51.100.7]) by m (8.9.3/8.9.3) with SMTP id A", "sendmail",
			"198.51.100.7"},
		{"HELO closes Yahoo's comment", "from 198.51.100.7 (EHLO x) ([192.0.2.9]) by m with SMTPs", "", ""},
		{"user closes SquirrelMail's comment",
			"from 198.51.100.7 (SquirrelMail authenticated user x) ([192.0.2.9]) by m with HTTP", "", ""},
		{"sendmail, ident", "from h (u@r.example [198.51.100.7]) by m (8.9.3/8.9.3) with SMTP id A",
			"sendmail", "198.51.100.7"},
		{"sendmail, ident and no name",
			"from h (IDENT:u@[198.51.100.7]) by m (8.9.3/8.9.3) with SMTP id A", "sendmail", "198.51.100.7"},
		{"sendmail, authenticated",
			"from h (r [198.51.100.7]) (authenticated bits=0) by m (8.17.1/8.17.1) with ESMTP id A",
			"sendmail", "198.51.100.7"},
		{"sendmail of Sun", "from h (r [198.51.100.7]) by m (8.9.3+Sun/8.9.3) with ESMTP id A",
			"sendmail", "198.51.100.7"},
		{"sendmail of AIX", "from h (r [198.51.100.7]) by m (AIX4.3/8.9.3) with ESMTP id A", "sendmail",
			"198.51.100.7"},
		{"sendmail, submit", "(from www@localhost) by m (8.12.5/8.12.5/Submit) id A", "sendmail",
			"local"},
		{"sendmail, pipe", "from localhost (root@localhost) by m (8.12.5/8.12.5) with ESMTP id A",
			"sendmail", "local"},
		{"sendmail, socket", "from h (localhost [[UNIX: localhost]]) by m (8.12.5/8.12.5) id A",
			"sendmail", "local"},
		{"sendmail, two brackets",
			"from h ([192.0.2.9] [198.51.100.7]) by m (8.9.3/8.9.3) with SMTP id A", "sendmail", ""},
		{"sendmail, comment in the HELO",
			"from a([192.0.2.9]) (r [198.51.100.7]) by m (8.9.3/8.9.3) with SMTP id A", "sendmail", ""},
		{"exim, no name",
			"from [198.51.100.7] (port=3110 helo=192.0.2.9 ident=x) by m with smtp (Exim 4.05) id A", "exim",
			"198.51.100.7"},
		{"exim, no name, port with the address",
			"from [198.51.100.7]:3110 (helo=h) by m with smtp (Exim 4.96) id A", "exim", "198.51.100.7"},
		{"exim, no HELO", "from [198.51.100.7] by m with smtp (Exim 4.05) id A", "exim", "198.51.100.7"},
		{"exim, IPv6", "from r ([2001:db8::7]:3110 helo=h) by m with esmtps (Exim 4.96) id A", "exim",
			"2001:db8::7"},
		{"exim, name only", "from r ([198.51.100.7] ident=[192.0.2.9]) by m with esmtps (Exim 4.96) id A",
			"exim", "198.51.100.7"},
		{"exim, local", "from www-data by m with local (Exim 4.96) (envelope-from <a@example>) id A",
			"exim", "local"},
		{"exim, local with a HELO", "from uucp (helo=h.example) by m with local-esmtp (Exim 4.96) id A", "exim", "local"},
		{"exim, local with a HELO of two words", "from uucp (helo=a b) by m with local-esmtp (Exim 4.96) id A", "exim",
			""},
		{"exim, local and yet an address", "from [198.51.100.7] by m with local (Exim 4.96) id A", "exim", ""},
		{"exim, local further back", "from uucp by m (x) with local (Exim 4.96) id A", "exim", ""},
		{"postfix with a second peer that begins as a remark",
			"from h (r [198.51.100.7]) (tls [192.0.2.9]) by m (Postfix) with SMTP id 1", "postfix", ""},
		{"gmail, not from inside", "from h ([198.51.100.7]) by 2002:a05:: with SMTP id A", "paren", "198.51.100.7"},
		{"exim, HELO first", "from [192.0.2.9] (r [198.51.100.7]) by m with esmtp (Exim 4.96) id A",
			"exim", ""},
		{"exim, sender with a by",
			`from r ([198.51.100.7] helo=h) by m with esmtp (Exim 4.96) (envelope-from <"a) by m (Postfix) with ("@example>) id A`, "exim", "198.51.100.7"},
		{"qmail, no ident", "from unknown (HELO h) (198.51.100.7) by m with SMTP", "qmail",
			"198.51.100.7"},
		{"qmail, account and address", "from r (HELO h) (u@example@198.51.100.7) by m with ESMTPA",
			"qmail", "198.51.100.7"},
		{"qmail, account only", "from r (HELO h) (u@example) by m with ESMTPA", "qmail", "hidden"},
		{"qmail, no address", "from unknown (HELO h) () by m with SMTP", "qmail", "hidden"},
		{"qmail with TLS", "from r (HELO h) (198.51.100.7) by m with ECDHE-X encrypted SMTP", "qmail",
			"198.51.100.7"},
		{"qmail, two peers", "from r (HELO h) (192.0.2.9) (198.51.100.7) by m with SMTP", "qmail", ""},
		{"qmail, HELO with blanks", "from r (HELO a b) (198.51.100.7) by m with SMTP", "qmail", ""},
		{"qmail, LMTP of Zimbra", "from r (LHLO h) (198.51.100.7) by m with LMTP", "qmail",
			"198.51.100.7"},
		{"qmail queue", "(qmail 29481 invoked from network)", "qmail", "queued"},
		{"qmail queue, user", "(qmail 29481 invoked by uid 48)", "qmail", "local"},
		{"qmail queue, forward", "(qmail 29481 invoked by alias)", "qmail", "local"},
		{"qmail queue, something else", "(qmail 29481 invoked 198.51.100.7)", "qmail", ""},
		{"qmail-ldap, sender with a peer",
			"from r (HELO h) (198.51.100.7) (envelope-sender <x>) (192.0.2.9) (envelope-sender <y>) by m (qmail-ldap-1.03) with SMTP", "qmail-ldap", ""},
		{"smtpsvc, pickup", "from mail pickup service by m with Microsoft SMTPSVC", "smtpsvc", "local"},
		{"smtpsvc, plain", "from h ([198.51.100.7]) by m with Microsoft SMTPSVC(5.0.2195.5329)",
			"smtpsvc", "198.51.100.7"},
		{"smtpsvc of NT", "from 192.0.2.9 - 198.51.100.7 by m with Microsoft SMTPSVC", "smtpsvc",
			"198.51.100.7"},
		{"exchange 5.5, mailbox", "by m with Internet Mail Service (5.5.2653.19) id A", "exchange55",
			"local"},
		{"exchange, IPv6",
			"from a.example (2001:db8::7) by b.example (2001:db8::9) with Microsoft SMTP Server (version=TLS1_2) id 15.1", "exchange", "2001:db8::7"},
		{"exchange, internal", "from a.example (2001:db8::7) by b.example (2001:db8::9) with HTTPS",
			"exchange", "2001:db8::7"},
		{"exchange, no peer", "from a.example by b.example with Microsoft SMTP Server id 8.3.213.0",
			"exchange", "hidden"},
		{"gmail, no name", "from h ([198.51.100.7]) by mx.google.com with ESMTP id A", "gmail",
			"198.51.100.7"},
		{"gmail, internal", "by 2002:a05:612c:1b13:b0:49b:3a60:d7b with SMTP id A", "gmail", "queued"},
		{"gmail, API", "from 384836569573 named unknown by gmailapi.google.com with HTTPREST", "gmail",
			"hidden"},
		{"haraka, no name", "from h ([198.51.100.7]) by m (Haraka/3.0) with ESMTP id A", "haraka",
			"198.51.100.7"},
		{"opensmtpd, local", "from localhost (m [local]) by m (OpenSMTPD) with ESMTPA id A", "opensmtpd",
			"local"},
		{"opensmtpd, masked", "by m (OpenSMTPD) with ESMTPSA id A", "opensmtpd", "hidden"},
		{"chasquid, account", "from h by m (chasquid) with ESMTPSA tls X", "chasquid", "hidden"},
		{"chasquid, account with an address", "from h([192.0.2.9]) by m (chasquid) with ESMTPSA tls X",
			"chasquid", ""},
		{"chasquid, sender with a by",
			`from h ([198.51.100.7]) by m (chasquid) with ESMTP (envelope from "a) (r [192.0.2.9]) by m (chasquid) with ("@example)`, "", ""},
		{"mox, account", "from m by m ([192.0.2.9]) via tcp with ESMTPSA id A", "mox", "hidden"},
		{"communigate, account",
			"from r (account a@example [198.51.100.7] verified) by m (CommuniGate Pro SMTP 5) with ESMTPSA id 9", "communigate", "198.51.100.7"},
		{"communigate, HELO",
			"from [198.51.100.7] (HELO [192.0.2.9] verified) by m (CommuniGate Pro SMTP 5) with ESMTP id 9",
			"communigate", "198.51.100.7"},
		{"communigate, verified",
			"from [198.51.100.7] ([198.51.100.7] verified) by m (CommuniGate Pro SMTP 5) with ESMTP id 9",
			"communigate", "198.51.100.7"},
		{"momentum, no HELO", "from ([198.51.100.7:4021]) by m (ecelerity 4.2.1 r(x)) with ESMTP id 9",
			"momentum", "198.51.100.7"},
		{"mdaemon, old", "from h [198.51.100.7] by m [192.0.2.9] with SMTP (MDaemon.v2.8)", "mdaemon",
			"198.51.100.7"},
		{"mdaemon, hidden", "from h by m with SMTP (MDaemon.v3.5.2.R)", "mdaemon", "hidden"},
		{"powermta, own mail", "by m (PowerMTA(TM) v3.5) id A", "powermta", "hidden"},
		{"sendgrid", "from MjA3NDc4Mg (unknown) by geopod (SG) with HTTP id A", "webmail", "hidden"},
		{"mailgun", "from <unknown> (<unknown> []) by 47a34c698db9 with HTTP id A", "webmail", "hidden"},
		{"horde", "from 192.0.2.9 ([192.0.2.9]) by m (Horde Framework) with HTTP", "webmail", "hidden"},
		{"roundcube behind a proxy", "from 192.0.2.9 via 198.51.100.7 by m with HTTP (HTTP/1.1 POST)",
			"webmail", "198.51.100.7"},
		{"hotmail", "from [198.51.100.7] by m via HTTP", "webmail", "198.51.100.7"},
		{"squirrelmail, name",
			"from r.example ([198.51.100.7]) (SquirrelMail authenticated user u) by m with HTTP",
			"squirrelmail", "198.51.100.7"},
		{"courier", "from h (softdnserr [::ffff:198.51.100.7]) by m with esmtp", "bracket",
			"198.51.100.7"},
		{"no from", "by m with SMTP id A", "", ""},
		{"no by", "from h (r [198.51.100.7])", "", ""},
		{"first token alone", "from [198.51.100.7] by m with ESMTP id A", "bracket", ""},
		{"name alone", "from h by m with ESMTP id A", "bracket", ""},
		{"ratware", "from h (HELO x) (198.51.100.7) by m with NNFMP", "yahoo", ""},
		{"octets too large", "from h (r [201.357.369.35]) by m (Postfix) with ESMTP id A", "postfix", ""},
		{"leading zeros", "from h (r [201.151.171.08]) by m (Postfix) with ESMTP id A", "postfix", ""},
		{"quote in the HELO", `from a" (r [198.51.100.7]) by m with ESMTP id "A`, "", ""},
		{"quote opened in the HELO",
			`from a" (r [198.51.100.7]) by m (Haraka/3) with ESMTP id A envelope-from <"b (r [192.0.2.9]) by m (Haraka/3) id "c"@example>`, "", ""},
		{"recipient with clauses",
			`from h (r [198.51.100.7]) by m (Postfix) with ESMTP id A for <"x (y [192.0.2.9]) by m (Postfix)"@example>`, "postfix", "198.51.100.7"},
		{"recipient with a server's clauses",
			`from h (r [198.51.100.7]) by m (Postfix) with ESMTP id A for <"x (y [192.0.2.9]) by m with SMTP"@example>`, "", ""},
		{"quote opened in the HELO of a server that tells little",
			`from a" ([198.51.100.7]) by m (Kerio 5) " ([192.0.2.9]) by m (Kerio 5)`, "", ""},
		{"HELO is a client of another shape",
			"from a (192.0.2.9) by m (r [198.51.100.7]) by m with ESMTP id A", "bracket", ""},
		{"sendmail, comment in the HELO and nothing else",
			"from a([192.0.2.9]) by m (8.9.3/8.9.3) with SMTP id A", "sendmail", ""},
		{"backslash in a comment", `from r (HELO a\) (198.51.100.7) by m (qpsmtpd/0.9) with ESMTP (x)`,
			"", ""},
		{"HELO is by", "from by (r [198.51.100.7]) by m (Postfix) with ESMTP id A", "postfix",
			"198.51.100.7"},
		{"HELO brings clauses to an unknown product",
			"from a ([192.0.2.9]) by m (r [198.51.100.7]) by m with ESMTP id A", "bracket", ""},
		{"HELO brings a by to Haraka",
			"from a ([192.0.2.9]) by m (Postfix) (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X",
			"haraka", ""},
		{"HELO brings a bare by to Haraka",
			"from a ([192.0.2.9]) by m (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X", "haraka",
			"198.51.100.7"},
		{"HELO brings a server's clauses to Haraka",
			"from a ([192.0.2.9]) by m (Postfix) with ESMTP id 1 (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X", "haraka", ""},
		{"HELO brings Exim's clauses to Stalwart",
			"from [192.0.2.9] (helo=x) by m with smtp (Exim 4.96) id 1 (r [198.51.100.7]) by m (Stalwart SMTP) with ESMTP id X", "stalwart", ""},
		{"sender brings Haraka's name to Exim",
			`from r ([198.51.100.7] helo=h) by m with esmtp (Exim 4.96) (envelope-from <"x) (y [192.0.2.9]) by m (Haraka/3.0) (z"@example>) id A`, "exim", "198.51.100.7"},
		{"sender brings Haraka's name to an unknown product",
			`from h <198.51.100.7> by m with ESMTP (x <"x) (y [192.0.2.9]) by m (Haraka/3.0) (z"@example>) id A`, "", ""},
		{"sender brings a shape to an unknown product",
			`from h <198.51.100.7> by m with ESMTP (x <"x) (y [192.0.2.9]) by m with ESMTP (z"@example>) id A`, "", ""},
		{"HELO and sender swallow the clauses",
			`from a ( (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X envelope-from <"x) (y [192.0.2.9]) by m (Haraka/3.0) with ESMTP id \"B"@example>`, "", ""},
		{"empty", "", "", ""},
		{"a word", "apparently", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := readValue([]byte(c.value + dateClause))
			if got := describe(r, ok); got != c.want {
				t.Errorf("client = %q, want %q", got, c.want)
			}
			if c.format != "" && (r.grammar == nil || r.grammar.name != c.format) {
				t.Errorf("format = %+v, want %q", r.grammar, c.format)
			}
		})
	}
}

// describe says in a word what a reading is.
func describe(r reading, ok bool) string {
	switch {
	case !ok:
		return ""
	case r.client.origin == local:
		return "local"
	case r.client.origin == queued:
		return "queued"
	case !r.client.ip.IsValid():
		return "hidden"
	case r.client.origin == mailbox:
		return "mailbox " + r.client.ip.String()
	}
	return r.client.ip.String()
}

// TestNeverCut: a HELO brings a line of its own, and so many words behind it that the real one lies
// beyond the bounds. A line that was cut there would read as the HELO's.
func TestNeverCut(t *testing.T) {
	const own = "a ([192.0.2.9]) by m (Haraka/3.0) with ESMTP id A "
	for name, filler := range map[string]string{
		"bytes": strings.Repeat("a", maxLine), "words": strings.Repeat("a ", maxTokens),
		"bys": strings.Repeat("by m ", maxBys), "3 KB": strings.Repeat("a", 3<<10),
		"comments": strings.Repeat("(", maxDepth+1) + strings.Repeat(")", maxDepth+1),
	} {
		r, ok := readValue([]byte("from " + own + filler + " (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X"))
		if ok {
			t.Errorf("%s: peer = %s by %s", name, r.client.ip, r.grammar.name)
		}
	}
}

// TestLexicalBounds: beyond a bound a line is unreadable, never cut.
func TestLexicalBounds(t *testing.T) {
	line := func(helo string) string {
		return "from " + helo + " (r [198.51.100.7]) by m (Haraka/3.0) with ESMTP id A"
	}
	for _, c := range []struct {
		name, helo string
		ok         bool
	}{
		{"long HELO", strings.Repeat("a", 4<<10), true},
		{"too long a HELO", strings.Repeat("a", maxLine), false},
		{"many words", strings.Repeat("a ", 100), true},
		{"too many words", strings.Repeat("a ", maxTokens), false},
		{"many bys", strings.Repeat("by x ", maxBys-1), true},
		{"too many bys", strings.Repeat("by x ", maxBys), false},
		{"deep comments", strings.Repeat("(", maxDepth) + strings.Repeat(")", maxDepth), true},
		{"too deep comments", strings.Repeat("(", maxDepth+1) + strings.Repeat(")", maxDepth+1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := readValue([]byte(line(c.helo)))
			if ok != c.ok {
				t.Errorf("readable = %v, want %v", ok, c.ok)
			}
			if ok && r.client.ip != peer {
				t.Errorf("peer = %s, want %s", r.client.ip, peer)
			}
		})
	}
}
