package parser

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sameAddr compares addresses as values.
var sameAddr = cmpopts.EquateComparable(netip.Addr{})

// received is a header of such lines, topmost first.
func received(lines ...string) []byte {
	return []byte("Received: " + strings.Join(lines, "\nReceived: ") + "\n\n")
}

// traced is the annotated trace of a message that the peer handed over.
func traced(message []byte, at time.Time, trust Trust) Trace {
	c := Connection{Peer: netip.MustParseAddr("192.0.2.10"), Helo: "backup.example", At: at}
	return Annotate(message, Parse(message, c, trust))
}

// notesOn are those on a line by itself: nothing is known of who wrote it, or of the line above.
func notesOn(line string) string {
	message := received(line)
	trace := Annotate(message, Parse(message, Connection{}, Trust{}))
	return strings.Join(trace.Hops[0].Notes, "; ")
}

// TestTells: each example shows what it is the example of, and nothing else.
func TestTells(t *testing.T) {
	for _, tell := range tells {
		t.Run(tell.note, func(t *testing.T) {
			if got := notesOn(tell.example); got != tell.note {
				t.Errorf("notes = %q, want %q alone", got, tell.note)
			}
		})
	}
}

// TestTellsSpareServers: what mail servers write shows nothing, but for two that have no name.
func TestTellsSpareServers(t *testing.T) {
	const nameless = "by a name that the DNS does not have"
	want := map[string]string{caffeine.name: nameless, proxyPlus.name: nameless}
	for _, g := range grammars {
		if got := notesOn(g.example); got != want[g.name] {
			t.Errorf("%s: %q: notes %q, want %q", g.name, g.example, got, want[g.name])
		}
	}
}

