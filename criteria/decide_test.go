package criteria

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecisionsOfTheWrongForm(t *testing.T) {
	unit := netip.MustParsePrefix("198.51.100.7/32")
	for name, d := range map[string]Decision{
		"no act":                     {},
		"an act of tomorrow":         {Act: "reward", Network: unit},
		"no policy":                  {Act: ActPolicy},
		"a policy that is none":      {Act: ActPolicy, Policy: &Policy{}},
		"no network":                 {Act: ActList},
		"host bits":                  {Act: ActDelist, Network: netip.MustParsePrefix("198.51.100.7/24")},
		"burn no trap":               {Act: ActBurn},
		"burn since before all time": {Act: ActBurn, Trap: "a@traps.example", Since: -1},
		"reweigh below nothing":      {Act: ActReweigh, Trap: "a@traps.example", Weight: -1},
		"reweigh above all":          {Act: ActReweigh, Trap: "a@traps.example", Weight: MaxTrapWeight + 1},
		"uncount nothing":            {Act: ActUncount},
		"points of nobody":           {Act: ActPoints},
		"points that are none":       {Act: ActPoints, Name: "mirror", Points: Points("x")},
	} {
		err := d.Check()
		if err == nil || strings.Contains(err.Error(), "@") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := NewEngine(DefaultPolicy(), Corrections{}).Decide(d); err == nil {
			t.Errorf("%s is carried out", name)
		}
	}
}

func TestWhatNeedsHistory(t *testing.T) {
	other, longer := DefaultPolicy(), DefaultPolicy()
	other.Threshold++
	longer.MaxAge++
	same := DefaultPolicy()
	burn := Decision{Act: ActBurn, Trap: "a@traps.example", Since: start}
	e := NewEngine(DefaultPolicy(), CorrectionsOf([]Decision{burn, {Act: ActUncount, Hits: []uint64{1, 2}}}))
	e.Advance(start)
	for _, c := range []struct {
		name string
		Decision
		want bool
	}{
		{"a policy that keeps more", Decision{Act: ActPolicy, Policy: &longer}, true},
		{"another policy", Decision{Act: ActPolicy, Policy: &other}, false},
		{"the same policy", Decision{Act: ActPolicy, Policy: &same}, false},
		{"a burn of all hits", Decision{Act: ActBurn, Trap: "b@traps.example"}, false},
		{"a burn that is known", burn, false},
		{"since another time", Decision{Act: ActBurn, Trap: "a@traps.example", Since: start - 1}, true},
		{"unburn", Decision{Act: ActUnburn, Trap: "a@traps.example"}, false},
		{"reweigh", Decision{Act: ActReweigh, Trap: "b@traps.example", Weight: One}, false},
		{"uncount", Decision{Act: ActUncount, Hits: []uint64{3}}, true},
		{"uncount what is known, and more", Decision{Act: ActUncount, Hits: []uint64{2, 4}}, true},
		{"uncount what is known", Decision{Act: ActUncount, Hits: []uint64{2}}, false},
		{"recount", Decision{Act: ActRecount, Hits: []uint64{3}}, false},
		{"except", Decision{Act: ActExcept, Network: netip.MustParsePrefix("198.51.100.0/24")}, false},
		{"points", Decision{Act: ActPoints, Name: "mirror"}, false},
	} {
		if got := e.NeedsHistory(c.Decision); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if _, err := e.Decide(c.Decision); (err != nil) != c.want {
			t.Errorf("%s, decided: %v", c.name, err)
		}
	}
}

