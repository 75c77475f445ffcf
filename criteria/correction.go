package criteria

import (
	"maps"
	"slices"
)

// Corrections tells which hits decisions correct in hindsight, but not how: a
// burn parts the hits on a trap at an event time, a new weight parts them at an
// LSN, and an un-count names them. An engine that knows a correction before it
// reads the hits forgets none that it may need when the decision comes, and
// then carries it out on the sources that it touches. Names are not kept, only
// what tells them apart.
type Corrections struct {
	burnt     map[uint64][]Second // trap to the event times, ascending
	reweighed map[uint64][]uint64 // trap to the LSNs, ascending
	named     map[uint64]bool     // LSNs
}

// CorrectionsOf gives what a ledger's decisions correct.
func CorrectionsOf(ledger []Decision) Corrections {
	c := newCorrections()
	for _, d := range ledger {
		c.take(d)
	}
	return c
}

func newCorrections() Corrections {
	return Corrections{map[uint64][]Second{}, map[uint64][]uint64{}, map[uint64]bool{}}
}

func (c Corrections) clone() Corrections {
	n := newCorrections()
	for trap, times := range c.burnt {
		n.burnt[trap] = slices.Clone(times)
	}
	for trap, lsns := range c.reweighed {
		n.reweighed[trap] = slices.Clone(lsns)
	}
	maps.Copy(n.named, c.named)
	return n
}

func (c Corrections) take(d Decision) {
	switch trap := trapID(d.Trap); d.Act {
	case ActBurn:
		c.burnt[trap] = withLine(c.burnt[trap], d.Since)
	case ActReweigh:
		c.reweighed[trap] = withLine(c.reweighed[trap], d.After)
	case ActUncount, ActRecount:
		for _, lsn := range d.Hits {
			c.named[lsn] = true
		}
	}
}

func withLine[T Second | uint64](lines []T, line T) []T {
	at, found := slices.BinarySearch(lines, line)
	if found {
		return lines
	}
	return slices.Insert(lines, at, line)
}

// foresee tells whether an engine that knows these corrections, and has read
// the log up to a decision, can carry it out. A new weight parts the hits so far
// from those to come, and a burn of all parts none, so neither needs to be known.
func (c Corrections) foresee(d Decision) bool {
	switch d.Act {
	case ActBurn:
		_, known := slices.BinarySearch(c.burnt[trapID(d.Trap)], d.Since)
		return known || d.Since == 0
	case ActUncount:
		return !slices.ContainsFunc(d.Hits, func(lsn uint64) bool { return !c.named[lsn] })
	}
	return true
}

// part numbers the hits on a trap that no correction tells apart from each
// other.
func (c Corrections) part(trap uint64, e *entry) uint32 {
	part := 0
	if times := c.burnt[trap]; len(times) > 0 {
		part, _ = slices.BinarySearch(times, Second(e.time)+1)
	}
	if lsns := c.reweighed[trap]; len(lsns) > 0 {
		after, _ := slices.BinarySearch(lsns, e.lsn())
		part += after << 16
	}
	return uint32(part)
}

func trapID(name string) uint64 { return identity(TrapHit.String(), name) }

// hindsight is what the decisions so far say of hits.
type hindsight struct {
	burnt     map[uint64]Second  // trap to the event time from which on it is
	reweighed map[uint64]reweigh // trap to its last
	uncounted map[uint64]bool    // LSNs
}

// reweigh is a trap's weight for hits up to an LSN. Of two, the later covers
// the hits of the earlier, so one is kept.
type reweigh struct {
	After  uint64 `json:"after"`
	Weight Micro  `json:"weight"`
}

func newHindsight() hindsight {
	return hindsight{map[uint64]Second{}, map[uint64]reweigh{}, map[uint64]bool{}}
}

// correct changes what a trap of a hit is worth to what decisions say of it.
func (h hindsight) correct(m *member, time Second, lsn uint64) {
	since, burnt := h.burnt[m.id]
	m.out = burnt && time >= since
	if r, ok := h.reweighed[m.id]; ok && lsn <= r.After {
		m.weight, m.out = uint32(r.Weight), m.out || r.Weight == 0
	}
}

// correct carries a correction out on the hits that the engine keeps, and gives
// the sources that it touches.
func (e *Engine) correct(d Decision) []*source {
	e.known.take(d)
	switch trap := trapID(d.Trap); d.Act {
	case ActBurn:
		e.past.burnt[trap] = d.Since
	case ActUnburn:
		delete(e.past.burnt, trap)
	case ActReweigh:
		e.past.reweighed[trap] = reweigh{d.After, d.Weight}
	case ActUncount, ActRecount:
		return e.recount(d)
	}
	return e.reweigh(trapID(d.Trap))
}

// recount takes hits out of the count, or back into it.
func (e *Engine) recount(d Decision) []*source {
	named := map[uint64]bool{}
	for _, lsn := range d.Hits {
		if named[lsn] = true; d.Act == ActUncount {
			e.past.uncounted[lsn] = true
		} else {
			delete(e.past.uncounted, lsn)
		}
	}
	return e.touched(func(n *entry) bool {
		if !named[n.lsn()] {
			return false
		}
		if d.Act == ActUncount {
			n.strike(isUncounted)
		} else {
			n.tag &^= uint64(isUncounted)
		}
		return true
	})
}

// reweigh gives the hits on a trap the worth that decisions leave it.
func (e *Engine) reweigh(trap uint64) []*source {
	on := e.sets.naming(trap)
	if !slices.Contains(on, true) {
		return nil
	}
	return e.touched(func(n *entry) bool {
		if int(n.set) >= len(on) || !on[n.set] {
			return false
		}
		was := n.set
		n.set = e.sets.corrected(n, e.past)
		return n.set != was
	})
}

// touched gives the sources with an entry that change changes, by address.
func (e *Engine) touched(change func(*entry) bool) []*source {
	var found []*source
	for s := range e.roll.all() {
		changed := false
		for i := range s.entries {
			changed = change(&s.entries[i]) || changed
		}
		if changed {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, compareUnits)
	return found
}
