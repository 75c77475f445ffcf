package zone

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/trapline/trapline/criteria"
)

func TestDiff(t *testing.T) {
	before := []criteria.Listing{listed("9.0.0.1", criteria.Spam), listed("9.0.0.2", criteria.Spam),
		listed("9.0.0.3", criteria.Spam)}
	after := []criteria.Listing{listed("9.0.0.2", criteria.Spam), listed("9.0.0.3", criteria.Operator),
		listed("2001:db8::/64", criteria.Spam)}
	after[0].Until++
	got := Diff(before, after)
	same(t, "difference", got, Difference{Added: after[2:], Removed: before[:1], Changed: after[1:2]})
	if got.Empty() || !Diff(before, before).Empty() || !Diff(nil, nil).Empty() {
		t.Error("Empty is wrong")
	}
}

// TestWalkCovered compares with a search of all of the other list.
func TestWalkCovered(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	around := func(list []criteria.Listing, p netip.Prefix) bool {
		return slices.ContainsFunc(list, func(l criteria.Listing) bool {
			return l.Source != p && l.Source.Bits() < p.Bits() && l.Source.Contains(p.Addr())
		})
	}
	for range 200 {
		before, after := randomList(random, 20), randomList(random, 20)
		steps := 0
		walk(before, after, func(s step) {
			steps++
			want, source := false, netip.Prefix{}
			switch {
			case s.before == nil:
				source = s.after.Source
				want = around(before, source)
			case s.after == nil:
				source = s.before.Source
				want = around(after, source)
			}
			if s.covered != want {
				t.Errorf("%s covered: %v, want %v", source, s.covered, want)
			}
		})
		d := Diff(before, after)
		if want := len(after) + len(d.Removed); steps != want {
			t.Errorf("%d steps, want %d", steps, want)
		}
	}
}

// many gives n addresses from 20.0.0.0 + from, the first the oldest.
func many(from, n int) []criteria.Listing {
	list := make([]criteria.Listing, n)
	for i := range list {
		k := from + i
		list[i] = listed(fmt.Sprintf("20.%d.%d.%d", k>>16&255, k>>8&255, k&255), criteria.Spam)
		list[i].Since = noon - 86400 + criteria.Second(k)
	}
	return list
}

func concat(lists ...[]criteria.Listing) []criteria.Listing {
	return bySource(slices.Concat(lists...))
}

func TestGuardPass(t *testing.T) {
	guard := Guard{MaxChange: 0.5, Floor: 10}
	wide := listed("20.0.0.0/24", criteria.Operator)
	changed := many(0, 40)
	for i := range changed {
		changed[i].Answer = criteria.Backscatter
	}
	for _, c := range []struct {
		name              string
		published, wanted []criteria.Listing
		explained         int // the first so many published
		want              []criteria.Listing
		held              Held
		hold              bool
	}{
		{name: "nothing"},
		{name: "as many as the floor", wanted: many(0, 10), want: many(0, 10)},
		{name: "one more than the floor", wanted: many(0, 11), want: many(0, 10),
			held: Held{Additions: 1}, hold: true},
		{name: "as many as the share", published: many(0, 40), wanted: many(0, 60), want: many(0, 60)},
		{name: "one more than the share", published: many(0, 40), wanted: many(0, 61),
			want: many(0, 60), held: Held{Additions: 1}, hold: true},
		{name: "half of an odd number is rounded down", published: many(0, 41), wanted: many(0, 62),
			want: many(0, 61), held: Held{Additions: 1}, hold: true},
		{name: "removals up to the share", published: many(0, 40), wanted: many(20, 20),
			want: many(20, 20)},
		{name: "unexplained removals wait", published: many(0, 40), wanted: many(21, 19),
			want: many(0, 40), held: Held{Removals: 21}, hold: true},
		{name: "explained removals go", published: many(0, 40), explained: 40},
		{name: "explained go while others wait", published: many(0, 40), explained: 15,
			want: many(15, 25), held: Held{Removals: 25}, hold: true},
		{name: "both count together", published: many(0, 40), wanted: many(11, 39),
			want: concat(many(0, 11), many(11, 39)), held: Held{Removals: 11}, hold: true},
		{name: "changed answers go", published: many(0, 40), wanted: changed, want: changed},
		{name: "what a wide network covers was not freed", published: many(0, 40),
			wanted: []criteria.Listing{wide}, want: []criteria.Listing{wide}},
		{name: "what a wide network covered is not new", published: []criteria.Listing{wide},
			wanted: many(0, 40), want: many(0, 40)},
	} {
		t.Run(c.name, func(t *testing.T) {
			explained := many(0, c.explained)
			got := guard.Pass(Turn{Published: c.published, Wanted: c.wanted, At: noon,
				Explained: func(l criteria.Listing) bool {
					return slices.ContainsFunc(explained, func(x criteria.Listing) bool {
						return x.Source == l.Source
					})
				}})
			same(t, "networks", networks(got.Listings), networks(c.want))
			same(t, "held", got.Held, c.held)
			if (got.Hold != Hold{}) != c.hold {
				t.Errorf("hold %+v, want one: %v", got.Hold, c.hold)
			}
		})
	}
}

