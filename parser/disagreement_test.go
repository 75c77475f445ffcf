package parser

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// minShare is how many of the real lines with a peer must be read.
const minShare = 0.97

// disagreement is a line on which another parser and ours differ, or that both leave unread though
// it carries a peer. The line itself is not ours to publish: its key stands for it.
type disagreement struct {
	Line  string // keyOf it
	Right string // ours, reference or neither
	Peer  bool   // a mail server wrote the line, and its peer stands in it
	Why   string
}

// keyOf is the beginning of a value's SHA-256.
func keyOf(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:8])
}

// opinions are two parsers' about one value; "" is no address.
type opinions struct {
	value           []byte
	ours, reference string
}

// newOpinions reads the value. Ours counts only if a source can come of it: the lines of a queue and
// of a mailbox's server show addresses, and never have one.
func newOpinions(value, reference string) opinions {
	o := opinions{value: latin1(value), reference: reference}
	if r, ok := readValue(o.value); ok && r.client.origin == network && r.client.ip.IsValid() {
		o.ours = r.client.ip.String()
	}
	return o
}

// ledger holds opinions against the list of disagreements that are known and explained.
type ledger struct {
	known map[string]disagreement
	seen  map[string]bool
	// The counts of lines.
	same, agreedOnNone, different, onlyOurs, unread, forged int
}

func openLedger(t *testing.T, path string) *ledger {
	t.Helper()
	l := ledger{known: map[string]disagreement{}, seen: map[string]bool{}}
	for _, d := range readLines[disagreement](t, path) {
		if _, twice := l.known[d.Line]; twice || len(d.Line) != 16 || len(d.Why) < 20 ||
			!slices.Contains([]string{"ours", "reference", "neither"}, d.Right) {
			t.Errorf("%s: a bad entry, or a second one: %+v", path, d)
		}
		l.known[d.Line] = d
	}
	return &l
}

// enter counts opinions. A disagreement must be in the list, and ours must give an address where
// the list says that it is the one to be right about a peer, and nowhere else.
func (l *ledger) enter(t *testing.T, o opinions) {
	t.Helper()
	key := keyOf(o.value)
	entry, known := l.known[key]
	switch {
	case o.ours == o.reference && o.ours != "":
		l.same++
		return
	case o.ours == o.reference && !known:
		l.agreedOnNone++
		return
	case !known:
		t.Errorf("new disagreement %s: ours %q, reference %q: %s", key, o.ours, o.reference,
			unfold(o.value))
	case (o.ours != "") != (entry.Right == "ours" && entry.Peer):
		t.Errorf("%s: ours is %q, against the list: %s", key, o.ours, entry.Why)
	}
	l.seen[key] = true
	switch {
	case o.ours == "" && entry.Peer:
		l.unread++
	case o.ours == "":
		l.forged++
	case o.reference == "":
		l.onlyOurs++
	default:
		l.different++
	}
}

// close fails on entries that no line needs any more, and on a share of lines read that is too
// small, and tells the figures.
func (l *ledger) close(t *testing.T, atLeast float64) {
	t.Helper()
	for key, entry := range l.known {
		if !l.seen[key] {
			t.Errorf("%s: no such disagreement: %s", key, entry.Why)
		}
	}
	read := l.same + l.onlyOurs + l.different
	share := float64(read) / float64(read+l.unread)
	t.Logf("same address %d, both none %d, different address %d, only ours %d, "+
		"unread with a peer %d, unread without one %d",
		l.same, l.agreedOnNone, l.different, l.onlyOurs, l.unread, l.forged)
	t.Logf("of %d lines that carry a peer %d are read: %.2f %%", read+l.unread, read, 100*share)
	if share < atLeast {
		t.Errorf("share of lines read = %.4f, want %v at least", share, atLeast)
	}
}

