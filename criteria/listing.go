package criteria

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/parser"
)

// Listings gives every listing, the operator's and whole networks included,
// sorted by address and then from wide to narrow. The caller may keep it. Ends
// that hits have moved since the last call are searched anew and remembered, so
// unlike a look-up it must not run beside anything else.
func (e *Engine) Listings() []Listing {
	listings := e.overlay.listings()
	manual := map[netip.Prefix]bool{}
	for _, l := range listings {
		manual[l.Source] = true
	}
	for s := range e.roll.allListed() {
		if unit := e.rules.prefixOf(s.unit); !manual[unit] {
			listings = append(listings, e.listing(s, unit))
		}
	}
	for _, w := range e.listedNetworks() {
		if !manual[w.Prefix] {
			listings = append(listings, Listing{w.Prefix, Network, w.since,
				e.networkEnd(w, e.count), map[parser.Cause]int{}})
		}
	}
	slices.SortFunc(listings, func(a, b Listing) int { return comparePrefix(a.Source, b.Source) })
	return listings
}

func (e *Engine) listing(s *source, unit netip.Prefix) Listing {
	o := e.outlook(s, e.count)
	if s.until == 0 {
		s.until = noted(o.end(e.now, s.answer))
	}
	l := Listing{Source: unit, Answer: s.answer, Since: Second(s.since), Until: Second(s.until),
		Causes: map[parser.Cause]int{}}
	o.tallyAt(e.now, false)
	for _, i := range e.count.counted {
		l.Causes[s.entries[i].cause()]++
	}
	return l
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
