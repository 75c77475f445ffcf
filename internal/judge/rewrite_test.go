package judge

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
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

// counting is a context that counts how often it is asked: once for each event
// that is read.
type counting struct {
	context.Context
	asked int
}

func (c *counting) Err() error {
	c.asked++
	return c.Context.Err()
}

// However many corrections there are, a start reads the log once, and those that
// come at once are one replay.
func TestManyCorrectionsAreOneReplay(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		for n := range 100 {
			c.append(newChance(uint64(n)).record())
			pass(1)
		}
		line := timeline{store: c.store}
		read := func(line *timeline) int {
			ctx := &counting{Context: t.Context()}
			if err := line.read(ctx, c.store.Mark(), func([]criteria.Change) {}); err != nil {
				t.Fatal(err)
			}
			return ctx.asked
		}
		read(&line)
		burnings := func(n int) (all []criteria.Decision) {
			for i := range n {
				all = append(all, criteria.Decision{Act: criteria.ActBurn, Who: "test",
					Trap: trapNames[i%len(trapNames)], Since: criteria.At(time.Now()) - 60 - criteria.Second(i)},
					criteria.Decision{Act: criteria.ActUncount, Who: "test", Hits: []uint64{uint64(i + 1)}})
			}
			return all
		}
		c.decide(burnings(1)...)
		one := line
		alone := read(&one)
		c.decide(burnings(20)...)
		if all := read(&line); alone < 100 || all > alone+2*40 {
			t.Errorf("%d events are read for one burn, %d for forty more", alone, all)
		}
		start := timeline{store: c.store}
		if all := read(&start); all > 100+2*45 {
			t.Errorf("a start reads %d events", all)
		}
		if a, b := packed(t, line.engine), packed(t, start.engine); !bytes.Equal(a, b) {
			t.Error("read at once, the log gives another state")
		}
		free := burnings(2)
		for i := range free { // of what is known, or of all hits
			free[i].Since, free[i].Act = 0, []criteria.Act{criteria.ActBurn, criteria.ActRecount}[i%2]
		}
		c.decide(append(free, criteria.Decision{Act: criteria.ActUnburn, Who: "test", Trap: trapNames[1]},
			criteria.Decision{Act: criteria.ActReweigh, Who: "test", Trap: trapNames[2]})...)
		if all := read(&line); all > 6 {
			t.Errorf("%d events are read for what takes no replay", all)
		}
	})
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
	for seq := first; seq <= last; seq++ { // the burn may be applied before the policies
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
