package criteria

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ofHosts makes three trap hits of each host of 198.51.100.0/24, each host's at
// an age of its own.
func ofHosts(ages ...Second) (hits []Hit) {
	for host, age := range ages {
		from := from(fmt.Sprintf("198.51.100.%d", host))
		hits = append(hits, hitsOf(trapHits(3, age).with(from))...)
	}
	return hits
}

func escalating(least int, hits ...Hit) *Engine {
	p := DefaultPolicy()
	p.MinListed = least
	return fed(p, hits...)
}

var wholeNetwork = netip.MustParsePrefix("198.51.100.0/24")

func networkListing(e *Engine) *Listing {
	for _, l := range e.Listings() {
		if l.Answer == Network {
			return &l
		}
	}
	return nil
}

func TestNetworkIsListedWhileEnoughOfItAre(t *testing.T) {
	e := escalating(3, ofHosts(10, 20, 30, 25*hour)...)
	want := &Listing{Source: wholeNetwork, Answer: Network, Since: start - 10, Until: start - 30 + 24*hour,
		Causes: map[Cause]int{}}
	if diff := cmp.Diff(want, networkListing(e), prefixes); diff != "" {
		t.Fatal(diff)
	}
	for address, want := range map[string]Answer{"198.51.100.0": Spam, "198.51.100.3": Network,
		"198.51.100.200": Network, "198.51.101.1": Unlisted} {
		if got := answerOf(e, address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
	v := e.Lookup(netip.MustParseAddr("198.51.100.200"))
	if v.Why != "listed: 3 sources of 198.51.100.0/24 are listed, 3 needed" || v.EndsBy != NetworkEnd ||
		v.Until != want.Until || v.Since != want.Since || v.Source.String() != "198.51.100.200" {
		t.Errorf("%+v", v)
	}
	last := e.Advance(want.Until)
	if n := len(last); n != 2 || last[1] != (Change{Source{wholeNetwork}, want.Until, Network, Unlisted, ByTime}) {
		t.Errorf("at its end: %v", last)
	}
	if answerOf(e, "198.51.100.200") != Unlisted {
		t.Error("listed after its end")
	}
}

func TestNetworkIsOffByDefault(t *testing.T) {
	e := fed(DefaultPolicy(), ofHosts(1, 2, 3, 4, 5)...)
	if networkListing(e) != nil || len(e.networks.by) > 0 {
		t.Errorf("%d networks are kept, listed %v", len(e.networks.by), networkListing(e))
	}
}

// No exception, and no bar, may be escalated over: not one that comes later,
// not one of a single address.
func TestNetworkNeverCoversAnException(t *testing.T) {
	one := netip.MustParsePrefix("198.51.100.77/32")
	for _, c := range []struct {
		name string
		d    Decision
		ends Second // when it is listed again; 0: never
	}{
		{"an exception", Decision{Act: ActExcept, Network: one, Origin: FromOperator}, 0},
		{"for a while", Decision{Act: ActExcept, Network: one, Origin: FromOperator, Until: start + 9}, start + 9},
		{"around it", Decision{Act: ActExcept, Network: netip.MustParsePrefix("198.51.0.0/16"), Origin: FromConfig}, 0},
		{"a bar", Decision{Act: ActDelist, Network: one, Until: start + 5}, start + 5},
		{"one of its sources removed", Decision{Act: ActDelist, Network: netip.MustParsePrefix("198.51.100.0/32"), After: 99}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := escalating(3, ofHosts(1, 2, 3)...)
			changes := order(t, e, c.d)
			if networkListing(e) != nil || changes[len(changes)-1].From != Network {
				t.Fatalf("still listed: %v", changes)
			}
			e.Advance(start + 100)
			l := networkListing(e)
			if (l != nil) != (c.ends > 0) || l != nil && l.Since != c.ends {
				t.Errorf("later: %+v", l)
			}
		})
	}
}

// A source that time alone will list, as its hits are dated ahead, keeps its
// network listed past the end of another.
func TestNetworkEndCountsWhoComes(t *testing.T) {
	hits := append(ofHosts(24*hour-60, 0), hitsOf(trapHits(3, -30).with(from("198.51.100.9")))...)
	for i := range hits {
		hits[i].Stamp = min(hits[i].Stamp, start)
	}
	e := escalating(2, hits...)
	if l := networkListing(e); l == nil || l.Until != start+24*hour {
		t.Fatalf("listed %+v", l)
	}
	for _, c := range e.Advance(start + 23*hour) {
		if c.Source.Prefix == wholeNetwork {
			t.Errorf("meanwhile: %v", c)
		}
	}
}

// One that leaves in the second in which another comes ends nothing.
func TestNetworkIsJudgedWhenTheSecondIsOver(t *testing.T) {
	hits := append(ofHosts(24*hour-60, 0), hitsOf(trapHits(3, -60).with(from("198.51.100.9")))...)
	for i := range hits {
		hits[i].Stamp = min(hits[i].Stamp, start)
	}
	e := escalating(2, hits...)
	for _, c := range e.Advance(start + 61) {
		if c.Source.Prefix == wholeNetwork {
			t.Errorf("in between: %v", c)
		}
	}
}

func TestNetworkOfIPv6(t *testing.T) {
	var hits []Hit
	for unit := range 3 {
		hits = append(hits, hitsOf(trapHits(2, 1).with(from(fmt.Sprintf("2001:db8:7:%d::1", unit))))...)
	}
	e := escalating(3, hits...)
	if l := networkListing(e); l == nil || l.Source.String() != "2001:db8:7::/48" {
		t.Errorf("listed %+v", l)
	}
}
