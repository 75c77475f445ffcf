package parser

import (
	"strings"
	"testing"
)

// TestLexical is what lines are seen to do to their white space, comments, semicolons and words.
func TestLexical(t *testing.T) {
	const p = "198.51.100.7"
	for _, c := range []struct{ name, value, want string }{
		{"comments in comments", "from h (r [198.51.100.7] (a (b (c) d) e)) by m (Exim-like (x)) with ESMTP id A", p},
		{"a comment that does not close", "from h (r [198.51.100.7] by m (Postfix) with ESMTP id A", ""},
		{"a parenthesis too many", "from h (r [198.51.100.7])) by m (Postfix) with ESMTP id A", ""},
		{"by in a product's comment", "from h ([198.51.100.7]) by m (IceWarp 9.4.2 (2009-05-21) by SoftMail) with ASMTP id A", p},
		{"semicolon in a comment", "from h (r [198.51.100.7]; hi) by m (Postfix; x) with ESMTP id A", p},
		{"several semicolons", "from h (r [198.51.100.7]); by m with SMTP id A; for <t@example>", p},
		{"semicolon in the HELO", "from a;b (r [198.51.100.7]) by m (Postfix) with ESMTP id A", ""},
		{"text behind the date", "from h (198.51.100.7) by m id A for <t@example>; Thu, 29 Apr 2012 23:34:45 +0200 (envelope-from <a@example>)", p},
		{"no blank before a comment", "from h(r [198.51.100.7]) by m with ESMTP id A", ""},
		{"no blank before a comment, IBM's", "from h(r[198.51.100.7]) by m(IBM OS/400 SMTP V04R05M00) with TCP", p},
		{"no blank before by", "from h (r [198.51.100.7])by m (Postfix) with ESMTP id A", p},
		{"by before from", "by m from h (198.51.100.7::mail daemon; unverified,SLMail V3.0)", p},
		{"from twice", `from h from [198.51.100.7] by m (/\##/\ Smail3.1.30.16 #30.56) with esmtp id A`, p},
		{"apparently", "(apparently) from h ([198.51.100.7]) by m with Microsoft SMTPSVC(5.5)", p},
		{"Received from", "Received from 198.51.100.7 by Caffeine/http-relay (x) with SMTP id A", p},
		{"upper case", "FROM h (r [198.51.100.7]) BY m ID A FOR <T@EXAMPLE>", p},
		{"a line of blanks", "from h (r [198.51.100.7])\r\n\t \r\n\tby m (Postfix) with ESMTP id A", p},
		{"bare CR", "from h (r [198.51.100.7]) by\rm (Postfix) with ESMTP id A", p},
		{"bare CR in the HELO", "from a\r([192.0.2.9]) (r [198.51.100.7]) by m (Postfix) with ESMTP id A", ""},
		{"NULs", "fr\x00om h (r [198.\x0051.100.7]) b\x00y m (Postfix) with ESMTP id A", p},
		{"8-bit date", "from h (r [198.51.100.7]) by m (Postfix) with ESMTP id A; Tue, \xc2\xf1, 15 Mar 2022", p},
		{"8-bit HELO", "from 5#c\xf7a7,%@ (r [198.51.100.7]) by m (Postfix) with ESMTP id A", p},
		{"no-break space is no blank", "from\xa0h (r [198.51.100.7])\xa0by m (Postfix) with ESMTP id A", ""},
		{"no-break space in the HELO", "from a\xa0([192.0.2.9]) by m (Postfix) with ESMTP id A", ""},
		{"encoded word", "from =?utf-8?q?=28=5B192.0.2.9=5D=29?= (r [198.51.100.7]) by m (Postfix) with ESMTP id A", p},
		{"3 KB HELO", "from " + strings.Repeat("a", 3<<10) + " (r [198.51.100.7]) by m (Postfix) with ESMTP id A", p},
		{"HELO beyond the bound", "from " + strings.Repeat("a", maxLine) + " (r [198.51.100.7]) by m (Postfix) with ESMTP id A", ""},
		{"names in .by, .id and .for", "from x.by (x.id [198.51.100.7]) by m.for (Postfix) with ESMTP id id.by", p},
		{"an id like an address", "from a by b with Microsoft SMTP Server id 8.3.213.0", "hidden"},
		{"an id of a kind of address", "from h (r [198.51.100.7]) by m (Symantec Messaging Gateway) with SMTP id 1C.9B.16868.A", p},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, value := range []string{c.value, c.value + dateClause} {
				r, ok := readValue([]byte(value))
				if got := describe(r, ok); got != c.want {
					t.Errorf("%q, want %q: %.200q", got, c.want, value)
				}
			}
		})
	}
}

