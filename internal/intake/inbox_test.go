package intake

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// letters brings mail for the operator from an address, and counts those whose text is kept.
func letters(m *mailroom, from string, at time.Time, n, size int) (kept int) {
	for range n {
		if m.affords(netip.MustParseAddr(from), at, size) {
			kept++
		}
	}
	return kept
}

func TestNoNetworkFillsTheInbox(t *testing.T) {
	m := newMailroom()
	for _, c := range []struct {
		name, from string
		n, size    int
		want       int
	}{
		{"many", "198.51.100.7", 100, 1000, lettersOfNetwork},
		{"its neighbour", "198.51.100.200", 100, 1000, 0},
		{"another", "203.0.113.7", 3, 1000, 3},
		{"large ones", "192.0.2.7", 100, letterKept, bytesOfNetwork / letterKept},
		{"of IPv6", "2001:db8:1:2::3", 100, 1000, lettersOfNetwork},
		{"of its /48", "2001:db8:1:3::3", 100, 1000, 0},
		{"of IPv6 in IPv4's form", "::ffff:203.0.113.9", 100, 1000, lettersOfNetwork - 3},
	} {
		if got := letters(m, c.from, now, c.n, c.size); got != c.want {
			t.Errorf("%s: %d kept, want %d", c.name, got, c.want)
		}
	}
	if got := letters(m, "198.51.100.7", now.Add(24*time.Hour), 100, 1000); got != lettersOfNetwork {
		t.Errorf("the next day: %d kept", got)
	}
}

// However many networks flood it, the inbox is bounded, and the rest of the day has room.
func TestManyNetworksDoNotFillTheInbox(t *testing.T) {
	m := newMailroom()
	day := now.Truncate(24 * time.Hour)
	kept, last := 0, lettersOfDay
	for hour := range 24 {
		inHour := 0
		for n := range 3000 {
			from := fmt.Sprintf("10.%d.%d.1", hour*8+n>>8, n&255)
			inHour += letters(m, from, day.Add(time.Duration(hour)*time.Hour), 1, 10_000)
		}
		if inHour == 0 || inHour > last {
			t.Errorf("hour %d keeps %d letters, the one before it %d", hour, inHour, last)
		}
		kept, last = kept+inHour, inHour
	}
	if kept > lettersOfDay || kept*10_000 > bytesOfDay || m.ofDay.letters != kept {
		t.Errorf("%d letters kept, %d noted", kept, m.ofDay.letters)
	}
	if len(m.networks) > lettersOfDay {
		t.Errorf("%d networks remembered", len(m.networks))
	}
}

// What is kept of a letter is all of it that a session has: its reader has nothing else.
func TestLettersAreKeptWhole(t *testing.T) {
	d := newDesk(t)
	long := "Subject: Please look\r\n\r\n" + strings.Repeat("We mended it. ", 5000) + "\r\n"
	d.accept(message("198.51.100.7", long, "postmaster@traps.example"))
	if got := d.evidence(d.last()); got != long {
		t.Errorf("%d of %d bytes kept", len(got), len(long))
	}
	for range lettersOfNetwork + 5 {
		d.accept(message("198.51.100.8", text, "abuse@traps.example"))
	}
	records := d.records()
	if len(records) != lettersOfNetwork+6 {
		t.Fatalf("%d records", len(records))
	}
	last := records[len(records)-1]
	if !last.Inbox || d.evidence(last) != "" {
		t.Errorf("the last is %+v with %q", last, d.evidence(last))
	}
	kept := 0
	for _, r := range records {
		if d.evidence(r) != "" {
			kept++
		}
	}
	if kept != lettersOfNetwork {
		t.Errorf("%d kept", kept)
	}
}
