package criteria

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/trapline/trapline/parser"
)

// fast is a policy whose whole life passes in minutes, so that a test can look
// at every second of it.
func fast() Policy {
	p := DefaultPolicy()
	p.FreshWindow, p.MaxAge = 20*time.Second, 60*time.Second
	p.RepeatWindow, p.DelistAfter, p.DelistAfterFew = 8*time.Second, 25*time.Second, 12*time.Second
	p.MaxHitsPerTrap, p.MaxReportsPerReporter, p.MaxCounted = 3, 2, 7
	p.CauseWeight = map[parser.Cause]Micro{causesOfTests[2]: One / 2}
	return p
}

// varied is fast with other numbers for each seed, so that every condition
// gets to decide.
func varied(seed uint64) Policy {
	r := rand.New(rand.NewPCG(seed, 2))
	p := fast()
	p.Threshold = []Micro{One, 6 * One, 25 * One}[r.IntN(3)]
	p.DelistAfter = time.Duration(12+r.IntN(40)) * time.Second
	p.DelistAfterFew = time.Duration(8+r.IntN(5)) * time.Second
	p.MinReports, p.MinTraps, p.MinTrapDomains = 1+r.IntN(3), r.IntN(3), 1+r.IntN(2)
	p.RepeatWindow = time.Duration(r.IntN(12)) * time.Second
	return p
}

// history is a random log, driven into an engine and told to the naive rules.
type history struct {
	*rand.Rand
	naive
	engine *Engine
	units  []netip.Prefix
}

func newHistory(seed uint64, p Policy) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1)), engine: NewEngine(p)}
	h.policy = p
	for _, s := range []string{"198.51.100.7/32", "198.51.100.8/32", "2001:db8:0:1::/64"} {
		h.units = append(h.units, netip.MustParsePrefix(s))
	}
	return h
}

var trapsOfTests = []string{"a@traps.example", "b@traps.example", "c@x.traps.example", "d@other.example"}

func (h *history) hit(now Second) Hit {
	n := Hit{LSN: uint64(len(h.hits) + 1), Stamp: now, Time: now, Weight: One,
		Source: h.units[h.IntN(len(h.units))].Addr(), Cause: causesOfTests[h.IntN(4)]}
	if n.Source.Is6() {
		n.Source = withHost(n.Source, h.Uint64N(4)<<62)
	}
	n.Digest[0] = byte(1 + h.IntN(4))
	switch h.IntN(6) {
	case 0:
		n.Kind, n.Traps = Report, []string{fmt.Sprint("desk", h.IntN(3))}
	case 1:
		n.Traps = slices.Clone(trapsOfTests[:1+h.IntN(3)])
	case 2: // read from a file, dated earlier or a little ahead
		n.Time += Second(h.IntN(40)) - 35
		fallthrough
	default:
		n.Traps = []string{trapsOfTests[h.IntN(len(trapsOfTests))]}
		n.Weight = []Micro{One, One / 2, One / 4}[h.IntN(3)]
	}
	return n
}

func (h *history) decision(now Second) Decision {
	d := Decision{Seq: uint64(len(h.decisions) + 1), After: uint64(len(h.hits)), At: now, Who: "test",
		Network: h.units[h.IntN(len(h.units))], Origin: FromOperator}
	d.Act = []Act{ActExcept, ActUnexcept, ActDelist}[h.IntN(3)]
	if d.Network.Addr().Is6() && d.Act != ActDelist && h.IntN(2) == 0 {
		d.Network = netip.PrefixFrom(withHost(d.Network.Addr(), 1<<63), 65)
	}
	if d.Act != ActUnexcept && h.IntN(2) == 0 {
		d.Until = now + Second(1+h.IntN(20))
	}
	return d
}

