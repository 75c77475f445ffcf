package criteria

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/trapline/trapline/parser"
)

// A hit on a listed source is judged by a sum wherever it could unlist it, and
// only there is one saved where it cannot.
func TestHitUpholdsAListing(t *testing.T) {
	two := hitsOf(trapHits(1, 60).of("a@traps.example"), trapHits(1, 60).of("b@traps.example"))
	desks := hitsOf(reports(8, 60))
	capped := func(p *Policy) { p.MaxHitsPerTrap = 1 }
	light := func(h *Hit) { h.Weight = 0 }
	cases := map[string]struct {
		policy  func(*Policy)
		before  []Hit
		hit     line
		upholds bool
		want    Answer
	}{
		"another trap":   {nil, two, trapHits(1, 0), true, Spam},
		"the same trap":  {nil, two, trapHits(1, 0).of("a@traps.example"), true, Spam},
		"a report":       {nil, two, reports(1, 0), true, Spam},
		"nothing counts": {nil, two, trapHits(1, 0).with(light), true, Spam},
		"a bounce":       {nil, two, trapHits(1, 0).with(func(h *Hit) { h.Cause = parser.Bounce }), true, Spam},
		"a heavier one goes at the cap": {capped, two,
			trapHits(1, 0).of("a@traps.example").with(light), false, Unlisted},
		"a heavier one goes as too many count": {func(p *Policy) { p.MaxCounted = 2 }, two,
			trapHits(1, 0).with(light), false, Unlisted},
		"a heavier one goes beside a trap that has room": {capped, two,
			trapHits(1, 0).of("a@traps.example+c@traps.example").with(light), false, Unlisted},
		"a reporter's first one goes": {func(p *Policy) { p.MaxReportsPerReporter = 1 }, desks,
			reports(1, 0).of("desk0"), false, Spam},
		"the first trap, of two domains wanted": {func(p *Policy) { p.MinTrapDomains = 2 }, desks,
			trapHits(1, 0), false, Unlisted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := DefaultPolicy()
			if c.policy != nil {
				c.policy(&p)
			}
			e, h := fed(p, c.before...), hitsOf(c.hit)[0]
			h.LSN, h.Digest = uint64(len(c.before)+1), Digest{9}
			s, n := e.take(&h)
			if got := e.upholds(s, &n); got != c.upholds {
				t.Errorf("it upholds the listing: %v, want %v", got, c.upholds)
			}
			again := fed(p, append(c.before, h)...)
			for at := start; at < start+30*hour; at += hour / 2 {
				again.Advance(at)
				want := Score(p, append(c.before, h), at, 0).Answer
				if at == start && want != c.want {
					t.Errorf("the rules say %v, want %v", want, c.want)
				}
				kept := again.Standing().listed[netip.MustParsePrefix("198.51.100.7/32")].answer
				if kept != want {
					t.Fatalf("%s later it is kept as %v, want %v", (at - start).Time().Format("15:04"), kept, want)
				}
			}
		})
	}
}

// Being told of hits beforehand changes nothing, whoever is named.
func TestExpectChangesNothing(t *testing.T) {
	told, untold := NewEngine(DefaultPolicy(), Corrections{}), NewEngine(DefaultPolicy(), Corrections{})
	told.Expect([]netip.Addr{netip.IPv6Unspecified(), netip.MustParseAddr("198.51.100.7")})
	s := newStream(200)
	for range 30 {
		var hits []Hit
		var sources []netip.Addr
		for range 3*atOnce + 1 {
			h := s.hit()
			if len(hits)%3 == 0 {
				h.Source = withHost(netip.MustParseAddr("2001:db8::"), uint64(len(hits)))
			}
			hits, sources = append(hits, h), append(sources, h.Source)
		}
		told.Expect(sources)
		for _, h := range hits {
			told.Hit(h)
			untold.Hit(h)
		}
	}
	a, err := told.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := untold.MarshalBinary(); !bytes.Equal(a, b) || told.Listed() == 0 {
		t.Errorf("the engine that was told is another, with %d listed", told.Listed())
	}
}
