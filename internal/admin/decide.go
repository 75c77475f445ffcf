package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Decide carries out an order: it goes into the ledger under the name of who
// gave it, and the answer comes when the list has followed. Orders are carried
// out one after the other, so that each is told what it changed itself. A
// ProblemError says why an order is refused: nothing was decided then.
func (d *Desk) Decide(ctx context.Context, who string, o Order) (Effect, error) {
	if err := o.Check(); err != nil {
		return Effect{}, err
	}
	d.deciding.Lock()
	defer d.deciding.Unlock()
	before, err := d.Judge.Listings()
	if err != nil {
		return Effect{}, err
	}
	if o, err = d.fit(o, before); err != nil {
		return Effect{}, err
	}
	decisions := []criteria.Decision{{Act: o.Act, Network: o.Network, Reason: o.Reason, Who: who,
		Origin: originOf(o.Act), Until: d.untilOf(o.For)}}
	after, err := d.enact(ctx, decisions)
	made := decisions[0]
	effect := Effect{Seq: made.Seq, At: made.At, Who: who, Act: o.Act, Network: o.Network,
		Reason: o.Reason, Until: made.Until, Left: ListingsOf(overlapping(after.Listings, o.Network)),
		Changes: changes(overlapping(before.Listings, o.Network),
			overlapping(after.Listings, o.Network)),
		Except: slices.DeleteFunc(after.Exceptions, func(x criteria.Exception) bool {
			return !x.Network.Overlaps(o.Network)
		})}
	return effect, err
}

// enact puts decisions in the ledger, waits for the list to follow and gives it.
func (d *Desk) enact(ctx context.Context, decisions []criteria.Decision) (judge.List, error) {
	if err := d.Store.Decide(ctx, decisions...); err != nil {
		return judge.List{}, fmt.Errorf("write the ledger: %w", err)
	}
	return d.await(ctx, decisions[0].Seq, decisions[len(decisions)-1].Seq)
}

// await gives the list once it has followed decisions, from one to another. The
// last may be applied before an earlier one that takes the whole log.
func (d *Desk) await(ctx context.Context, first, last uint64) (judge.List, error) {
	for seq := first; seq <= last; seq++ {
		if err := d.Judge.Await(ctx, seq); err != nil {
			return judge.List{}, fmt.Errorf("decision %d is in the ledger: await the list: %w", seq, err)
		}
	}
	return d.Judge.Listings()
}

func originOf(act criteria.Act) criteria.Origin {
	if act == criteria.ActExcept || act == criteria.ActUnexcept {
		return criteria.FromOperator
	}
	return ""
}

func (d *Desk) untilOf(seconds int64) criteria.Second {
	if seconds == 0 {
		return 0
	}
	return d.Store.Mark().At + criteria.Second(seconds)
}

// fit puts an order into the terms of the list as it is, or says why it cannot
// be carried out.
func (d *Desk) fit(o Order, list judge.List) (Order, error) {
	if o.Act == criteria.ActUnexcept {
		return o, mayUnexcept(o.Network, list.Exceptions)
	}
	var refusal error
	err := d.Judge.View(func(e *criteria.Engine) {
		policy, _ := e.Policy()
		if o.Act != criteria.ActExcept {
			o.Network = unitOf(o.Network, policy.IPv6Prefix)
		}
		refusal = e.Refuses(criteria.Decision{Act: o.Act, Network: o.Network})
	})
	switch {
	case err != nil:
		return o, err
	case refusal != nil:
		return o, refused(refusal.Error(), mendFor(o.Network, list.Exceptions))
	case o.Act == criteria.ActDelist && o.For == 0 && len(overlapping(list.Listings, o.Network)) == 0:
		return o, none(fmt.Sprintf("%s is not listed", criteria.Source{Prefix: o.Network}),
			"give --for to keep it off the list for a time")
	}
	return o, nil
}

// unitOf widens what is narrower than the network that is listed for an
// IPv6 address.
func unitOf(n netip.Prefix, ipv6 int) netip.Prefix {
	if n.Addr().Is4() || n.Bits() <= ipv6 {
		return n
	}
	return netip.PrefixFrom(n.Addr(), ipv6).Masked()
}

// mendFor says how the exception around a network is taken back; "" without one.
func mendFor(n netip.Prefix, except []criteria.Exception) string {
	for _, x := range except {
		if covers(x.Network, n) {
			return mendOf(x)
		}
	}
	return ""
}

// mayUnexcept: each exception is taken back where it was made.
func mayUnexcept(n netip.Prefix, except []criteria.Exception) error {
	var own, wider *criteria.Exception
	name := criteria.Source{Prefix: n}
	for _, x := range except {
		switch {
		case x.Network == n && x.Origin == criteria.FromOperator:
			return nil
		case x.Network == n:
			own = &x
		case covers(x.Network, n):
			wider = &x
		}
	}
	switch {
	case own != nil:
		return refused(fmt.Sprintf("%s is no exception of the operator's: %s", name, own.Reason),
			mendOf(*own))
	case wider != nil:
		return none(fmt.Sprintf("%s is no exception by itself: it lies in %s: %s", name, wider.Network,
			wider.Reason), mendOf(*wider))
	}
	return none(fmt.Sprintf("%s is no exception", name), "see trapline except list")
}

// mendOf says how an exception is taken back.
func mendOf(x criteria.Exception) string {
	source, imported := importedFrom(x.Origin)
	switch {
	case x.Origin == criteria.FromConfig:
		return fmt.Sprintf("take the [[except]] with network = %q out of the configuration, "+
			"and reload", x.Network)
	case x.Origin == criteria.FromSelf:
		return "it follows from trust.relay, reporter.relays, listen.proxy_from or " +
			"this machine's addresses"
	case imported:
		return fmt.Sprintf("import %s anew without it", source)
	}
	return fmt.Sprintf("trapline except rm %s", x.Network)
}

func refused(message, hint string) error {
	return &ProblemError{message, hint, http.StatusConflict}
}

// none is not 404: that is what a daemon of another version answers to a verb
// that it does not know.
func none(message, hint string) error {
	return &ProblemError{message, hint, http.StatusGone}
}

// IsNone tells whether an order was refused because there is nothing that it
// could change.
func IsNone(err error) bool {
	var p *ProblemError
	return errors.As(err, &p) && p.Status == http.StatusGone
}

func covers(wide, n netip.Prefix) bool {
	return wide.Bits() <= n.Bits() && wide.Contains(n.Addr())
}

// overlapping gives the listings that share an address with a network.
func overlapping(all []criteria.Listing, n netip.Prefix) []criteria.Listing {
	var found []criteria.Listing
	for _, l := range all {
		if l.Source.Overlaps(n) {
			found = append(found, l)
		}
	}
	return found
}

// changes compares two lists; sorted by source.
func changes(before, after []criteria.Listing) []Change {
	all := map[netip.Prefix]Change{}
	for _, l := range before {
		all[l.Source] = Change{Source: criteria.Source{Prefix: l.Source}, From: l.Answer}
	}
	for _, l := range after {
		c := all[l.Source]
		c.Source.Prefix, c.To = l.Source, l.Answer
		all[l.Source] = c
	}
	changed := []Change{}
	for _, c := range all {
		if c.From != c.To {
			changed = append(changed, c)
		}
	}
	slices.SortFunc(changed, func(a, b Change) int {
		return comparePrefix(a.Source.Prefix, b.Source.Prefix)
	})
	return changed
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