// corpus gives a path in the shared corpus and skips the test where there is none.
func corpus(t testing.TB, path string) string {
	t.Helper()
	path = "../../shared/corpus/" + path
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no corpus: %v", err)
	}
	return path
}

// TestReal holds real lines against the opinion of SpamAssassin's parser, which is no authority:
// the list says who is right, line by line.
func TestReal(t *testing.T) {
	path := corpus(t, "received/real.jsonl")
	l := openLedger(t, "testdata/received-disagreements.jsonl")
	for _, c := range readLines[struct {
		Received  []string
		Reference struct{ IP string }
	}](t, path) {
		l.enter(t, newOpinions(c.Received[0], c.Reference.IP))
	}
	l.close(t, minShare)
}

// TestRspamd holds the lines of rspamd's own tests against what those expect.
func TestRspamd(t *testing.T) {
	path := corpus(t, "received/rspamd.jsonl")
	l := openLedger(t, "testdata/rspamd-disagreements.jsonl")
	for _, c := range readLines[struct {
		Received []string
		Expect   []struct{ IP string }
	}](t, path) {
		for i, e := range c.Expect {
			l.enter(t, newOpinions(c.Received[i], e.IP))
		}
	}
	l.close(t, 0)
}

// TestRspamdChains walks the chains of rspamd's tests of external relays. Where the answers differ
// rspamd steps over a line that it cannot read, or believes a line because of SMTP AUTH.
func TestRspamdChains(t *testing.T) {
	believed := func(networks ...string) []TrustedRelay {
		var relays []TrustedRelay
		for _, n := range networks {
			relays = append(relays, TrustedRelay{Network: netip.MustParsePrefix(n)})
		}
		return relays
	}
	named := func(network, by string) TrustedRelay {
		return TrustedRelay{Network: netip.MustParsePrefix(network), By: []string{by}}
	}
	cases := map[string]struct {
		trust  Trust
		source string // "" for none
		reason Reason
	}{
		// Two lines that are none stand on top.
		"received4.eml": {Trust{Relays: believed("8.8.8.8/32")}, "", UnreadableReceived},
		// The second line was submitted with SMTP AUTH, and could have been by the abused account.
		"received5.eml": {Trust{Relays: believed("8.8.8.8/32"), Loopback: true}, "4.31.198.44", UntrustedPeer},
		// The third line is by localhost, though the second one tells of a connection.
		"received6.eml": {Trust{Loopback: true, Relays: []TrustedRelay{named("192.0.2.10/32",
			"ietfa.amsl.com"), named("192.0.2.10/32", "lame.example.net"), named("4.31.198.44/32",
			"cool.example.org")}}, "", WrongBy},
		"received7.eml": {Trust{Relays: believed("198.51.100.0/24", "2001:db8::/32")}, "4.31.198.44",
			UntrustedPeer},
		"ham.eml": {Trust{Loopback: true, Hosts: []string{"ietfa.amsl.com"}}, "4.31.198.44",
			UntrustedPeer},
	}
	for _, c := range readLines[struct {
		Source        string
		Received      []string
		ExternalRelay *struct {
			SessionIP string `json:"session_ip"`
			IP        string
		} `json:"external_relay"`
	}](t, corpus(t, "received/rspamd.jsonl")) {
		if c.ExternalRelay == nil {
			continue
		}
		name := c.Source[strings.LastIndexByte(c.Source, '/')+1:]
		want, ok := cases[name]
		if !ok {
			t.Errorf("%s: no such case here", name)
		}
		header := "Received: " + strings.Join(c.Received, "\nReceived: ") + "\n\n"
		got := Parse([]byte(header), Connection{Peer: netip.MustParseAddr(c.ExternalRelay.SessionIP)},
			want.trust)
		if addrString(got.Source) != want.source || got.Reason != want.reason {
			t.Errorf("%s: source %v, %s; want %q, %s; rspamd has %s", name, got.Source, got.Reason,
				want.source, want.reason, c.ExternalRelay.IP)
		}
	}
}
