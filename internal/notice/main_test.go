package notice

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

func TestMain(m *testing.M) {
	store.PackEvidence([]byte("what it sets up at first must belong to no test's bubble"))
	goleak.VerifyTestMain(m)
}

// desk is an office with its store and its judge at work, in a bubble: call it in
// synctest.Test. Time begins at midnight, 1 January 2000, and passes by pass.
type desk struct {
	*testing.T
	*Office
	store *store.Store
	judge *judge.Judge
	rules Rules
	sent  byte // messages, so that no content is another's
	stop  func()
}

func newDesk(t *testing.T, p criteria.Policy) *desk {
	t.Helper()
	s, err := store.Open(store.Config{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	d := &desk{T: t, store: s, judge: judge.New(s, deaf{}), rules: Rules{Evidence: Headers,
		Redactor: redact.New(redact.Secrets{Domains: []string{"traps.example"}})}}
	d.decide(criteria.Decision{Act: criteria.ActPolicy, Who: "config", Policy: &p})
	d.Office = New(Config{Store: s, Judge: d.judge, Now: time.Now,
		Rules: func() Rules { return d.rules },
		Zone: func() Zone {
			return Zone{Origin: "bl.example", TTL: 5 * time.Minute, MinInterval: 30 * time.Second}
		},
		Published: func(netip.Addr) (uint32, bool) { return 0, false }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- d.judge.Serve(ctx) }()
	go func() { done <- d.Serve(ctx) }()
	d.stop = func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	synctest.Wait()
	return d
}

func (d *desk) decide(all ...criteria.Decision) {
	d.Helper()
	if err := d.store.Decide(context.Background(), all...); err != nil {
		d.Fatal(err)
	}
	synctest.Wait()
}

// pass lets time go by.
func pass(span time.Duration) {
	timer := time.NewTimer(span)
	<-timer.C
	synctest.Wait()
}

// hit records a message of a source to traps.
func (d *desk) hit(source string, change func(*store.Record), traps ...string) {
	d.Helper()
	d.sent++
	a := netip.MustParseAddr(source)
	r := &store.Record{Hit: criteria.Hit{Time: criteria.At(time.Now()), Source: a, Traps: traps,
		Weight: criteria.One, Cause: parser.Relay, Digest: criteria.Digest{d.sent}},
		Reason: "untrusted-peer", Peer: netip.AddrPortFrom(a, 4711), Helo: "mail.shop.example"}
	for _, t := range traps {
		r.Recipients = append(r.Recipients,
			store.Recipient{Address: t, Kind: "pristine", State: "active", Weight: criteria.One})
	}
	if change != nil {
		change(r)
	}
	if err := d.store.Append(context.Background(), r); err != nil {
		d.Fatal(err)
	}
	synctest.Wait()
}

func (d *desk) see(address string) Notice {
	d.Helper()
	n, err := d.Look(netip.MustParseAddr(address))
	if err != nil {
		d.Fatal(err)
	}
	return n
}

// deaf hears what a judge does and says nothing.
type deaf struct{}

func (deaf) SnapshotUnusable(error)                          {}
func (deaf) CaughtUp(uint64, int, int)                       {}
func (deaf) ListChanged(string, string, string, string)      {}
func (deaf) Rewritten(uint64, string, string, int, int, int) {}
