package zone

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/trapline/trapline/criteria"
)

// Order is what stands in the zone instead of the list, by the operator's word; zero: the list
// stands. It comes from the ledger alone, so it outlives restarts and the folder for state.
type Order struct {
	// Decision put it in force: an ActRollback to the publication with its Serial, or an ActRetire.
	Decision criteria.Decision
	// Delists are the removals that were ever decided: none comes back with an old publication.
	Delists []criteria.Decision
}

// Act is ActRollback, ActRetire, or "" while the list stands.
func (o Order) Act() criteria.Act { return o.Decision.Act }

func (o Order) retired() bool { return o.Decision.Act == criteria.ActRetire }

// serial is that of the publication rolled back to; 0: there is no rollback.
func (o Order) serial() uint32 {
	if o.Decision.Act != criteria.ActRollback {
		return 0
	}
	return o.Decision.Serial
}

// Orders reads a ledger, decision by decision, for what it says of the zone. The zero value has
// read nothing.
type Orders struct {
	read     uint64 // number of the last decision
	standing criteria.Decision
	delists  []criteria.Decision
}

// Read is the number of the last decision that was heeded.
func (o *Orders) Read() uint64 { return o.read }

// Heed takes the next decision.
func (o *Orders) Heed(d criteria.Decision) {
	o.read = d.Seq
	switch d.Act {
	case criteria.ActRollback, criteria.ActRetire:
		o.standing = d
	case criteria.ActResume:
		o.standing = criteria.Decision{}
	case criteria.ActDelist:
		o.delists = append(o.delists, d)
	}
}

// Order is what the decisions so far come to.
func (o *Orders) Order() Order { return Order{o.standing, slices.Clone(o.delists)} }

// since is the networks that were delisted at or after a second.
func (o Order) since(at criteria.Second) *bart.Lite {
	table := new(bart.Lite)
	for _, d := range o.Delists {
		if d.At >= at && d.Network.IsValid() {
			table.Insert(d.Network.Masked())
		}
	}
	return table
}

// backTo is the list under a rollback: what was published then, without what has been delisted
// since. An end is the published one, or that of the list as it is now where that has the
// network, too: what both agree on stays.
func backTo(then, now []criteria.Listing, delisted *bart.Lite) []criteria.Listing {
	until := make(map[netip.Prefix]criteria.Second, len(now))
	for _, l := range now {
		until[l.Source] = max(until[l.Source], l.Until)
	}
	list := make([]criteria.Listing, 0, len(then))
	for _, l := range then {
		end, listed := until[l.Source]
		if !listed && delisted.OverlapsPrefix(l.Source) {
			continue
		}
		l.Until = max(l.Until, end)
		list = append(list, l)
	}
	return list
}
