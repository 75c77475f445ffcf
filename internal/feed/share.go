package feed

import (
	"math"
	"net/netip"

	"github.com/gaissmai/bart"
)

// Share tells how much of a provider's known IPv4 addresses lies in networks,
// from 0 to 1. IPv6 is left out: one network of it would outweigh all servers.
func (p *Providers) Share(name string, networks []netip.Prefix) float64 {
	var covering bart.Lite
	for _, n := range networks {
		covering.Insert(n.Masked())
	}
	covering.Aggregate() // so that no address counts twice
	all, covered := 0.0, 0.0
	for network, of := range p.networks.All() {
		if of == name && network.Addr().Is4() {
			all += addresses(network)
			covered += within(&covering, network)
		}
	}
	if all == 0 {
		return 0
	}
	return covered / all
}

// within counts the addresses of a network that lie in others, of which none
// lies in another.
func within(covering *bart.Lite, network netip.Prefix) float64 {
	if covering.LookupPrefix(network) {
		return addresses(network)
	}
	covered := 0.0
	for part := range covering.Subnets(network) {
		covered += addresses(part)
	}
	return covered
}

func addresses(n netip.Prefix) float64 { return math.Exp2(float64(n.Addr().BitLen() - n.Bits())) }
