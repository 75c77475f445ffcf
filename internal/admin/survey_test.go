package admin

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// rosterOfTests has a domain, an address and another domain; who is at gone.example is nobody's.
func rosterOfTests() Roster {
	traps := []Trap{
		{Domain: "traps.example", Configured: true, Kind: "pristine", Weight: criteria.One, State: "active"},
		{Address: "old@corp.example", Configured: true, Kind: "recycled", Weight: criteria.One / 2,
			State: "active"},
		{Domain: "idle.example", Configured: true, Kind: "typo", State: "watching"},
	}
	return Roster{Traps: traps, Find: func(address string) (string, string) {
		address = strings.ToLower(address)
		_, domain, _ := strings.Cut(address, "@")
		for _, t := range traps {
			if t.Address == address || t.Domain == domain {
				return address, t.Name()
			}
		}
		return address, ""
	}}
}

// bring puts a message of a source to traps in the log.
func (o *office) bring(source string, change func(*store.Record), traps ...string) *store.Record {
	o.Helper()
	o.sent++
	r := &store.Record{Hit: criteria.Hit{Time: criteria.At(o.now()), Traps: traps, Weight: criteria.One,
		Cause: parser.Direct, Digest: criteria.Digest{1, o.sent}}}
	if source != "" {
		r.Source = netip.MustParseAddr(source)
	}
	for _, to := range traps {
		r.Recipients = append(r.Recipients,
			store.Recipient{Address: to, Kind: "pristine", State: "active", Weight: criteria.One})
	}
	if change != nil {
		change(r)
	}
	if err := o.Store.Append(o.Context(), r); err != nil {
		o.Fatal(err)
	}
	return r
}

func (o *office) stats(f TrapFilter) []TrapStats {
	o.Helper()
	stats, err := o.TrapStats(o.Context(), f)
	if err != nil {
		o.Fatal(err)
	}
	return stats
}

func TestTrapStats(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	same := func(r *store.Record) { r.Digest = criteria.Digest{7} }
	list := func(r *store.Record) { r.Cause = parser.List }
	o.bring("198.51.100.1", same, "one@traps.example")
	o.bring("198.51.100.1", same, "one@traps.example") // the same again
	o.bring("198.51.100.1", same, "two@traps.example") // to another trap
	o.bring("198.51.100.2", nil, "one@traps.example", "two@traps.example")
	o.bring("198.51.100.3", list, "one@traps.example", "old@corp.example")
	o.bring("203.0.113.9", list, "old@corp.example") // excepted
	o.bring("", nil, "one@traps.example")
	o.bring("2001:db8::1", nil, "three@traps.example")
	o.bring("2001:db8::2", nil, "three@traps.example") // the same unit
	o.bring("198.51.100.4", nil, "who@gone.example")
	o.bring("198.51.100.1", func(r *store.Record) { r.Inbox = true }, "postmaster@traps.example")
	o.bring("198.51.100.1", func(r *store.Record) { r.Kind = criteria.Report }, "noc")
	o.settle(criteria.Decision{Act: criteria.ActBurn, Who: "test", Trap: "zero@traps.example"},
		criteria.Decision{Act: criteria.ActBurn, Who: "test", Trap: "two@traps.example"})

	text := func(s string) *string { return &s }
	now := criteria.At(o.now())
	traps := TrapStats{Trap: text("traps.example"), Kind: "pristine", State: "active", LastHit: now}
	row := func(of TrapStats, address string, s TrapStats) TrapStats {
		s.Trap, s.Kind, s.State, s.LastHit = of.Trap, of.Kind, of.State, of.LastHit
		if address != "" {
			s.Address = &address
		}
		return s
	}
	old := TrapStats{Trap: text("old@corp.example"), Kind: "recycled", State: "active", LastHit: now}
	want := []TrapStats{
		row(traps, "", TrapStats{Hits: 8, Sources: 4, Only: 3, Repeats: 1, ListMail: 1, Sourceless: 1}),
		{Trap: traps.Trap, Address: text("zero@traps.example"), Kind: "pristine", State: "active", Burnt: true,
			Verdict: "no hits"},
		row(traps, "two@traps.example", TrapStats{Hits: 2, Sources: 2, Burnt: true, Verdict: "burnt"}),
		row(traps, "one@traps.example", TrapStats{Hits: 5, Sources: 3, Repeats: 1, ListMail: 1, Sourceless: 1}),
		row(traps, "three@traps.example", TrapStats{Hits: 2, Sources: 1, Only: 1}),
		row(old, "old@corp.example", TrapStats{Hits: 2, Sources: 2, Only: 1, ListMail: 2, Excepted: 1}),
		{Trap: text("idle.example"), Kind: "typo", State: "watching", Verdict: "no hits"},
		{Hits: 1, Sources: 1, Only: 1, LastHit: now},
		{Address: text("who@gone.example"), Hits: 1, Sources: 1, Only: 1, LastHit: now},
	}
	if diff := cmp.Diff(want, o.stats(TrapFilter{Top: 4})); diff != "" {
		t.Error(diff)
	}
	viaSocket, err := o.door().TrapStats(t.Context(), TrapFilter{Top: 4})
	if diff := cmp.Diff(want, viaSocket); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if got := o.stats(TrapFilter{Since: now + 1}); got[0].Hits != 0 || len(got) != 5 {
		t.Errorf("of hits to come: %+v", got)
	}
	// The burnt ones are named however few are asked for.
	if got := o.stats(TrapFilter{}); len(got) != 6 {
		t.Errorf("%d rows", len(got))
	}
	for _, top := range []int{-1, MostTop + 1} {
		if _, err := o.TrapStats(t.Context(), TrapFilter{Top: top}); err == nil {
			t.Errorf("top %d is taken", top)
		}
	}
}

