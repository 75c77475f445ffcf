package criteria

import (
	"maps"
	"net/netip"
	"slices"
)

// standing is what is listed at a second by the score.
func (n *naive) standing(units, networks []netip.Prefix, at Second) map[netip.Prefix]Answer {
	listed := map[netip.Prefix]Answer{}
	for _, unit := range units {
		if answer := n.answer(unit, at); answer != Unlisted {
			listed[unit] = answer
		}
	}
	for _, network := range networks {
		if n.network(network, units, at) {
			listed[network] = Network
		}
	}
	return listed
}

// list is what stands in the zone at a second: the operator's word over the
// score, and exceptions over his word.
func (n *naive) list(standing map[netip.Prefix]Answer, at Second) map[netip.Prefix]Answer {
	list := maps.Clone(standing)
	for network := range n.byOperator(at) {
		if !n.excepted(network, at) {
			list[network] = Operator
		}
	}
	return list
}

// lookup is the answer for one address, which an exception may cover though its
// unit, its network or what the operator listed is wider.
func (n *naive) lookup(a netip.Addr, list map[netip.Prefix]Answer, at Second) Answer {
	if n.excepted(netip.PrefixFrom(a, a.BitLen()), at) {
		return Unlisted
	}
	found := map[Answer]bool{}
	for network, answer := range list {
		found[answer] = found[answer] || network.Contains(a)
	}
	for _, answer := range []Answer{Operator, Spam, Backscatter, Network} {
		if found[answer] {
			return answer
		}
	}
	return Unlisted
}

// network tells whether so many of its units are listed that all of it is.
func (n *naive) network(network netip.Prefix, units []netip.Prefix, at Second) bool {
	if n.policy.MinListed == 0 || n.barred(network, at) ||
		slices.ContainsFunc(n.exceptions(at), network.Overlaps) {
		return false
	}
	listed := 0
	for _, unit := range units {
		if network.Contains(unit.Addr()) && n.answer(unit, at) != Unlisted {
			listed++
		}
	}
	return listed >= n.policy.MinListed
}

func (n *naive) excepted(unit netip.Prefix, at Second) bool {
	for _, x := range n.exceptions(at) {
		if x.Bits() <= unit.Bits() && x.Contains(unit.Addr()) {
			return true
		}
	}
	return false
}

// exceptions lists the networks excepted at a second.
func (n *naive) exceptions(at Second) []netip.Prefix {
	until := map[netip.Prefix]Second{}
	for _, d := range n.decisions {
		switch {
		case d.At > at:
		case d.Act == ActExcept:
			until[d.Network] = d.end()
		case d.Act == ActUnexcept:
			delete(until, d.Network)
		}
	}
	var networks []netip.Prefix
	for network, end := range until {
		if at < end {
			networks = append(networks, network)
		}
	}
	return networks
}

// byOperator gives the networks that the operator lists at a second, with the
// end of each: the last word on each network counts, and a removal takes back
// what lies in the network removed. No bar holds it up: those are for the score.
func (n *naive) byOperator(at Second) map[netip.Prefix]Second {
	until := map[netip.Prefix]Second{}
	for _, d := range n.decisions {
		switch {
		case d.At > at:
		case d.Act == ActList:
			until[d.Network] = d.end()
		case d.Act == ActDelist:
			maps.DeleteFunc(until, func(listed netip.Prefix, _ Second) bool {
				return d.Network.Bits() <= listed.Bits() && d.Network.Contains(listed.Addr())
			})
		}
	}
	maps.DeleteFunc(until, func(_ netip.Prefix, end Second) bool { return end <= at })
	return until
}

// endOfWord is the end of the operator's listing of an address: of several the
// narrowest holds.
func (n *naive) endOfWord(a netip.Addr, at Second) Second {
	narrowest, end := -1, Never
	for network, until := range n.byOperator(at) {
		if network.Contains(a) && network.Bits() > narrowest {
			narrowest, end = network.Bits(), until
		}
	}
	return end
}

func (n *naive) barred(unit netip.Prefix, at Second) bool {
	return slices.ContainsFunc(n.decisions, func(d Decision) bool {
		return d.Act == ActDelist && d.At <= at && d.Network.Overlaps(unit) && at < d.Until
	})
}
