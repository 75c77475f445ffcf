package intake

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

func TestSourceOfATrapHit(t *testing.T) {
	for _, c := range []struct {
		name, peer, content string
		source, reason      string // "invalid IP": none
	}{
		{"direct", "198.51.100.7", text, "198.51.100.7", "untrusted-peer"},
		{"direct, IPv6", "2001:db8::7", text, "2001:db8::7", "untrusted-peer"},
		{"direct, with a forged line", "198.51.100.7", received("203.0.113.99", "backup.traps.example", now) + text,
			"198.51.100.7", "untrusted-peer"},
		{"by our relay", "192.0.2.10", received("198.51.100.8", "backup.traps.example", now) + text,
			"198.51.100.8", "untrusted-peer"},
		{"by our relay, forged line below", "192.0.2.10",
			received("198.51.100.8", "backup.traps.example", now) + received("203.0.113.99", "x", now) + text,
			"198.51.100.8", "untrusted-peer"},
		{"by our relay, without its line", "192.0.2.10", text, "invalid IP", "no-received"},
		{"by our relay, line by another", "192.0.2.10", received("198.51.100.8", "liar.example", now) + text,
			"invalid IP", "wrong-by"},
		{"by our relay, unreadable", "192.0.2.10", "Received: by backup.traps.example with nothing\r\n" + text,
			"invalid IP", "unreadable-received"},
		{"private peer", "10.1.2.3", text, "invalid IP", "special-address"},
		{"loopback peer", "127.0.0.1", text, "invalid IP", "special-address"},
		{"unix socket, line by our host", "", received("198.51.100.9", "mx1.corp.example", now) + text,
			"198.51.100.9", "untrusted-peer"},
		{"unix socket, line by another", "", received("198.51.100.9", "liar.example", now) + text,
			"invalid IP", "no-trusted-start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			m := message(c.peer, c.content, "a@traps.example")
			d.accept(m)
			r := d.last()
			if r.Source.String() != c.source || r.Reason != c.reason {
				t.Errorf("source %s, %s; want %s, %s", r.Source, r.Reason, c.source, c.reason)
			}
			if r.Time != criteria.At(now) || r.Kind != criteria.TrapHit || r.Peer != m.Peer || r.Size != m.Size {
				t.Errorf("recorded %+v", r)
			}
			if r.Digest != criteria.Digest(m.Digest[:16]) || r.Inbox || r.Ingested {
				t.Errorf("recorded %+v", r)
			}
			source := strings.ReplaceAll(c.source, "invalid IP", "")
			if want := fmt.Sprintf("recorded trap %s %s %s", source, c.reason, r.Cause); d.diary.lines[0] != want {
				t.Errorf("told %q, want %q", d.diary.lines, want)
			}
			if v := d.verdict("203.0.113.99"); v.Reports > 0 {
				t.Error("the forged address is blamed")
			}
		})
	}
}

func TestWhatRecipientsAreWorth(t *testing.T) {
	const half = criteria.One / 2
	for _, c := range []struct {
		name       string
		recipients []string
		traps      []string
		weight     criteria.Micro
		inbox      bool
	}{
		{"one", []string{"A@Traps.Example"}, []string{"a@traps.example"}, criteria.One, false},
		{"several: the heaviest", []string{"b@old.example", "a@traps.example"},
			[]string{"b@old.example", "a@traps.example"}, criteria.One, false},
		{"a lighter one", []string{"b@old.example"}, []string{"b@old.example"}, half, false},
		{"watching beside active", []string{"c@watched.example", "b@old.example"}, []string{"b@old.example"}, half, false},
		{"watching", []string{"c@watched.example"}, nil, 0, false},
		{"mailbox", []string{"postmaster@traps.example", "abuse@old.example"}, nil, 0, true},
		{"mailbox beside a trap", []string{"postmaster@traps.example", "a@traps.example"},
			[]string{"a@traps.example"}, criteria.One, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.accept(message("198.51.100.7", text, c.recipients...))
			records := d.records()
			if len(records) != 1 {
				t.Fatalf("%d records of one message", len(records))
			}
			r := records[0]
			if diff := cmp.Diff(c.traps, r.Traps); diff != "" || r.Weight != c.weight || r.Inbox != c.inbox {
				t.Errorf("weight %s, inbox %v, traps %s", r.Weight, r.Inbox, diff)
			}
			if len(r.Recipients) != len(c.recipients) {
				t.Errorf("recipients %v", r.Recipients)
			}
			if v := d.verdict("198.51.100.7"); (v.Reports > 0) != (c.traps != nil) {
				t.Errorf("%d reports counted", v.Reports)
			}
		})
	}
}

// Later changes of the configuration do not change what was received.
func TestRecordFreezesTheTrap(t *testing.T) {
	d := newDesk(t)
	d.accept(message("198.51.100.7", text, "b@old.example", "c@watched.example", "postmaster@old.example"))
	want := []store.Recipient{
		{Address: "b@old.example", Kind: "recycled", State: "active", Weight: criteria.One / 2},
		{Address: "c@watched.example", Kind: "typo", State: "watching", Weight: 9 * criteria.One},
		{Address: "postmaster@old.example", Kind: "mailbox"},
	}
	if diff := cmp.Diff(want, d.last().Recipients); diff != "" {
		t.Error(diff)
	}
}

