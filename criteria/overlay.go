package criteria

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/trapline/trapline/parser"
)

// overlay is what people decided over the score: networks that are never
// listed, networks that the operator listed, and networks that may not be
// listed by their score for a while after a removal.
type overlay struct {
	exceptions *bart.Table[[]Exception] // one network may be excepted by several origins
	manual     map[netip.Prefix]Manual
	bars       *bart.Table[Second] // until when
	ends       Second              // no end lies before it
}

func newOverlay() overlay {
	return overlay{exceptions: new(bart.Table[[]Exception]), manual: map[netip.Prefix]Manual{},
		bars: new(bart.Table[Second]), ends: Never}
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

// unlist takes the operator's listings within a network back, and gives them,
// sorted.
func (o *overlay) unlist(within netip.Prefix) []netip.Prefix {
	return o.dropManual(func(m Manual) bool {
		return m.Network.Bits() >= within.Bits() && within.Contains(m.Network.Addr())
	})
}

func (o *overlay) dropManual(out func(Manual) bool) []netip.Prefix {
	var dropped []netip.Prefix
	for n, m := range o.manual {
		if out(m) {
			dropped = append(dropped, n)
			delete(o.manual, n)
		}
	}
	slices.SortFunc(dropped, comparePrefix)
	return dropped
}

// bar keeps a network off the list until an instant, or until a later one that
// it is barred until already.
func (o *overlay) bar(n netip.Prefix, until Second) {
	o.bars.Modify(n, func(old Second, _ bool) (Second, bool) { return max(old, until), false })
	o.ends = min(o.ends, until)
}

// barredUntil is the last end of the bars that share an address with n, 0
// without any.
func (o *overlay) barredUntil(n netip.Prefix) Second {
	if o.bars.Size() == 0 || !o.bars.OverlapsPrefix(n) {
		return 0
	}
	var last Second
	for _, until := range o.bars.Supernets(n) {
		last = max(last, until)
	}
	for _, until := range o.bars.Subnets(n) {
		last = max(last, until)
	}
	return last
}

// firstEnd is an instant before which nothing ends.
func (o *overlay) firstEnd() Second { return o.ends }

// expire drops what ended up to an instant and gives the networks whose listing
// by the operator did, sorted.
func (o *overlay) expire(at Second) []netip.Prefix {
	if at < o.ends {
		return nil
	}
	o.ends = Never
	for _, x := range o.endedAt(at) {
		o.except(Decision{Act: ActUnexcept, Network: x.Network, Origin: x.Origin})
	}
	for n, until := range maps.Collect(o.bars.All()) {
		if until <= at {
			o.bars.Delete(n)
		}
		o.endsAfter(at, until)
	}
	over := o.dropManual(func(m Manual) bool { return m.Until <= at })
	for _, m := range o.manual {
		o.endsAfter(at, m.Until)
	}
	return over
}

// endedAt gives the exceptions that have ended, and notes the next end of the
// others. There may be many, imported ones, so they are neither copied nor sorted.
func (o *overlay) endedAt(at Second) []Exception {
	var ended []Exception
	for _, list := range o.exceptions.All() {
		for i := range list {
			if list[i].Until <= at {
				ended = append(ended, list[i])
			}
			o.endsAfter(at, list[i].Until)
		}
	}
	return ended
}

func (o *overlay) endsAfter(at, end Second) {
	if end > at {
		o.ends = min(o.ends, end)
	}
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

// bar is a Bar in a snapshot.
type bar struct {
	Network netip.Prefix `json:"network"`
	Until   Second       `json:"until"`
}

// barred gives every bar, sorted by network.
func (o *overlay) barred() []bar {
	var all []bar
	for n, until := range o.bars.AllSorted() {
		all = append(all, bar{n, until})
	}
	return all
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
	for _, b := range f.Bars {
		if b.Network.IsValid() {
			o.bar(b.Network, b.Until)
		}
	}
}

// exceptionsOf gives the exceptions that cover a unit, widest first, and then
// those that lie inside it.
func (o *overlay) exceptionsOf(unit netip.Prefix) []Exception {
	if o.exceptions.Size() == 0 || !o.exceptions.OverlapsPrefix(unit) {
		return nil
	}
	found := o.covering(unit)
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

// covering gives the exceptions that the whole of a network lies in.
func (o *overlay) covering(n netip.Prefix) []Exception {
	var found []Exception
	for _, list := range o.exceptions.Supernets(n) {
		found = append(found, list...)
	}
	return found
}

// protects tells whether an exception or a bar shares an address with n.
func (o *overlay) protects(n netip.Prefix) bool {
	return o.exceptions.OverlapsPrefix(n) || o.bars.OverlapsPrefix(n)
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
