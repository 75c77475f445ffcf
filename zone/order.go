package zone

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// Order is what stands in the zone instead of the list, by the operator's word; zero: the list
// stands. It comes from the ledger alone, so it outlives restarts and the folder for state.
type Order struct {
	// Decision is the last one about the zone: an ActRollback to the publication with its Serial, an
	// ActRetire, or the ActResume that took either back.
	Decision criteria.Decision
	// Delisted are the networks that were ever delisted: see backTo.
	Delisted []netip.Prefix
}

// Act is ActRollback, ActRetire, or "" while the list stands.
func (o Order) Act() criteria.Act {
	if o.Decision.Act == criteria.ActResume {
		return ""
	}
	return o.Decision.Act
}

func (o Order) retired() bool { return o.Decision.Act == criteria.ActRetire }

// serial is that of the publication rolled back to; 0: there is no rollback.
func (o Order) serial() uint32 {
	if o.Decision.Act != criteria.ActRollback {
		return 0
	}
	return o.Decision.Serial
}

// Orders reads a ledger, decision by decision, for what it says of one zone. The zero value has
// read nothing.
type Orders struct {
	read     uint64 // number of the last decision
	last     criteria.Decision
	delisted []netip.Prefix
}

// Read is the number of the last decision that was heeded.
func (o *Orders) Read() uint64 { return o.read }

// Heed takes the next decision, for the zone of a name. An order is about the zone that its
// decision names: one of another name has other users, to whom nobody said that it is retired. An
// order that names none holds for every zone.
func (o *Orders) Heed(d criteria.Decision, origin string) {
	o.read = d.Seq
	switch d.Act {
	case criteria.ActRollback, criteria.ActRetire, criteria.ActResume:
		if d.Name == "" || strings.EqualFold(d.Name, origin) {
			o.last = d
		}
	case criteria.ActDelist:
		o.delisted = append(o.delisted, d.Network)
	}
}

// Order is what the decisions so far come to.
func (o *Orders) Order() Order { return Order{o.last, slices.Clone(o.delisted)} }

// backTo is the list under a rollback: what was published then. An end is the published one, or
// that of the list as it is now where that has the network, too: what both agree on stays. But what
// overlaps a network that was ever delisted stands as the list has it now, or not at all. When
// somebody was delisted does not matter: no clock tells for sure which came first, a delisting or
// the list that a publication was made from, and to leave somebody out harms nobody.
func backTo(then, now []criteria.Listing, delisted []netip.Prefix) []criteria.Listing {
	freed := tableOf(delisted)
	current := make(map[netip.Prefix][]criteria.Listing, len(now))
	for _, l := range now {
		current[l.Source] = append(current[l.Source], l)
	}
	list := make([]criteria.Listing, 0, len(then))
	for _, l := range then {
		if freed.OverlapsPrefix(l.Source) {
			list = append(list, current[l.Source]...)
			continue
		}
		for _, c := range current[l.Source] {
			l.Until = max(l.Until, c.Until)
		}
		list = append(list, l)
	}
	return list
}
