package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

func nobody(netip.Prefix) (string, bool) { return "", false }

// tried is the one comparison of a trial.
func tried(t *testing.T, c *court, from, to criteria.Second, p criteria.Policy) criteria.Comparison {
	t.Helper()
	found, err := c.judge.Try(t.Context(), Trial{Policies: []criteria.Policy{p}, From: from, To: to, Provider: nobody})
	if err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func TestTrial(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		begin := c.store.Mark().At
		c.list("198.51.100.7") // by two traps
		listed := c.lookup("198.51.100.7")
		c.hit("198.51.100.8", "a@traps.example", 1) // by one
		c.hit("203.0.113.9", "a@traps.example", 1)  // likewise, and excepted
		c.decide(criteria.Decision{Act: criteria.ActExcept, Network: netip.MustParsePrefix("203.0.113.0/24"),
			Origin: criteria.FromOperator, Reason: "ours"})
		pass(40)
		until := c.store.Mark().At
		easy, hard := fast(), fast()
		easy.Threshold, easy.MinReports, easy.MinTraps = criteria.One, 1, 1
		hard.Threshold = 1000 * criteria.One
		for _, trial := range []struct {
			name                   string
			policy                 criteria.Policy
			added, removed, spared []string
		}{
			{"the policy in force", fast(), nil, nil, nil},
			{"an easier one", easy, []string{"198.51.100.8"}, nil, []string{"203.0.113.9"}},
			{"a harder one", hard, nil, []string{"198.51.100.7"}, nil},
		} {
			got := tried(t, c, begin, until, trial.policy)
			names := func(list []criteria.Contrast) (all []string) {
				for _, x := range list {
					all = append(all, x.Source.String())
				}
				return all
			}
			if diff := cmp.Diff(trial.added, names(got.Added)); diff != "" {
				t.Errorf("%s: added %s", trial.name, diff)
			}
			if diff := cmp.Diff(trial.removed, names(got.Removed)); diff != "" {
				t.Errorf("%s: removed %s", trial.name, diff)
			}
			var spared []string
			for _, s := range got.Spared {
				if spared = append(spared, s.Source.String()); s.Reason != "ours" || s.Seconds <= 0 {
					t.Errorf("%s: spared %+v", trial.name, s)
				}
			}
			if diff := cmp.Diff(trial.spared, spared); diff != "" {
				t.Errorf("%s: spared %s", trial.name, diff)
			}
			if want := (criteria.Total{Sources: 1, Seconds: int64(listed.Until - listed.At)}); got.Base != want {
				t.Errorf("%s: was %+v, want %+v", trial.name, got.Base, want)
			}
		}
	})
}

// Other rules may touch a mail provider and an exception: the comparison names both.
func TestTrialNamesProvidersAndExceptions(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		provided, excepted := netip.MustParsePrefix("198.51.100.0/28"), netip.MustParsePrefix("203.0.113.0/24")
		begin := c.store.Mark().At
		c.decide(criteria.Decision{Act: criteria.ActExcept, Network: excepted, Origin: criteria.FromOperator,
			Reason: "everybody needs it"})
		c.list("198.51.100.7")                       // by two traps, of the provider
		c.hit("198.51.100.8", "a@traps.example", 1)  // by one, likewise
		c.hit("198.51.100.99", "a@traps.example", 1) // by one, of nobody known
		c.hit("203.0.113.9", "a@traps.example", 1)   // by one, excepted, and of another provider
		was := c.lookup("198.51.100.7")
		pass(40)
		easy, hard := fast(), fast()
		easy.Threshold, easy.MinReports, easy.MinTraps = criteria.One, 1, 1
		hard.Threshold = 1000 * criteria.One
		found, err := c.judge.Try(t.Context(), Trial{Policies: []criteria.Policy{easy, hard, fast()}, From: begin,
			To: c.store.Mark().At, Provider: func(network netip.Prefix) (string, bool) {
				switch {
				case provided.Contains(network.Addr()):
					return "mail.example", true
				case excepted.Contains(network.Addr()):
					return "other.example", true
				}
				return "", false
			}})
		if err != nil {
			t.Fatal(err)
		}
		seconds := int64(was.Until - was.At)
		for i, want := range []struct {
			name      string
			providers []criteria.Group
			spared    []string
		}{
			{"an easier one", []criteria.Group{{Name: "mail.example", Added: 1, Moved: 1, Base: seconds,
				Other: int64((easy.DelistAfter + easy.DelistAfterFew) / time.Second)}}, []string{"203.0.113.9 203.0.113.0/24 everybody needs it"}},
			{"a harder one", []criteria.Group{{Name: "mail.example", Removed: 1, Base: seconds}}, nil},
			{"the policy in force", []criteria.Group{}, nil},
		} {
			if diff := cmp.Diff(want.providers, found[i].Providers); diff != "" {
				t.Errorf("%s: providers %s", want.name, diff)
			}
			var spared []string
			for _, s := range found[i].Spared {
				spared = append(spared, fmt.Sprint(s.Source, " ", s.Network, " ", s.Reason))
			}
			if diff := cmp.Diff(want.spared, spared); diff != "" {
				t.Errorf("%s: spared %s", want.name, diff)
			}
		}
	})
}