func TestEvidence(t *testing.T) {
	d := newDesk(t)
	long := "Subject: long\r\n\r\n" + strings.Repeat("x", 3*bodyKept)
	for _, c := range []struct {
		name string
		m    *trap.Message
		want string
	}{
		{"a source's first", message("198.51.100.7", text, "a@traps.example"), text},
		{"its second", message("198.51.100.7", text, "a@traps.example"), ""},
		{"its next in an hour", later(message("198.51.100.7", text, "a@traps.example"), time.Hour), text},
		{"another source's", message("198.51.100.8", text, "a@traps.example"), text},
		{"read from a header", message("192.0.2.10", received("198.51.100.7", "backup.traps.example", now)+text, "a@traps.example"),
			received("198.51.100.7", "backup.traps.example", now) + text},
		{"no source", message("10.1.2.3", text, "a@traps.example"), text},
		{"no source again", message("10.1.2.3", text, "a@traps.example"), ""},
		{"a relay's unreadable line", message("192.0.2.10", "Received: by x with nothing\r\n"+text, "a@traps.example"),
			"Received: by x with nothing\r\n" + text},
		{"again", message("192.0.2.10", "Received: by x with nothing\r\n"+text, "a@traps.example"),
			"Received: by x with nothing\r\n" + text},
		{"for the operator", message("198.51.100.7", text, "postmaster@traps.example"), text},
		{"a long body", message("198.51.100.9", long, "a@traps.example"), long[:len("Subject: long\r")+bodyKept]},
		{"an endless header", message("198.51.100.10", strings.Repeat("X: y\r\n", headKept/6+9), "a@traps.example"),
			strings.Repeat("X: y\r\n", headKept/6+9)[:headKept]},
	} {
		d.accept(c.m)
		if got := d.evidence(d.last()); got != c.want {
			t.Errorf("%s: kept %d bytes, want %d", c.name, len(got), len(c.want))
		}
	}
}

func later(m *trap.Message, d time.Duration) *trap.Message {
	m.Time = m.Time.Add(d)
	return m
}

func TestSamplerForgets(t *testing.T) {
	s := newSampler()
	a := message("198.51.100.7", text).Peer.Addr()
	for i := range 3 * samplerMemory {
		a = a.Next()
		if !s.wants(a, now, 1) || s.wants(a, now, 1) {
			t.Fatalf("source %d: not sampled once", i)
		}
	}
	if len(s.seen) > samplerMemory {
		t.Errorf("%d sources remembered", len(s.seen))
	}
}

// The neighbours of a /64 are one peer, and the bytes of an hour are bounded.
func TestSamplerIsBounded(t *testing.T) {
	s := newSampler()
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	if !s.wants(a, now, 1) || s.wants(b, now, 1) {
		t.Error("two addresses of a /64 are two peers")
	}
	if c := netip.MustParseAddr("198.51.100.9"); s.wants(c, now, sampledBytes) {
		t.Error("more is kept than the hour may")
	} else if !s.wants(c, now.Add(2*time.Hour), sampledBytes) {
		t.Error("the next hour begins full")
	}
}

// refusing is a log that takes nothing.
type refusing struct{ err error }

func (r refusing) Append(context.Context, ...*store.Record) error { return r.err }

func TestStorageErrorsInTheWordsOfTheTrap(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{store.ErrFull, trap.ErrFull},
		{fmt.Errorf("batch: %w: no space left on device", store.ErrFull), trap.ErrFull},
		{store.ErrFailed, trap.ErrBusy},
		{store.ErrClosed, trap.ErrBusy},
		{context.Canceled, trap.ErrBusy},
		{errors.New("anything"), trap.ErrBusy},
	} {
		notes := &diary{}
		i := New(refusing{c.err}, newDesk(t).intake.trust, notes, func() time.Time { return now })
		err := i.Accept(context.Background(), message("198.51.100.7", text, "a@traps.example"))
		if !errors.Is(err, c.want) || !errors.Is(err, c.err) || len(notes.lines) > 0 {
			t.Errorf("%v: Accept says %v, told %q", c.err, err, notes.lines)
		}
		gate := Gate(func() error { return c.err })
		if err := gate(); !errors.Is(err, c.want) {
			t.Errorf("%v: the gate says %v", c.err, err)
		}
	}
	if err := Gate(func() error { return nil })(); err != nil {
		t.Errorf("an open gate says %v", err)
	}
}

func TestStrangersWordsAreCut(t *testing.T) {
	d := newDesk(t)
	m := message("198.51.100.7", text, "a@traps.example")
	m.Helo, m.MailFrom = strings.Repeat("h", 5000), strings.Repeat("\xff", 5000)
	d.accept(m)
	if r := d.last(); len(r.Helo) != mostHelo || len(r.MailFrom) != mostMailFrom {
		t.Errorf("kept %d bytes of HELO, %d of MAIL FROM", len(r.Helo), len(r.MailFrom))
	}
}
