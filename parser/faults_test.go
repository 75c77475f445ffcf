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
