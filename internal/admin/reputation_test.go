package admin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

func pointsFor(day criteria.Day, count uint32, addresses ...string) (points []criteria.Point) {
	for _, a := range addresses {
		points = append(points, criteria.Point{Day: day, Addr: netip.MustParseAddr(a), Count: count})
	}
	return points
}

// TestCount: points lift the bar for a listed source, count again when they are replaced, and sink
// as their day ages out.
func TestCount(t *testing.T) {
	o := newOffice(t)
	client := o.door()
	o.blame("198.51.100.7")
	o.blame("198.51.100.8")
	o.blame("2001:db8::5")
	today := criteria.DayOf(criteria.At(o.now()))
	bring := func(points []criteria.Point) Counted {
		t.Helper()
		done, err := client.Count(t.Context(), "ns1", "r", points)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	// 0.02 x 5,998 = 119.96 is above the score of 64. The cap of 1,000 a day takes several days.
	var points []criteria.Point
	for back := range criteria.Day(6) {
		points = append(points, pointsFor(today-back, 1000, "198.51.100.7", "2001:db8::77")...)
	}
	done := bring(points)
	want := []Change{change("198.51.100.7", criteria.Spam, 0), change("2001:db8::/64", criteria.Spam, 0)}
	if diff := cmp.Diff(want, done.Changes, prefixes); diff != "" {
		t.Error(diff)
	}
	if done.Points != 12 || done.First != done.Last || done.Last != o.Store.Mark().Decision ||
		!strings.HasPrefix(done.Who, "uid ") || done.Name != "ns1" {
		t.Errorf("%+v", done)
	}
	r, err := client.Reputation(netip.MustParseAddr("198.51.100.7"))
	if err != nil || r.Points != 5998 || r.Need.String() != "119.96" || r.Cap != 1000 || len(r.Days) != 6 ||
		r.Days[5].Reports != 2 || r.Days[5].Day != "2026-11-24" || r.Days[0].Counts["ns1"] != 1000 {
		t.Errorf("%+v, %v", r, err)
	}
	if again := bring(points); len(again.Changes) != 0 {
		t.Errorf("imported again: %+v", again)
	}
	// Three of the days are counted anew, as nothing: 0.02 x 2,998 is below 64.
	for back := range criteria.Day(3) {
		done = bring(pointsFor(today-1-back, 0, "198.51.100.7"))
	}
	if diff := cmp.Diff([]Change{change("198.51.100.7", 0, criteria.Spam)}, done.Changes, prefixes); diff != "" {
		t.Error(diff)
	}
	// Of the network, one day goes at a time: 168 h after its end.
	o.seconds.Store(2 * 24 * 3600)
	o.blame("2001:db8::5")
	if got := o.listed("2001:db8::5"); got != criteria.Unlisted {
		t.Errorf("with its points: %s", got)
	}
	o.seconds.Store(6 * 24 * 3600)
	o.blame("2001:db8::5")
	if got := o.listed("2001:db8::5"); got != criteria.Spam {
		r, _ := client.Reputation(netip.MustParseAddr("2001:db8::5"))
		t.Errorf("once days have aged out: %+v", r)
	}
}

// TestCountMany: what one decision cannot hold is several, and one answer.
func TestCountMany(t *testing.T) {
	o := newOffice(t)
	today := criteria.DayOf(criteria.At(o.now()))
	a := netip.MustParseAddr("16.0.0.0")
	points := make([]criteria.Point, 0, MostPoints+1)
	for range MostPoints + 1 {
		points = append(points, criteria.Point{Day: today, Addr: a, Count: 1})
		a = a.Next()
	}
	done, err := o.door().Count(t.Context(), "ns1", "r", points)
	if err != nil || done.Points != MostPoints+1 || done.Last != done.First+1 {
		t.Errorf("%+v, %v", done, err)
	}
	for _, at := range []string{"16.0.0.0", "16.8.0.0"} {
		if r, err := o.Reputation(netip.MustParseAddr(at)); err != nil || r.Points != 1 {
			t.Errorf("%s: %+v, %v", at, r, err)
		}
	}
}

// TestCountRefuses: what is no points, or is cut off, is no decision.
func TestCountRefuses(t *testing.T) {
	o := newOffice(t)
	before := o.Store.Mark().Decision
	whole, err := io.ReadAll(&frames{points: pointsFor(20000, 7, "198.51.100.7", "198.51.100.8")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, by, reason, body, want string }{
		{"no name", "", "r", string(whole), "no name of a source"},
		{"two words", "a b", "r", string(whole), "no name of a source"},
		{"no reason", "ns1", "", string(whole), "reason is empty"},
		{"cut", "ns1", "r", string(whole[:len(whole)-1]), "unexpected EOF"},
		{"cut behind the length", "ns1", "r", string(whole[:1]), "unexpected EOF"},
		{"cut within the length", "ns1", "r", "\x80", "unexpected EOF"},
		{"no points", "ns1", "r", "\x03abc", "do not unpack"},
		{"much at once", "ns1", "r", "\xff\xff\xff\xff\xff\x01", "send them in parts"},
	} {
		done, err := o.Count(t.Context(), "tester", c.by, c.reason, strings.NewReader(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) || done.Last != 0 {
			t.Errorf("%s: %+v, %v", c.name, done, err)
		}
	}
	if after := o.Store.Mark().Decision; after != before {
		t.Errorf("%d decisions were made", after-before)
	}
	if done, err := o.Count(t.Context(), "tester", "ns1", "r", strings.NewReader("")); err != nil || done.Last != 0 {
		t.Errorf("nothing at all: %+v, %v", done, err)
	}
	today := criteria.DayOf(criteria.At(o.now()))
	for _, ahead := range []criteria.Day{1, 2} { // a mirror's clock may be a little fast
		before := o.Store.Mark().Decision
		body := &frames{points: pointsFor(today+ahead, 7, "198.51.100.9")}
		done, err := o.Count(t.Context(), "tester", "ns1", "r", body)
		if ahead == 1 && (err != nil || done.Points != 1) {
			t.Errorf("points of tomorrow: %+v, %v", done, err)
		}
		if ahead == 2 && (err == nil || !strings.Contains(err.Error(), "still to come") ||
			o.Store.Mark().Decision != before) {
			t.Errorf("points of the day after: %+v, %v", done, err)
		}
	}
	before = o.Store.Mark().Decision
	two := append(bytes.Clone(whole), whole[:len(whole)-1]...)
	if done, err := o.Count(t.Context(), "tester", "ns1", "r", bytes.NewReader(two)); err == nil ||
		done.First != before+1 || done.Points != 2 {
		t.Errorf("the second of two is cut: %+v, %v", done, err)
	}
}

// FuzzFrames holds that whatever comes over the socket is points or an error.
func FuzzFrames(f *testing.F) {
	whole, _ := io.ReadAll(&frames{points: pointsFor(20000, 7, "198.51.100.7", "2001:db8::1")})
	f.Add(whole)
	f.Add(append(whole, whole...))
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, body []byte) {
		in := bufio.NewReader(bytes.NewReader(body))
		for {
			points, err := frame(in)
			if err != nil {
				if len(points) > 0 {
					t.Error("points beside an error")
				}
				return
			}
			n, err := points.Len()
			if got := len(slices.Collect(points.All())); err == nil && got != n {
				t.Errorf("%d points, counted %d", got, n)
			}
		}
	})
}

// TestSafeguards: from the ledger alone, as it is in force.
func TestSafeguards(t *testing.T) {
	o := newOffice(t)
	s, err := o.Safeguards()
	if err != nil || len(s.Points) != 0 || len(s.Except) != 1 || s.Except[0].Reason != "a friend" {
		t.Fatalf("%+v, %v", s, err)
	}
	o.must(criteria.ActExcept, "192.0.2.0/25", "for long", 0)
	o.must(criteria.ActExcept, "192.0.2.128/25", "for a minute", 60)
	o.must(criteria.ActExcept, "198.51.100.0/24", "never mind", 0)
	o.must(criteria.ActUnexcept, "198.51.100.0/24", "", 0)
	for _, by := range []string{"ns1", "mx", "ns1"} {
		points := frames{points: pointsFor(1, 1, "198.51.100.7")}
		if _, err := o.Count(t.Context(), "tester", by, by+" again", &points); err != nil {
			t.Fatal(err)
		}
	}
	o.seconds.Store(60)
	o.blame("198.51.100.7") // so that time has passed for the store
	s, err = o.door().Safeguards()
	if err != nil || len(s.Except) != 2 || s.Except[0].Network.String() != "192.0.2.0/25" ||
		len(s.Points) != 2 || s.Points[0].Name != "ns1" || s.Points[0].Seq <= s.Points[1].Seq {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestReputationOverSocket: what is no address is refused in words.
func TestReputationOverSocket(t *testing.T) {
	client := newOffice(t).door()
	err := client.ask(context.Background(), "GET", "reputation", nil, nil, &struct{}{})
	var p *ProblemError
	if !errors.As(err, &p) || p.Status != 400 || p.Hint == "" {
		t.Error(err)
	}
	r, err := client.Reputation(netip.MustParseAddr("198.51.100.7"))
	if err != nil || r.Points != 0 || r.Days == nil {
		t.Errorf("%+v, %v", r, err)
	}
}
