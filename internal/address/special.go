package address

import "net/netip"

// network is a row of the special-purpose registries, with the document that reserves it.
type network struct {
	prefix netip.Prefix
	rfc    string
	what   string
}

func row(prefix, rfc, what string) network {
	return network{prefix: netip.MustParsePrefix(prefix), rfc: rfc, what: what}
}

// special4 is the IANA IPv4 special-purpose registry and multicast. A row inside another one is
// left out. So are the documentation ranges of RFC 5737 (192.0.2.0/24, 198.51.100.0/24 and
// 203.0.113.0/24): they never occur in real mail, and examples and tests need addresses.
var special4 = [...]network{
	row("0.0.0.0/8", "RFC 791", "this network"),
	row("10.0.0.0/8", "RFC 1918", "private use"),
	row("100.64.0.0/10", "RFC 6598", "shared address space of carrier NAT"),
	row("127.0.0.0/8", "RFC 1122", "loopback"),
	row("169.254.0.0/16", "RFC 3927", "link local"),
	row("172.16.0.0/12", "RFC 1918", "private use"),
	row("192.0.0.0/24", "RFC 6890", "IETF protocol assignments"),
	row("192.31.196.0/24", "RFC 7535", "AS112 by DNAME"),
	row("192.52.193.0/24", "RFC 7450", "automatic multicast tunnelling"),
	row("192.88.99.0/24", "RFC 7526", "6to4 relay anycast, deprecated"),
	row("192.168.0.0/16", "RFC 1918", "private use"),
	row("192.175.48.0/24", "RFC 7534", "AS112 direct delegation"),
	row("198.18.0.0/15", "RFC 2544", "benchmarking"),
	row("224.0.0.0/4", "RFC 5771", "multicast"),
	row("240.0.0.0/4", "RFC 1112", "reserved, and limited broadcast"),
}

// special6 is the IANA IPv6 special-purpose registry within global6; everything outside it is
// special without a row. Documentation (2001:db8::/32 of RFC 3849, 3fff::/20 of RFC 9637) is
// left out for the same reason as above.
var special6 = [...]network{
	row("2001::/23", "RFC 2928", "IETF protocol assignments, Teredo and ORCHID among them"),
	row("2002::/16", "RFC 3056", "6to4"),
	row("2620:4f:8000::/48", "RFC 7534", "AS112 direct delegation"),
}

// global6 is all the IPv6 space handed out so far (RFC 4291, section 2.4).
var global6 = netip.MustParsePrefix("2000::/3")

// Special tells whether an address can never be a source: nobody on the internet answers for it.
// An invalid address is special too.
func Special(a netip.Addr) bool {
	a = Unwrap(a)
	if a.Is4() {
		return within(special4[:], a)
	}
	return !global6.Contains(a) || within(special6[:], a)
}

func within(rows []network, a netip.Addr) bool {
	for _, n := range rows {
		if n.prefix.Contains(a) {
			return true
		}
	}
	return false
}