// TestTrapStatsNaive compares a survey of random hits with counting by hand.
func TestTrapStatsNaive(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	random := rand.New(rand.NewPCG(3, 1))
	var all []*store.Record
	addresses := []string{"a@traps.example", "b@traps.example", "c@traps.example", "old@corp.example",
		"x@gone.example"}
	for range 400 {
		to := []string{addresses[random.IntN(len(addresses))]}
		if other := addresses[random.IntN(len(addresses))]; other != to[0] {
			to = append(to, other)
		}
		o.seconds.Add(int64(random.IntN(3600)))
		all = append(all, o.bring(fmt.Sprintf("198.51.100.%d", random.IntN(40)), func(r *store.Record) {
			r.Digest = criteria.Digest{byte(1 + random.IntN(2))}
		}, to...))
	}
	find := rosterOfTests().Find
	for _, got := range o.stats(TrapFilter{Top: 100}) {
		within := func(to string) bool {
			_, name := find(to)
			switch {
			case got.Address != nil:
				return to == *got.Address
			case got.Trap != nil:
				return name == *got.Trap
			}
			return name == ""
		}
		hits, repeats, sources, elsewhere := 0, 0, map[netip.Addr]bool{}, map[netip.Addr]bool{}
		for i, r := range all {
			elsewhere[r.Source] = elsewhere[r.Source] ||
				slices.ContainsFunc(r.Traps, func(to string) bool { return !within(to) })
			if slices.ContainsFunc(r.Traps, within) {
				hits++
				sources[r.Source] = true
				if repeatsAny(all, i) {
					repeats++
				}
			}
		}
		only := 0
		for source := range sources {
			if !elsewhere[source] {
				only++
			}
		}
		if got.Hits != hits || got.Sources != len(sources) || got.Only != only || got.Repeats != repeats {
			t.Errorf("%+v\nwant %d hits, %d sources, %d only, %d repeats", got, hits, len(sources), only, repeats)
		}
	}
}

// repeatsAny tells whether a hit repeats one before it that repeats none.
func repeatsAny(all []*store.Record, i int) bool {
	for j := range i {
		a, b := all[j], all[i]
		same := a.Source == b.Source && a.Digest == b.Digest && len(a.Traps) == len(b.Traps) &&
			!slices.ContainsFunc(a.Traps, func(to string) bool { return !slices.Contains(b.Traps, to) })
		if same && b.Time-a.Time < 24*3600 && !repeatsAny(all, j) {
			return true
		}
	}
	return false
}

// TestTrapStatsBounded: a stranger who makes up addresses hides none of those that are hit often.
func TestTrapStatsBounded(t *testing.T) {
	f := newFrequent(64)
	want := []string{"often@traps.example", "also@traps.example"}
	for i := range 20_000 {
		f.add(fmt.Sprintf("%d@traps.example", i))
		if i%20 == 0 {
			f.add(want[0])
		}
		if i%25 == 0 {
			f.add(want[1])
		}
		if len(f.count) > 128 {
			t.Fatalf("%d words are kept", len(f.count))
		}
	}
	if diff := cmp.Diff(want, f.words()[:2]); diff != "" {
		t.Error(diff)
	}
}

