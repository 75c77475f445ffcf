package criteria

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/trapline/trapline/parser"
)

// start is seventy seconds before the end of a day: points age out by days.
const start Second = 20_718*secondsOfDay - 70

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
	p.MaxAge = time.Duration(50+r.IntN(20)) * time.Second
	p.ReputationRatio, p.ReputationCap = []Micro{0, One / 2, 5 * One}[r.IntN(3)], 2+r.IntN(6)
	p.MinListed = []int{0, 2, 2, 3}[r.IntN(4)]
	return p
}

// history is a random log, driven into an engine as a judge does, and told to
// the naive rules.
type history struct {
	*testing.T
	*rand.Rand
	naive
	engine   *Engine
	units    []netip.Prefix
	networks []netip.Prefix
	changes  []Change
}

func newHistory(t *testing.T, seed uint64, p Policy) *history {
	h := &history{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), engine: NewEngine(p, Corrections{})}
	h.policy = p
	for _, s := range []string{"198.51.100.7/32", "198.51.100.8/32", "198.51.100.9/32",
		"2001:db8:0:1::/64", "2001:db8:0:2::/64"} {
		h.units = append(h.units, netip.MustParsePrefix(s))
	}
	for _, s := range []string{"198.51.100.0/24", "2001:db8::/48"} {
		h.networks = append(h.networks, netip.MustParsePrefix(s))
	}
	return h
}

var trapsOfTests = []string{"a@traps.example", "b@traps.example", "c@x.traps.example", "d@other.example"}

func (h *history) host() netip.Addr {
	a := h.units[h.IntN(len(h.units))].Addr()
	if a.Is6() {
		a = withHost(a, h.Uint64N(4)<<62)
	}
	return a
}

