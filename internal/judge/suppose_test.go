package judge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// answersOf is what a list says, without since when.
func answersOf(l List) []string {
	var all []string
	for _, listing := range l.Listings {
		all = append(all, listing.Source.String()+" "+listing.Answer.String()+" "+listing.Until.String())
	}
	return all
}

// TestSuppose: what is supposed comes true when it is decided, whatever was decided before, and
// until then nothing changes.
func TestSuppose(t *testing.T) {
	for seed := range uint64(20) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, r := newCourt(t, dir), newChance(seed)
			defer c.close()
			for range 20 {
				pass(r.IntN(3))
				if r.IntN(3) > 0 {
					c.append(r.record())
				} else {
					c.decide(r.decision())
				}
			}
			var more []criteria.Decision
			for range 1 + r.IntN(3) {
				more = append(more, r.decision())
			}
			before, _ := c.judge.Listings()
			is, would, err := c.judge.Suppose(t.Context(), more...)
			if err != nil {
				t.Fatal(err)
			}
			after, _ := c.judge.Listings()
			if diff := cmp.Or(gocmp.Diff(answersOf(before), answersOf(is)),
				gocmp.Diff(answersOf(before), answersOf(after))); diff != "" {
				t.Errorf("seed %d: supposing %s changed the list: %s", seed, more[0].Act, diff)
			}
			c.decide(more...)
			got, _ := c.judge.Listings()
			if !slices.Equal(answersOf(got), answersOf(would)) || !slices.Equal(got.Exceptions, would.Exceptions) {
				t.Errorf("seed %d: %+v: supposed %v %v, came %v %v", seed, more, answersOf(would),
					would.Exceptions, answersOf(got), got.Exceptions)
			}
		})
	}
}

// TestSupposeStopped: nothing is supposed before the log is read, or for somebody who is gone.
func TestSupposeStopped(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		c.list("198.51.100.7")
		d := criteria.Decision{Act: criteria.ActBurn, Who: "test", Trap: "a@traps.example"}
		if _, _, err := New(c.store, c.diary).Suppose(t.Context(), d); !errors.Is(err, ErrNotReady) {
			t.Errorf("before the log is read: %v", err)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := c.judge.Suppose(gone, d); !errors.Is(err, context.Canceled) {
			t.Errorf("for nobody: %v", err)
		}
	})
}
