package trap

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestRate: a minute's worth at once, then one at each interval, and no credit beyond a minute.
func TestRate(t *testing.T) {
	r, network := newRates(), netip.MustParsePrefix("192.0.2.1/32")
	try := func(now time.Duration, want int) {
		t.Helper()
		got := 0
		for range 100 {
			if r.take(now, network, beginConnection, 10) {
				got++
			}
		}
		if got != want {
			t.Errorf("at %s: %d of 100 taken, want %d", now, got, want)
		}
	}
	try(time.Hour, 10)
	try(time.Hour+6*time.Second-1, 0)
	try(time.Hour+6*time.Second, 1)
	try(time.Hour+19*time.Second, 2)
	try(2*time.Hour, 10)
	try(0, 0) // a clock that stepped back gives nothing away
	if !r.take(2*time.Hour, netip.MustParsePrefix("192.0.2.0/24"), beginConnection, 10) ||
		!r.take(2*time.Hour, network, beginMessage, 10) {
		t.Error("a network and its address, or connections and messages, are counted as one")
	}
}

// TestRateNaive: for a few networks the sketch says what an exact list of instants says.
func TestRateNaive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	r, exact, now := newRates(), map[netip.Prefix]time.Duration{}, time.Duration(0)
	for range 20_000 {
		now += time.Duration(random.Int64N(int64(time.Second)))
		network := flood(random.Uint64N(20))
		perMinute := 1 + int(random.Uint64N(5))
		paid := max(exact[network], now) + time.Minute/time.Duration(perMinute)
		want := paid-now <= burst
		if want {
			exact[network] = paid
		}
		if got := r.take(now, network, beginMessage, perMinute); got != want {
			t.Fatalf("%s at %s: %v, want %v", network, now, got, want)
		}
	}
}

// flood returns the n-th IPv6 /64.
func flood(n uint64) netip.Prefix {
	var a [16]byte
	binary.BigEndian.PutUint64(a[:], 0x2000_0000_0000_0000|n)
	return netip.PrefixFrom(netip.AddrFrom16(a), 64)
}

// TestRateFlood: a million networks that each come once, 20,000 in a second, take no memory and
// nobody's turn; of those that come too often none gets more than its own.
func TestRateFlood(t *testing.T) {
	r, perMinute, refused := newRates(), 1200, 0
	for n := range uint64(1_000_000) {
		if !r.take(time.Duration(n)*50*time.Microsecond, flood(n), beginConnection, perMinute) {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d newcomers were refused for what others did", refused)
	}
	greedy, taken := netip.MustParsePrefix("192.0.2.1/32"), 0
	for n := range 60_000 { // within the minute that follows
		if r.take(50*time.Second+time.Duration(n)*time.Millisecond, greedy, beginConnection, perMinute) {
			taken++
		}
	}
	if most := 2 * perMinute; taken > most || taken < most-perMinute/10 {
		t.Errorf("%d of 60,000 in a minute, want little less than %d", taken, most)
	}
	if n := testing.AllocsPerRun(1000, func() { r.take(0, greedy, beginMessage, 1) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// TestRateCrowd: where a thousand networks each come as often as they may, hardly any newcomer
// shares all its cells with them.
func TestRateCrowd(t *testing.T) {
	r, perMinute, refused := newRates(), 1200, 0
	for n := range uint64(1000) {
		for range perMinute {
			r.take(0, flood(n), beginConnection, perMinute)
		}
	}
	for n := range uint64(160_000) {
		if !r.take(0, flood(1<<40|n), beginConnection, perMinute) {
			refused++
		}
	}
	if refused > 20 { // two are to be expected
		t.Errorf("of 160,000 newcomers %d were refused for what a thousand others did", refused)
	}
}

// BenchmarkRate is what a connection costs, half of it: its network is counted as well.
func BenchmarkRate(b *testing.B) {
	r, network := newRates(), netip.MustParsePrefix("192.0.2.1/32")
	for now := time.Duration(0); b.Loop(); now += time.Second {
		r.take(now, network, beginConnection, 1200)
	}
}

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
