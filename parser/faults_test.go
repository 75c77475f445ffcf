package parser

import (
	"net/netip"
	"testing"
)

// TestKnownFaults holds against the faults that other lists were seen to make with spamtrap mail.
func TestKnownFaults(t *testing.T) {
	relay := netip.MustParseAddr("192.0.2.10")
	for _, c := range []struct {
		name, peer, message, source string
		reason                      Reason
	}{
		{"a HELO in brackets blames the victim", "192.0.2.10",
			"Received: from [203.0.113.99] (r.example [198.51.100.7]) by backup.example (Postfix) with ESMTP id A\n\n",
			"198.51.100.7", UntrustedPeer},
		{"a relay is skipped and the forged line below it believed", "192.0.2.10",
			"Received: from x by backup.example (Postfix) with ESMTP id A\n" +
				postfixLine("203.0.113.99", "backup.example") + "\n", "", UnreadableReceived},
		{"X-Received is taken for Received", "192.0.2.10",
			"X-Received: from h (r [203.0.113.99]) by backup.example (Postfix) with ESMTP id A\n\n", "",
			NoReceived},
		{"the body is taken for the header", "192.0.2.10",
			"Subject: x\n\n" + postfixLine("203.0.113.99", "backup.example"), "", NoReceived},
		{"a version number is taken for an address", "192.0.2.10",
			"Received: from a.example by backup.example with Microsoft SMTP Server id 8.3.213.0\n\n", "",
			UnreadableReceived},
		{"an octet may be 999", "192.0.2.10",
			"Received: from h (r [999.1.1.1]) by backup.example (Postfix) with ESMTP id A\n\n", "",
			UnreadableReceived},
		{"Precedence or an out of office anywhere is never listed", "198.51.100.7",
			"Precedence: bulk\nSubject: out of office\n\nout of office\n", "198.51.100.7", UntrustedPeer},
		{"a relay is a prefix of text", "192.0.2.101",
			postfixLine("203.0.113.99", "backup.example") + "\n", "192.0.2.101", UntrustedPeer},
		{"only RFC 1918 is filtered", "100.64.0.1", "\n", "", SpecialAddress},
		{"link local is listed", "169.254.1.1", "\n", "", SpecialAddress},
		{"IPv6 is lost", "2001:db8::7", "\n", "2001:db8::7", UntrustedPeer},
		{"IPv6 is lost in a line", "192.0.2.10",
			"Received: from h (r [IPv6:2001:db8::7]) by backup.example (Postfix) with ESMTP id A\n\n",
			"2001:db8::7", UntrustedPeer},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Parse([]byte(c.message), Connection{Peer: netip.MustParseAddr(c.peer)}, trusted())
			if addrString(got.Source) != c.source || got.Reason != c.reason {
				t.Errorf("source %q, %s; want %q, %s", addrString(got.Source), got.Reason, c.source, c.reason)
			}
			if c.source == "198.51.100.7" && c.peer != relay.String() && got.Cause != Direct {
				t.Errorf("cause = %s, want direct", got.Cause)
			}
		})
	}
}

// TestSpamAssassinsFaults holds against lines in which its parser was seen to take a decoy for the
// peer, or to miss the peer; "" is none.
func TestSpamAssassinsFaults(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"IronPort's HELO in brackets",
			"from unknown (HELO [192.0.2.9]) ([198.51.100.7]) by m with ESMTP", "198.51.100.7"},
		{"qpsmtpd's HELO in brackets",
			"from r (HELO [127.0.0.1]) (198.51.100.7) by m (qpsmtpd/0.94) with (X) ESMTPSA", "198.51.100.7"},
		{"ZoneMTA's HELO in brackets",
			"from [127.0.0.1] ([198.51.100.7] r) (Authenticated sender: x) by m (ZoneMTA) with ESMTPSA id A",
			"198.51.100.7"},
		{"chasquid's HELO of an account", "from [192.0.2.9] by m (chasquid) with ESMTPSA tls X", ""},
		{"SendGrid's HELO", "from [192.0.2.9] (unknown) by geopod (SG) with ESMTP id A", ""},
		{"what a browser says behind Roundcube",
			"from [192.0.2.9] via [198.51.100.7] by m with HTTP (HTTP/1.1 POST)", "198.51.100.7"},
		{"a by in the HELO's comment",
			"from x (by m [192.0.2.9]) (unknown [198.51.100.7]) by m with ESMTP", "198.51.100.7"},
		{"tabs in Haraka's HELO",
			"from a\t([192.0.2.9])\tby\tm ([198.51.100.7]) by m (Haraka/3.0) with ESMTP id A",
			"198.51.100.7"},
		{"qmail's queue with its peer", "(qmail 1 messnum 2 invoked from network[198.51.100.7/r])",
			"198.51.100.7"},
		{"VPOP3", "from 198.51.100.7 by m ([192.0.2.9] running VPOP3) with ESMTP", "198.51.100.7"},
		{"SLMail", "by m from h (198.51.100.7::mail daemon; unverified,SLMail V3.0)", "198.51.100.7"},
		{"OS/400", "from h([198.51.100.7]) by m (IBM OS/400 SMTP V05R01M00) with TCP", "198.51.100.7"},
		{"apparently", "(apparently) from h ([198.51.100.7]) by m with Microsoft SMTPSVC(5.5)",
			"198.51.100.7"},
		{"a port in HTTP's line", "from 198.51.100.7:13012 by m with HTTP/1.1 (Lisa V7)", "198.51.100.7"},
		{"a mapped address in HTTP's line", "from ::ffff:198.51.100.7 by m via HTTP", "198.51.100.7"},
		{"a mapped address in hexadecimal", "from h (r [::ffff:c633:6407]) by m with ESMTP", "198.51.100.7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := readValue([]byte(c.value + dateClause))
			if got := addrString(r.client.ip); got != c.want {
				t.Errorf("peer = %q, want %q", got, c.want)
			}
		})
	}
}

// TestSpamAssassinsTrust holds against what its walk does on the way: it steps over lines that it
// cannot read, and extends its trust to whoever a line calls authenticated.
func TestSpamAssassinsTrust(t *testing.T) {
	const auth = "Received: from h (r [198.51.100.7]) (Authenticated sender: a) by backup.example " +
		"(Postfix) with ESMTPSA id A\n"
	for _, c := range []struct {
		name, header, source string
		reason               Reason
	}{
		{"a line that it passes over", "Received: from nobody by backup.example with something\n" +
			postfixLine("203.0.113.99", "backup.example"), "", UnreadableReceived},
		{"an account", auth + postfixLine("203.0.113.99", "backup.example"), "198.51.100.7", UntrustedPeer},
		{"Exchange's HTTPS is no account", "Received: from a (198.51.100.7) by backup.example (192.0.2.9) " +
			"with HTTPS\n" + postfixLine("203.0.113.99", "backup.example"), "198.51.100.7", UntrustedPeer},
	} {
		got := Parse([]byte(c.header+"\n"), Connection{Peer: netip.MustParseAddr("192.0.2.10")}, trusted())
		if addrString(got.Source) != c.source || got.Reason != c.reason || got.Cause == Submission &&
			c.name == "Exchange's HTTPS is no account" {
			t.Errorf("%s: %q %s %s, want %q %s", c.name, addrString(got.Source), got.Reason, got.Cause,
				c.source, c.reason)
		}
	}
}
