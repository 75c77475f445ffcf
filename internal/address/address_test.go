package address

import (
	"net/netip"
	"testing"

	"go4.org/netipx"
)

func TestUnwrap(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain IPv4", "198.51.100.7", "198.51.100.7"},
		{"mapped, dotted", "::ffff:198.51.100.7", "198.51.100.7"},
		{"mapped, hex", "::ffff:c633:6407", "198.51.100.7"},
		{"mapped with a zone", "::ffff:198.51.100.7%eth0", "198.51.100.7"},
		{"zone dropped", "fe80::1%6", "fe80::1"},
		{"compatible is not mapped", "::198.51.100.7", "::198.51.100.7"},
		{"translated is not mapped", "::ffff:0:198.51.100.7", "::ffff:0:c633:6407"},
		{"6to4 stays", "2002:c633:6407::1", "2002:c633:6407::1"},
		{"NAT64 stays", "64:ff9b::198.51.100.7", "64:ff9b::c633:6407"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Unwrap(netip.MustParseAddr(c.in)); got != netip.MustParseAddr(c.want) {
				t.Errorf("Unwrap(%s) = %s, want %s", c.in, got, c.want)
			}
		})
	}
	if got := Unwrap(netip.Addr{}); got.IsValid() {
		t.Errorf("Unwrap of nothing = %s", got)
	}
}

func TestUnit(t *testing.T) {
	for _, c := range []struct {
		name, in string
		bits     int
		want     string
	}{
		{"IPv4 is itself", "198.51.100.7", 64, "198.51.100.7/32"},
		{"mapped IPv4 too", "::ffff:198.51.100.7", 64, "198.51.100.7/32"},
		{"IPv6 by 64", "2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64"},
		{"IPv6 by 48", "2001:db8:1:2:3:4:5:6", 48, "2001:db8:1::/48"},
		{"IPv6 by 128", "2001:db8::7", 128, "2001:db8::7/128"},
		{"zone dropped", "2001:db8::7%eth0", 64, "2001:db8::/64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Unit(netip.MustParseAddr(c.in), c.bits)
			if got != netip.MustParsePrefix(c.want) {
				t.Errorf("Unit(%s, %d) = %s, want %s", c.in, c.bits, got, c.want)
			}
		})
	}
	for _, bits := range []int{-1, 129} {
		if got := Unit(netip.MustParseAddr("2001:db8::7"), bits); got.IsValid() {
			t.Errorf("Unit by %d bits = %s, want none", bits, got)
		}
	}
	if got := Unit(netip.Addr{}, 64); got.IsValid() {
		t.Errorf("Unit of nothing = %s, want none", got)
	}
}

// TestSpecialRows holds each row's edges against the tables: the first and the last address are
// special, those just outside are so only where another row says it.
func TestSpecialRows(t *testing.T) {
	for _, n := range append(special4[:], special6[:]...) {
		t.Run(n.prefix.String(), func(t *testing.T) {
			if n.rfc == "" || n.what == "" {
				t.Error("row without its document or its use")
			}
			first, last := n.prefix.Masked().Addr(), netipx.PrefixLastIP(n.prefix)
			if first != n.prefix.Addr() {
				t.Errorf("row has bits beyond its length")
			}
			if !Special(first) || !Special(last) {
				t.Errorf("first %s: %v, last %s: %v", first, Special(first), last, Special(last))
			}
		})
	}
}

func TestSpecialEdges(t *testing.T) {
	ordinary := []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
		"172.32.0.0", "191.255.255.255", "192.0.1.0", "192.31.195.255", "192.31.197.0",
		"192.52.192.255", "192.52.194.0", "192.88.98.255", "192.88.100.0", "192.167.255.255",
		"192.169.0.0", "192.175.47.255", "192.175.49.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255",
		"192.0.2.1", "198.51.100.7", "203.0.113.255", // RFC 5737
		"2001:200::", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", // RFC 3849
		"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::", "2000::",
		"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
		"2620:4f:8001::", "3fff::1", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", // RFC 9637
		"::ffff:198.51.100.7",
	}
	special := []string{
		"::", "::1", "::198.51.100.7", "64:ff9b::198.51.100.7", "64:ff9b:1::1", "100::1",
		"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5f00::1", "fc00::1", "fdff::1",
		"fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ffff::",
		"2001::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:20::1", "2002:c633:6407::1",
		"::ffff:10.0.0.1", "::ffff:127.0.0.1", "192.0.0.9", "255.255.255.255",
	}
	for _, s := range ordinary {
		if Special(netip.MustParseAddr(s)) {
			t.Errorf("%s is special, want ordinary", s)
		}
	}
	for _, s := range special {
		if !Special(netip.MustParseAddr(s)) {
			t.Errorf("%s is ordinary, want special", s)
		}
	}
	if !Special(netip.Addr{}) {
		t.Error("no address is ordinary, want special")
	}
}
