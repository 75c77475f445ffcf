package judge

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// traffic is many hits of many sources.
func traffic(n, from int) (records []*store.Record) {
	for i := range n {
		records = append(records, &store.Record{Hit: criteria.Hit{
			Time: criteria.At(time.Now()), Weight: criteria.One, Cause: parser.Direct,
			Source: netip.AddrFrom4([4]byte{198, 51, byte(i % 256), byte(i % 251)}),
			Traps:  []string{fmt.Sprintf("t%d@traps.example", i%7)},
			Digest: criteria.Digest{byte(from), byte(from >> 8), byte(i), byte(i >> 8)}}})
	}
	return records
}

// While an engine is made anew mail goes on, people decide, and what is asked is
// answered; in the end the list is the one of a replay.
func TestRewritingBesideMail(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	ctx, cancel := context.WithCancel(t.Context())
	decide := func(d ...criteria.Decision) uint64 {
		if err := s.Decide(ctx, d...); err != nil {
			t.Fatal(err)
		}
		return d[len(d)-1].Seq
	}
	mail := func(rounds int) {
		for n := range rounds {
			if err := s.Append(ctx, traffic(1000, n)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	decide(policy(criteria.DefaultPolicy()))
	mail(10)
	told := &diary{}
	j, ended := New(s, told), make(chan error, 1)
	go func() { ended <- j.Serve(ctx) }()
	if err := j.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p := criteria.DefaultPolicy()
	p.Threshold, p.MinReports, p.MinTraps = criteria.One, 1, 1
	first := decide(policy(p))
	mail(5)
	net := netip.MustParsePrefix("198.51.7.0/24")
	at := decide(criteria.Decision{Act: criteria.ActExcept, Network: net, Origin: criteria.FromOperator})
	if err := j.Await(ctx, at); err != nil { // needs no history: it holds at once
		t.Fatal(err)
	}
	list, err := j.Listings()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list.Listings {
		if l.Source.Overlaps(net) {
			t.Errorf("%s is listed inside an exception", l.Source)
		}
	}
	p.Threshold = 2 * criteria.One
	last := decide(policy(p), criteria.Decision{Act: criteria.ActBurn, Trap: "t1@traps.example"})
	mail(5)
	for _, seq := range []uint64{first, last} {
		if err := j.Await(ctx, seq); err != nil {
			t.Fatal(err)
		}
	}
	s.Stop()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got, want := state(t, j), state(t, replayed(t, s, j)); !bytes.Equal(got, want) {
		t.Error("the list is not that of a replay")
	}
	if len(told.rewritten) == 0 {
		t.Error("nobody was told")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// replayed is a judge that reads the whole log up to where another stands.
func replayed(t *testing.T, s *store.Store, like *Judge) *Judge {
	t.Helper()
	j := New(s, &diary{})
	if err := j.read(t.Context(), like.line.at); err != nil {
		t.Fatal(err)
	}
	j.pass(like.line.at)
	return j
}

// A rewriting that the end of the daemon cuts short is done anew at the start.
func TestRewritingCutShort(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	first := []criteria.Decision{policy(criteria.DefaultPolicy())}
	if err := s.Decide(t.Context(), first...); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		if err := s.Append(t.Context(), traffic(1000, n)...); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	j, ended := New(s, &diary{}), make(chan error, 1)
	go func() { ended <- j.Serve(ctx) }()
	if err := j.Await(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p := criteria.DefaultPolicy()
	p.Threshold = criteria.One
	if err := s.Decide(ctx, policy(p)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	again := caughtUp(t, s)
	if err := again.View(func(e *criteria.Engine) {
		if inForce, _ := e.Policy(); inForce.Threshold != criteria.One {
			t.Errorf("after the start the threshold is %s", inForce.Threshold)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := state(t, again), state(t, replayed(t, s, again)); !bytes.Equal(got, want) {
		t.Error("the list is not that of a replay")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