// TestTellsOfLines are the edges of the table.
func TestTellsOfLines(t *testing.T) {
	const date = "; Tue, 15 Mar 2022 10:30:00 +0000"
	from := func(client string) string {
		return "from " + client +
			" by mx.example (Postfix) with ESMTP id 1"
	}
	for _, c := range []struct{ name, line, want string }{
		{"a date in brackets for the address",
			"from x ([Mon, 29 Jul 2024 10:19:06 +0200]) by mx.example " +
				"with ESMTP id 1; 29 Jul 2024 08:19:06 -0000", "a date where the address belongs"},
		{"a big number in the HELO", from("300.1.2.3 (unknown [198.51.100.7])") + date,
			"an address with a number over 255"},
		{"a big number with a port", from("x ([198.51.300.7]:25)") + date,
			"an address with a number over 255"},
		{"a machine inside of Google", "by 2002:a05:612c:1b13:b0:49b:3a60:ssp1 with SMTP id A" + date, ""},
		{"a version is no address", from("x (x.1.2.300.4.5 [198.51.100.7])") + date, ""},
		{"a name of numbers is no address", from("1.2.3000.4 (unknown [198.51.100.7])") + date, ""},
		{"multicast", from("x (unknown [224.0.0.5])") + date, "an address that cannot send mail"},
		{"this host", from("x (unknown [0.0.0.0])") + date, "an address that cannot send mail"},
		{"a resolver", from("x (unknown [1.1.1.1])") + date, "an address that cannot send mail"},
		{"a tunnel", from("x (unknown [IPv6:2002:c633:6407::1])") + date,
			"an address that cannot send mail"},
		{"a private network", from("x (unknown [10.1.2.3])") + date, ""},
		{"a carrier's network", from("x (unknown [100.64.1.2])") + date, ""},
		{"loopback", from("x (localhost [127.0.0.1])") + date, ""},
		{"a link", from("x (unknown [IPv6:fe80::1])") + date, ""},
		{"a short name", "from x (x [198.51.100.7]) by server with ESMTP id 1" + date,
			"by a name that the DNS does not have"},
		{"an address for a name", "from x (x [198.51.100.7]) by 192.0.2.9 with ESMTP id 1" + date, ""},
		{"localhost", "from x (x [198.51.100.7]) by localhost.localdomain with ESMTP id 1" + date, ""},
		{"local is not a label within",
			"from x (x [198.51.100.7]) by mx.mylocal.example with ESMTP id 1" + date, ""},
		{"NNFMP at Yahoo's",
			"from [198.51.100.7] by n38.grp.scd.yahoo.com with NNFMP; 20 Aug 2002 01:47:20 -0000", ""},
		{"NNFMP at its double",
			"from [198.51.100.7] by yahoo.com.evil.example with NNFMP; 20 Aug 2002 01:47:20 -0000",
			"NNFMP, Yahoo's protocol, at another's host"},
		{"Exim",
			"from [198.51.100.7] (helo=x) by mx.example with smtp (Exim 3.33 #3) id 17auB1-00037o-00" +
				date, ""},
		{"local mail without an id", "from queue-bounce by relay.example with local" + date, ""},
		{"Google's own date", "from x (x. [198.51.100.7]) by mx.google.com with ESMTPS id " +
			"d9443c01a7336-1f.2022.03.15.03.30.00; Tue, 15 Mar 2022 03:30:00 -0700 (PDT)", ""},
		{"Google's other ids", "from x (x. [198.51.100.7]) by mx.google.com with SMTP id 2022" + date,
			""},
		{"an id with a date of somebody else", "from x (x [198.51.100.7]) by mx.example with SMTP id " +
			"x.2019.02.12.06.38.06" + date, ""},
		{"a month with a comma",
			"from x (x [198.51.100.7]) by mx.example with SMTP; Sep, 12 2002 02:50:05 +0700",
			"a date in a form that no mail server writes"},
		{"twelve hours",
			"from x (x [198.51.100.7]) by mx.example with SMTP; Jun 06 2002 12:07:31 p.m. -0800",
			"a date in a form that no mail server writes"},
		{"two dates", "from x (x [198.51.100.7]) by mx.example with SMTP; 7 Apr 2002 13:26:58 +1000; " +
			"10 Jun 2002 10:41:32 +1100", "no readable date"},
		{"nothing behind the semicolon", from("x (x [198.51.100.7])") + ";", "no readable date"},
		{"no semicolon", from("x (x [198.51.100.7])"), "no readable date"},
		{"a line that does not pair", "from x (x [198.51.100.7] by mx.example", ""},
		{"an empty line", "", "no readable date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := notesOn(c.line); got != c.want {
				t.Errorf("notes = %q, want %q", got, c.want)
			}
		})
	}
}

// at is a Postfix line of that day and time.
func at(by, ip, date string) string {
	return "from h (h.r.example [" + ip + "]) by " + by + " (Postfix) with ESMTP id 4F3D2; " + date
}

