package parser

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Lines of hosts that know their trade. The client of each is its only argument.
func postfixLine(ip, by string) string {
	return "Received: from h.example (r.example [" + ip + "]) by " + by +
		" (Postfix) with ESMTP id 4F3D2 for <t@example>; Tue, 15 Mar 2022 10:30:00 +0000\n"
}

func amavisLine(ip string) string {
	return "Received: from mx.example ([" + ip + "]) by localhost (mx.example [127.0.0.1])" +
		" (amavisd-new, port 10024) with ESMTP id A; Tue, 15 Mar 2022 10:29:00 +0000\n"
}

const (
	queueLine  = "Received: (qmail 29481 invoked from network); 15 Mar 2022 10:30:00 -0000\n"
	pickupLine = "Received: by mx.example (Postfix, from userid 33) id AA; Tue, 15 Mar 2022 10:30:00 +0000\n"
)

func qmailLine(ip, by string) string {
	return "Received: from unknown (HELO h) (" + ip + ") by " + by +
		" with SMTP; 15 Mar 2022 10:30:00 -0000\n"
}

// trusted is what the operator of the tests vouches for.
func trusted(change ...func(*Trust)) Trust {
	t := Trust{
		Relays: []TrustedRelay{
			{Network: netip.MustParsePrefix("192.0.2.10/32"), By: []string{"backup.example", "b2.example"}},
			{Network: netip.MustParsePrefix("192.0.2.20/32"), By: []string{"relay.example"}},
			{Network: netip.MustParsePrefix("10.1.0.0/16"), By: []string{"inner.example"}},
			{Network: netip.MustParsePrefix("2001:db8:10::/64"), By: []string{"six.example"}},
			{Network: netip.MustParsePrefix("192.0.2.30/32")},
		},
		Hosts: []string{"mx.example"},
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

// googleLine is of Google's queue, above the line of its MX.
const googleLine = "Received: by 2002:a05:612c:1b13:b0:49b:3a60:d7b with SMTP id A; Tue, 15 Mar 2022 10:30:00 +0000\n"

func googleMX(ip string) string {
	return "Received: from h.example (r.example. [" + ip + "]) by mx.google.com with ESMTPS id A" +
		" for <t@example>; Tue, 15 Mar 2022 10:30:00 +0000\n"
}

func googleHost(t *Trust) { t.Hosts = append(t.Hosts, "mx.google.com") }

func loopback(t *Trust)   { t.Loopback = true }
func localUsers(t *Trust) { t.LocalSubmission = true }

// fetchLine is fetchmail's: it fetched from a mailbox at an address and handed on to this host.
func fetchLine(ip string) string {
	return "Received: from box.example [" + ip + "] by localhost with IMAP (fetchmail-6.4.37) " +
		"for t@localhost (single-drop); Tue, 15 Mar 2022 10:30:00 +0000\n"
}

func TestWalk(t *testing.T) {
	const victim = "203.0.113.99"
	for _, c := range []struct {
		name    string
		peer    string // "" for mail without a connection
		header  string
		trust   Trust
		source  string // "" for none
		reason  Reason
		ignored int
		hops    int
	}{
		{"peer is the source", "198.51.100.7", postfixLine(victim, "mx.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 1, 1},
		{"mapped peer", "::ffff:198.51.100.7", "", trusted(), "198.51.100.7", UntrustedPeer, 0, 1},
		{"private peer", "10.9.9.9", postfixLine(victim, "mx.example"), trusted(), "", SpecialAddress, 1,
			1},
		{"6to4 peer", "2002:c633:6407::1", "", trusted(), "", SpecialAddress, 0, 1},
		{"loopback peer", "127.0.0.1", postfixLine("198.51.100.7", "mx.example"), trusted(), "",
			SpecialAddress, 1, 1},
		{"loopback peer, vouched for", "127.0.0.1", postfixLine("198.51.100.7", "mx.example"),
			trusted(loopback), "198.51.100.7", UntrustedPeer, 0, 2},
		{"loopback peer, vouched for, another host's line", "::1", postfixLine(victim, "other.example"),
			trusted(loopback), "", WrongBy, 1, 2},

		{"relay", "192.0.2.10", postfixLine("198.51.100.7", "backup.example") + postfixLine(victim,
			"mx.example"), trusted(), "198.51.100.7", UntrustedPeer, 1, 2},
		{"relay, its other name", "192.0.2.10", postfixLine("198.51.100.7", "B2.Example."), trusted(),
			"198.51.100.7", UntrustedPeer, 0, 2},
		{"relay, any name", "192.0.2.30", postfixLine("198.51.100.7", "whatever.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 0, 2},
		{"relay, mapped", "::ffff:192.0.2.10", postfixLine("198.51.100.7", "backup.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 0, 2},
		{"fetched from a relay", "", postfixLine("127.0.0.1", "mx.example") + fetchLine("192.0.2.10") +
			postfixLine("198.51.100.7", "backup.example"), trusted(loopback), "198.51.100.7",
			UntrustedPeer, 0, 3},
		{"fetched from a relay that did not write the line below", "", postfixLine("127.0.0.1",
			"mx.example") + fetchLine("192.0.2.10") + postfixLine(victim, "evil.example"),
			trusted(loopback), "", WrongBy, 1, 3},
		{"fetched from a stranger", "", postfixLine("127.0.0.1", "mx.example") + fetchLine("203.0.113.5") +
			postfixLine(victim, "mx.example"), trusted(loopback), "", UnreadableReceived, 1, 2},
		{"fetched through a tunnel", "", postfixLine("127.0.0.1", "mx.example") + fetchLine("127.0.0.1") +
			postfixLine("198.51.100.7", "mx.example"), trusted(loopback), "198.51.100.7",
			UntrustedPeer, 0, 3},

		{"relay, wrong name", "192.0.2.10", postfixLine(victim, "mx.example"), trusted(), "", WrongBy, 1,
			2},
		{"relay, another relay's name", "192.0.2.10", postfixLine(victim, "relay.example"), trusted(), "",
			WrongBy, 1, 2},
		{"relay, longer name", "192.0.2.10", postfixLine(victim, "backup.example.evil.example"),
			trusted(), "", WrongBy, 1, 2},
		{"relay without a line", "192.0.2.10", "Subject: x\n", trusted(), "", NoReceived, 0, 1},
		{"relay's own mail ends the chain", "192.0.2.10", postfixLine("192.0.2.20", "backup.example"),
			trusted(), "", AllTrusted, 0, 2},
		{"relay, unreadable", "192.0.2.10", "Received: from x by backup.example with ESMTP\n" +
			postfixLine(victim, "backup.example"), trusted(), "", UnreadableReceived, 1, 2},
		{"relay, nonsense", "192.0.2.10", "Received: nonsense\n" + postfixLine(victim, "backup.example"),
			trusted(), "", UnreadableReceived, 1, 2},
		{"relay hides the peer", "192.0.2.10",
			"Received: by backup.example (Postfix) with ESMTPSA id A\n" + postfixLine(victim,
				"backup.example"), trusted(), "", UnreadableReceived, 1, 2},
		{"relay, private client", "192.0.2.10", postfixLine("10.9.9.9", "backup.example") +
			postfixLine(victim, "mx.example"), trusted(), "", SpecialAddress, 1, 2},
		{"relay, NAT64 client", "192.0.2.10",
			"Received: from h ([IPv6:64:ff9b::c633:6407]) by backup.example (Postfix) with ESMTP id A\n",
			trusted(), "", SpecialAddress, 0, 2},
		{"two relays", "192.0.2.10", postfixLine("192.0.2.20", "backup.example") +
			postfixLine("198.51.100.7", "relay.example") + postfixLine(victim, "relay.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 1, 3},
		{"two relays, the second one's line forged", "192.0.2.10", postfixLine("192.0.2.20",
			"backup.example") + postfixLine(victim, "backup.example"), trusted(), "", WrongBy, 1, 3},
		{"private relay", "192.0.2.10", postfixLine("10.1.2.3", "backup.example") +
			postfixLine("198.51.100.7", "inner.example"), trusted(), "198.51.100.7", UntrustedPeer, 0, 3},
		{"IPv6 relay", "192.0.2.10",
			"Received: from h ([IPv6:2001:db8:10::1]) by backup.example (Postfix) with ESMTP id A\n" +
				postfixLine("198.51.100.7", "six.example"), trusted(), "198.51.100.7", UntrustedPeer, 0, 3},
		{"neighbour of a relay", "192.0.2.101", postfixLine(victim, "backup.example"), trusted(),
			"192.0.2.101", UntrustedPeer, 1, 1},

		{"filter", "192.0.2.10", postfixLine("127.0.0.1", "backup.example") + amavisLine("127.0.0.1") +
			postfixLine("198.51.100.7", "backup.example"), trusted(loopback), "198.51.100.7", UntrustedPeer,
			0, 4},
		{"filter, not vouched for", "192.0.2.10", postfixLine("127.0.0.1", "backup.example") +
			amavisLine("127.0.0.1"), trusted(), "", SpecialAddress, 1, 2},
		{"filter without a line", "192.0.2.10", postfixLine("127.0.0.1", "backup.example") +
			postfixLine("198.51.100.7", "backup.example"), trusted(loopback), "198.51.100.7", UntrustedPeer,
			0, 3},
		{"loopback, then another host's line", "192.0.2.10", postfixLine("127.0.0.1", "backup.example") +
			postfixLine(victim, "relay.example"), trusted(loopback), "", WrongBy, 1, 3},
		{"localhost only behind loopback", "192.0.2.10", amavisLine(victim), trusted(loopback), "",
			WrongBy, 1, 2},
		{"loopback is no relay in a line", "192.0.2.10", postfixLine("127.0.0.1", "backup.example") +
			postfixLine(victim, "own.example"),
			trusted(func(t *Trust) {
				t.Relays = append(t.Relays, TrustedRelay{netip.MustParsePrefix("127.0.0.0/8"),
					[]string{"own.example"}})
			}), "", SpecialAddress, 1, 2},
		{"loopback may be a relay of ours", "127.0.0.1", postfixLine("198.51.100.7", "own.example"),
			trusted(func(t *Trust) {
				t.Relays = append(t.Relays, TrustedRelay{netip.MustParsePrefix("127.0.0.0/8"),
					[]string{"own.example"}})
			}), "198.51.100.7", UntrustedPeer, 0, 2},

		{"local submission", "192.0.2.10", strings.ReplaceAll(pickupLine, "mx.", "backup.") +
			postfixLine(victim, "backup.example"), trusted(), "", LocalSubmission, 1, 2},
		{"local submission, vouched for", "192.0.2.10", strings.ReplaceAll(pickupLine, "mx.", "backup.") +
			postfixLine("198.51.100.7", "backup.example"), trusted(localUsers), "198.51.100.7",
			UntrustedPeer, 0, 3},
		{"local submission, vouched for, chain ends", "192.0.2.10", strings.ReplaceAll(pickupLine, "mx.",
			"backup."), trusted(localUsers), "", AllTrusted, 0, 2},
		{"local submission, another host's", "192.0.2.10", pickupLine, trusted(localUsers), "", WrongBy,
			1, 2},

		{"qmail", "192.0.2.10", queueLine + qmailLine("198.51.100.7", "backup.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 0, 3},
		{"qmail, another host's line", "192.0.2.10", queueLine + qmailLine(victim, "mx.example"),
			trusted(), "", WrongBy, 1, 3},
		{"qmail, two queue lines", "192.0.2.10", queueLine + queueLine + qmailLine(victim,
			"backup.example"), trusted(), "", UnreadableReceived, 1, 3},
		{"qmail, a user's", "192.0.2.10",
			"Received: (qmail 1 invoked by uid 48); 15 Mar 2022 10:30:00 -0000\n", trusted(), "",
			LocalSubmission, 0, 2},
		{"qmail's queue tells the peer", "192.0.2.10",
			"Received: (qmail 1 messnum 2 invoked from network[198.51.100.7/x]); 15 Mar 2022 10:30:00 -0000\n" +
				qmailLine("198.51.100.7", "backup.example"), trusted(), "198.51.100.7", UntrustedPeer, 0, 3},
		{"qmail's queue tells the peer, another host's line", "192.0.2.10",
			"Received: (qmail 1 messnum 2 invoked from network[198.51.100.7/x]); 15 Mar 2022 10:30:00 -0000\n" +
				qmailLine(victim, "mx.example"), trusted(), "", WrongBy, 1, 3},
		{"qmail's queue tells the peer, and nothing follows", "192.0.2.30",
			"Received: (qmail 1 messnum 2 invoked from network[198.51.100.7/x]); 15 Mar 2022 10:30:00 -0000\n",
			trusted(), "", AllTrusted, 0, 2},
		{"Google's mailbox", "", googleLine + googleMX("198.51.100.7"), trusted(googleHost), "198.51.100.7",
			UntrustedPeer, 0, 2},
		{"Google's mailbox, another host's line", "", googleLine + postfixLine(victim, "other.example"),
			trusted(googleHost), "", NoTrustedStart, 1, 2},
		{"Google's mailbox, two lines of its queue", "", googleLine + googleLine + googleMX(victim),
			trusted(googleHost), "", NoTrustedStart, 2, 2},
		{"Google's mailbox, written on the web", "", strings.Replace(googleLine, "SMTP", "HTTP", 1) +
			googleMX(victim), trusted(googleHost), "", NoTrustedStart, 2, 1},
		{"Google's queue in nobody's mailbox", "", googleLine + googleMX(victim), trusted(), "",
			NoTrustedStart, 1, 2},

		{"no connection", "", postfixLine("198.51.100.7", "mx.example") + postfixLine(victim,
			"mx.example"), trusted(), "198.51.100.7", UntrustedPeer, 1, 1},
		{"no connection, nobody's line", "", postfixLine(victim, "other.example"), trusted(), "",
			NoTrustedStart, 1, 1},
		{"no connection, relay's line", "", postfixLine(victim, "backup.example"), trusted(), "",
			NoTrustedStart, 1, 1},
		{"no connection, line 1 alone is ours", "", postfixLine(victim, "x.example") + postfixLine(victim,
			"mx.example"), trusted(), "", NoTrustedStart, 2, 1},
		{"no connection, no line", "", "Subject: x\n", trusted(), "", NoReceived, 0, 0},
		{"no connection, nobody trusted", "", postfixLine(victim, "mx.example"), Trust{}, "",
			NoTrustedStart, 1, 1},
		{"no connection, unreadable", "", "Received: from x by mx.example with ESMTP\n", trusted(), "",
			UnreadableReceived, 0, 1},
		{"no connection, nonsense", "", "Received: x\n", trusted(), "", NoTrustedStart, 1, 1},
		{"no connection, relay", "", postfixLine("192.0.2.10", "mx.example") + postfixLine("198.51.100.7",
			"backup.example"), trusted(), "198.51.100.7", UntrustedPeer, 0, 2},
		{"no connection, relay's line by the host's name", "", postfixLine("192.0.2.10", "mx.example") +
			postfixLine(victim, "mx.example"), trusted(), "", WrongBy, 1, 2},
		{"no connection, chain ends", "", postfixLine("192.0.2.10", "mx.example"), trusted(), "",
			AllTrusted, 0, 1},
		{"no connection, filter", "", postfixLine("127.0.0.1", "mx.example") + amavisLine("127.0.0.1") +
			postfixLine("198.51.100.7", "mx.example"), trusted(loopback), "198.51.100.7", UntrustedPeer, 0,
			3},
		{"no connection, qmail", "", queueLine + qmailLine("198.51.100.7", "mx.example"), trusted(),
			"198.51.100.7", UntrustedPeer, 0, 2},
		{"no connection, qmail of nobody", "", queueLine + qmailLine(victim, "other.example"), trusted(),
			"", NoTrustedStart, 1, 2},
		{"no connection, queue line alone", "", queueLine, trusted(), "", NoTrustedStart, 0, 1},
		{"no connection, a user's queue line", "", "Received: (qmail 1 invoked by uid 48)\n" +
			postfixLine(victim, "mx.example"), trusted(localUsers), "", NoTrustedStart, 2, 1},
		{"no connection, own user", "", pickupLine, trusted(), "", LocalSubmission, 0, 1},
		{"no connection, mbox", "", "From a@example Tue Mar 15 10:30:00 2022\n" +
			postfixLine("198.51.100.7", "mx.example"), trusted(), "198.51.100.7", UntrustedPeer, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := Connection{Helo: "helo.example", MailFrom: "a@example"}
			if c.peer != "" {
				conn.Peer = netip.MustParseAddr(c.peer)
			}
			got := Parse([]byte(c.header+"\nbody\n"), conn, c.trust)
			if source := addrString(got.Source); source != c.source {
				t.Errorf("source = %q, want %q", source, c.source)
			}
			if got.Reason != c.reason {
				t.Errorf("reason = %s, want %s", got.Reason, c.reason)
			}
			if got.Ignored != c.ignored || len(got.Hops) != c.hops {
				t.Errorf("ignored %d, hops %d, want %d, %d", got.Ignored, len(got.Hops), c.ignored, c.hops)
			}
			if (got.Reason == UntrustedPeer) != got.Source.IsValid() {
				t.Errorf("reason %s with source %q", got.Reason, addrString(got.Source))
			}
		})
	}
}

func addrString(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// TestWrittenBy: each hop tells who wrote it down, and of a line by a wrong name nobody knows.
func TestWrittenBy(t *testing.T) {
	for _, c := range []struct {
		name, peer, header string
		trust              Trust
		want               []string
	}{
		{"a relay", "192.0.2.10", postfixLine("192.0.2.20", "backup.example") +
			postfixLine("198.51.100.7", "relay.example"), trusted(),
			[]string{connected, "192.0.2.10", "192.0.2.20"}},
		{"a wrong name", "192.0.2.10", postfixLine("198.51.100.7", "other.example"), trusted(),
			[]string{connected, stranger}},
		{"a wrong name behind a relay", "192.0.2.10", postfixLine("192.0.2.20", "backup.example") +
			postfixLine("198.51.100.7", "backup.example"), trusted(),
			[]string{connected, "192.0.2.10", stranger}},
		{"nobody's line", "", postfixLine("198.51.100.7", "other.example"), trusted(), []string{stranger}},
		{"a host", "", postfixLine("198.51.100.7", "mx.example"), trusted(), []string{"mx.example"}},
		{"a host and its filter", "", postfixLine("127.0.0.1", "mx.example") + amavisLine("198.51.100.7"),
			trusted(loopback), []string{"mx.example", "mx.example"}},
		{"a host below its queue's line", "", queueLine + qmailLine("198.51.100.7", "mx.example"), trusted(),
			[]string{"", "mx.example"}},
		{"Google's mailbox", "", googleLine + googleMX("198.51.100.7"), trusted(googleHost),
			[]string{"2002:a05:612c:1b13:b0:49b:3a60:d7b", "mx.google.com"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var conn Connection
			if c.peer != "" {
				conn.Peer = netip.MustParseAddr(c.peer)
			}
			var got []string
			for _, hop := range Parse([]byte(c.header+"\n"), conn, c.trust).Hops {
				got = append(got, hop.WrittenBy)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("written by (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTraceJSON is the form that scripts read.
func TestTraceJSON(t *testing.T) {
	message := postfixLine("198.51.100.7", "backup.example") + postfixLine("203.0.113.99",
		"x.example") + "\n"
	trace := Parse([]byte(message), Connection{
		Peer: netip.MustParseAddr("192.0.2.10"), Helo: "backup.example", MailFrom: "a@example"},
		trusted())
	trace.File = "-"
	got, err := json.Marshal(trace)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":"-","source":"198.51.100.7","reason":"untrusted-peer","cause":"relay",` +
		`"marks":["Received lines below the source's"],"time":"2022-03-15T10:30:00Z",` +
		`"hops":[{"n":0,"written_by":"connection","ip":"192.0.2.10","helo":"backup.example","trusted":true},` +
		`{"n":1,"written_by":"192.0.2.10","format":"postfix","ip":"198.51.100.7","rdns":"r.example",` +
		`"helo":"h.example","by":"backup.example","with":"ESMTP","id":"4F3D2","for":"\u003ct@example\u003e",` +
		`"time":"2022-03-15T10:30:00Z","trusted":false}],"ignored":1}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}

	got, _ = json.Marshal(Parse(nil, Connection{}, Trust{}))
	want = `{"source":null,"reason":"no-received","cause":"unknown","hops":[],"ignored":0}`
	if string(got) != want {
		t.Errorf("JSON of nothing = %s, want %s", got, want)
	}
}

// TestTime: the date is the one of the topmost believed line, and of no other.
func TestTime(t *testing.T) {
	at := time.Date(2022, 3, 15, 10, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name, header string
		want         time.Time
	}{
		{"believed", postfixLine("198.51.100.7", "mx.example"), at},
		{"believed, qmail", queueLine + qmailLine("198.51.100.7", "mx.example"), at},
		{"not believed", postfixLine("198.51.100.7", "x.example"), time.Time{}},
		{"no date", "Received: from h (r [192.0.2.10]) by mx.example (Postfix) with ESMTP id A\n" +
			postfixLine("198.51.100.7", "backup.example"), time.Time{}},
		{"a sender's date behind the real one", "Received: from h (198.51.100.7) by mx.example (PowerMTA) id A; " +
			"Tue, 15 Mar 2022 10:30:00 +0000 (envelope-from <x); Tue, 15 Mar 2033 10:30:00 +0000 (>)\n", time.Time{}},
	} {
		if got := Parse([]byte(c.header+"\n"), Connection{}, trusted()).Time; !got.Equal(c.want) {
			t.Errorf("%s: time = %s, want %s", c.name, got, c.want)
		}
	}
}

// TestNames: every cause and reason survives its text form, and nothing else is one.
func TestNames(t *testing.T) {
	for _, c := range Causes() {
		text, err := c.MarshalText()
		var back Cause
		if err != nil || back.UnmarshalText(text) != nil || back != c {
			t.Errorf("cause %s: %s, %v", c, back, err)
		}
	}
	for i := range reasonNames {
		r := Reason(i)
		text, err := r.MarshalText()
		var back Reason
		if err != nil || back.UnmarshalText(text) != nil || back != r {
			t.Errorf("reason %s: %s, %v", r, back, err)
		}
	}
	if _, err := Cause(200).MarshalText(); err == nil || Cause(200).String() != "cause(200)" {
		t.Error("cause 200 has a name")
	}
	if _, err := Reason(200).MarshalText(); err == nil || Reason(200).String() != "reason(200)" {
		t.Error("reason 200 has a name")
	}
	if new(Cause).UnmarshalText([]byte("Relay")) == nil || new(Reason).UnmarshalText(nil) == nil {
		t.Error("a word that is none was read")
	}
}