func (h *history) hit(now Second) Hit {
	n := Hit{LSN: uint64(len(h.hits) + 1), Stamp: now, Time: now, Weight: One,
		Source: h.host(), Cause: causesOfTests[h.IntN(4)]}
	n.Digest[0] = byte(1 + h.IntN(4))
	switch h.IntN(6) {
	case 0:
		n.Kind, n.Traps = Report, []string{fmt.Sprint("desk", h.IntN(3))}
	case 1:
		n.Traps = slices.Clone(trapsOfTests[:1+h.IntN(3)])
		if h.IntN(2) == 0 {
			n.Weights = []Micro{One / 4, One, One / 2}[:len(n.Traps)]
			n.Weight = slices.Max(n.Weights)
		}
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
	d := Decision{Seq: uint64(len(h.decisions) + 1), After: uint64(len(h.hits)), At: now, Who: "test"}
	switch h.IntN(11) {
	case 0, 1, 2:
		d.Act = []Act{ActExcept, ActUnexcept}[h.IntN(2)]
		d.Network, d.Origin = h.target(), FromOperator
	case 3, 4:
		d.Act, d.Network = ActDelist, h.target()
	case 5:
		d.Act, d.Name, d.Points = ActPoints, []string{"mirror", "mail"}[h.IntN(2)], h.somePoints(now)
	case 6:
		d.Act, d.Trap = []Act{ActBurn, ActBurn, ActUnburn}[h.IntN(3)], trapsOfTests[h.IntN(4)]
		d.Since = []Second{0, now - Second(h.IntN(30)), now}[h.IntN(3)]
	case 7:
		d.Act, d.Trap = ActReweigh, trapsOfTests[h.IntN(4)]
		d.Weight = []Micro{0, One / 8, 2 * One}[h.IntN(3)]
	case 8:
		d.Act = []Act{ActUncount, ActUncount, ActRecount}[h.IntN(3)]
		for range 1 + h.IntN(3) {
			d.Hits = append(d.Hits, 1+h.Uint64N(uint64(len(h.hits)+1)))
		}
	case 9, 10:
		d.Act, d.Network = ActList, h.target()
	}
	if slices.Contains([]Act{ActExcept, ActDelist, ActList}, d.Act) && h.IntN(2) == 0 {
		d.Until = now + Second(1+h.IntN(20))
	}
	return d
}

// target is a unit, a part of one, or several.
func (h *history) target() netip.Prefix {
	n := h.units[h.IntN(len(h.units))]
	switch h.IntN(6) {
	case 0, 1:
		if n.Addr().Is6() {
			n = netip.PrefixFrom(withHost(n.Addr(), h.Uint64N(2)<<63), 65)
		}
	case 2:
		n = networkOf(n.Addr())
	}
	return n
}

func (h *history) somePoints(now Second) Points {
	var list []Point
	for range 1 + h.IntN(4) {
		day := DayOf(now) - Day(h.IntN(2))
		list = append(list, Point{day, h.host(), uint32(h.IntN(9))})
	}
	return PackPoints(list)
}

// step lets a second pass and something happen in it.
func (h *history) step(now Second) {
	h.Helper()
	h.tell(h.engine.Advance(now))
	if h.IntN(3) == 0 {
		h.take(h.hit(now))
	}
	if h.IntN(30) == 0 {
		h.decideAtOnce(now)
	}
}

func (h *history) policyDecision(now Second, p Policy) Decision {
	return Decision{Seq: uint64(len(h.decisions) + 1), After: uint64(len(h.hits)), At: now, Who: "test",
		Act: ActPolicy, Policy: &p}
}

// lighter is the policy in force with other numbers, but for those that decide
// which hits are kept.
func (h *history) lighter() Policy {
	p, q := varied(h.Uint64N(1000)), h.policy
	q.Threshold, q.DelistAfter, q.DelistAfterFew = p.Threshold, p.DelistAfter, p.DelistAfterFew
	q.MinReports, q.MinTraps, q.MinTrapDomains = p.MinReports, p.MinTraps, p.MinTrapDomains
	q.ReputationRatio, q.ReputationCap = p.ReputationRatio, p.ReputationCap
	return q
}

// decideAtOnce makes one decision, or several of the same second.
func (h *history) decideAtOnce(now Second) {
	h.Helper()
	h.decide(h.decision(now))
	for h.IntN(3) > 0 {
		h.decide(h.decision(now))
	}
	if h.IntN(4) == 0 {
		h.decide(h.policyDecision(now, h.lighter()))
	}
}

func (h *history) tell(changes []Change) { h.changes = append(h.changes, changes...) }

func (h *history) take(n Hit) {
	h.hits = append(h.hits, n)
	h.tell(h.engine.Hit(n))
}

// decide carries a decision out as a judge does: what changes the past by an
// engine that reads it anew.
func (h *history) decide(d Decision) {
	h.Helper()
	h.decisions = append(h.decisions, d)
	if d.Act == ActPolicy {
		h.policy = *d.Policy
	}
	if !h.engine.NeedsHistory(d) {
		changes, err := h.engine.Decide(d)
		if err != nil {
			h.Fatal(err)
		}
		h.tell(changes)
		return
	}
	h.tell(h.engine.Advance(d.At))
	before := h.engine.Standing()
	h.engine = h.loaded(d.At)
	h.tell(h.engine.Adopt(before, d))
}

// loaded is an engine that has read all hits and decisions at once.
func (h *history) loaded(at Second) *Engine {
	h.Helper()
	e := NewEngine(h.policy, CorrectionsOf(h.decisions))
	h.replay(func(n Hit) { e.Load(n) }, func(d Decision) {
		if _, err := e.Decide(d); err != nil {
			h.Fatal(err)
		}
	})
	e.Settle(at)
	return e
}

// replay gives the log in its order.
func (h *history) replay(hit func(Hit), decide func(Decision)) {
	decisions := h.decisions
	for _, n := range h.hits {
		for ; len(decisions) > 0 && decisions[0].After < n.LSN; decisions = decisions[1:] {
			decide(decisions[0])
		}
		hit(n)
	}
	for _, d := range decisions {
		decide(d)
	}
}

func (h *history) check(now Second) {
	h.Helper()
	standing := h.standing(h.units, h.networks, now)
	kept := map[netip.Prefix]Answer{}
	for source, is := range h.engine.Standing().listed {
		kept[source] = is.answer
	}
	if !maps.Equal(kept, standing) {
		h.Fatalf("second %d: the engine kept %v, want %v", now-start, kept, standing)
	}
	for _, unit := range h.units {
		got, counted := h.engine.Lookup(unit.Addr()), h.counted(unit, now, false)
		if sum := h.score(counted, now); got.Score.Rat().Cmp(sum) != 0 {
			h.Fatalf("second %d, %s: score %v, want %v", now-start, unit, got.Score, decimal(sum))
		}
		if want := h.points(unit, now, counted); got.Points != want {
			h.Fatalf("second %d, %s: %d points, want %d", now-start, unit, got.Points, want)
		}
	}
	h.checkList(h.list(standing, now), now)
}

// checkList compares what the engine tells of the list: all of it at once, and
// address by address, of a /64 one in each half.
func (h *history) checkList(list map[netip.Prefix]Answer, now Second) {
	h.Helper()
	told := map[netip.Prefix]Answer{}
	for _, l := range h.engine.Listings() {
		told[l.Source] = l.Answer
	}
	if !maps.Equal(told, list) {
		h.Fatalf("second %d: the list is %v, want %v", now-start, told, list)
	}
	for _, unit := range h.units {
		addresses := []netip.Addr{unit.Addr()}
		if unit.Addr().Is6() {
			addresses = append(addresses, withHost(unit.Addr(), 1<<63))
		}
		for _, a := range addresses {
			got, want := h.engine.Lookup(a), h.lookup(a, list, now)
			if got.Answer != want || got.Listed != (want != Unlisted) {
				h.Fatalf("second %d, %s: listed %v as %v, want %v (%s)", now-start, a, got.Listed, got.Answer,
					want, got.Why)
			}
			if got.Answer == Operator && got.Until != h.endOfWord(a, now) {
				h.Fatalf("second %d, %s: by the operator until %d", now-start, a, got.Until)
			}
		}
	}
}

func (h *history) escalated(n netip.Prefix, at Second) bool {
	return h.naive.network(n, h.units, at)
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
