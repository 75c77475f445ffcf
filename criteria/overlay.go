package criteria

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/trapline/trapline/parser"
)

// overlay is what people decided over the score: networks that are never
// listed, and networks that the operator listed.
type overlay struct {
	exceptions *bart.Table[[]Exception] // one network may be excepted by several origins
	manual     map[netip.Prefix]Manual
	ends       Second // no end lies before it
}

func newOverlay() overlay {
	return overlay{exceptions: new(bart.Table[[]Exception]), manual: map[netip.Prefix]Manual{},
		ends: Never}
}

func (o *overlay) except(d Decision) {
	o.exceptions.Modify(d.Network, func(old []Exception, _ bool) ([]Exception, bool) {
		kept := slices.DeleteFunc(slices.Clone(old), func(x Exception) bool {
			return x.Origin == d.Origin
		})
		if d.Act == ActExcept {
			kept = append(kept, Exception{d.Network, d.Reason, d.Who, d.Origin, d.At, d.end()})
		}
		return kept, len(kept) == 0
	})
	if d.Act == ActExcept {
		o.ends = min(o.ends, d.end())
	}
}

func (o *overlay) list(d Decision) {
	o.manual[d.Network] = Manual{d.Network, d.Reason, d.Who, d.At, d.end()}
	o.ends = min(o.ends, d.end())
}

func (o *overlay) unlist(n netip.Prefix) { delete(o.manual, n) }

// firstEnd is an instant before which nothing ends.
func (o *overlay) firstEnd() Second { return o.ends }

// expire drops what ended up to an instant and gives the networks whose listing
// by the operator did, sorted.
func (o *overlay) expire(at Second) []netip.Prefix {
	if at < o.ends {
		return nil
	}
	o.ends = Never
	for _, x := range o.all() {
		if x.Until <= at {
			o.except(Decision{Act: ActUnexcept, Network: x.Network, Origin: x.Origin})
		} else {
			o.ends = min(o.ends, x.Until)
		}
	}
	var over []netip.Prefix
	for n, m := range o.manual {
		if m.Until <= at {
			over = append(over, n)
			delete(o.manual, n)
		} else {
			o.ends = min(o.ends, m.Until)
		}
	}
	slices.SortFunc(over, comparePrefix)
	return over
}

// all gives every exception, sorted by network.
func (o *overlay) all() []Exception {
	var all []Exception
	for _, list := range o.exceptions.AllSorted() {
		all = append(all, list...)
	}
	return all
}

// manuals gives the operator's listings, sorted by network.
func (o *overlay) manuals() []Manual {
	return slices.SortedFunc(maps.Values(o.manual), func(a, b Manual) int {
		return comparePrefix(a.Network, b.Network)
	})
}

// restore puts back what a snapshot holds. JSON has no Never: 0 stands for it.
func (o *overlay) restore(f frame) {
	for _, x := range f.Exceptions {
		o.except(Decision{Act: ActExcept, Network: x.Network, Reason: x.Reason, Who: x.Who,
			Origin: x.Origin, At: x.Since, Until: x.Until})
	}
	for _, m := range f.Manual {
		o.list(Decision{Network: m.Network, Reason: m.Reason, Who: m.Who, At: m.Since,
			Until: m.Until})
	}
}

// exceptionsOf gives the exceptions that cover a unit, widest first, and then
// those that lie inside it.
func (o *overlay) exceptionsOf(unit netip.Prefix) []Exception {
	if o.exceptions.Size() == 0 || !o.exceptions.OverlapsPrefix(unit) {
		return nil
	}
	var found []Exception
	for _, list := range o.exceptions.Supernets(unit) {
		found = append(found, list...)
	}
	if unit.IsSingleIP() {
		return found
	}
	for n, list := range o.exceptions.Subnets(unit) {
		if n != unit {
			found = append(found, list...)
		}
	}
	return found
}

// manualOf gives the operator's listing of an address, the narrowest.
func (o *overlay) manualOf(a netip.Addr) (Manual, bool) {
	var found Manual
	for n, m := range o.manual {
		if n.Contains(a) && n.Bits() >= found.Network.Bits() {
			found = m
		}
	}
	return found, found.Network.IsValid()
}

// listings gives the operator's listings that no exception covers.
func (o *overlay) listings() []Listing {
	var listings []Listing
	for n, m := range o.manual {
		if _, excepted := o.exceptions.LookupPrefix(n); !excepted {
			listings = append(listings, Listing{Source: n, Answer: Operator, Since: m.Since,
				Until: m.Until, Causes: map[parser.Cause]int{}})
		}
	}
	return listings
}

func withHost(unit netip.Addr, host uint64) netip.Addr {
	if !unit.Is6() {
		return unit
	}
	b := unit.As16()
	for i := range 8 {
		b[15-i] = byte(host >> (8 * i))
	}
	return netip.AddrFrom16(b)
}
