package parser

import (
	"net/netip"
	"strings"
	"testing"
)

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
		{"a name that begins as a remark, behind Haraka",
			"from a\t([203.0.113.99]) (tls.evil.example [198.51.100.7]) by m (Haraka/3.0) with ESMTP id X.1 envelope-from <a@b>",
			"198.51.100.7"},
		{"the same behind an unknown product",
			"from a ([203.0.113.99]) (authenticated.evil.example [198.51.100.7]) by m with SMTP", ""},
		{"the same with a name of one label", "from a ([203.0.113.99]) (client [198.51.100.7]) by m with SMTP", ""},
		{"the same with a mapped address",
			"from a ([203.0.113.99]) (tls.evil [::ffff:198.51.100.7]) (TLS: X) by m with esmtp id A", ""},
		{"the same behind Stalwart that knows no network",
			"from a ([203.0.113.99]) (using [198.51.100.7]) by m (Stalwart SMTP) with ESMTPS id A", "198.51.100.7"},
		{"the same behind Stalwart that knows one",
			"from a ([203.0.113.99]) (tls.evil [198.51.100.7] (AS1 x, ZZ)) by m (Stalwart SMTP) with ESMTPS id A",
			"198.51.100.7"},
		{"the same behind Exchange 5.5",
			"from a ([203.0.113.99]) (smtp-auth [198.51.100.7]) by m with SMTP (Microsoft Exchange Internet Mail Service Version 5.5) id A",
			""},
		{"the same behind Google",
			"from a ([203.0.113.99]) (tls.evil.example. [198.51.100.7]) by mx.google.com with ESMTPS id A for <a@b>", ""},
		{"the same behind MAILsweeper",
			"from a ([203.0.113.99]) (envelope-from [198.51.100.7]) by m (Content Technologies SMTPRS 4.2) with ESMTP id <A>",
			""},
		{"the same behind AvMailGate",
			"from a ([203.0.113.99]) (tls.evil [198.51.100.7]) by m (AvMailGate-2.0.0.6) id A", ""},
		{"the same behind a webmail",
			"from a (r.x [203.0.113.99]) (tls.evil.example [198.51.100.7]) by m with HTTP", ""},
		{"the same behind a HELO in qmail's shape",
			"from a (HELO x) (203.0.113.99) (tls.evil.example [198.51.100.7]) by m with SMTP", ""},
		{"an ident reply that begins as a remark, in qmail's shape",
			"from r (HELO x) (203.0.113.99) (tls@198.51.100.7) by m with SMTP", ""},
		{"a HELO opens a remark that the peer's comment closes",
			"from a ([203.0.113.99]) (using (x [198.51.100.7]) y) by m (Haraka/3.0) with ESMTP id X.1", ""},

		{"a HELO opens a user of SquirrelMail's that an account closes",
			"from 203.0.113.9 (SquirrelMail authenticated user x ([198.51.100.7] r) (Authenticated sender: b)) by m with ESMTPSA id A",
			""},
		{"the same around a bare address",
			"from 203.0.113.9 (SquirrelMail authenticated user x (198.51.100.7) (Authenticated sender: b)) by m with ESMTPSA id A",
			""},
		{"a HELO goes on as SquirrelMail's behind AltaVista's peer, and a name that is an address",
			"from 203.0.113.9 [198.51.100.7] (HELO a)b (SquirrelMail authenticated user c) by m id A", ""},
		{"the same behind smap's peer",
			"from 203.0.113.9(198.51.100.7, HELO a) (SquirrelMail authenticated user c) by m with SMTP id A", ""},
		{"a sender that is printed as it came goes on as Momentum",
			`from [203.0.113.9] ([203.0.113.9:4021] helo=x) (r [198.51.100.7]) by m (envelope-from <a>) (ecelerity 4.2 r(x) b>) with ESMTP id A`,
			""},
		{"a HELO opens ZMailer's comment that an account closes",
			`from r.x ([203.0.113.99]:3332 "EHLO a" x ([198.51.100.7] r) (Authenticated sender: b)) by m with ESMTPSA id A`,
			""},
		{"an account of Yahoo's that is a greeting",
			`from x ([203.0.113.99]:25 "EHLO x"@198.51.100.7 with login) by m with SMTP`, ""},
		{"a HELO begins as Exim's line, and a sender before the protocol ends it",
			"from [203.0.113.99] (helo=x) (r [198.51.100.7]) by m (envelope-from <) by m with esmtp (Exim 4.96) (envelope-from <a@e>) id 1sHw2u-000wPW-18 for t@e (x>) with ESMTP id A",
			""},

		{"a sender chooses mox", "from a\t([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A " +
			`(envelope-from <"a) via tcp (b"@e>)`, ""},
		{"a sender chooses mox in a comment of another name", "from a\t([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A " +
			`(from <"a) via tcp (b"@e>)`, ""},
		{"a sender chooses Exim", "from a\t([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A " +
			`(envelope-from <"a) (Exim 4.9) (b"@e>)`, ""},
		{"a sender chooses Momentum", "from a\t([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A " +
			`(envelope-from <"a) (ecelerity 4) (b"@e>)`, ""},
		{"a sender that is printed as it came chooses Exim",
			"from a ([203.0.113.99]) (r.x [198.51.100.7]) by m (envelope-from <a>) (Exim 4.9) (b>) with ESMTP id A", ""},
		{"a sender chooses mox, and where PowerMTA's date begins",
			`from a ([203.0.113.99]) (198.51.100.7) by m (PowerMTA(TM) v3.5) id A; Thu, 29 Apr 2012 23:34:45 +0200 (envelope-from <"a) via tcp ; (b"@e>)`,
			""},
		{"the same where it is printed as it came",
			`from a ([203.0.113.99]) (198.51.100.7) by m id A; Thu, 29 Apr 2012 23:34:45 +0200 (envelope-from <a>) via tcp ; (b>)`,
			""},
		{"XMail's sender chooses mox",
			"from x ([203.0.113.99]) (198.51.100.7:3124) by m (10.0.0.1:25) with [XMail 1.21 ESMTP Server] id <A> for <t@e> from <a via tcp b>",
			""},
		{"a recipient chooses mox",
			"from x ([203.0.113.99]) ([198.51.100.7]) by m with ESMTP id A for <a via tcp b>", ""},
		{"a sender chooses fetchmail behind an Exim without a name",
			`from r ([198.51.100.7]:25 helo=h) by m with esmtp (envelope-from <") (fetchmail-6) ("@e>) id 1sHw2u-000wPW-18 for t@e`,
			"198.51.100.7"},
		{"a sender chooses Exim in a comment of another name", "from a\t([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A " +
			`(from <"a) (Exim 4.9) (b"@e>)`, ""},
		{"a sender behind the date chooses Exim",
			"from a ([203.0.113.99]) (198.51.100.7) by m id A; Thu, 29 Apr 2012 23:34:45 +0200 (from <a>) (Exim 4.9) ; (b>)",
			""},
		{"XMail's sender chooses Exim",
			"from a ([203.0.113.99]) (198.51.100.7:3124) by m (10.0.0.1:25) with [XMail 1.21 ESMTP Server] id <A> from <a (Exim 4.9) b>",
			""},
		{"a recipient chooses Exim",
			"from a ([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A for <a (Exim 4.9) b>", ""},
		{"a sender in Haraka's clause chooses Exim",
			"from a ([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id X.1 envelope-from <a (Exim 4.9) b>", ""},
		{"an account chooses Exim",
			"from a ([203.0.113.99]) (198.51.100.7) by m (5.8.807) (authenticated as a) (Exim 4.9) (b) id A", ""},
		{"a product that is not mox says via tcp",
			"from a ([203.0.113.99]) (r.x [198.51.100.7]) by m (x) via tcp with ESMTP id A", ""},
		{"Momentum's name, further back than Momentum writes it",
			"from a ([203.0.113.99]) (r.x [198.51.100.7]) by m with ESMTP id A (ecelerity 4.2 r(x))", ""},
		{"a quote that stands in another's quotes",
			`from [203.0.113.99] (helo=x) by m with esmtp (Exim 4.9) (envelope-from <"(r [198.51.100.7]) by m with ESMTP id X envelope-from <">) id 1sHw2u-000wPW-18 for x;\""@e>`,
			""},
		{"a HELO opens the sender of an Exim, and a sender closes it",
			`from [203.0.113.99] (helo=x) by m with esmtp (Exim 4.9) (envelope-from <"([198.51.100.7]) by m with ESMTP id X for <"@e>) id 1sHw2u-000wPW-18 for <b>`,
			""},
		{"a HELO opens the recipient of an Exim, and a recipient closes it",
			`from [203.0.113.99] (helo=x) by m with esmtp (Exim 4.9) id 1sHw2u-000wPW-18 for "([198.51.100.7]) by m with ESMTP id X for <"@e>`,
			""},
		{"a HELO opens a sender that ends where another's ends",
			`from [203.0.113.99] (helo=x) by m with esmtp (Exim 4.9) (envelope-from < ([198.51.100.7]) by m with esmtp (envelope-from <a@e>) id 1sHw2u-000wPW-18`,
			""},
		{"a HELO opens a recipient of Postfix' behind a peer that stands first",
			`from [198.51.100.7] (HELO [203.0.113.99]) by m (Postfix) with ESMTP id A for <") by m with ESMTP id 9 for "@e>`,
			""},
		{"a HELO opens a sender that ends where the server's ends",
			`from [203.0.113.99] (helo=x) by m with esmtp (Exim 4.9) (envelope-from <([198.51.100.7]) by m with ESMTP id X (envelope-from <a@e>)`,
			""},
		{"a HELO opens a recipient of Postfix', and a recipient closes it",
			`from a ([203.0.113.99]) by m (Postfix) with ESMTP id A for <"([198.51.100.7]) by m with ESMTP id A for <"@e>`,
			""},
		{"a HELO opens a certificate of Postfix', and a recipient closes it",
			`from a ([203.0.113.99]) (Client CN "x ([198.51.100.7]) by m with ESMTP id A for <b) by m (Postfix) with ESMTP id A for <c>`,
			""},

		{"a HELO closes the comment behind CommuniGate's peer",
			"from [198.51.100.7] (HELO x) (203.0.113.99) by m with SMTP", ""},
		{"the same behind Critical Path's", "from 198.51.100.7 (HELO x) (203.0.113.99) by m (10.0.0.1) with SMTP", ""},
		{"a HELO behind Yahoo's peer looks like an account",
			"from 198.51.100.7 (EHLO x) (a@203.0.113.99 with login) by 10.197.33.205 with SMTPs (version=X)", ""},
		{"an account behind Critical Path's peer",
			"from 198.51.100.7 (HELO x) (a@203.0.113.99 with login) by m (10.0.0.1) with SMTP", ""},
		{"the same behind CommuniGate's",
			"from [198.51.100.7] (HELO x) (a@203.0.113.99 with login) by m with SMTP", ""},
		{"an account of Yahoo's tells another login",
			"from pc (a@203.0.113.99 with b@198.51.100.7 with login) by m with SMTP", ""},
		{"a HELO is a pickup", "from mail pickup ([198.51.100.7]) by m with Microsoft SMTPSVC(6.0.3790.0)", "198.51.100.7"},
		{"a sender makes a user of Momentum's client",
			`from r.x ([198.51.100.7:4021] helo=h) by m (envelope-from <"a) with local (Exim 4.9) (b"@e>) (ecelerity 4.2.1 r(x)) with ESMTP id A`,
			"198.51.100.7"},
		{"a sender makes a user of maddy's client",
			`from h.x (r.x [198.51.100.7]) by m (envelope-sender <"a) with local (Exim 4.9) (b"@e>) with ESMTP id A`,
			"198.51.100.7"},
		{"the same where it is printed as it came",
			`from h.x (r.x [198.51.100.7]) by m (envelope-sender <a) with local (Exim 4.9) (b@e>) with ESMTP id A`,
			"198.51.100.7"},
		{"a HELO makes a user of Exim's client, in OpenSMTPD's form",
			"from [198.51.100.7] (helo=a (b) by m with esmtp (Exim 4.96) (envelope-from <x) [local]) by m (OpenSMTPD) with ESMTP id A",
			""},
		{"the same in sendmail's form",
			"from [198.51.100.7] (helo=a (b) by m with esmtp (Exim 4.96) (envelope-from <x) [[UNIX: localhost]]) by m (8.1/8.1) with ESMTP id A",
			""},
		{"a HELO makes a user of SLMail's client",
			"by m from a(Exim 4.9) with local (198.51.100.7::mail daemon; unverified,SLMail V3.0)", ""},
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

