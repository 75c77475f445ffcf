package zone

import (
	"cmp"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Guard bounds what may change at once without a reason on record, so that a broken trap, a lost
// log or a wrong policy number does not list or free half the internet between two looks.
//
// Changes without a recorded end are additions and unexplained removals. When there are more of
// them than MaxChange times the published entries and more than Floor, the guard holds: additions
// go out oldest first, as many in an hour as the greater of the two bounds, and unexplained
// removals wait until somebody forces them, or something explains them. It holds for an hour at
// least, and as long as anything waits. Explained removals, changed answers, and changes by which
// no address becomes listed or free (networks within a published one) always go out.
type Guard struct {
	MaxChange float64 // of the published entries
	Floor     int
}

// Hold is what the guard remembers between two publications; zero: it does not hold.
type Hold struct {
	Since    criteria.Second `json:"since"`    // the running hour's beginning
	Limit    int             `json:"limit"`    // additions in this hour
	Released int             `json:"released"` // of them, so far
}

// Held is what waits: shown to the operator.
type Held struct {
	Additions int `json:"additions"` // go out by themselves, hour by hour
	Removals  int `json:"removals"`  // wait until forced or explained
}

// Turn is what the guard looks at: the list as published and as wanted, both as Resolve gives them.
type Turn struct {
	Published, Wanted []criteria.Listing
	Explained         func(criteria.Listing) bool // has this removal a recorded reason
	At                criteria.Second
	Hold              Hold // from the last publication
}

// Passed is what may be published.
type Passed struct {
	Listings []criteria.Listing // sorted
	Held     Held
	Waiting  Difference // what is held: Added, the oldest first, and Removed
	Hold     Hold       // for the next turn, once these listings are published
}

// Pass lets through what may go out now. It changes nothing it is given.
func (g Guard) Pass(t Turn) Passed {
	p := plan{listings: make([]criteria.Listing, 0, len(t.Wanted))}
	walk(t.Published, t.Wanted, func(s step) { p.take(s, t.Explained) })

	hold := g.holdAt(t, len(p.additions), len(p.removals))
	if hold == (Hold{}) {
		return Passed{Listings: t.Wanted}
	}
	slices.SortFunc(p.additions, func(a, b criteria.Listing) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), comparePrefix(a.Source, b.Source))
	})
	released := min(len(p.additions), max(0, hold.Limit-hold.Released))
	hold.Released += released
	list := bySource(slices.Concat(p.listings, p.additions[:released], p.removals))
	waiting := Difference{Added: p.additions[released:], Removed: p.removals}
	return Passed{
		Listings: withUncovered(list, p.inner), Hold: hold,
		Held:    Held{Additions: len(waiting.Added), Removals: len(waiting.Removed)},
		Waiting: waiting,
	}
}

// plan sorts the networks of a turn by what the guard may do with them.
type plan struct {
	listings  []criteria.Listing // go out in any case
	additions []criteria.Listing // by which somebody becomes listed
	removals  []criteria.Listing // by which somebody becomes free, unexplained
	inner     []criteria.Listing // removals within a network that is wanted
}

func (p *plan) take(s step, explained func(criteria.Listing) bool) {
	switch {
	case s.before == nil && !s.covered:
		p.additions = append(p.additions, *s.after)
	case s.after != nil:
		p.listings = append(p.listings, *s.after)
	case s.covered:
		p.inner = append(p.inner, *s.before)
	case !explained(*s.before):
		p.removals = append(p.removals, *s.before)
	}
}

// withUncovered adds those networks to a list whose wider network was held back from it.
func withUncovered(list, inner []criteria.Listing) []criteria.Listing {
	var bare []criteria.Listing
	walk(inner, list, func(s step) {
		if s.after == nil && !s.covered {
			bare = append(bare, *s.before)
		}
	})
	if bare == nil {
		return list
	}
	return bySource(append(list, bare...))
}

func bySource(list []criteria.Listing) []criteria.Listing {
	slices.SortFunc(list, func(a, b criteria.Listing) int { return comparePrefix(a.Source, b.Source) })
	return list
}

// anHour in seconds is how long a hold's limit lasts.
const anHour criteria.Second = 3600

// holdAt gives the hold of this turn, zero when everything may go out.
func (g Guard) holdAt(t Turn, additions, removals int) Hold {
	limit := g.limit(len(t.Published))
	excess := additions+removals > limit
	running := t.Hold != Hold{}
	elapsed := t.At - t.Hold.Since
	switch {
	case !running && !excess, running && elapsed >= anHour && !excess && removals == 0:
		return Hold{}
	case !running || elapsed >= anHour:
		return Hold{Since: t.At, Limit: limit}
	case elapsed < 0: // the clock stepped back: the hour begins again, but is not given twice
		t.Hold.Since = t.At
	}
	return t.Hold
}

// limit is the number of changes at once from which on the guard holds the rest.
func (g Guard) limit(published int) int {
	return max(g.Floor, int(g.MaxChange*float64(published)))
}
