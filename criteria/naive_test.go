package criteria

import (
	"encoding/binary"
	"math/big"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/parser"
)

// naive is the rules written down once more, as slowly and as plainly as they
// stand in the documentation: whole history, no state, no engine, rationals
// throughout. The engine must agree with it at every second.
type naive struct {
	policy    Policy
	hits      []Hit // in log order
	decisions []Decision
}

// answer is the one that a unit has by its score.
func (n *naive) answer(unit netip.Prefix, at Second) Answer {
	if n.excepted(unit, at) || n.barred(unit, at) {
		return Unlisted
	}
	if !n.holds(unit, at, false) {
		return Unlisted
	}
	if n.holds(unit, at, true) {
		return Spam
	}
	return Backscatter
}

// delisted, or uncounted and not taken back.
func (n *naive) out(h Hit, at Second) bool {
	delisted, uncounted := false, false
	for _, d := range n.decisions {
		switch {
		case d.At > at:
		case d.Act == ActDelist:
			delisted = delisted || d.Network.Contains(h.Source) && h.LSN <= d.After
		case d.Act == ActUncount && slices.Contains(d.Hits, h.LSN):
			uncounted = true
		case d.Act == ActRecount && slices.Contains(d.Hits, h.LSN):
			uncounted = false
		}
	}
	return delisted || uncounted
}

// corrected gives a hit without the traps that are burnt or of no weight, and
// with the weight of the others.
func (n *naive) corrected(h Hit, at Second) Hit {
	c := h
	c.Traps, c.Weight = nil, 0
	for i, trap := range h.Traps {
		weight, burnt, weightless := h.Weight, false, false
		if h.Weights != nil {
			weight = h.Weights[i]
		}
		for _, d := range n.decisions {
			switch {
			case d.At > at || d.Trap != trap || h.Kind == Report:
			case d.Act == ActBurn:
				burnt = h.Time >= d.Since
			case d.Act == ActUnburn:
				burnt = false
			case d.Act == ActReweigh && h.LSN <= d.After:
				weight, weightless = d.Weight, d.Weight == 0
			}
		}
		if !burnt && !weightless {
			c.Traps, c.Weight = append(c.Traps, trap), max(c.Weight, weight)
		}
	}
	return c
}

// points adds up what was counted for the unit's addresses: each day's up to
// the cap and less the counted reports of the day.
func (n *naive) points(unit netip.Prefix, at Second, counted []Hit) int64 {
	type key struct {
		name string
		day  Day
		addr netip.Addr
	}
	counts := map[key]int64{}
	for _, d := range n.decisions {
		for p := range d.Points.All() {
			if d.At <= at {
				counts[key{d.Name, p.Day, p.Addr}] = int64(p.Count)
			}
		}
	}
	days := map[Day]int64{}
	for k, count := range counts {
		if unit.Contains(k.addr) && at < k.day.End()+seconds(n.policy.MaxAge) {
			days[k.day] += count
		}
	}
	var sum int64
	for day, count := range days {
		count = min(count, int64(n.policy.ReputationCap))
		for _, h := range counted {
			if h.Time >= day.Start() && h.Time < day.End() {
				count--
			}
		}
		sum += max(count, 0)
	}
	return sum
}

// counted applies the order of the rules: repeats, what is out, caps.
func (n *naive) counted(unit netip.Prefix, at Second, spamOnly bool) []Hit {
	var kept []Hit
	excepted := n.exceptions(at)
	for _, h := range n.withoutRepeats(unit, at) {
		age := at - h.Time
		c := n.corrected(h, at)
		out := age < 0 || age >= seconds(n.policy.MaxAge) || spamOnly && isBackscatter(h.Cause) ||
			len(c.Traps) == 0 || n.out(h, at)
		for _, x := range excepted {
			out = out || x.Contains(h.Source)
		}
		if !out {
			kept = append(kept, c)
		}
	}
	slices.SortFunc(kept, func(a, b Hit) int { // newest first
		if a.Time != b.Time {
			return int(b.Time - a.Time)
		}
		return int(b.LSN) - int(a.LSN)
	})
	return n.capped(kept)
}

