package criteria

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReputation holds that the parts add up to what the verdict says: counts of several names, up
// to the cap, less that day's reports, until they are too old.
func TestReputation(t *testing.T) {
	p := DefaultPolicy()
	p.ReputationCap = 100
	e := NewEngine(p, Corrections{})
	at := DayOf(start).Start() + 3600
	e.Advance(at)
	source := netip.MustParseAddr("198.51.100.7")
	today := DayOf(at)
	for seq, d := range []Decision{
		{Name: "dns", Points: PackPoints([]Point{{today - 1, source, 80}, {today - 8, source, 50},
			{today - 7, source, 7}})},
		{Name: "mail", Points: PackPoints([]Point{{today - 1, source, 30}, {today, source, 1}})},
		{Name: "mail", Points: PackPoints([]Point{{today, netip.MustParseAddr("198.51.100.8"), 9}})},
	} {
		d.Seq, d.At, d.Act = uint64(seq+1), at, ActPoints
		if _, err := e.Decide(d); err != nil {
			t.Fatal(err)
		}
	}
	for i, trap := range []string{"one@traps.example", "two@traps.example"} {
		e.Hit(Hit{LSN: uint64(i + 1), Stamp: at, Time: at - Second(i)*7200, Source: source, Weight: One,
			Traps: []string{trap}, Digest: Digest{byte(i + 1)}})
	}
	got := e.Reputation(source)
	want := []ReputedDay{
		{Day: today - 7, Counts: map[string]int64{"dns": 7}, Points: 7, Until: today.Start() + secondsOfDay},
		{Day: today - 1, Counts: map[string]int64{"dns": 80, "mail": 30}, Points: 99, Reports: 1,
			Until: today.Start() + 7*secondsOfDay},
		{Day: today, Counts: map[string]int64{"mail": 1}, Reports: 1, Until: today.Start() + 8*secondsOfDay},
	}
	if diff := cmp.Diff(want, got.Days); diff != "" {
		t.Error(diff)
	}
	v := e.Lookup(source)
	if got.Points != 106 || got.Points != v.Points || got.Need.String() != "2.12" ||
		got.Score.String() != v.Score.String() || got.At != at || got.Source.Prefix != v.Source.Prefix {
		t.Errorf("%+v, the verdict has %d points", got, v.Points)
	}
	e.Advance(today.End())
	if got := e.Reputation(source); len(got.Days) != 2 || got.Points != 99 {
		t.Errorf("a day later: %+v", got)
	}
	if got := e.Reputation(netip.MustParseAddr("203.0.113.1")); len(got.Days) != 0 || got.Points != 0 {
		t.Errorf("of a stranger: %+v", got)
	}
}

// TestReputationOfNetwork: the addresses of an IPv6 unit add up.
func TestReputationOfNetwork(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	e.Advance(start)
	d := Decision{Seq: 1, At: start, Act: ActPoints, Name: "dns", Points: PackPoints([]Point{
		{DayOf(start), netip.MustParseAddr("2001:db8::1"), 3},
		{DayOf(start), netip.MustParseAddr("2001:db8::2"), 4},
		{DayOf(start), netip.MustParseAddr("2001:db8:0:1::2"), 5}})}
	if _, err := e.Decide(d); err != nil {
		t.Fatal(err)
	}
	got := e.Reputation(netip.MustParseAddr("2001:db8::9"))
	if got.Source.String() != "2001:db8::/64" || got.Points != 7 || got.Days[0].Counts["dns"] != 7 {
		t.Errorf("%+v", got)
	}
}
