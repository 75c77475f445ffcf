package parser

import "testing"

// TestBreaks are attacks that led some version of this parser to an address of the attacker's. Each
// stands for a rule that is easy to lose: the peer is 198.51.100.7 or nobody is.
func TestBreaks(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"a user closes SquirrelMail's comment and goes on as Roundcube",
			"from 198.51.100.7 (SquirrelMail authenticated user a) via HTTP (b[192.0.2.9]) by m with HTTP", ""},
		{"a HELO behind Momentum's peer goes on as Roundcube",
			"from r ([198.51.100.7:25] helo=a) via HTTP (b[192.0.2.9]) by m with ESMTP (x) via HTTP", ""},
		{"a name that is HELO makes IMail's kin of Yahoo's",
			"from 192.0.2.9 (HELO [198.51.100.7]) by m with SMTPS id A", ""},
		{"a HELO ends in by before a bare bracket",
			"from x [192.0.2.9] by [198.51.100.7] by m with ESMTP (SMTPD32-6.05) id A", ""},
		{"a HELO with a comment ends in by before a bare bracket",
			"from x ([192.0.2.9]) by [198.51.100.7] by m with ESMTP id A", ""},
		{"a HELO opens a comment that an account closes",
			"from x (a [192.0.2.9] ([198.51.100.7] r) (Authenticated sender: b)) by m (ZoneMTA) with ESMTPSA id A",
			""},
		{"the same with Cyrus",
			"from x (a [192.0.2.9] ([198.51.100.7]) (authenticated user=b) bits=0) by m (Cyrus v2) with LMTPA", ""},
		{"a HELO opens a comment that an account closes to go on",
			"from x (b ([198.51.100.7]) (authenticated user=)a) by m ([192.0.2.9] bits=0) by m (Cyrus v2) with LMTPA",
			""},
		{"a HELO opens a remark that an account closes to go on",
			"from x (using ([198.51.100.7]) (authenticated user=)) ([192.0.2.9] bits=0) by m (Cyrus v2) with LMTPA",
			""},
		{"a HELO closes the comment of an Exim without a name",
			"from [198.51.100.7] (port=25 helo=a) ([192.0.2.9]) by m with esmtp id A", ""},
		{"a HELO in the comment of an Exim without a name looks like an ident reply",
			"from [198.51.100.7] (port=25 helo=a@192.0.2.9) by m with esmtp id A", ""},
		{"the same in brackets", "from [198.51.100.7] (helo=a@[192.0.2.9]) by m with esmtp id A", ""},
		{"half a bracket hides the peer of an Exim without a name",
			"from r ([198.51.100.7]:25 helo=a[) ([192.0.2.9]) by m with esmtp id A", ""},
		{"a literal in $sender_fullhost is taken for the peer",
			"from r ([192.0.2.9]) [198.51.100.7] by m with esmtp (Exim 3.12 #1) id A", "198.51.100.7"},
		{"a HELO like Exim's key before an address for a name",
			"from 192.0.2.9 (helo=x) [198.51.100.7] by m with esmtp (Exim 3.12 #1) id A", "198.51.100.7"},
		{"a HELO closes the comment in $sender_fullhost",
			"from r ([192.0.2.9]a) (b) [198.51.100.7] by m with esmtp (Exim 3.12 #1) id A", ""},
		{"a HELO behind smap's peer, without its name",
			"from r(198.51.100.7, HELO a) ([192.0.2.9]) by m with SMTP id A", ""},
		{"a HELO behind AltaVista's peer, without its name",
			"from r [198.51.100.7] (HELO [192.0.2.9]) by m id A", ""},
		{"an account of Yahoo's that is an address, and no HELO",
			"from (x[192.0.2.9]@198.51.100.7 with login) by m with SMTP", "198.51.100.7"},
		{"a name that is an address, where MAILsweeper writes no address",
			"from h (192.0.2.9) by m (Content Technologies SMTPRS 4.2) with ESMTP id <A>", ""},
		{"a browser's field, where Horde writes the peer",
			"from 192.0.2.9 ([192.0.2.9]) by m (Horde Framework) with HTTPS", ""},
		{"a HELO with a blank, where MDaemon writes no peer",
			"from x [192.0.2.9] by m with SMTP (MDaemon.PRO.v6.0.7.R)", ""},
		{"Norton's client taken for a local user", "(from h [198.51.100.7]) by m (NAVGW 2.5.2.12) with SMTP id A",
			"198.51.100.7"},
		{"a mailbox's server taken for the sender",
			"from 192.0.2.9 ([192.0.2.9] as t) by m (Vircom POPDOWN 1.4.232) with POP", "mailbox 192.0.2.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := readValue([]byte(c.value + dateClause))
			got := describe(r, ok)
			if got == "hidden" {
				got = ""
			}
			if got != c.want {
				t.Errorf("%q, want %q: %s", got, c.want, c.value)
			}
		})
	}
}