// What a burnt trap took part in counts on for the other traps, with the
// highest of their weights.
func TestCorrectionsOfOneHit(t *testing.T) {
	hits := hitsOf(trapHits(1, 0).of("a@traps.example+b@traps.example").with(func(h *Hit) {
		h.Weights = []Micro{One, One / 2}
	}), trapHits(1, 0).of("a@traps.example"), trapHits(1, 0).of("c@traps.example"))
	for i := range hits {
		hits[i].LSN = uint64(i + 1)
	}
	for _, c := range []struct {
		name      string
		decisions []Decision
		score     string // T: each hit weighs 4
		reports   int
		traps     int
	}{
		{"none", nil, "12", 3, 3},
		{"burnt", []Decision{{Act: ActBurn, Trap: "a@traps.example"}}, "6", 2, 2},
		{"burnt after them", []Decision{{Act: ActBurn, Trap: "a@traps.example", Since: start + 1}}, "12", 3, 3},
		{"burnt and taken back", []Decision{{Act: ActBurn, Trap: "a@traps.example"},
			{Act: ActUnburn, Trap: "a@traps.example"}}, "12", 3, 3},
		{"reweighed", []Decision{{Act: ActReweigh, Trap: "a@traps.example", Weight: One / 4, After: 3}}, "7", 3, 3},
		{"reweighed up to the first", []Decision{{Act: ActReweigh, Trap: "a@traps.example", Weight: One / 4, After: 1}}, "10", 3, 3},
		{"of no weight", []Decision{{Act: ActReweigh, Trap: "a@traps.example", After: 3}}, "6", 2, 2},
		{"uncounted", []Decision{{Act: ActUncount, Hits: []uint64{2, 3}}}, "4", 1, 2},
		{"one of them again", []Decision{{Act: ActUncount, Hits: []uint64{2, 3}},
			{Act: ActRecount, Hits: []uint64{3}}}, "8", 2, 3},
	} {
		e := NewEngine(DefaultPolicy(), CorrectionsOf(c.decisions))
		for _, h := range hits {
			e.Hit(h)
		}
		for _, d := range c.decisions {
			order(t, e, d)
		}
		v := e.Lookup(hits[0].Source)
		if v.TrapScore.String() != c.score || v.Reports != c.reports || v.Traps != c.traps {
			t.Errorf("%s: sum %s of %d reports, %d traps", c.name, v.TrapScore, v.Reports, v.Traps)
		}
	}
}

// A hit whose every trap is burnt counts for nothing, and what repeats it is
// still a repeat.
func TestBurntHitIsStillRepeated(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	order(t, e, Decision{Act: ActBurn, Trap: "a@traps.example"})
	for _, n := range []int{1, 2} {
		h := hitOn(1, "198.51.100.7", "a@traps.example")
		h.LSN = uint64(n)
		e.Hit(h)
	}
	if n := len(e.roll.find(e.rules.unitOf(netip.MustParseAddr("198.51.100.7"))).entries); n != 1 {
		t.Errorf("%d hits are kept", n)
	}
	if v := e.Lookup(netip.MustParseAddr("198.51.100.7")); v.Reports != 0 || v.Traps != 0 {
		t.Errorf("%d reports, %d traps", v.Reports, v.Traps)
	}
}

func TestRefuses(t *testing.T) {
	e := fed(DefaultPolicy())
	for _, d := range []Decision{
		{Act: ActExcept, Network: netip.MustParsePrefix("198.51.100.0/25"), Origin: FromOperator, Reason: "a friend"},
		{Act: ActList, Network: netip.MustParsePrefix("203.0.113.0/24")},
	} {
		order(t, e, d)
	}
	for _, c := range []struct {
		act     Act
		network string
		wants   string // in the refusal; "": allowed
	}{
		{ActList, "198.51.100.7/32", "a friend"},
		{ActList, "198.51.100.0/24", ""},
		{ActList, "198.51.100.200/32", ""},
		{ActList, "10.0.0.1/32", "special"},
		{ActList, "2001:db8::/64", ""},
		{ActDelist, "203.0.113.9/32", "203.0.113.0/24"},
		{ActDelist, "203.0.113.0/24", ""},
		{ActDelist, "203.0.112.0/23", ""},
		{ActDelist, "198.51.100.7/32", ""},
		{ActList, "198.51.100.7/24", "not a network"},
	} {
		err := e.Refuses(Decision{Act: c.act, Network: netip.MustParsePrefix(c.network)})
		if (err == nil) != (c.wants == "") || err != nil && !strings.Contains(err.Error(), c.wants) {
			t.Errorf("%s %s: %v", c.act, c.network, err)
		}
	}
}

