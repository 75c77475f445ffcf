// Package address knows which addresses can be a source of mail and what is listed for one.
//
// In come addresses as a socket or a Received line gives them; out come plain addresses, the
// answer whether somebody on the internet answers for one, and the network that is listed for it.
// It is pure: it must never look anything up, and it holds no policy of the operator's.
package address

import "net/netip"

// Unwrap gives the address without its zone, and the IPv4 address in ::ffff:0:0/96 (RFC 4291,
// section 2.5.5.2). No other embedding is unwrapped: 6to4, Teredo and NAT64 addresses name a
// gateway's customer at best, and IPv4-compatible ones nobody.
func Unwrap(a netip.Addr) netip.Addr {
	return a.WithZone("").Unmap()
}

// Unit gives the network that is scored and listed for an address: the address itself in IPv4
// (/32), the network of ipv6Bits in IPv6. An invalid address, or a length outside 0 to 128,
// gives the zero Prefix.
func Unit(a netip.Addr, ipv6Bits int) netip.Prefix {
	a = Unwrap(a)
	if a.Is4() {
		return netip.PrefixFrom(a, a.BitLen())
	}
	unit, err := a.Prefix(ipv6Bits)
	if err != nil {
		return netip.Prefix{}
	}
	return unit
}