func never(criteria.Listing) bool { return false }

// TestGuardByTheHour follows 25 additions past a limit of 10 an hour.
func TestGuardByTheHour(t *testing.T) {
	guard := Guard{MaxChange: 0, Floor: 10}
	wanted, published, hold := many(0, 25), []criteria.Listing(nil), Hold{}
	for _, c := range []struct {
		after criteria.Second
		out   int
		holds bool
	}{
		{0, 10, true}, {30, 10, true}, {3599, 10, true},
		{3600, 20, true}, {3601, 20, true}, {7199, 20, true},
		{7200, 25, false},
	} {
		got := guard.Pass(Turn{Published: published, Wanted: wanted, Explained: never,
			At: noon + c.after, Hold: hold})
		same(t, fmt.Sprintf("networks after %d s", c.after), networks(got.Listings),
			networks(wanted[:c.out]))
		if (got.Hold != Hold{}) != c.holds || got.Held.Additions != 25-c.out {
			t.Errorf("after %d s: held %+v, hold %+v", c.after, got.Held, got.Hold)
		}
		published, hold = got.Listings, got.Hold
	}
}

func TestGuardOldestFirst(t *testing.T) {
	wanted := many(0, 12)
	wanted[11].Since, wanted[5].Since = noon-90000, noon
	got := Guard{Floor: 10}.Pass(Turn{Wanted: wanted, Explained: never, At: noon})
	want := concat(wanted[:5], wanted[6:10], wanted[11:])
	same(t, "networks", networks(got.Listings), networks(want))
}

// TestGuardRemovalsWait: what waits to be freed keeps waiting, however long and however few, until
// something explains it.
func TestGuardRemovalsWait(t *testing.T) {
	guard := Guard{Floor: 10}
	published, hold := many(0, 20), Hold{}
	for hours := range criteria.Second(5) {
		wanted := many(12+int(hours), 8-int(hours)) // more and more left
		got := guard.Pass(Turn{Published: published, Wanted: wanted, Explained: never,
			At: noon + hours*3600, Hold: hold})
		if len(got.Listings) != 20 || got.Held.Removals != 12+int(hours) {
			t.Fatalf("after %d h: %d entries, held %+v", hours, len(got.Listings), got.Held)
		}
		published, hold = got.Listings, got.Hold
	}
	few := guard.Pass(Turn{Published: published, Wanted: many(3, 17), Explained: never,
		At: noon + 5*3600, Hold: hold})
	same(t, "held", few.Held, Held{Removals: 3})
	got := guard.Pass(Turn{Published: published, Wanted: many(3, 17), At: noon + 6*3600,
		Hold:      few.Hold,
		Explained: func(criteria.Listing) bool { return true }})
	same(t, "networks", networks(got.Listings), networks(many(3, 17)))
	same(t, "hold", got.Hold, Hold{})
}

func TestGuardClockStepsBack(t *testing.T) {
	hold := Hold{Since: noon, Limit: 10, Released: 10}
	got := Guard{Floor: 10}.Pass(Turn{Published: many(0, 10), Wanted: many(0, 15), Explained: never,
		At: noon - 86400, Hold: hold})
	same(t, "held", got.Held, Held{Additions: 5})
	same(t, "hold", got.Hold, Hold{Since: noon - 86400, Limit: 10, Released: 10})
}

// TestGuardHeldCover: as long as the wide network waits, what it would cover stays.
func TestGuardHeldCover(t *testing.T) {
	wide := listed("20.0.0.0/24", criteria.Operator)
	wide.Since = noon
	others := many(1000, 10)
	got := Guard{Floor: 10}.Pass(Turn{Published: many(0, 3), At: noon, Explained: never,
		Wanted: concat([]criteria.Listing{wide}, others)})
	same(t, "networks", networks(got.Listings), networks(concat(many(0, 3), others)))
	same(t, "held", got.Held, Held{Additions: 1})
}
