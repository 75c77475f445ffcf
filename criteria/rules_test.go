package criteria

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/parser"
)

const hour = Second(3600)

// line is hits as a test writes them down: how many, of whom, how long ago.
type line struct {
	n      int
	kind   Kind
	traps  string // "%d" becomes a number of its own for each
	age    Second
	change func(*Hit)
}

func trapHits(n int, age Second) line { return line{n, TrapHit, "t%d@traps.example", age, nil} }

func reports(n int, age Second) line { return line{n, Report, "desk%d", age, nil} }

func (l line) with(change func(*Hit)) line {
	l.change = change
	return l
}

func (l line) of(traps string) line {
	l.traps = traps
	return l
}

// hitsOf makes hits of one source, each of a content of its own.
func hitsOf(lines ...line) (hits []Hit) {
	for _, l := range lines {
		for range l.n {
			h := Hit{Time: start - l.age, Stamp: start - l.age, Source: netip.MustParseAddr("198.51.100.7"),
				Kind: l.kind, Weight: One, Cause: parser.Relay}
			name := l.traps
			if strings.Contains(name, "%d") {
				name = fmt.Sprintf(name, len(hits))
			}
			h.Traps = strings.Split(name, "+")
			h.Digest = Digest{1, byte(len(hits)), byte(len(hits) >> 8)}
			if l.change != nil {
				l.change(&h)
			}
			h.LSN = uint64(len(hits) + 1)
			hits = append(hits, h)
		}
	}
	return hits
}