func (n *naive) withoutRepeats(unit netip.Prefix, at Second) []Hit {
	var first []Hit
	for _, h := range n.hits {
		if h.Stamp > at || !unit.Contains(h.Source) {
			continue
		}
		repeat := slices.ContainsFunc(first, func(old Hit) bool {
			apart := max(h.Time-old.Time, old.Time-h.Time)
			return old.Digest == h.Digest && slices.Equal(old.Traps, h.Traps) && old.Kind == h.Kind &&
				apart < seconds(n.policy.RepeatWindow)
		})
		if !repeat {
			first = append(first, h)
		}
	}
	return first
}

func (n *naive) capped(newestFirst []Hit) []Hit {
	var kept []Hit
	seen := map[string]int{}
	for _, h := range newestFirst {
		limit := n.policy.MaxHitsPerTrap
		if h.Kind == Report {
			limit = n.policy.MaxReportsPerReporter
		}
		room := slices.ContainsFunc(h.Traps, func(t string) bool { return seen[h.Kind.String()+t] < limit })
		if !room || len(kept) == n.policy.MaxCounted {
			continue
		}
		for _, t := range h.Traps {
			seen[h.Kind.String()+t]++
		}
		kept = append(kept, h)
	}
	return kept
}

func (n *naive) holds(unit netip.Prefix, at Second, spamOnly bool) bool {
	counted := n.counted(unit, at, spamOnly)
	if len(counted) < n.policy.MinReports {
		return false
	}
	traps, reporters, domains := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, h := range counted {
		for _, t := range h.Traps {
			if h.Kind == Report {
				reporters[t] = true
			} else {
				traps[t], domains[registrable(t)] = true, true
			}
		}
	}
	limit := n.policy.DelistAfter
	if len(counted) == n.policy.MinReports {
		limit = n.policy.DelistAfterFew
	}
	return at-counted[0].Time < seconds(limit) &&
		len(traps)+len(reporters) >= n.policy.MinTraps &&
		(len(traps) == 0 || len(domains) >= n.policy.MinTrapDomains) &&
		(len(traps) > 0 || len(reporters) >= 2) &&
		n.score(counted, at).Cmp(rat(n.policy.Threshold)) >= 0 &&
		n.score(counted, at).Cmp(n.need(unit, at, counted)) >= 0
}

// need is the score that the unit's reputation asks for.
func (n *naive) need(unit netip.Prefix, at Second, counted []Hit) *big.Rat {
	points := new(big.Rat).SetInt64(n.points(unit, at, counted))
	return points.Mul(points, rat(n.policy.ReputationRatio))
}

func (n *naive) score(counted []Hit, at Second) *big.Rat {
	trap, report := new(big.Rat), new(big.Rat)
	for _, h := range counted {
		w := new(big.Rat).Mul(n.weight(at-h.Time), rat(h.Weight))
		w.Mul(w, rat(n.policy.causeWeight(h.Cause)))
		if h.Kind == Report {
			report.Add(report, w)
		} else {
			trap.Add(trap, w)
		}
	}
	if trap.Cmp(rat(n.policy.TrapSquareAt)) < 0 {
		trap.Mul(trap, rat(n.policy.TrapFactor))
	} else {
		trap.Mul(trap, trap)
	}
	return trap.Add(trap, report.Mul(report, rat(n.policy.ReportFactor)))
}

func (n *naive) weight(age Second) *big.Rat {
	window := seconds(n.policy.FreshWindow)
	if age >= window {
		return big.NewRat(1, 1)
	}
	fall := new(big.Rat).Mul(rat(n.policy.FreshWeight-One), big.NewRat(int64(age), int64(window)))
	return fall.Sub(rat(n.policy.FreshWeight), fall)
}

var causesOfTests = []parser.Cause{parser.Relay, parser.Direct, parser.Bounce, parser.Autoreply}

// withHost gives the address of a unit with other low bits.
func withHost(unit netip.Addr, host uint64) netip.Addr {
	b := unit.As16()
	binary.BigEndian.PutUint64(b[8:], host)
	return netip.AddrFrom16(b)
}
