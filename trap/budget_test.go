package trap

import (
	"net/netip"
	"testing"
)

// TestEnter: each cap and each rate has its word, and what was refused was not counted.
func TestEnter(t *testing.T) {
	address := netip.MustParseAddr
	for _, test := range []struct {
		name   string
		limits Limits
		peers  []string // that have come before, and stayed
		peer   string
		want   string
	}{
		{"first", Limits{ConnectionsPerIP: 1}, nil, "192.0.2.1", ""},
		{"address", Limits{ConnectionsPerIP: 1}, []string{"192.0.2.1"}, "192.0.2.1", whyPerIP},
		{"neighbour", Limits{ConnectionsPerIP: 1}, []string{"192.0.2.1"}, "192.0.2.2", ""},
		{"same /64", Limits{ConnectionsPerIP: 1}, []string{"2001:db8:1:2::1"}, "2001:db8:1:2::2",
			whyPerIP},
		{"same /24", Limits{ConnectionsPerNetwork: 2}, []string{"192.0.2.1", "192.0.2.2"},
			"192.0.2.3", whyPerNetwork},
		{"another /24", Limits{ConnectionsPerNetwork: 2}, []string{"192.0.2.1", "192.0.2.2"},
			"192.0.3.3", ""},
		{"same /48", Limits{ConnectionsPerNetwork: 2}, []string{"2001:db8:1:1::1", "2001:db8:1:2::1"},
			"2001:db8:1:3::1", whyPerNetwork},
		{"another /48", Limits{ConnectionsPerNetwork: 2},
			[]string{"2001:db8:1:1::1", "2001:db8:1:2::1"}, "2001:db8:2:3::1", ""},
		{"rate", Limits{ConnectionsPerMinute: 1}, []string{"192.0.2.1"}, "192.0.2.1", whyRate},
		{"rate of a /24", Limits{ConnectionsPerMinutePerNetwork: 1}, []string{"192.0.2.1"},
			"192.0.2.2", whyNetworkRate},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, limits := NewBudget(), test.limits.orDefaults()
			now := b.made
			for _, peer := range test.peers {
				if why := b.enter(address(peer), limits, now); why != "" {
					t.Fatalf("%s: %s", peer, why)
				}
			}
			if got := b.enter(address(test.peer), limits, now); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if test.want == "" {
				b.leave(address(test.peer))
			}
			for _, peer := range test.peers {
				b.leave(address(peer))
			}
			if len(b.held) > 0 {
				t.Errorf("still counted: %v", b.held)
			}
		})
	}
}