// TestRules holds at least one history for each rule that it lists and one that
// it does not: what the documentation prints, and what the blocking list that
// the rules come from publishes.
func TestRules(t *testing.T) {
	set := func(keys ...string) func(*Policy) {
		return func(p *Policy) {
			for i := 0; i < len(keys); i += 2 {
				if err := p.Set(keys[i], keys[i+1]); err != nil {
					panic(err)
				}
			}
		}
	}
	bounce := func(h *Hit) { h.Cause = parser.Bounce }
	light := func(h *Hit) { h.Weight = One / 2 }
	day := 24 * hour
	keep := set("delist_after", "100h", "delist_after_few", "100h")
	for _, c := range []struct {
		name   string
		policy func(*Policy)
		hits   []Hit
		points int64
		score  string
		answer Answer
		ends   Ending // or why it is not listed
	}{
		{"2 traps and 3 reports, published: 13", keep, hitsOf(trapHits(2, 60*hour), reports(3, 60*hour)), 0, "13", Unlisted, Threshold},
		{"7 traps and 3 reports, published: 52", keep, hitsOf(trapHits(7, 60*hour), reports(3, 60*hour)), 0, "52", Spam, DelistAfter},
		{"2 traps just now", nil, hitsOf(trapHits(2, 0)), 0, "64", Spam, DelistAfterFew},
		{"2 traps a day old", keep, hitsOf(trapHits(2, day)), 0, "25", Spam, Threshold},
		{"2 traps a second older", keep, hitsOf(trapHits(2, day+1)), 0, "24.999826", Unlisted, Threshold},
		{"just below the square", keep, hitsOf(trapHits(5, 48*hour)), 0, "25", Spam, DelistAfter},
		{"at the square", keep, hitsOf(trapHits(6, 48*hour)), 0, "36", Spam, DelistAfter},
		{"past max_age", keep, hitsOf(trapHits(9, 168*hour)), 0, "0", Unlisted, Reports},

		{"one report never lists", nil, hitsOf(trapHits(1, 0)), 0, "20", Unlisted, Reports},
		{"one of the heaviest neither", nil, hitsOf(trapHits(1, 0).with(func(h *Hit) { h.Weight = MaxTrapWeight })), 0, "160000", Unlisted, Reports},
		{"exactly two: 12 hours", nil, hitsOf(trapHits(2, 12*hour-1)), 0, "42.250451", Spam, DelistAfterFew},
		{"exactly two: over", nil, hitsOf(trapHits(2, 12*hour)), 0, "42.25", Unlisted, DelistAfterFew},
		{"three: 24 hours", nil, hitsOf(trapHits(3, day-1)), 0, "56.250781", Spam, DelistAfter},
		{"three: over", nil, hitsOf(trapHits(3, day)), 0, "56.25", Unlisted, DelistAfter},

		{"one trap is not enough", nil, hitsOf(trapHits(4, 0).of("a@traps.example")), 0, "256", Unlisted, Traps},
		{"one message to two traps", nil, hitsOf(trapHits(2, 0).of("a@traps.example+b@traps.example")), 0, "64", Spam, DelistAfterFew},
		{"a trap and a reporter", nil, hitsOf(trapHits(1, 0), reports(1, 0)), 0, "24", Unlisted, Threshold},
		{"cap per trap: the newest count", nil, hitsOf(trapHits(9, 9*hour).of("a@traps.example"), trapHits(5, 0).of("a@traps.example"), trapHits(1, 0).of("b@traps.example")), 0, "576", Spam, DelistAfter},
		{"cap per reporter", nil, hitsOf(reports(9, 0).of("noc"), reports(1, 0).of("cert")), 0, "16", Unlisted, Threshold},
		{"max_counted", set("max_counted", "3"), hitsOf(trapHits(9, 0)), 0, "144", Spam, DelistAfter},

		{"one reporter alone", set("min_traps", "0", "threshold", "1"), hitsOf(reports(3, 0).of("noc")), 0, "12", Unlisted, Traps},
		{"two reporters", set("threshold", "1"), hitsOf(reports(1, 0).of("noc"), reports(1, 0).of("cert")), 0, "8", Spam, DelistAfterFew},
		{"one trap domain of two", set("min_trap_domains", "2"), hitsOf(trapHits(2, 0), trapHits(1, 0).of("c@x.traps.example")), 0, "144", Unlisted, TrapDomains},
		{"two trap domains", set("min_trap_domains", "2"), hitsOf(trapHits(2, 0), trapHits(1, 0).of("c@other.example")), 0, "144", Spam, DelistAfter},
		{"trap domains do not bind reports", set("min_trap_domains", "2", "threshold", "1"), hitsOf(reports(2, 0)), 0, "8", Spam, DelistAfterFew},

		{"reputation met", nil, hitsOf(trapHits(2, 0)), 3200, "64", Spam, Ratio},
		{"reputation not met", nil, hitsOf(trapHits(2, 0)), 3201, "64", Unlisted, Ratio},
		{"trap weight", nil, hitsOf(trapHits(2, 0).with(light)), 0, "20", Unlisted, Threshold},
		{"cause weight", set("cause_weight.relay", "0.5"), hitsOf(trapHits(2, 0)), 0, "20", Unlisted, Threshold},

		{"bounces alone: backscatter", nil, hitsOf(trapHits(2, 0).with(bounce)), 0, "64", Backscatter, DelistAfterFew},
		{"bounces that tip the scale", nil, hitsOf(trapHits(1, 0), trapHits(1, 0).with(bounce)), 0, "64", Backscatter, DelistAfterFew},
		{"bounces beside enough", nil, hitsOf(trapHits(2, 0), trapHits(2, 0).with(bounce)), 0, "256", Spam, DelistAfter},

		{"a repeat", nil, hitsOf(trapHits(2, 0).of("a@traps.example+b@traps.example").with(func(h *Hit) { h.Digest = Digest{1} })), 0, "20", Unlisted, Reports},
		{"the same content to another trap", nil, hitsOf(trapHits(2, 0).with(func(h *Hit) { h.Digest = Digest{1} })), 0, "64", Spam, DelistAfterFew},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := DefaultPolicy()
			if c.policy != nil {
				c.policy(&p)
			}
			if faults := p.Check(); len(faults) > 0 {
				t.Fatal(faults)
			}
			v := Score(p, c.hits, start, c.points)
			if v.Score.String() != c.score || v.Answer != c.answer || v.Listed != (c.answer != Unlisted) {
				t.Errorf("score %s, answer %v: %s", v.Score, v.Answer, v.Why)
			}
			why := v.EndsBy
			if !v.Listed {
				why = whyNot(p, c.hits, c.points)
			}
			if why != c.ends {
				t.Errorf("ends by %q, want %q: %s", why, c.ends, v.Why)
			}
		})
	}
}

