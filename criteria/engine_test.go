package criteria

import (
	"bytes"
	"flag"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var many = flag.Int("histories", 1, "how many times the usual number of random histories")

// histories are the seeds that a property is held against: few of them in a
// short run, and with -histories=20 some thousands.
func histories(usual uint64) uint64 {
	if testing.Short() {
		return max(usual/10, 3)
	}
	return usual * uint64(*many)
}

const lifetime = 160

func TestEngineAgreesWithTheRulesEverySecond(t *testing.T) {
	for seed := range histories(150) {
		h := newHistory(t, seed, varied(seed))
		for now := start; now < start+lifetime; now++ {
			h.step(now)
			if h.IntN(60) == 0 {
				h.decide(h.policyDecision(now, varied(h.Uint64N(1000))))
			}
			h.check(now)
			if h.IntN(30) == 0 {
				h.engine = reopened(t, h.engine)
			}
		}
	}
}

func TestUntilIsTheFirstSecondNotListed(t *testing.T) {
	for seed := range histories(60) {
		h := newHistory(t, seed, varied(seed))
		now := start + 59
		for at := start; at <= now; at++ {
			h.step(at)
		}
		for _, l := range h.engine.Listings() {
			listed := func(at Second) bool { return h.answer(l.Source, at) != Unlisted }
			switch l.Answer {
			case Network:
				listed = func(at Second) bool { return h.escalated(l.Source, at) }
			case Operator:
				listed = func(at Second) bool { return h.byOperator(at)[l.Source] > at && !h.excepted(l.Source, at) }
			}
			for at := now; at < min(l.Until, now+lifetime); at++ {
				if !listed(at) {
					t.Fatalf("seed %d %s: ends at %d, but it says %d", seed, l.Source, at-start, l.Until-start)
				}
			}
			if l.Until != Never && listed(l.Until) {
				t.Fatalf("seed %d %s: still listed at until, %d", seed, l.Source, l.Until-start)
			}
			v := h.engine.Lookup(l.Source.Addr())
			other := len(v.Except) > 0 || v.Manual != nil && v.Manual.Network != l.Source // decides there
			if !other && l.Source.Addr() != networkOf(l.Source.Addr()).Addr() && (v.Until != l.Until || v.EndsBy == Open) {
				t.Fatalf("seed %d %s: looked up, until %d by %s", seed, l.Source, v.Until-start, v.EndsBy)
			}
		}
	}
}

// The same log gives the same changes at the same seconds and the same state:
// read as it grows, where each decision that needs the past reads it anew; read
// by one engine that knows of all decisions beforehand; and read with restarts
// on the way.
func TestEngineIsTheSameLiveAndReplayed(t *testing.T) {
	for seed := range histories(100) {
		live := newHistory(t, seed, varied(seed))
		for now := start; now < start+lifetime; now++ {
			live.step(now)
		}
		again := newHistory(t, seed, varied(seed))
		again.engine = NewEngine(again.policy, CorrectionsOf(live.decisions))
		again.engine.Settle(start)
		live.replay(again.take, func(d Decision) {
			if again.engine.NeedsHistory(d) {
				t.Fatalf("seed %d: %s is known, but needs the past", seed, d.Act)
			}
			again.decide(d)
			if again.IntN(3) == 0 {
				again.engine = reopened(t, again.engine)
			}
		})
		again.tell(again.engine.Advance(start + lifetime - 1))
		if diff := cmp.Diff(live.changes, again.changes, prefixes); diff != "" {
			t.Fatalf("seed %d: the replay changed otherwise: %s", seed, diff)
		}
		loaded := live.loaded(start + lifetime - 1)
		loaded.Adopt(live.engine.Standing(), Decision{})
		a, _ := live.engine.MarshalBinary()
		for name, e := range map[string]*Engine{"replayed": again.engine, "loaded": loaded} {
			if b, _ := e.MarshalBinary(); !bytes.Equal(a, b) {
				t.Fatalf("seed %d: %s, it ends in another state", seed, name)
			}
		}
	}
}

// An engine that loads the log and settles is from there on the one that lived
// through it: it answers alike, and changes alike at the same seconds.
func TestLoadedIsAsLived(t *testing.T) {
	for seed := range histories(50) {
		h := newHistory(t, seed, varied(seed))
		now := start + 40 + Second(h.IntN(120))
		for at := start; at <= now; at++ {
			h.step(at)
		}
		lived, loaded := h.engine, h.loaded(now)
		if diff := cmp.Diff(answers(lived), answers(loaded), prefixes); diff != "" {
			t.Fatalf("seed %d: loaded instead of lived: %s", seed, diff)
		}
		loaded.Adopt(lived.Standing(), Decision{})
		if diff := cmp.Diff(lived.Listings(), loaded.Listings(), prefixes); diff != "" {
			t.Fatalf("seed %d: adopted: %s", seed, diff)
		}
		if a, b := lived.Sources(), loaded.Sources(); a != b {
			t.Fatalf("seed %d: %d sources are remembered, want %d", seed, b, a)
		}
		for at := now; at < now+lifetime; at++ {
			if diff := cmp.Diff(lived.Advance(at), loaded.Advance(at), prefixes); diff != "" {
				t.Fatalf("seed %d, second %d: %s", seed, at-start, diff)
			}
		}
	}
}

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

// answers are the listings but for since when.
func answers(e *Engine) []Listing {
	listings := e.Listings()
	for i := range listings {
		listings[i].Since = 0
	}
	return listings
}

// A flood from parts of a /64 makes the engine forget hits that cannot count;
// an exception that frees a part later must find those that then do.
func TestPrunedHitsAreNotMissed(t *testing.T) {
	for seed := range histories(5) {
		p := varied(seed)
		p.MaxCounted = 50
		h := newHistory(t, seed, p)
		h.units = h.units[3:4]
		for now := start; now < start+lifetime; now++ {
			h.engine.Advance(now)
			for range 4 {
				n := h.hit(now)
				n.Digest[1], n.Digest[2] = byte(len(h.hits)), byte(len(h.hits)>>8)
				h.take(n)
			}
			if h.IntN(12) == 0 {
				h.decideAtOnce(now)
			}
			if h.IntN(8) == 0 {
				h.check(now)
			}
		}
		again := NewEngine(p, CorrectionsOf(h.decisions))
		again.Settle(start)
		h.replay(func(n Hit) { again.Hit(n) }, func(d Decision) {
			if _, err := again.Decide(d); err != nil {
				t.Fatal(err)
			}
		})
		again.Advance(start + lifetime - 1)
		if diff := cmp.Diff(h.engine.Listings(), again.Listings(), prefixes); diff != "" {
			t.Errorf("seed %d: by one engine that knows all beforehand: %s", seed, diff)
		}
		if kept := len(h.engine.roll.find(h.engine.rules.unitOf(h.units[0].Addr())).entries); kept > 400 {
			t.Errorf("seed %d: %d of %d hits are kept", seed, kept, len(h.hits))
		}
	}
}

func TestEngineForgetsAndPrunes(t *testing.T) {
	p := DefaultPolicy()
	e := NewEngine(p, Corrections{})
	for i := range 20_000 { // one source, one trap, always new content
		n := Hit{LSN: uint64(i + 1), Stamp: start + Second(i*60), Time: start + Second(i*60), Weight: One,
			Source: netip.MustParseAddr("198.51.100.7"), Traps: []string{"a@traps.example"}}
		n.Digest[0], n.Digest[1], n.Digest[2] = 1, byte(i), byte(i>>8)
		e.Hit(n)
	}
	s := e.roll.find(e.rules.unitOf(netip.MustParseAddr("198.51.100.7")))
	if len(s.entries) > 4*p.MaxCounted {
		t.Errorf("%d hits kept of one source", len(s.entries))
	}
	e.Advance(start + 20_000*60 + Second(10*24*3600))
	if e.Sources() != 0 || len(e.sets.byKey) != 0 || len(e.agenda) != 0 {
		t.Errorf("after ten silent days: %d sources, %d trap sets, %d dates", e.Sources(), len(e.sets.byKey), len(e.agenda))
	}
}

// A source that floods one trap must not push its other hits out of the sum.
func TestFloodDoesNotHideOtherTraps(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	at := start
	hit := func(trap string) {
		at++
		n := Hit{LSN: uint64(at - start), Stamp: at, Time: at, Weight: One, Traps: []string{trap},
			Source: netip.MustParseAddr("198.51.100.7")}
		n.Digest[0], n.Digest[1], n.Digest[2] = 1, byte(at), byte(at>>8)
		e.Hit(n)
	}
	hit("a@traps.example")
	for range 6000 {
		hit("b@traps.example")
	}
	if v := e.Lookup(netip.MustParseAddr("198.51.100.7")); v.Traps != 2 || !v.Listed {
		t.Errorf("%d traps counted, listed %v: %s", v.Traps, v.Listed, v.Why)
	}
}

// Hits dated ahead take the place of older ones when their second comes, not
// when the engine forgets what is beyond the caps.
func TestHitsAheadPushNothingOutBefore(t *testing.T) {
	hits := hitsOf(trapHits(5, 30*hour).of("a@traps.example"), trapHits(5, -60).of("a@traps.example"),
		trapHits(2*pruneFrom, 1))
	for i := range hits {
		hits[i].Stamp = min(hits[i].Stamp, start)
	}
	e := fed(DefaultPolicy(), hits...)
	for _, at := range []Second{start, start + 60} {
		e.Advance(at)
		if v := e.Lookup(netip.MustParseAddr("198.51.100.7")); v.Reports != 5+2*pruneFrom {
			t.Errorf("%d seconds later %d reports count, of %s", at-start, v.Reports, v.Why)
		}
	}
}