// TestEvasions are words by which a sender made some version of this parser give up on the line of a
// well-known server: the peer is read all the same.
func TestEvasions(t *testing.T) {
	exim := func(sender string) string {
		return "from r ([198.51.100.7]:25 helo=h) by m with esmtp (Exim 4.96) (envelope-from <" + sender +
			">) id 1sHw2u-000wPW-18 for t@e"
	}
	certificate := func(name string) string {
		return `from h (r [198.51.100.7]) (using TLSv1.3 with cipher X (256/256 bits)) (Client CN "` + name +
			`", Issuer "` + name + `" (not verified)) by m (Postfix) with ESMTP id A for <t@e>`
	}
	for _, c := range []struct{ name, value string }{
		{"Exim, a parenthesis opens", exim(`"("@x`)},
		{"Exim, a parenthesis closes", exim(`"a)b"@x`)},
		{"Exim, both the wrong way round", exim(`")by x("@x`)},
		{"Exim, a quote", exim(`"x\""@x`)},
		{"Exim, a server's clauses", exim(`"by x with y"@x`)},
		{"Exim, a server's clauses with a peer", exim(`"([192.0.2.9]) by x with y"@x`)},
		{"Exim, a recipient", strings.Replace(exim("a@x"), "for t@e", `for "a("@e`, 1)},
		{"Exim, a recipient with a server's clauses", strings.Replace(exim("a@x"), "for t@e", `for "by x with y"@e`, 1)},
		{"dovecot",
			`from unknown ([198.51.100.7]) (using TLSv1.3 with cipher X (1/1 bits)) by m with LMTP id A (envelope-from <"a) (b"@e>) for <t@e>`},
		{"chasquid", `from h ([198.51.100.7]) by m (chasquid) with ESMTPS tls X (over SMTP, TLS-1.3, envelope from "\"a)\"@e")`},
		{"maddy", `from h.x (r.x [198.51.100.7]) by m (envelope-sender <"("@e>) with ESMTP id A`},
		{"Postfix, a certificate with a server's clauses", certificate("by x with y")},
		{"Postfix, a certificate with brackets", certificate("[()")},
		{"Postfix, a certificate with a quote", certificate(`"`)},
		{"Postfix, an account with a server's clauses",
			"from h (r [198.51.100.7]) (Authenticated sender: by x with y) by m (Postfix) with ESMTP id A"},
		{"Postfix, a recipient with a server's clauses",
			`from h (r [198.51.100.7]) by m (Postfix) with ESMTP id A for <"by x with y"@e>`},
		{"sendmail, a recipient with a server's clauses",
			`from h (r [198.51.100.7]) by m (8.17.1/8.17.1) with ESMTP id A for <"by x with y"@e>`},
		{"OpenSMTPD, a recipient with a server's clauses",
			`from h (r [198.51.100.7]) by m (OpenSMTPD) with ESMTP id A for <"by x with y"@e>`},
		{"mox, a recipient with a server's clauses",
			`from h (r [198.51.100.7]) by m ([192.0.2.1]) via tcp with ESMTP id A for <"by x with y"@e>`},
		{"qmail, a name that looks like an address", "from 203.0.113.9 (HELO h) (198.51.100.7) by m with SMTP"},
		{"qmail, half a bracket for an ident reply", "from r (HELO h) ([9@198.51.100.7) by m with SMTP"},
		{"qmail, Exim's key for an ident reply", "from r (HELO h) (helo=x@198.51.100.7) by m with SMTP"},
		{"IronPort, a name that looks like an address",
			"from 203.0.113.9 (HELO h) ([198.51.100.7]) by m with ESMTP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, ok := readValue([]byte(c.value + dateClause))
			if got := describe(r, ok); got != peer.String() {
				t.Errorf("%q, want %s: %s", got, peer, c.value)
			}
		})
	}
}

