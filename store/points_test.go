package store

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// counted is the decision of an import.
func counted(n uint32) criteria.Decision {
	return criteria.Decision{Act: criteria.ActPoints, Who: "test", Name: "log",
		Points: criteria.PackPoints([]criteria.Point{
			{Day: criteria.DayOf(criteria.At(morning)), Addr: netip.MustParseAddr("198.51.100.7"), Count: n},
			{Day: 20000, Addr: netip.MustParseAddr("2001:db8::7"), Count: 3}})}
}

// pointsIn reads the log and tells the points of each import.
func pointsIn(t *testing.T, s *Store) (found []criteria.Points) {
	t.Helper()
	for e, err := range s.Events(Mark{}, s.Mark()) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Decision != nil && e.Decision.Act == criteria.ActPoints {
			found = append(found, e.Decision.Points)
		}
	}
	return found
}

func TestPointsComeWithTheirDecision(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	decide(t, s, counted(7), except(1), counted(8))
	want := []criteria.Points{counted(7).Points, counted(8).Points}
	for range 2 {
		if diff := cmp.Diff(want, pointsIn(t, s)); diff != "" {
			t.Error(diff)
		}
		for _, d := range s.Decisions(0, 3) {
			if d.Points != nil {
				t.Errorf("decision %d keeps its points in memory", d.Seq)
			}
		}
		closed(t, s)
		s = opened(t, Config{Dir: dir})
	}
}

func TestPointsGoAfterRetention(t *testing.T) {
	clock := newClock()
	s := opened(t, Config{Dir: t.TempDir(), Now: clock.read, Retention: 48 * time.Hour})
	for range 5 {
		add(t, s, 1, 1)
		decide(t, s, counted(7))
		clock.move(daySpan)
	}
	s.Stop()
	s.dropOld(criteria.At(clock.read()))
	found := pointsIn(t, s)
	if len(found) != 5 || len(found[0]) != 0 || len(found[1]) != 0 || len(found[4]) == 0 {
		t.Errorf("points left: %d", found)
	}
}

// A replay needs what each trap of a hit was worth.
func TestWeightsOfTheTraps(t *testing.T) {
	light, heavy := criteria.One/4, criteria.One
	for _, c := range []struct {
		name string
		to   []Recipient
		want []criteria.Micro
	}{
		{"one", []Recipient{{"a@x", "typo", "active", light}}, nil},
		{"alike", []Recipient{{"a@x", "pristine", "active", heavy}, {"b@x", "pristine", "active", heavy}}, nil},
		{"unlike", []Recipient{{"a@x", "typo", "active", light}, {"w@x", "pristine", "watching", heavy},
			{"b@x", "pristine", "active", heavy}}, []criteria.Micro{light, heavy}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Record{Recipients: c.to}
			for _, to := range c.to {
				if to.State == "active" {
					r.Traps, r.Weight = append(r.Traps, to.Address), max(r.Weight, to.Weight)
				}
			}
			s := opened(t, Config{Dir: t.TempDir()})
			if err := s.Append(context.Background(), &r); err != nil {
				t.Fatal(err)
			}
			for e, err := range s.Events(Mark{}, s.Mark()) {
				if diff := cmp.Diff(c.want, e.Hit.Weights); err != nil || diff != "" {
					t.Errorf("%v %s", err, diff)
				}
			}
		})
	}
}