// A removal bars all of its network, known or not, and takes the operator's
// listings in it back.
func TestDelistOfANetwork(t *testing.T) {
	e := fed(DefaultPolicy(), hitsOf(trapHits(3, 0))...)
	network := netip.MustParsePrefix("198.51.100.0/24")
	listed := order(t, e, Decision{Act: ActList, Network: netip.MustParsePrefix("198.51.100.128/25")})
	changes := order(t, e, Decision{Act: ActDelist, Network: network, After: 3, Until: start + hour})
	want := []Change{
		{Source{netip.MustParsePrefix("198.51.100.128/25")}, start, Operator, Unlisted, ByDecision},
		{Source{netip.MustParsePrefix("198.51.100.7/32")}, start, Spam, Unlisted, ByDecision},
	}
	if diff := cmp.Diff(want, changes, prefixes); diff != "" || len(listed) != 1 {
		t.Fatalf("listed %v, and then: %s", listed, diff)
	}
	for i, h := range hitsOf(trapHits(3, 0).of("new%d@traps.example").with(from("198.51.100.9"))) {
		h.LSN, h.Stamp = uint64(4+i), start
		e.Hit(h)
	}
	v := e.Lookup(netip.MustParseAddr("198.51.100.9"))
	if v.Listed || !strings.Contains(v.Why, "delisted by the operator until") {
		t.Errorf("a source never seen before: %s", v.Why)
	}
	if !e.Explains(netip.MustParsePrefix("198.51.100.33/32")) || e.Explains(netip.MustParsePrefix("203.0.113.1/32")) {
		t.Error("a bar explains what it covers, and nothing else")
	}
	if got := e.Advance(start + hour); len(got) != 1 || got[0].To != Spam {
		t.Errorf("when the bar ends: %v", got)
	}
	if answerOf(e, "198.51.100.7") != Unlisted {
		t.Error("hits from before the removal count again")
	}
}

// A removal of a part of a /64 takes that part's hits out.
func TestDelistOfAPart(t *testing.T) {
	hits := hitsOf(trapHits(2, 0).with(from("2001:db8::1")), trapHits(1, 0).with(from("2001:db8:0:0:8000::1")))
	e := fed(DefaultPolicy(), hits...)
	order(t, e, Decision{Act: ActDelist, Network: netip.MustParsePrefix("2001:db8::1/128"), After: 3})
	if v := e.Lookup(netip.MustParseAddr("2001:db8::1")); v.Reports != 1 {
		t.Errorf("%d reports are left", v.Reports)
	}
}

func TestWhatIf(t *testing.T) {
	for _, c := range []struct {
		name     string
		hits     []Hit
		unknown  bool // that a new trap lists
		known    bool // likewise the last one
		knownNil bool
	}{
		{"never seen", nil, false, false, true},
		{"one hit", hitsOf(trapHits(1, 0)), true, false, false},
		{"one report", hitsOf(reports(1, 0)), false, false, true},
		{"listed already", hitsOf(trapHits(2, 0)), true, true, false},
		{"the cap of one trap is full", hitsOf(trapHits(5, 0).of("a@traps.example")), true, false, false},
	} {
		e := fed(DefaultPolicy(), c.hits...)
		before, _ := e.MarshalBinary()
		p := e.WhatIf(netip.MustParseAddr("198.51.100.7"))
		if p.NewTrap.Listed != c.unknown {
			t.Errorf("%s, new trap: %s", c.name, p.NewTrap.Why)
		}
		if (p.KnownTrap == nil) != c.knownNil || p.KnownTrap != nil && p.KnownTrap.Listed != c.known {
			t.Errorf("%s, known trap: %+v", c.name, p.KnownTrap)
		}
		if after, _ := e.MarshalBinary(); string(after) != string(before) {
			t.Errorf("%s: asking changed the engine", c.name)
		}
		if len(c.hits) > 0 { // it is what the next hit does
			h := hitOn(99, "198.51.100.7", "new@elsewhere.example")
			h.Stamp, h.Time = start, start
			e.Hit(h)
			got := e.Lookup(h.Source)
			if got.Score.String() != p.NewTrap.Score.String() || got.Until != p.NewTrap.Until || got.Why != p.NewTrap.Why {
				t.Errorf("%s: %s, foretold %s", c.name, got.Why, p.NewTrap.Why)
			}
		}
	}
}