// TestNotesOfTime: along the chain, from our receipt downward.
func TestNotesOfTime(t *testing.T) {
	receipt := time.Date(2022, 3, 15, 10, 30, 0, 0, time.UTC)
	const stranger = "198.51.100.7"
	chain := func(dates ...string) []byte { // line 0 is believed, the others are claims
		lines := []string{at("backup.example", stranger, dates[0])}
		for i, date := range dates[1:] {
			lines = append(lines, at(fmt.Sprintf("h%d.r.example", i), "203.0.113.9", date))
		}
		return received(lines...)
	}
	for _, c := range []struct {
		name    string
		message []byte
		want    string // the notes of all lines, by line
	}{
		{"in order", chain("15 Mar 2022 10:29:00 +0000", "15 Mar 2022 10:28:00 +0000"), "|"},
		{"ten minutes are a clock's", chain("15 Mar 2022 10:40:00 +0000", "15 Mar 2022 10:50:00 +0000"),
			"|"},
		{"more is not", chain("15 Mar 2022 10:40:01 +0000", "15 Mar 2022 10:50:02 +0000"),
			"dated 10 minutes after our receipt|dated 10 minutes after the believed line above"},
		{"other zones, the same time", chain("15 Mar 2022 19:29:00 +0900", "15 Mar 2022 03:28:00 -0700"),
			"|"},
		{"a week in the queue", chain("8 Mar 2022 10:30:00 +0000", "1 Mar 2022 10:30:00 +0000"), "|"},
		{"longer", chain("8 Mar 2022 10:29:59 +0000", "1 Feb 2012 10:30:00 +0000"),
			"dated 7 days before our receipt|dated 10 years before the believed line above"},
		{"a claim after the claim above", chain("15 Mar 2022 10:29:00 +0000",
			"15 Mar 2022 08:28:00 +0000",
			"15 Mar 2022 10:00:00 +0000"), "||dated 92 minutes after the line above"},
		{"a claim from the future, and an honest one", chain("15 Mar 2022 10:29:00 +0000",
			"16 Mar 2023 08:28:00 +0000", "15 Mar 2022 10:28:00 +0000"),
			"|dated 365 days after the believed line above|dated 365 days before the line above"},
		{"no date between", chain("15 Mar 2022 10:29:00 +0000", "today", "15 Mar 2022 14:30:00 +0000"),
			"|no readable date|dated 4 hours after the believed line above"},
		{"a believed line without a date", chain("today", "15 Mar 2022 12:30:01 +0000"),
			"no readable date|dated 2 hours after our receipt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := traced(c.message, receipt, trusted())
			var notes []string
			for _, hop := range append(got.Hops[1:], got.Claims...) {
				notes = append(notes, strings.Join(hop.Notes, "; "))
			}
			if strings.Join(notes, "|") != c.want {
				t.Errorf("notes = %q, want %q", notes, c.want)
			}
		})
	}
}

// TestNotesOfChain: who wrote a line, and where it stands.
func TestNotesOfChain(t *testing.T) {
	const date = "Tue, 15 Mar 2022 10:30:00 +0000"
	ours := at("backup.example", "198.51.100.7", date)
	const another, lookalike = "by another host than the line above names",
		"by the name of a host whose own line stands above"
	for _, c := range []struct {
		name, header, want string
	}{
		{"the host that the line above names", "Received: " + at("mail.r.example", "203.0.113.9", date),
			""},
		{"another", "Received: " + at("mx.bank.test", "203.0.113.9", date), another},
		{"an address", "Received: " + at("[203.0.113.9]", "203.0.113.9", date), ""},
		{"our relay's name", "Received: " + at("Backup.Example.", "203.0.113.9", date), lookalike},
		{"nothing above is the author's", "Return-Path: <a@example>\nReceived: " + at("r.example",
			"203.0.113.9", date),
			""},
		{"below Subject", "Subject: x\nTo: y\nReceived: " + at("r.example", "203.0.113.9", date),
			"stands below Subject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := []byte("Received: " + ours + "\n" + c.header + "\n\n")
			got := traced(message, time.Time{}, trusted()).Claims
			if len(got) != 1 || strings.Join(got[0].Notes, "; ") != c.want {
				t.Errorf("claims = %+v, want the notes %q", got, c.want)
			}
		})
	}
}

// TestClaims: what the lines below say is shown, within bounds, and as nobody's word.
func TestClaims(t *testing.T) {
	const date = "Tue, 15 Mar 2022 10:30:00 +0000"
	lines := []string{at("backup.example", "198.51.100.7", date)}
	for range 20 {
		lines = append(lines, at("h.r.example", "203.0.113.9", date))
	}
	lines[2] = "nonsense ("
	got := traced(received(lines...), time.Time{}, trusted())
	if len(got.Claims) != maxShownClaims || got.Ignored != 20 {
		t.Fatalf("%d claims of %d lines, want %d of 20", len(got.Claims), got.Ignored, maxShownClaims)
	}
	want := []Hop{
		{N: 2, WrittenBy: stranger, Format: "postfix", IP: netip.MustParseAddr("203.0.113.9"),
			RDNS: "h.r.example",
			Helo: "h", By: "h.r.example", With: "ESMTP", ID: "4F3D2",
			Time: time.Date(2022, 3, 15, 10, 30, 0, 0, time.UTC)},
		{N: 3, WrittenBy: stranger, Why: noteUnreadable},
	}
	if diff := cmp.Diff(want, got.Claims[:2], sameAddr); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}

	// A line that the right host did not write is the last hop, and no claim besides.
	got = traced(received(at("evil.example", "203.0.113.9", date), at("x.example", "203.0.113.8",
		date)),
		time.Time{}, trusted())
	if len(got.Hops) != 2 || len(got.Claims) != 1 || got.Claims[0].By != "x.example" {
		t.Errorf("hops %+v, claims %+v", got.Hops, got.Claims)
	}
}

