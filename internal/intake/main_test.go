package intake

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// diary notes what the intake tells.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) Recorded(kind, source, reason, cause string) {
	d.note("recorded", kind, source, reason, cause)
}

func (d *diary) ReportRefused(why string) { d.note("refused", why) }

func (d *diary) note(words ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, strings.Join(words, " "))
}

// desk is an intake with a real store behind it.
type desk struct {
	*testing.T
	store  *store.Store
	intake *Intake
	diary  *diary
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	clock := func() time.Time { return now }
	s, err := store.Open(store.Config{Dir: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &desk{T: t, store: s, diary: &diary{}}
	d.intake = New(s, func() parser.Trust { return trusted }, d.diary, clock)
	return d
}

var trusted = parser.Trust{
	Hosts:  []string{"mx1.corp.example"},
	Relays: []parser.TrustedRelay{{Network: netip.MustParsePrefix("192.0.2.10/32"), By: []string{"backup.traps.example"}}},
}

var directory = mustDirectory(
	trap.Rule{Class: trap.Trap, Domain: "traps.example", Kind: "pristine", Weight: 1_000_000},
	trap.Rule{Class: trap.Trap, Domain: "old.example", Kind: "recycled", Weight: 500_000},
	trap.Rule{Class: trap.Trap, Domain: "watched.example", Kind: "typo", Weight: 9_000_000, State: trap.StateWatching},
	trap.Rule{Class: trap.Reporter, Address: "submit.k3j9@reports.example", Name: "noc",
		Peers: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/28")}, Hosts: []string{"mx1.corp.example"},
		Relays: []netip.Prefix{netip.MustParsePrefix("203.0.113.25/32")}},
)

func mustDirectory(rules ...trap.Rule) *trap.Directory {
	d, err := trap.NewDirectory(rules)
	if err != nil {
		panic(err)
	}
	return d
}

const text = "Subject: offer\r\n\r\nBuy.\r\n"

// message is one message as a session hands it over.
func message(peer, content string, recipients ...string) *trap.Message {
	m := &trap.Message{Head: []byte(content), Size: int64(len(content)), Digest: sha256.Sum256([]byte(content))}
	m.Helo, m.MailFrom, m.Protocol, m.Time = "mail.spam.example", "spam@spam.example", "ESMTP", now
	if peer != "" {
		m.Peer = netip.AddrPortFrom(netip.MustParseAddr(peer), 4711)
	}
	for _, r := range recipients {
		m.Recipients = append(m.Recipients, directory.Match(r, m.Peer.Addr(), now))
	}
	return m
}

func (d *desk) accept(m *trap.Message) {
	d.Helper()
	if err := d.intake.Accept(context.Background(), m); err != nil {
		d.Fatal(err)
	}
}

// records reads the whole log.
func (d *desk) records() (records []store.Record) {
	d.Helper()
	for r, err := range d.store.Records(1, d.store.Mark().LSN) {
		if err != nil {
			d.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}

// last is the newest record.
func (d *desk) last() store.Record {
	d.Helper()
	records := d.records()
	if len(records) == 0 {
		d.Fatal("nothing was recorded")
	}
	return records[len(records)-1]
}

// verdict is what the rules say of a source.
func (d *desk) verdict(source string) criteria.Verdict {
	d.Helper()
	engine := criteria.NewEngine(criteria.DefaultPolicy(), criteria.Corrections{})
	for _, r := range d.records() {
		engine.Hit(r.Hit)
	}
	return engine.Lookup(netip.MustParseAddr(source)).Verdict
}

func (d *desk) evidence(r store.Record) string {
	d.Helper()
	head, err := d.store.Evidence(r.LSN)
	if err != nil {
		d.Fatal(err)
	}
	return string(head)
}

// received is a line that Postfix writes.
func received(from, by string, at time.Time) string {
	return fmt.Sprintf("Received: from x.example (unknown [%s])\r\n\tby %s (Postfix) with ESMTP id 4Bx\r\n"+
		"\tfor <a@traps.example>; %s\r\n", from, by, at.Format(time.RFC1123Z))
}
