package criteria

import "maps"

// Corrections is what decisions say of hits in hindsight: burnt traps, trap
// weights and hits that never count. An engine must know them before it reads
// the hits. Names are not kept, only what tells them apart. A Corrections is
// never changed: with gives another.
type Corrections struct {
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

// CorrectionsOf gives what a ledger's decisions, in their order, leave in force.
func CorrectionsOf(ledger []Decision) Corrections {
	c := Corrections{}.clone()
	for _, d := range ledger {
		c.take(d)
	}
	return c
}

// with gives the corrections as they are after one more decision.
func (c Corrections) with(d Decision) Corrections {
	c = c.clone()
	c.take(d)
	return c
}

func (c Corrections) clone() Corrections {
	n := Corrections{map[uint64]Second{}, map[uint64]reweigh{}, map[uint64]bool{}}
	maps.Copy(n.burnt, c.burnt)
	maps.Copy(n.reweighed, c.reweighed)
	maps.Copy(n.uncounted, c.uncounted)
	return n
}

func (c Corrections) equal(b Corrections) bool {
	return maps.Equal(c.burnt, b.burnt) && maps.Equal(c.reweighed, b.reweighed) &&
		maps.Equal(c.uncounted, b.uncounted)
}

func (c Corrections) take(d Decision) {
	trap := identity(TrapHit.String(), d.Trap)
	switch d.Act {
	case ActBurn:
		c.burnt[trap] = d.Since
	case ActUnburn:
		delete(c.burnt, trap)
	case ActReweigh:
		c.reweighed[trap] = reweigh{d.After, d.Weight}
	case ActUncount:
		for _, lsn := range d.Hits {
			c.uncounted[lsn] = true
		}
	case ActRecount:
		for _, lsn := range d.Hits {
			delete(c.uncounted, lsn)
		}
	}
}

// correct changes what a trap of a hit is worth to what decisions say of it.
func (c Corrections) correct(m *member, h *Hit) {
	if since, burnt := c.burnt[m.id]; burnt && h.Time >= since {
		m.out = true
	}
	if r, ok := c.reweighed[m.id]; ok && h.LSN <= r.After {
		m.weight, m.out = uint32(r.Weight), m.out || r.Weight == 0
	}
}

// corrects tells whether an act is one that Corrections keeps.
func corrects(a Act) bool {
	switch a {
	case ActBurn, ActUnburn, ActReweigh, ActUncount, ActRecount:
		return true
	}
	return false
}