// TestAnnotateTwice: the trace that is given stays as it was, and notes do not pile up.
func TestAnnotateTwice(t *testing.T) {
	message := received(at("backup.example", "198.51.100.7", "today"), at("x", "203.0.113.9", "today"))
	c := Connection{Peer: netip.MustParseAddr("192.0.2.10")}
	bare := Parse(message, c, trusted())
	once := Annotate(message, bare)
	if diff := cmp.Diff(Parse(message, c, trusted()), bare, sameAddr); diff != "" {
		t.Errorf("Annotate changed its argument (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(once, Annotate(message, once), sameAddr); diff != "" {
		t.Errorf("twice is not once (-once +twice):\n%s", diff)
	}
}

// decision is the part of a trace that something depends on.
func decision(t Trace) Trace {
	t.Hops, t.Claims = slices.Clone(t.Hops), nil
	for i := range t.Hops {
		t.Hops[i].Notes = nil
	}
	return t
}

// FuzzAnnotate: whatever the message, notes decide nothing and stay within bounds.
func FuzzAnnotate(f *testing.F) {
	for _, tell := range tells {
		f.Add(received(at("backup.example", "198.51.100.7", "15 Mar 2022 10:29:00 +0000"), tell.example),
			true)
		f.Add(received(tell.example), false)
	}
	f.Add([]byte("Received: from x by connection; today\n\n"), false)
	trust := trusted(loopback, localUsers)
	trust.Hosts = append(trust.Hosts, connected)
	f.Fuzz(func(t *testing.T, message []byte, hasPeer bool) {
		var c Connection
		if hasPeer {
			c.Peer = netip.MustParseAddr("192.0.2.10")
		}
		bare := Parse(message, c, trust)
		got := Annotate(message, bare)
		if diff := cmp.Diff(decision(bare), decision(got), sameAddr); diff != "" {
			t.Errorf("notes decided (-bare +annotated):\n%s", diff)
		}
		if n := len(got.Claims); n > maxShownClaims || n > bare.Ignored {
			t.Errorf("%d claims of %d lines", n, bare.Ignored)
		}
	})
}

// TestNotesOnCorpus: in real mail, honest lines show nothing but clocks and shared names, and the
// lines of spam often do. Nothing is known of the hosts here: every line is a claim.
func TestNotesOnCorpus(t *testing.T) {
	isTell := func(note string) bool {
		return slices.ContainsFunc(tells[:], func(tell tell) bool { return tell.note == note })
	}
	count := func(dir string) (lines, withNote, withTell int) {
		paths, err := filepath.Glob(filepath.Join(corpus(t, dir), "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			message, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			trace := Annotate(message, Parse(message, Connection{}, Trust{}))
			for _, hop := range append(trace.Hops, trace.Claims...) {
				lines++
				if len(hop.Notes) > 0 {
					withNote++
				}
				if slices.ContainsFunc(hop.Notes, isTell) {
					withTell++
				}
			}
		}
		t.Logf("%s: %d lines, %d with a note, %d with a template's", dir, lines, withNote, withTell)
		return lines, withNote, withTell
	}
	lines, withNote, withTell := count("ham")
	if withTell > 0 || withNote*20 > lines {
		t.Errorf("notes on %d of %d honest lines, %d of them a template's: want 5 %% at most, and none",
			withNote, lines, withTell)
	}
	lines, _, withTell = count("spam")
	if withTell*20 < lines {
		t.Errorf("a template's mark on %d of %d lines of spam: want 5 %% at least", withTell, lines)
	}
}