// whyNot is the condition that a history fails now.
func whyNot(p Policy, hits []Hit, points int64) Ending {
	e := NewEngine(p, Corrections{})
	o := outlook{rules: e.rules, source: new(source), sets: e.sets, count: e.count}
	for _, h := range hits {
		if len(h.Traps) > 0 { // else it is recorded and counts nothing
			o = e.outlook(e.score(&h), e.count)
		}
	}
	o.given = points
	tally := o.tallyAt(start, false)
	return o.fails(&tally, start)
}

// The two ways in which silence ends a listing, each at its exact second; a
// third report that ages out shortens the limit at that second.
func TestWhenSilenceEndsAListing(t *testing.T) {
	old := trapHits(1, 168*hour-2*hour) // ages out in two hours
	for _, c := range []struct {
		name string
		hits []Hit
		left Second
		ends Ending
	}{
		{"two", hitsOf(trapHits(2, 0)), 12 * hour, DelistAfterFew},
		{"three", hitsOf(trapHits(3, 0)), 24 * hour, DelistAfter},
		{"three, one ageing out before twelve hours", hitsOf(old, trapHits(2, 0)), 12 * hour, DelistAfterFew},
		{"three, one ageing out after twelve hours", hitsOf(old, trapHits(2, 11*hour)), 2 * hour, DelistAfterFew},
	} {
		v := Score(DefaultPolicy(), c.hits, start, 0)
		if v.Until-start != c.left || v.EndsBy != c.ends {
			t.Errorf("%s: ends in %ds by %s, want %ds by %s", c.name, v.Until-start, v.EndsBy, c.left, c.ends)
		}
	}
}

// fed is an engine that has read hits.
func fed(p Policy, hits ...Hit) *Engine {
	e := NewEngine(p, Corrections{})
	for i, h := range hits {
		h.LSN = uint64(i + 1)
		h.Stamp = max(h.Stamp, e.Now())
		e.Hit(h)
	}
	e.Advance(start)
	return e
}

func from(address string) func(*Hit) {
	return func(h *Hit) { h.Source = netip.MustParseAddr(address) }
}

func answerOf(e *Engine, address string) Answer { return e.Lookup(netip.MustParseAddr(address)).Answer }

