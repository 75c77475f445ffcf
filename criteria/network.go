package criteria

import (
	"net/netip"
	"slices"
)

// networks are the /24s of IPv4 and the /48s of IPv6 that the sources lie in.
// They are kept only where the policy lists whole networks.
type networks struct {
	least   int // network.min_listed; 0: off
	by      map[netip.Prefix]*network
	doubted map[*network]bool // those to be judged in this second
}

// network is one of them.
type network struct {
	netip.Prefix
	members map[*source]bool // all its sources, listed or not
	listed  int              // of them, by their score
	since   Second           // it is listed itself; 0: it is not
}

// The lengths of networks.
const (
	network4 = 24
	network6 = 48
)

func newNetworks(least int) networks {
	return networks{least, map[netip.Prefix]*network{}, map[*network]bool{}}
}

// networkBits is the length of the network that an address lies in.
func networkBits(a netip.Addr) int {
	if a.Is4() {
		return network4
	}
	return network6
}

func networkOf(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, networkBits(a)).Masked() }

// find gives the network of an address, nil where there is none.
func (n *networks) find(a netip.Addr) *network {
	if n.least == 0 {
		return nil
	}
	return n.by[networkOf(a)]
}

// join puts a new source into its network.
func (n *networks) join(s *source) {
	if n.least == 0 {
		return
	}
	p := networkOf(s.unit.addr())
	if n.by[p] == nil {
		n.by[p] = &network{Prefix: p, members: map[*source]bool{}}
	}
	n.by[p].members[s] = true
}

// leave takes a source out that is forgotten, and so is not listed.
func (n *networks) leave(s *source) {
	w := n.find(s.unit.addr())
	if w == nil {
		return
	}
	if delete(w.members, s); len(w.members) == 0 && w.since == 0 {
		delete(n.by, w.Prefix)
	}
}

// count notes that one source more or less is listed.
func (n *networks) count(s *source, change int) {
	if w := n.find(s.unit.addr()); w != nil {
		w.listed += change
		n.doubted[w] = true
	}
}

// doubt has every network judged that shares an address with a prefix.
func (n *networks) doubt(p netip.Prefix) {
	if p.Bits() >= networkBits(p.Addr()) {
		if w := n.find(p.Addr()); w != nil {
			n.doubted[w] = true
		}
		return
	}
	for _, w := range n.by {
		if w.Overlaps(p) {
			n.doubted[w] = true
		}
	}
}

func (n *networks) doubtAll() {
	for _, w := range n.by {
		n.doubted[w] = true
	}
}

// escalate judges the networks that something happened to in this second. It
// comes after all sources, so that one that leaves as another comes ends
// nothing.
func (e *Engine) escalate(by Trigger) {
	if len(e.networks.doubted) == 0 {
		return
	}
	var doubted []*network
	for w := range e.networks.doubted {
		doubted = append(doubted, w)
	}
	clear(e.networks.doubted)
	slices.SortFunc(doubted, func(a, b *network) int { return comparePrefix(a.Prefix, b.Prefix) })
	for _, w := range doubted {
		e.judgeNetwork(w, by)
	}
}

func (e *Engine) judgeNetwork(w *network, by Trigger) {
	listed := w.listed >= e.networks.least && !e.overlay.protects(w.Prefix)
	switch {
	case listed == (w.since != 0):
	case listed:
		w.since = max(e.now, 1)
		e.changes = append(e.changes, Change{Source{w.Prefix}, e.now, Unlisted, Network, by})
	default:
		w.since = 0
		e.changes = append(e.changes, Change{Source{w.Prefix}, e.now, Network, Unlisted, by})
	}
	if len(w.members) == 0 && w.since == 0 {
		delete(e.networks.by, w.Prefix)
	}
}

// networkEnd is the first second at which fewer of a listed network's sources
// are listed than it takes, if nothing more comes.
func (e *Engine) networkEnd(w *network, c *counter) Second {
	shifts := map[Second]int{}
	for s := range w.members {
		o, answer := e.outlook(s, c), s.answer
		for at := o.nextChange(e.now, answer); at != Never; at = o.nextChange(at, answer) {
			was := answer
			answer = o.answerAt(at)
			shifts[at] += shift(was, answer)
		}
	}
	return e.firstBelow(w.listed, shifts)
}

// shift is by how many sources the list grows as one changes its answer.
func shift(from, to Answer) int {
	switch {
	case from == Unlisted && to != Unlisted:
		return +1
	case from != Unlisted && to == Unlisted:
		return -1
	}
	return 0
}

func (e *Engine) firstBelow(listed int, shifts map[Second]int) Second {
	var seconds []Second
	for at := range shifts {
		seconds = append(seconds, at)
	}
	slices.Sort(seconds)
	for _, at := range seconds {
		if listed += shifts[at]; listed < e.networks.least {
			return at
		}
	}
	return Never
}

// listedNetworks gives the networks that are listed, in no order.
func (e *Engine) listedNetworks() []*network {
	var listed []*network
	for _, w := range e.networks.by {
		if w.since != 0 {
			listed = append(listed, w)
		}
	}
	return listed
}