// step lets a second pass and something happen in it.
func (h *history) step(t *testing.T, now Second) {
	t.Helper()
	h.engine.Advance(now)
	if h.IntN(5) == 0 {
		n := h.hit(now)
		h.hits = append(h.hits, n)
		h.engine.Hit(n)
	}
	if h.IntN(40) == 0 {
		d := h.decision(now)
		h.decisions = append(h.decisions, d)
		if _, err := h.engine.Decide(d); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *history) check(t *testing.T, now Second) {
	t.Helper()
	for _, unit := range h.units {
		got, want := h.engine.Lookup(unit.Addr()), h.answer(unit, now)
		if got.Answer != want {
			t.Fatalf("second %d, %s: verdict %v, want %v (%s)", now-start, unit, got.Answer, want, got.Why)
		}
		if kept := h.engine.answers()[unit]; kept != want {
			t.Fatalf("second %d, %s: the engine kept %v, want %v", now-start, unit, kept, want)
		}
		if sum := h.score(h.counted(unit, now, false), now); got.Score.Rat().Cmp(sum) != 0 {
			t.Fatalf("second %d, %s: score %v, want %v", now-start, unit, got.Score, decimal(sum))
		}
	}
}

const start Second = 1_790_000_000

func TestEngineAgreesWithTheRulesEverySecond(t *testing.T) {
	histories := uint64(400)
	if testing.Short() {
		histories = 40
	}
	for seed := range histories {
		h := newHistory(seed, varied(seed))
		for now := start; now < start+160; now++ {
			h.step(t, now)
			h.check(t, now)
			if h.IntN(30) == 0 {
				h.engine = reopened(t, h.engine)
			}
		}
	}
}

// reopened sends an engine through its snapshot, as a restart does.
func reopened(t *testing.T, e *Engine) *Engine {
	t.Helper()
	b, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	again, err := RestoreEngine(b)
	if err != nil {
		t.Fatal(err)
	}
	if b2, _ := again.MarshalBinary(); !bytes.Equal(b, b2) {
		t.Fatal("the restored engine packs differently")
	}
	return again
}

func TestUntilIsTheFirstSecondNotListed(t *testing.T) {
	for seed := range uint64(150) {
		h := newHistory(seed, varied(seed))
		for now := start; now < start+60; now++ {
			h.step(t, now)
		}
		now := start + 59
		for _, unit := range h.units {
			v := h.engine.Lookup(unit.Addr())
			if !v.Listed {
				continue
			}
			for at := now; at < v.Until; at++ {
				if h.answer(unit, at) == Unlisted {
					t.Fatalf("seed %d %s: ends at %d, but the verdict says %d", seed, unit, at-start, v.Until-start)
				}
			}
			if h.answer(unit, v.Until) != Unlisted {
				t.Fatalf("seed %d %s: still listed at until, %d", seed, unit, v.Until-start)
			}
			if v.EndsBy == Open {
				t.Fatalf("seed %d %s: ends by nothing", seed, unit)
			}
		}
	}
}

func TestEngineIsTheSameLiveAndReplayed(t *testing.T) {
	for seed := range uint64(100) {
		live := newHistory(seed, varied(seed))
		var liveChanges []Change
		for now := start; now < start+160; now++ {
			liveChanges = append(liveChanges, live.engine.Advance(now)...)
			if live.IntN(5) == 0 {
				n := live.hit(now)
				live.hits = append(live.hits, n)
				liveChanges = append(liveChanges, live.engine.Hit(n)...)
			}
		}
		replay := NewEngine(live.policy)
		var changes []Change
		for _, n := range live.hits {
			changes = append(changes, replay.Hit(n)...)
		}
		changes = append(changes, replay.Advance(start+159)...)
		if !slices.Equal(changes, liveChanges) {
			t.Fatalf("seed %d: the replay changed %v, the live run %v", seed, changes, liveChanges)
		}
		a, _ := live.engine.MarshalBinary()
		if b, _ := replay.MarshalBinary(); !bytes.Equal(a, b) {
			t.Fatalf("seed %d: the replay ends in another state", seed)
		}
	}
}

func TestEngineForgetsAndPrunes(t *testing.T) {
	p := DefaultPolicy()
	e := NewEngine(p)
	for i := range 20_000 { // one source, one trap, always new content
		n := Hit{LSN: uint64(i + 1), Stamp: start + Second(i*60), Time: start + Second(i*60), Weight: One,
			Source: netip.MustParseAddr("198.51.100.7"), Traps: []string{"a@traps.example"}}
		n.Digest[0], n.Digest[1], n.Digest[2] = 1, byte(i), byte(i>>8)
		e.Hit(n)
	}
	s := e.sources[netip.MustParseAddr("198.51.100.7")]
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
	e := NewEngine(DefaultPolicy())
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