func order(t *testing.T, e *Engine, d Decision) []Change {
	t.Helper()
	d.At, d.Who = e.Now(), "test"
	changes, err := e.Decide(d)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// IPv6 adds up by its network, and an exception may split one.
func TestIPv6AddsUp(t *testing.T) {
	hits := hitsOf(trapHits(1, 0).with(from("2001:db8::1")), trapHits(1, 0).with(from("2001:db8:0:0:8000::1")))
	e := fed(DefaultPolicy(), hits...)
	entry := e.Lookup(netip.MustParseAddr("2001:db8::abcd"))
	if !entry.Listed || entry.Source.String() != "2001:db8::/64" {
		t.Errorf("%s listed %v: %s", entry.Source, entry.Listed, entry.Why)
	}
	if answerOf(e, "2001:db8:0:1::1") != Unlisted {
		t.Error("the next network is listed")
	}
	upper := netip.MustParsePrefix("2001:db8:0:0:8000::/65")
	order(t, e, Decision{Act: ActExcept, Network: upper, Origin: FromOperator})
	entry = e.Lookup(netip.MustParseAddr("2001:db8::1"))
	if entry.Listed || entry.Reports != 1 || len(entry.Except) > 0 {
		t.Errorf("beside the exception: %d reports, %s", entry.Reports, entry.Why)
	}
	if entry = e.Lookup(netip.MustParseAddr("2001:db8:0:0:8000::1")); len(entry.Except) != 1 {
		t.Errorf("under the exception: %+v", entry.Except)
	}
	p := DefaultPolicy()
	p.IPv6Prefix = 128
	if e := fed(p, hits...); answerOf(e, "2001:db8::1") != Unlisted {
		t.Error("by single addresses, one hit lists")
	}
}

func TestExceptionBeatsEverything(t *testing.T) {
	host, network := netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("198.51.100.0/24")
	e := fed(DefaultPolicy(), hitsOf(trapHits(3, 0))...)
	order(t, e, Decision{Act: ActList, Network: host})
	if answerOf(e, "198.51.100.7") != Operator {
		t.Fatal("not listed by the operator")
	}
	order(t, e, Decision{Act: ActExcept, Network: network, Origin: FromConfig, Reason: "office"})
	order(t, e, Decision{Act: ActExcept, Network: network, Origin: FromOperator, Until: start + 10})
	if a := answerOf(e, "198.51.100.7"); a != Unlisted || len(e.Listings()) > 0 {
		t.Errorf("excepted, it answers %v; %v", a, e.Listings())
	}
	order(t, e, Decision{Act: ActUnexcept, Network: network, Origin: FromConfig})
	if answerOf(e, "198.51.100.7") != Unlisted {
		t.Error("the operator's exception ended with the configuration's")
	}
	e.Advance(start + 10)
	if a := answerOf(e, "198.51.100.7"); a != Operator {
		t.Errorf("after the exception it answers %v", a)
	}
}

func TestDelist(t *testing.T) {
	host := netip.MustParsePrefix("198.51.100.7/32")
	for _, c := range []struct {
		name  string
		until Second
	}{{"hits up to it are out", 0}, {"and it is barred for a while", start + hour}} {
		t.Run(c.name, func(t *testing.T) {
			e := fed(DefaultPolicy(), hitsOf(trapHits(3, 0))...)
			changes := order(t, e, Decision{Act: ActDelist, Network: host, After: 3, Until: c.until})
			if len(changes) != 1 || answerOf(e, "198.51.100.7") != Unlisted {
				t.Fatalf("changes %v", changes)
			}
			for i, h := range hitsOf(trapHits(2, 0).of("new%d@traps.example")) {
				h.LSN, h.Stamp = uint64(4+i), start
				h.Digest[3] = 1
				e.Hit(h)
			}
			if listed := answerOf(e, "198.51.100.7") == Spam; listed != (c.until == 0) {
				t.Errorf("after two more hits, listed is %v", listed)
			}
			e.Advance(start + hour)
			if entry := e.Lookup(host.Addr()); entry.Answer != Spam || entry.Reports != 2 {
				t.Errorf("an hour later it answers %v with %d reports: %s", entry.Answer, entry.Reports, entry.Why)
			}
		})
	}
}

func TestIngestedRepeats(t *testing.T) {
	twice := func(change func(*Hit)) []Hit {
		hits := hitsOf(trapHits(2, 30*hour).of("a@traps.example+b@traps.example"))
		for i := range hits {
			hits[i].Digest, hits[i].Ingested = Digest{1}, true
		}
		change(&hits[1])
		return hits
	}
	p := DefaultPolicy()
	p.RepeatWindow = time.Hour
	for name, c := range map[string]struct {
		hits []Hit
		want int
	}{
		"the same file twice":        {twice(func(*Hit) {}), 1},
		"on purpose":                 {twice(func(h *Hit) { h.Again = true }), 2},
		"another second, the window": {twice(func(h *Hit) { h.Time += 3599 }), 1},
		"past the window":            {twice(func(h *Hit) { h.Time += 3600 }), 2},
	} {
		if v := Score(p, c.hits, start, 0); v.Reports != c.want {
			t.Errorf("%s: %d reports", name, v.Reports)
		}
	}
	p.RepeatWindow = 0
	if v := Score(p, twice(func(*Hit) {}), start, 0); v.Reports != 1 {
		t.Errorf("the same file twice without a window: %d reports", v.Reports)
	}
}
