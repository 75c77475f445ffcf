package rate

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestRate: a minute's worth at once, then one at each interval, and no credit beyond a minute.
func TestRate(t *testing.T) {
	r, network := New(), netip.MustParsePrefix("192.0.2.1/32")
	try := func(now time.Duration, want int) {
		t.Helper()
		got := 0
		for range 100 {
			if r.Take(now, network, 'c', 10) {
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
	if !r.Take(2*time.Hour, netip.MustParsePrefix("192.0.2.0/24"), 'c', 10) ||
		!r.Take(2*time.Hour, network, 'm', 10) {
		t.Error("a network and its address, or connections and messages, are counted as one")
	}
}

// TestRateNaive: for a few networks the sketch says what an exact list of instants says.
func TestRateNaive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	r, exact, now := New(), map[netip.Prefix]time.Duration{}, time.Duration(0)
	for range 20_000 {
		now += time.Duration(random.Int64N(int64(time.Second)))
		network := flood(random.Uint64N(20))
		perMinute := 1 + int(random.Uint64N(5))
		paid := max(exact[network], now) + time.Minute/time.Duration(perMinute)
		want := paid-now <= burst
		if want {
			exact[network] = paid
		}
		if got := r.Take(now, network, 'm', perMinute); got != want {
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
	r, perMinute, refused := New(), 1200, 0
	for n := range uint64(1_000_000) {
		if !r.Take(time.Duration(n)*50*time.Microsecond, flood(n), 'c', perMinute) {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d newcomers were refused for what others did", refused)
	}
	greedy, taken := netip.MustParsePrefix("192.0.2.1/32"), 0
	for n := range 60_000 { // within the minute that follows
		if r.Take(50*time.Second+time.Duration(n)*time.Millisecond, greedy, 'c', perMinute) {
			taken++
		}
	}
	if most := 2 * perMinute; taken > most || taken < most-perMinute/10 {
		t.Errorf("%d of 60,000 in a minute, want little less than %d", taken, most)
	}
	if n := testing.AllocsPerRun(1000, func() { r.Take(0, greedy, 'm', 1) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}

// TestRateCrowd: where a thousand networks each come as often as they may, hardly any newcomer
// shares all its cells with them.
func TestRateCrowd(t *testing.T) {
	r, perMinute, refused := New(), 1200, 0
	for n := range uint64(1000) {
		for range perMinute {
			r.Take(0, flood(n), 'c', perMinute)
		}
	}
	for n := range uint64(160_000) {
		if !r.Take(0, flood(1<<40|n), 'c', perMinute) {
			refused++
		}
	}
	if refused > 20 { // two are to be expected
		t.Errorf("of 160,000 newcomers %d were refused for what a thousand others did", refused)
	}
}

// BenchmarkRate is what one beginning costs.
func BenchmarkRate(b *testing.B) {
	r, network := New(), netip.MustParsePrefix("192.0.2.1/32")
	for now := time.Duration(0); b.Loop(); now += time.Second {
		r.Take(now, network, 'c', 1200)
	}
}