// What a trial says of a span, over the random past of other tests, is what an
// engine under that policy lists second by second.
func TestTrialAgreesWithEverySecond(t *testing.T) {
	for seed := range uint64(6) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, random := newCourt(t, dir), newChance(seed)
			defer c.close()
			begin := c.store.Mark().At
			fillRandomly(c, random, 120, func() {})
			p := random.policy()
			p.RepeatWindow = 0 // what is a repeat may depend on any time before
			for _, from := range []criteria.Second{begin, begin + 100} {
				to := c.store.Mark().At + 1
				got := tried(t, c, from, to, p)
				if want := secondsListed(t, c.store, p, from, to); got.Other.Seconds != want {
					t.Errorf("seed %d, from second %d: %d seconds, want %d", seed, from-begin,
						got.Other.Seconds, want)
				}
			}
			if again := tried(t, c, begin, c.store.Mark().At, p); again.Changes() < 0 || again.From != begin {
				t.Errorf("seed %d: %+v", seed, again)
			}
		})
	}
}

// secondsListed looks at the list at every second of a span.
func secondsListed(t *testing.T, s *store.Store, p criteria.Policy, from, to criteria.Second) (sum int64) {
	t.Helper()
	line := timeline{store: s, policy: &p, fixed: true, engine: criteria.NewEngine(p, criteria.Corrections{})}
	decisions := s.Decisions(0, s.Mark().Decision)
	for at := decisions[0].At; at < to; at++ {
		next, err := s.Since(at + 1)
		if err != nil {
			t.Fatal(err)
		}
		mark := store.Mark{LSN: next - 1, At: at}
		for _, d := range decisions {
			if d.At <= at {
				mark.Decision = d.Seq
			}
		}
		if err := line.read(t.Context(), mark, func([]criteria.Change) {}); err != nil {
			t.Fatal(err)
		}
		if at < from {
			continue
		}
		sum += int64(line.engine.Listed())
	}
	return sum
}

func TestTrialOfNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		at := c.store.Mark().At
		for name, span := range map[string][2]criteria.Second{
			"the future": {at + 100, at + 200}, "before the log": {1, 2}, "no time": {at, at},
		} {
			_, err := c.judge.Try(t.Context(), Trial{Policies: []criteria.Policy{fast()}, From: span[0], To: span[1]})
			if !errors.Is(err, ErrNoSpan) {
				t.Errorf("%s: %v", name, err)
			}
		}
		c.list("198.51.100.7")
		pass(1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.judge.Try(ctx, Trial{Policies: []criteria.Policy{fast()}, From: at, To: at + 10, Provider: nobody})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits for it: %v", err)
		}
	})
}
