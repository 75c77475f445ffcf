package feed

import (
	"net/netip"
	"testing"
)

func TestShare(t *testing.T) {
	p, err := parseProviders("Example 198.51.100.0/24 203.0.113.0/25 203.0.113.128/25 2001:db8::/32\n" +
		"Other 192.0.2.0/24\nSix 2001:db8:1::/48")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		provider string
		networks []string
		want     float64
	}{
		"nothing":                {"Example", nil, 0},
		"a server":               {"Example", []string{"198.51.100.7/32"}, 1.0 / 512},
		"a network":              {"Example", []string{"198.51.100.0/24"}, 0.5},
		"wider than all":         {"Example", []string{"198.51.0.0/16", "203.0.0.0/8"}, 1},
		"the parts of a network": {"Example", []string{"198.51.100.0/25", "198.51.100.128/25"}, 0.5},
		"one in another":         {"Example", []string{"198.51.100.0/25", "198.51.100.0/26", "198.51.100.3/32"}, 0.25},
		"the same twice":         {"Example", []string{"203.0.113.0/26", "203.0.113.0/26"}, 0.125},
		"another's":              {"Example", []string{"192.0.2.0/24"}, 0},
		"IPv6":                   {"Example", []string{"2001:db8::/32"}, 0},
		"nothing but IPv6":       {"Six", []string{"2001:db8:1::/48"}, 0},
		"nobody":                 {"", []string{"198.51.100.0/24"}, 0},
	} {
		var networks []netip.Prefix
		for _, n := range c.networks {
			networks = append(networks, netip.MustParsePrefix(n))
		}
		if got := p.Share(c.provider, networks); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
