package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// began is when the clock of every office starts.
var began = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// office is a desk with its store and its judge at work. Its clock stands still until it is moved.
type office struct {
	testing.TB
	*Desk
	dir     string // of the store
	seconds atomic.Int64
	sent    byte // messages, so that no content is another's
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := newUnreadOffice(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Judge.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	o.settle(criteria.Decision{Act: criteria.ActExcept, Who: "config", Reason: "a friend",
		Origin: criteria.FromConfig, Network: netip.MustParsePrefix("203.0.113.0/24")})
	return o
}

// newUnreadOffice is one whose judge has not begun.
func newUnreadOffice(t testing.TB) *office {
	t.Helper()
	o := &office{TB: t, Desk: &Desk{}, dir: t.TempDir()}
	s, err := store.Open(store.Config{Dir: o.dir, Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	policy := criteria.DefaultPolicy()
	first := criteria.Decision{Act: criteria.ActPolicy, Who: "config", Policy: &policy,
		Reason: "the first"}
	if err := s.Decide(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	o.Store, o.Judge = s, judge.New(s, deaf{})
	return o
}

func (o *office) now() time.Time {
	return began.Add(time.Duration(o.seconds.Load()) * time.Second)
}

// settle puts decisions in the ledger past the desk, and waits until they are applied.
func (o *office) settle(decisions ...criteria.Decision) {
	o.Helper()
	if err := o.Store.Decide(o.Context(), decisions...); err != nil {
		o.Fatal(err)
	}
	o.awaitAll()
}

func (o *office) awaitAll() {
	o.Helper()
	if err := o.Judge.Await(o.Context(), o.Store.Mark().Decision); err != nil {
		o.Fatal(err)
	}
}

// blame has hits of a source at two traps, and waits for the listing.
func (o *office) blame(source string) {
	o.Helper()
	for _, to := range []string{"one@traps.example", "two@traps.example"} {
		o.sent++
		r := &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now()),
			Source: netip.MustParseAddr(source), Traps: []string{to}, Weight: criteria.One, Cause: parser.Direct,
			Digest: criteria.Digest{o.sent}}}
		if err := o.Store.Append(o.Context(), r); err != nil {
			o.Fatal(err)
		}
	}
	o.followMail()
}

// followMail waits until the list knows the hits so far: a decision that changes nothing comes after
// them, and once it is applied, so are they.
func (o *office) followMail() {
	o.Helper()
	o.settle(criteria.Decision{Act: criteria.ActUnexcept, Who: "test", Origin: "nobody's",
		Network: netip.MustParsePrefix("192.0.2.1/32")})
}

func (o *office) decide(act criteria.Act, network, reason string, seconds int64) (Effect, error) {
	return o.Decide(o.Context(), "tester", Order{Act: act, Network: netip.MustParsePrefix(network),
		Reason: reason, For: seconds})
}

// must carries out an order that has to succeed.
func (o *office) must(act criteria.Act, network, reason string, seconds int64) Effect {
	o.Helper()
	e, err := o.decide(act, network, reason, seconds)
	if err != nil {
		o.Fatalf("%s %s: %v", act, network, err)
	}
	return e
}

func (o *office) listed(address string) criteria.Answer {
	o.Helper()
	l, err := o.Lookup(netip.MustParseAddr(address))
	if err != nil {
		o.Fatal(err)
	}
	return l.Answer
}

// door serves the desk on a unix socket and gives a client of it.
func (o *office) door() *Client {
	o.Helper()
	return o.doorFor(Orders{})
}

func (o *office) doorFor(orders Orders) *Client {
	o.Helper()
	path := filepath.Join(o.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		o.Fatal(err)
	}
	server := &http.Server{Handler: Handler(o.Desk, orders), ConnContext: ConnContext,
		ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	client := NewClient(path)
	o.Cleanup(func() {
		client.Close()
		_ = server.Close() // Serve says what went wrong
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			o.Error(err)
		}
	})
	return client
}

// deaf hears what a judge does and says nothing.
type deaf struct{}

func (deaf) SnapshotUnusable(error)                          {}
func (deaf) CaughtUp(uint64, int, int)                       {}
func (deaf) ListChanged(string, string, string, string)      {}
func (deaf) Rewritten(uint64, string, string, int, int, int) {}
