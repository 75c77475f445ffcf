package intake

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// noted is the trust of these tests as a ledger has it.
func noted() *criteria.Trust {
	t := &criteria.Trust{Hosts: trusted.Hosts, Reporters: []criteria.TrustedReporter{{Name: "noc",
		Hosts: []string{"mx1.corp.example"}, Relays: []netip.Prefix{netip.MustParsePrefix("203.0.113.25/32")}}}}
	for _, r := range trusted.Relays {
		t.Relays = append(t.Relays, criteria.TrustedRelay{Network: r.Network, By: r.By})
	}
	return t
}

func (d *desk) trust(t *criteria.Trust) {
	d.Helper()
	err := d.store.Decide(context.Background(), criteria.Decision{Act: criteria.ActTrust, Who: "config", Trust: t})
	if err != nil {
		d.Fatal(err)
	}
}

// blamed records mail of our relay as a parser had it that blamed another address.
func (d *desk) blamed(source, head string) *store.Record {
	d.Helper()
	r := &store.Record{Reason: "untrusted-peer", Peer: netip.MustParseAddrPort("192.0.2.10:25"),
		Helo: "backup.traps.example", MailFrom: "spam@spam.example", Protocol: "ESMTP",
		Recipients: []store.Recipient{{Address: "a@traps.example", Kind: "pristine", State: "active"}},
		Evidence:   store.PackEvidence([]byte(head))}
	r.Source, r.Time, r.Traps = netip.MustParseAddr(source), criteria.At(now), []string{"a@traps.example"}
	d.append(r)
	return r
}

func (d *desk) append(r *store.Record) {
	d.Helper()
	if err := d.store.Append(context.Background(), r); err != nil {
		d.Fatal(err)
	}
}

// movable is a desk whose clock goes on when it is told to.
type movable struct {
	*desk
	at time.Time
}

func newMovable(t *testing.T) *movable {
	t.Helper()
	m := &movable{at: now}
	clock := func() time.Time { return m.at }
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
	m.desk = &desk{T: t, store: s, diary: &diary{}}
	m.intake = New(s, func() parser.Trust { return trusted }, m.diary, clock)
	return m
}

func (m *movable) later() { m.at = m.at.Add(time.Duration(settling) * time.Second) }

// trustLong notes a trust that is in force for long enough.
func (m *movable) trustLong(t *criteria.Trust) {
	m.Helper()
	m.trust(t)
	m.later()
}

// byRelay is mail that our relay took from a source.
func byRelay(source string) string { return received(source, "backup.traps.example", now) + text }

