package criteria

import (
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

func (n *naive) answer(unit netip.Prefix, at Second) Answer {
	if n.excepted(unit, at) || n.barred(unit, at) {
		return Unlisted
	}
	counted := n.counted(unit, at, false)
	if !n.holds(counted, at) {
		return Unlisted
	}
	if n.holds(n.counted(unit, at, true), at) {
		return Spam
	}
	return Backscatter
}

func (n *naive) excepted(unit netip.Prefix, at Second) bool {
	for _, x := range n.exceptions(at) {
		if x.Bits() <= unit.Bits() && x.Contains(unit.Addr()) {
			return true
		}
	}
	return false
}

// exceptions lists the networks excepted at a second.
func (n *naive) exceptions(at Second) []netip.Prefix {
	until := map[netip.Prefix]Second{}
	for _, d := range n.decisions {
		switch {
		case d.At > at:
		case d.Act == ActExcept:
			until[d.Network] = d.end()
		case d.Act == ActUnexcept:
			delete(until, d.Network)
		}
	}
	var networks []netip.Prefix
	for network, end := range until {
		if at < end {
			networks = append(networks, network)
		}
	}
	return networks
}

func (n *naive) barred(unit netip.Prefix, at Second) bool {
	return slices.ContainsFunc(n.decisions, func(d Decision) bool {
		return d.Act == ActDelist && d.At <= at && d.Network == unit && at < d.Until
	})
}

// counted applies the order of the rules: repeats, what is out, caps.
func (n *naive) counted(unit netip.Prefix, at Second, spamOnly bool) []Hit {
	var kept []Hit
	for _, h := range n.withoutRepeats(unit, at) {
		age := at - h.Time
		out := age < 0 || age >= seconds(n.policy.MaxAge) || spamOnly && isBackscatter(h.Cause)
		for _, d := range n.decisions {
			out = out || d.Act == ActDelist && d.At <= at && d.Network == unit && h.LSN <= d.After
		}
		for _, x := range n.exceptions(at) {
			out = out || x.Contains(h.Source)
		}
		if !out {
			kept = append(kept, h)
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

func (n *naive) holds(counted []Hit, at Second) bool {
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
		n.score(counted, at).Cmp(rat(n.policy.Threshold)) >= 0
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
