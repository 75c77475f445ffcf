package notice

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/trapline/trapline/criteria"
)

// Listing is one entry of the list, with its times by the hour.
type Listing struct {
	Source criteria.Source `json:"source"`
	Answer criteria.Answer `json:"answer"`
	Since  criteria.Second `json:"since"`
	Until  criteria.Second `json:"until"` // of an operator's; null: without end, or by the score
}

// listEvery is for how long one copy of the list serves, in seconds: a copy costs as
// much as the list is long.
const listEvery criteria.Second = 60

// cachedList is the last copy.
type cachedList struct {
	mu   sync.Mutex
	at   criteria.Second
	list []criteria.Listing // sorted; never changed
}

// Within gives the listings that share an address with a network, sorted; they may
// be a minute old. judge.ErrNotReady while the log is being read.
func (o *Office) Within(n netip.Prefix) ([]Listing, error) {
	list, err := o.listings()
	if err != nil {
		return nil, err
	}
	// What is wider sorts before the network's first address.
	first, _ := slices.BinarySearchFunc(list, n.Addr(), func(l criteria.Listing, a netip.Addr) int {
		return l.Source.Addr().Compare(a)
	})
	found := []Listing{}
	for _, l := range list[max(0, first-widest(list, first, n)):] {
		if l.Source.Addr().Compare(n.Addr()) > 0 && !n.Contains(l.Source.Addr()) {
			break
		}
		if n.Overlaps(l.Source) {
			found = append(found, Listing{criteria.Source{Prefix: l.Source}, l.Answer, down(l.Since),
				endOf(l)})
		}
	}
	return found, nil
}

// endOf gives the end that people set. Any other one moves with each hit, and is told by
// the notice of the address, when it may be.
func endOf(l criteria.Listing) criteria.Second {
	if l.Answer != criteria.Operator {
		return 0
	}
	return up(l.Until)
}

// widest counts back to the first listing that may cover a network: none is wider
// than /24 or /48.
func widest(list []criteria.Listing, first int, n netip.Prefix) int {
	bits := 48
	if n.Addr().Is4() {
		bits = 24
	}
	around := netip.PrefixFrom(n.Addr(), bits).Masked()
	back := 0
	for first-back > 0 && around.Contains(list[first-back-1].Source.Addr()) {
		back++
	}
	return back
}

// listings gives the last copy of the list, or a new one when that is old.
func (o *Office) listings() ([]criteria.Listing, error) {
	c, now := &o.list, criteria.At(o.cfg.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at > 0 && now >= c.at && now-c.at < listEvery {
		return c.list, nil
	}
	list, err := o.cfg.Judge.Listings()
	if err != nil {
		return nil, err
	}
	c.at, c.list = now, list.Listings
	return c.list, nil
}