// TestReread: a hit that a wrong parser blamed is found out, one that it did not stays, and
// what cannot be read again proves nothing.
func TestReread(t *testing.T) {
	const victim, culprit = "198.51.100.66", "198.51.100.7"
	few := &criteria.Trust{}
	for _, c := range []struct {
		name   string
		record func(*movable) *store.Record
		source string // "": none
		proves bool
	}{
		{"the parser was wrong", func(d *movable) *store.Record {
			d.trustLong(noted())
			return d.blamed(victim, byRelay(culprit))
		}, culprit, true},
		{"the parser was right", func(d *movable) *store.Record {
			d.trustLong(noted())
			return d.blamed(culprit, byRelay(culprit))
		}, culprit, true},
		{"nobody can be vouched for", func(d *movable) *store.Record {
			d.trustLong(noted())
			return d.blamed(victim, received(culprit, "liar.example", now)+text)
		}, "", true},
		{"trusted no more", func(d *movable) *store.Record { // but it was
			d.trustLong(noted())
			r := d.blamed(culprit, byRelay(culprit))
			d.trust(few)
			return r
		}, culprit, true},
		{"trusted only later", func(d *movable) *store.Record {
			d.trustLong(few)
			r := d.blamed(victim, byRelay(culprit))
			d.trust(noted())
			return r
		}, "192.0.2.10", true},
		{"another trust a moment before", func(d *movable) *store.Record { // it was read with the one before
			d.trustLong(noted())
			d.trust(few)
			return d.blamed(culprit, byRelay(culprit))
		}, culprit, true},
		{"wrong under both", func(d *movable) *store.Record {
			d.trustLong(noted())
			d.trust(few)
			return d.blamed(victim, byRelay(culprit))
		}, culprit, true},
		{"another trust a while before", func(d *movable) *store.Record {
			d.trust(noted())
			d.trustLong(few)
			return d.blamed(victim, byRelay(culprit))
		}, "192.0.2.10", true},
		{"no trust was noted", func(d *movable) *store.Record {
			r := d.blamed(victim, byRelay(culprit))
			d.trust(noted())
			return r
		}, "", false},
		{"the first trust a moment before", func(d *movable) *store.Record {
			d.trust(noted())
			return d.blamed(victim, byRelay(culprit))
		}, culprit, true},
		{"no evidence", func(d *movable) *store.Record {
			d.trustLong(noted())
			r := &store.Record{Peer: netip.MustParseAddrPort("192.0.2.10:25")}
			r.Source, r.Time = netip.MustParseAddr(victim), criteria.At(now)
			d.append(r)
			return r
		}, "", false},
		{"evidence that was cut", func(d *movable) *store.Record {
			d.trustLong(noted())
			return d.blamed(victim, byRelay(culprit)+strings.Repeat("x", headKept))
		}, "", false},
		{"the peer is the source", func(d *movable) *store.Record {
			d.trustLong(noted())
			return d.blamed("192.0.2.10", byRelay(culprit))
		}, "", false},
		{"unattributed", func(d *movable) *store.Record {
			d.trustLong(noted())
			r := &store.Record{Evidence: store.PackEvidence([]byte(byRelay(culprit)))}
			r.Time = criteria.At(now)
			d.append(r)
			return r
		}, "", false},
		{"a file", func(d *movable) *store.Record {
			d.trustLong(noted())
			r, err := d.ingest(reported(culprit, now.Add(-time.Hour)), false)
			if err != nil {
				d.Fatal(err)
			}
			return r
		}, culprit, true},
		{"a report", func(d *movable) *store.Record {
			d.trustLong(noted())
			d.accept(submission(reported(culprit, now.Add(-time.Hour))))
			r := d.last()
			return &r
		}, culprit, true},
		{"of a reporter who is gone", func(d *movable) *store.Record {
			d.trustLong(few)
			d.accept(submission(reported(culprit, now.Add(-time.Hour))))
			r := d.last()
			return &r
		}, "", false},
		{"no such hit", func(*movable) *store.Record {
			r := new(store.Record)
			r.LSN = 4711
			return r
		}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newMovable(t)
			source, proves, err := Reread(d.store, c.record(d).LSN)
			got := ""
			if source.IsValid() {
				got = source.String()
			}
			if err != nil || got != c.source || proves != c.proves {
				t.Errorf("source %q, proves %t, %v; want %q, %t", got, proves, err, c.source, c.proves)
			}
		})
	}
}

// What the intake recorded itself is read again as it was read: for each of its kinds.
func TestRereadAgrees(t *testing.T) {
	d := newMovable(t)
	d.trustLong(noted())
	for i, source := range []string{"198.51.100.7", "2001:db8::7", "203.0.113.77"} {
		d.accept(message("192.0.2.10", byRelay(source), "a@traps.example"))
		if got, proves, err := Reread(d.store, uint64(i+1)); err != nil || !proves || got.String() != source {
			t.Errorf("%s: %s, %t, %v", source, got, proves, err)
		}
	}
}

func TestRereadOfADamagedLog(t *testing.T) {
	d := newMovable(t)
	d.trustLong(noted())
	r := d.blamed("198.51.100.7", byRelay("198.51.100.7"))
	if _, _, err := Reread(damaged{d.store}, r.LSN); err == nil {
		t.Error("damage is taken for an answer")
	}
}

// damaged is an archive whose evidence cannot be read.
type damaged struct{ *store.Store }

func (damaged) Evidence(uint64) ([]byte, error) { return nil, store.ErrDamaged }
