package zone

import "github.com/trapline/trapline/criteria"

// Difference is what a publication changes.
type Difference struct {
	Added   []criteria.Listing `json:"added"`
	Removed []criteria.Listing `json:"removed"`
	Changed []criteria.Listing `json:"changed"` // the answer; as it is afterwards
}

// Empty tells whether nothing changes. Times and causes are no change: they are not in the zone.
func (d Difference) Empty() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// Diff compares two lists as Resolve gives them.
func Diff(before, after []criteria.Listing) Difference {
	var d Difference
	walk(before, after, func(s step) {
		switch {
		case s.before == nil:
			d.Added = append(d.Added, *s.after)
		case s.after == nil:
			d.Removed = append(d.Removed, *s.before)
		case s.before.Answer != s.after.Answer:
			d.Changed = append(d.Changed, *s.after)
		}
	})
	return d
}

// step is one network of two lists.
type step struct {
	before, after *criteria.Listing // nil where the list has no such network
	covered       bool              // the list without it has a wider network around it
}

// walk visits every network of two sorted lists once, in their order.
func walk(before, after []criteria.Listing, visit func(step)) {
	var around, aroundAfter cover // of the networks passed in each list
	for len(before) > 0 || len(after) > 0 {
		var s step
		order := nextOf(before, after)
		if order <= 0 {
			s.before, before = &before[0], before[1:]
			around.pass(s.before.Source)
		}
		if order >= 0 {
			s.after, after = &after[0], after[1:]
			aroundAfter.pass(s.after.Source)
		}
		switch order {
		case -1:
			s.covered = aroundAfter.covers(s.before.Source)
		case 1:
			s.covered = around.covers(s.after.Source)
		}
		visit(s)
	}
}

// nextOf tells which list has the next network: -1 the first, 1 the second, 0 both.
func nextOf(before, after []criteria.Listing) int {
	switch {
	case len(after) == 0:
		return -1
	case len(before) == 0:
		return 1
	}
	return comparePrefix(before[0].Source, after[0].Source)
}
