package criteria

import (
	"cmp"
	"net/netip"
	"slices"
)

// Standing is who is listed by the rules at an instant, with which answer and
// since when: what a new engine needs of the one before it.
type Standing struct {
	at     Second
	listed map[netip.Prefix]stand
}

type stand struct {
	answer Answer
	since  Second
}

// Standing copies who is listed now. The operator's listings are not in it:
// every engine has them from the ledger.
func (e *Engine) Standing() Standing {
	s := Standing{e.now, make(map[netip.Prefix]stand, e.listed)}
	for source := range e.roll.allListed() {
		s.listed[e.rules.prefixOf(source.unit)] = stand{source.answer, Second(source.since)}
	}
	for _, w := range e.listedNetworks() {
		s.listed[w.Prefix] = stand{Network, w.since}
	}
	return s
}

// Changes gives what differs from an earlier standing, in the order in which an
// engine tells it: sources, then networks.
func (s Standing) Changes(before Standing) []Change {
	var changes []Change
	for source, was := range before.listed {
		if is := s.listed[source]; is.answer != was.answer {
			changes = append(changes, Change{Source{source}, s.at, was.answer, is.answer, ByDecision})
		}
	}
	for source, is := range s.listed {
		if _, known := before.listed[source]; !known {
			changes = append(changes, Change{Source{source}, s.at, Unlisted, is.answer, ByDecision})
		}
	}
	rank := func(c Change) int { return max(int(c.From), int(c.To)) / int(Network) }
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(rank(a)-rank(b), comparePrefix(a.Source.Prefix, b.Source.Prefix))
	})
	return changes
}

// Adopt takes over from the engine that ran before, as it stood at the decision
// that this one was made for: what both list has been listed since then. It
// gives what the decision changed.
func (e *Engine) Adopt(before Standing, d Decision) []Change {
	if d.Act == ActPolicy {
		e.policy = d
	}
	since := func(n netip.Prefix) Second {
		if was, listed := before.listed[n]; listed {
			return was.since
		}
		return e.now
	}
	for s := range e.roll.allListed() {
		s.since = noted(since(e.rules.prefixOf(s.unit)))
	}
	for _, w := range e.listedNetworks() {
		w.since = since(w.Prefix)
	}
	return e.Standing().Changes(before)
}