// TestAddressForms: a peer is read in the forms that servers write, and in no other.
func TestAddressForms(t *testing.T) {
	const p, v6 = "198.51.100.7", "2001:db8::7"
	bracketed := func(s string) string { return "from h (r " + s + ") by m (Postfix) with ESMTP id A" }
	bare := func(s string) string { return "from h " + s + " by m (KumoMTA 192.0.2.9) with ESMTP id A" }
	for _, c := range []struct{ name, value, want string }{
		{"in brackets", bracketed("[198.51.100.7]"), p},
		{"in parentheses", bare("(198.51.100.7)"), p},
		{"in both", bare("([198.51.100.7])"), p},
		{"in both, the other way round", "from h [(198.51.100.7)] by m (192.0.2.9) (MDaemon PRO v19) with ESMTP id A", p},
		{"behind a name without a blank", "from h (r[198.51.100.7]) by m (Postfix) with ESMTP id A", p},
		{"blanks around it", "from h ( [ 198.51.100.7 ] ) by m with ESMTP id A", p},
		{"port behind the bracket", "from r ([198.51.100.7]:25 helo=h) by m with esmtp (Exim 4.96) id A", p},
		{"port in the bracket", bracketed("[198.51.100.7:25]"), p},
		{"port in the parentheses", bare("(198.51.100.7:25)"), p},
		{"port behind a dot", bracketed("[198.51.100.7.25]"), p},
		{"port of six digits", bracketed("[198.51.100.7:655350]"), ""},
		{"Exim's port key", "from [198.51.100.7] (port=25 helo=h) by m with esmtp (Exim 4.96) id A", p},
		{"words behind colons", "by m from h (198.51.100.7::mail daemon; unverified,SLMail V3.0)", p},
		{"name behind a slash", "(qmail 1 messnum 2 invoked from network[198.51.100.7/r.example])", "queued"},
		{"IPv6 with its tag", bracketed("[IPv6:2001:db8::7]"), v6},
		{"IPv6 with its tag in capitals", bracketed("[IPV6:2001:DB8::7]"), v6},
		{"IPv6 without its tag", bracketed("[2001:db8::7]"), v6},
		{"IPv6 in parentheses", bare("(2001:db8::7)"), v6},
		{"IPv6 written out", bracketed("[2001:0db8:0000:0000:0000:0000:0000:0007]"), v6},
		{"IPv6 with a zone", bracketed("[fe80::7%eth0]"), "fe80::7"},
		{"IPv6 with a port", "from r ([2001:db8::7]:25 helo=h) by m with esmtp (Exim 4.96) id A", v6},
		{"mapped", bracketed("[::ffff:198.51.100.7]"), p},
		{"mapped, tagged", bracketed("[IPv6:::ffff:198.51.100.7]"), p},
		{"mapped, in hexadecimal", bracketed("[::ffff:c633:6407]"), p},
		{"mapped, written out", bracketed("[0:0:0:0:0:ffff:c633:6407]"), p},
		{"compatible is not mapped", bracketed("[::198.51.100.7]"), "::c633:6407"},
		{"6to4 stays", bracketed("[IPv6:2002:c633:6407::1]"), "2002:c633:6407::1"},
		{"NAT64 stays", bracketed("[64:ff9b::198.51.100.7]"), "64:ff9b::c633:6407"},
		{"nothing", bracketed("[]"), ""},
		{"nothing in parentheses", bare("()"), ""},
		{"nothing in both", bare("([])"), ""},
		{"a number too big", bracketed("[198.51.100.256]"), ""},
		{"three numbers", bracketed("[198.51.100]"), ""},
		{"one number", bracketed("[3325256711]"), ""},
		{"in hexadecimal", bracketed("[0xc6.0x33.0x64.0x7]"), ""},
		{"leading zeros", bracketed("[198.051.100.007]"), ""},
		{"a final dot", bracketed("[198.51.100.7.]"), ""},
		{"two addresses", bracketed("[198.51.100.7][192.0.2.9]"), ""},
		{"two in one bracket", bracketed("[198.51.100.7 192.0.2.9]"), ""},
		{"a network", bracketed("[198.51.100.7/24]"), ""},
		{"digits of another script", bracketed("[\u0661\u0669\u0668.51.100.7]"), ""},
		{"Google's inner name", "by 2002:a05:612c:1b13:b0:49b:3a60:d7b with SMTP id A", "queued"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := readValue([]byte(c.value + dateClause))
			if got := describe(r, ok); got != c.want {
				t.Errorf("%q, want %q: %s", got, c.want, c.value)
			}
		})
	}
}

// TestEnvelopeLen: an envelope sender is one in the forms that servers write, and in no other.
func TestEnvelopeLen(t *testing.T) {
	for s, want := range map[string]bool{
		"envelope-from <a@e>":             true,
		"envelope-from <>":                true,
		"Envelope-Sender <a@e>":           true,
		`envelope-from <"a) (b\"<>"@e>`:   true,
		`over SMTP, envelope from "a(\""`: true,
		"envelope-from <a@e> b":           false,
		"envelope-from <a b@e>":           false,
		"envelope-from <a(@e>":            false,
		"envelope-from <a)@e>":            false,
		"envelope-from <a<b@e>":           false,
		`envelope-from <a\"b@e>`:          false,
		`envelope-from <"a@e>`:            false,
		"envelope-from a@e":               false,
		"from <a@e>":                      false,
		`envelope from "a"`:               false,
		`over (x) envelope from "a"`:      false,
	} {
		n := 0
		if want {
			n = len(s)
		}
		if got := envelopeLen(s + ") by m"); got != n {
			t.Errorf("%d, want %d: %s", got, n, s)
		}
	}
}

// TestEximEnd: Exim's line ends with a date, and with nothing that could end a stranger's word.
func TestEximEnd(t *testing.T) {
	for s, want := range map[string]bool{
		" id A for t@e; x": true, " id A; x": true, " id A for t@e": false, " id A for <t@e>; x": false,
		" id A; x (b>)": false, ` id "A; x`: false, "id A; x": false, " (x) id A; x": false,
	} {
		if got := isEximEnd(s, " id "); got != want {
			t.Errorf("%v, want %v: %s", got, want, s)
		}
	}
}
