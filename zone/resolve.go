package zone

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
	"go4.org/netipx"

	"github.com/trapline/trapline/criteria"
)

// Widest networks that are ever published. Special space is reserved in blocks at least as wide, so
// a network we publish lies wholly inside or wholly outside of it.
const (
	widest4 = 24
	widest6 = 48
)

// Resolve gives the listings that may be published at a second: those that have not ended, without
// the networks that exceptions in force cover, each network once, sorted by address and then by
// length, IPv4 first. A listing that can never be published is left out and reported as a fault.
//
// A network with an exception inside becomes the networks around it: rbldnsd's tries ignore an
// exclusion of a network that is listed. Of two listings of one network the operator's stands, then
// the worse answer. Inside a network that the operator listed only the operator's listings
// stand, as a look-up says it: a trie answers by the longest match.
//
// special tells the addresses that nobody on the internet answers for. The input is not changed.
func Resolve(listings []criteria.Listing, except []criteria.Exception,
	special func(netip.Addr) bool, at criteria.Second,
) ([]criteria.Listing, []Fault) {
	var faults []Fault
	resolved := make([]criteria.Listing, 0, len(listings))
	excepted := exceptedAt(except, at)
	for _, l := range listings {
		if problem := unfit(l, special); problem != "" {
			faults = append(faults, Fault{l.Source.String(), problem})
			continue
		}
		if l.Until > at {
			resolved = appendAround(resolved, l, excepted)
		}
	}
	slices.SortFunc(resolved, func(a, b criteria.Listing) int {
		return cmp.Or(comparePrefix(a.Source, b.Source), cmp.Compare(rank(a.Answer), rank(b.Answer)),
			cmp.Compare(b.Until, a.Until), cmp.Compare(a.Since, b.Since))
	})
	resolved = slices.CompactFunc(resolved, func(a, b criteria.Listing) bool {
		return a.Source == b.Source
	})
	return withoutOverruled(resolved), faults
}

// unfit says why a listing can never be published, "" when it can.
func unfit(l criteria.Listing, special func(netip.Addr) bool) string {
	p := l.Source
	switch {
	case !p.IsValid() || p != p.Masked() || p.Addr().Is4In6():
		return "is not a network"
	case p.Bits() < widestOf(p.Addr()):
		return "is wider than a zone may list: list networks of /24 or /48 and longer"
	case rank(l.Answer) > len(answers):
		return "has no answer of the zone"
	case special != nil && special(p.Addr()):
		return "is special-purpose space, where nobody on the internet sends from"
	}
	return ""
}

func widestOf(a netip.Addr) int {
	if a.Is4() {
		return widest4
	}
	return widest6
}

// answers are the zone's, the one that stands over the others first.
var answers = [...]criteria.Answer{criteria.Operator, criteria.Spam, criteria.Backscatter,
	criteria.Network}

// rank is the place among the answers, from 1; beyond them for what is none.
func rank(a criteria.Answer) int {
	if i := slices.Index(answers[:], a); i >= 0 {
		return i + 1
	}
	return len(answers) + 1
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// exceptedAt is the networks of the exceptions in force.
func exceptedAt(except []criteria.Exception, at criteria.Second) *bart.Lite {
	var networks []netip.Prefix
	for _, x := range except {
		if x.Until > at {
			networks = append(networks, x.Network)
		}
	}
	return tableOf(networks)
}

func tableOf(networks []netip.Prefix) *bart.Lite {
	table := new(bart.Lite)
	for _, n := range networks {
		if n.IsValid() {
			table.Insert(n.Masked())
		}
	}
	return table
}

// appendAround appends the parts of a listing that no exception covers.
func appendAround(to []criteria.Listing, l criteria.Listing, except *bart.Lite) []criteria.Listing {
	if !except.OverlapsPrefix(l.Source) {
		return append(to, l)
	}
	if except.LookupPrefix(l.Source) || l.Answer == criteria.Network {
		return to // nobody is listed for his neighbours across an exception
	}
	var b netipx.IPSetBuilder
	b.AddPrefix(l.Source)
	for inside := range except.Subnets(l.Source) {
		b.RemovePrefix(inside)
	}
	rest, err := b.IPSet()
	if err != nil {
		return to // never of valid networks; and if, then rather listed nowhere
	}
	for _, p := range rest.Prefixes() {
		l.Source = p
		to = append(to, l)
	}
	return to
}

// withoutOverruled drops from sorted listings those inside a network of the operator's that are not
// the operator's own.
func withoutOverruled(sorted []criteria.Listing) []criteria.Listing {
	var operator cover
	return slices.DeleteFunc(sorted, func(l criteria.Listing) bool {
		if l.Answer == criteria.Operator {
			operator.pass(l.Source)
			return false
		}
		return operator.covers(l.Source)
	})
}

// cover is the outermost of the networks passed so far that may still cover what comes, when all
// come sorted: two networks are nested or apart, so one is enough to remember.
type cover struct{ network netip.Prefix }

func (c *cover) pass(p netip.Prefix) {
	if !c.covers(p) {
		c.network = p
	}
}

func (c *cover) covers(p netip.Prefix) bool {
	return c.network.IsValid() && c.network.Bits() <= p.Bits() && c.network.Contains(p.Addr())
}