// TestNobodyWalksOn: no words make a line with a peer into one that the walk goes past, however
// much the operator vouches for: below it stands a forged line.
func TestNobodyWalksOn(t *testing.T) {
	c := Connection{Peer: netip.MustParseAddr("192.0.2.10"), MailFrom: "a@example"}
	for name, value := range map[string]string{
		"a HELO that is loopback, a name that begins as a remark": "from a ([127.0.0.1]) (tls.evil.example [198.51.100.7]) by backup.example with SMTP",
		"half a pickup":                    "from mail pickup ([198.51.100.7]) by backup.example with Microsoft SMTPSVC(6.0.3790.0)",
		"SLMail's client becomes a user":   "by backup.example from a(Exim 4.9) with local (198.51.100.7::mail daemon; unverified,SLMail V3.0)",
		"maddy's client becomes a user":    `from h.x (r.x [198.51.100.7]) by backup.example (envelope-sender <"a) with local (Exim 4.9) (b"@e>) with ESMTP id A`,
		"Momentum's client becomes a user": `from r.x ([198.51.100.7:4021] helo=h) by backup.example (envelope-from <"a) with local (Exim 4.9) (b"@e>) (ecelerity 4.2.1 r(x)) with ESMTP id A`,
		"an Exim's client becomes a user":  `from h.x ([198.51.100.7]) by backup.example (envelope-from <a>) with local (b>) with esmtp id 1sHw2u-000wPW-18`,
	} {
		message := "Received: " + value + dateClause + "\n" + postfixLine("203.0.113.99", "backup.example") + "\n"
		got := Parse([]byte(message), c, trusted(loopback, localUsers))
		if got.Source.IsValid() && got.Source != peer || len(got.Hops) != 2 {
			t.Errorf("%s: source %v, %s, %d hops: %s", name, got.Source, got.Reason, len(got.Hops), value)
		}
	}
}
