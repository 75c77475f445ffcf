package criteria

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var addresses = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func point(day Day, addr string, count uint32) Point {
	return Point{day, netip.MustParseAddr(addr), count}
}

func TestPointsArePackedAndSorted(t *testing.T) {
	packed := PackPoints([]Point{
		point(20_001, "198.51.100.7", 3), point(20_000, "2001:db8::1", 1<<32-1),
		point(20_000, "::ffff:198.51.100.9", 0), point(20_001, "198.51.100.7", 4), point(0, "198.51.100.7", 1),
	})
	want := []Point{point(0, "198.51.100.7", 1), point(20_000, "198.51.100.9", 0),
		point(20_000, "2001:db8::1", 1<<32-1), point(20_001, "198.51.100.7", 4)}
	if diff := cmp.Diff(want, slices.Collect(packed.All()), addresses); diff != "" {
		t.Error(diff)
	}
	if n, err := packed.Len(); n != 4 || err != nil {
		t.Errorf("%d points, %v", n, err)
	}
	many := make([]Point, 1000)
	for i := range many {
		many[i] = Point{20_000, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1}
	}
	if n := len(PackPoints(many)); n > 8*len(many) {
		t.Errorf("%d bytes for %d points", n, len(many))
	}
}

func FuzzPoints(f *testing.F) {
	f.Add([]byte(PackPoints([]Point{point(20_000, "198.51.100.7", 3), point(20_001, "2001:db8::1", 9)})))
	f.Add([]byte{0, 4, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := Points(b).Len()
		all := slices.Collect(Points(b).All())
		if err == nil && len(all) != n || err != nil && len(all) > n {
			t.Fatalf("%d points of %d, %v", len(all), n, err)
		}
		d := Decision{Act: ActPoints, Name: "mirror", Points: b, At: start}
		if _, derr := NewEngine(DefaultPolicy(), Corrections{}).Decide(d); (derr == nil) != (err == nil) {
			t.Fatalf("decided: %v, but %v", derr, err)
		}
		if again := slices.Collect(PackPoints(all).All()); err == nil && len(again) > n {
			t.Fatalf("packed again: %d of %d", len(again), n)
		}
	})
}

// TestPointsAgainstTheScore: two trap hits just now score 64, and 0.02 x 3200 is that.
func TestPointsAgainstTheScore(t *testing.T) {
	today := DayOf(start)
	imports := func(name string, points ...Point) Decision {
		return Decision{Act: ActPoints, Name: name, Points: PackPoints(points)}
	}
	for _, c := range []struct {
		name      string
		cap       int
		decisions []Decision
		points    int64
		listed    bool
	}{
		{"two less than two reports take off", 1e6, []Decision{imports("a", point(today, "198.51.100.7", 3202))}, 3200, true},
		{"one more", 1e6, []Decision{imports("a", point(today, "198.51.100.7", 3203))}, 3201, false},
		{"imported twice", 1e6, []Decision{imports("a", point(today, "198.51.100.7", 3202)),
			imports("a", point(today, "198.51.100.7", 3202))}, 3200, true},
		{"replaced", 1e6, []Decision{imports("a", point(today, "198.51.100.7", 9000)),
			imports("a", point(today, "198.51.100.7", 0))}, 0, true},
		{"by two", 1e6, []Decision{imports("a", point(today, "198.51.100.7", 3000)),
			imports("b", point(today, "198.51.100.7", 203))}, 3201, false},
		{"capped a day", 1000, []Decision{imports("a", point(today, "198.51.100.7", 9000),
			point(today-1, "198.51.100.7", 9000))}, 1998, true},
		{"of others", 1e6, []Decision{imports("a", point(today, "198.51.100.8", 9000))}, 0, true},
		{"too old", 1e6, []Decision{imports("a", point(today-9, "198.51.100.7", 9000))}, 0, true},
	} {
		p := DefaultPolicy()
		p.ReputationCap = c.cap
		e := fed(p, hitsOf(trapHits(2, 0))...)
		for _, d := range c.decisions {
			order(t, e, d)
		}
		v := e.Lookup(netip.MustParseAddr("198.51.100.7"))
		if v.Points != c.points || v.Listed != c.listed {
			t.Errorf("%s: %d points, %s", c.name, v.Points, v.Why)
		}
	}
}

// Points age out with max_age after the end of their day, which may list.
func TestPointsAgeOut(t *testing.T) {
	p := DefaultPolicy()
	p.MaxAge, p.ReputationCap = 2*secondsOfDay*1e9, 1e6
	e := fed(p, hitsOf(trapHits(2, 0))...)
	day := DayOf(start) - 2
	order(t, e, Decision{Act: ActPoints, Name: "mirror", Points: PackPoints([]Point{point(day, "198.51.100.7", 1e6)})})
	if answerOf(e, "198.51.100.7") != Unlisted {
		t.Fatal("points do not count")
	}
	end := day.End() + 2*secondsOfDay
	changes := e.Advance(end)
	if len(changes) != 1 || changes[0].At != end || changes[0].To != Spam {
		t.Errorf("as they age out at %s: %v", end, changes)
	}
	if len(e.reputation.units) > 0 {
		t.Errorf("%d units keep points that count no more", len(e.reputation.units))
	}
}

// IPv6 adds up in the unit, under one cap, whatever its length.
func TestPointsOfIPv6(t *testing.T) {
	today := DayOf(start)
	for bits, want := range map[int]int64{48: 12, 64: 7, 128: 3} {
		p := DefaultPolicy()
		p.IPv6Prefix = bits
		e := fed(p)
		order(t, e, Decision{Act: ActPoints, Name: "mirror", Points: PackPoints([]Point{
			point(today, "2001:db8::1", 3), point(today, "2001:db8::2", 4), point(today, "2001:db8:0:9::1", 5)})})
		order(t, e, Decision{Act: ActPoints, Name: "mirror", Points: PackPoints([]Point{point(today, "2001:db8::1", 3)})})
		if got := e.Lookup(netip.MustParseAddr("2001:db8::1")).Points; got != want {
			t.Errorf("by /%d: %d points, want %d", bits, got, want)
		}
	}
}

// A long log leaves nothing behind of the sources that came once.
func TestLoadForgets(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	most := 0
	for i := range 60 * 100 { // a hundred sources a day, for two months
		at := start + Second(i*secondsOfDay/100)
		e.Load(Hit{LSN: uint64(i + 1), Stamp: at, Time: at, Weight: One, Traps: []string{"a@traps.example"},
			Source: netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})})
		most = max(most, e.Sources())
	}
	if most > 1000 {
		t.Errorf("%d sources were kept at once", most)
	}
	if e.Settle(e.Now() + 30*secondsOfDay); e.Sources() != 0 || len(e.sets.byKey) != 0 {
		t.Errorf("a month later %d sources and %d sets are left", e.Sources(), len(e.sets.byKey))
	}
}

// Strangers choose trap names: what is remembered of them is bounded.
func TestNamesAreBounded(t *testing.T) {
	n := newNames()
	for i := range 5 * mostNames {
		n.member(TrapHit, string(rune('a'+i%26))+string(rune(0x4e00+i%20_000))+string(rune(0x4e00+i/26))+"@traps.example")
	}
	if size := len(n.young) + len(n.old); size > 2*mostNames {
		t.Errorf("%d names are remembered", size)
	}
	known := memberOf(TrapHit, "a@traps.example")
	if n.member(TrapHit, "a@traps.example") != known || n.member(Report, "a@traps.example") == known {
		t.Error("what is remembered is not what is asked for")
	}
}