// TestSurveyBounded: sources beyond the bound are not counted, and the answer says so.
func TestSurveyBounded(t *testing.T) {
	s := newSurvey(rosterOfTests())
	a := netip.MustParseAddr("16.0.0.0")
	for range mostSources {
		if s.sourceOf(a) == 0 || s.partial {
			t.Fatalf("%s is too many", a)
		}
		a = a.Next()
	}
	if s.sourceOf(a) != 0 || !s.partial {
		t.Error("one more was numbered")
	}
	if n := s.sourceOf(netip.MustParseAddr("16.0.0.1")); n != 2 {
		t.Errorf("a known one has number %d", n)
	}
}

func TestTrapVerdict(t *testing.T) {
	for _, c := range []struct {
		name                string
		stats               TrapStats
		elsewhere, faithful int
		want                string
	}{
		{"nothing", TrapStats{}, 0, 0, "no hits"},
		{"burnt, and nothing since", TrapStats{Burnt: true}, 0, 0, "no hits"},
		{"clean", TrapStats{Hits: 100, Sources: 90, Only: 40, ListMail: 49, Excepted: 19}, 50, 20, ""},
		{"too few to tell", TrapStats{Hits: 9, Sources: 9, ListMail: 9}, 50, 20, ""},
		{"list mail", TrapStats{Hits: 10, ListMail: 5}, 50, 20,
			"smells burnt: 50 % is list mail: it may be subscribed to lists"},
		{"good senders", TrapStats{Hits: 10, Excepted: 2}, 50, 20,
			"smells burnt: 20 % comes from networks that you except"},
		{"planted", TrapStats{Hits: 30, Sources: 20, Only: 16}, 20, 8,
			"smells burnt: 80 % of its sources come to no other trap: it may be planted"},
		{"like the others", TrapStats{Hits: 30, Sources: 20, Only: 16}, 20, 9, ""},
		{"the only trap", TrapStats{Hits: 30, Sources: 20, Only: 20}, 0, 0, ""},
		{"burnt already", TrapStats{Burnt: true, Hits: 10, ListMail: 10, Excepted: 5}, 0, 0,
			"burnt; 100 % is list mail: it may be subscribed to lists; " +
				"50 % comes from networks that you except"},
	} {
		if got := c.stats.verdict(c.elsewhere, c.faithful); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestTrapsListed: each trap with the decisions about addresses that it covers.
func TestTrapsListed(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	o.settle(
		criteria.Decision{Act: criteria.ActBurn, Who: "a", Reason: "first", Trap: "x@traps.example"},
		criteria.Decision{Act: criteria.ActReweigh, Who: "b", Trap: "x@traps.example", Weight: criteria.One / 4},
		criteria.Decision{Act: criteria.ActBurn, Who: "c", Trap: "y@traps.example"},
		criteria.Decision{Act: criteria.ActUnburn, Who: "c", Trap: "y@traps.example"},
		criteria.Decision{Act: criteria.ActBurn, Who: "d", Trap: "z@gone.example", Since: 1000},
		criteria.Decision{Act: criteria.ActBurn, Who: "e", Reason: "later", Trap: "x@traps.example", Since: 2000})
	traps, err := o.door().Traps()
	if err != nil || len(traps) != 4 {
		t.Fatal(err, traps)
	}
	first, last := traps[0], traps[3]
	if len(first.Corrected) != 1 || first.Corrected[0].Address != "x@traps.example" ||
		first.Corrected[0].Burnt.Reason != "later" || first.Corrected[0].Burnt.Since != 2000 ||
		*first.Corrected[0].Reweighed.Weight != criteria.One/4 {
		t.Errorf("%+v", first)
	}
	if last.Configured || len(last.Corrected) != 1 || last.Corrected[0].Burnt.Since != 1000 {
		t.Errorf("%+v", last)
	}
	if text, _ := json.Marshal(traps[1]); !strings.Contains(string(text),
		`"active_from":null,"corrected":[]`) {
		t.Errorf("%s", text)
	}
}
