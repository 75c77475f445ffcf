package store

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Days go when all in them is older than retention, but never the newest; a
// reader in progress goes on with what is left, and numbers go on.
func TestRetentionDropsDays(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		at := newClock()
		s := opened(t, Config{Dir: dir, Now: at.read, Retention: 2 * daySpan})
		addHits := func(from, to int) {
			for n := from; n <= to; n++ {
				if err := s.Append(t.Context(), hit(n)); err != nil {
					t.Fatal(err)
				}
			}
		}
		pass := func(d time.Duration) {
			at.move(d)
			time.Sleep(time.Second) // the writer's
			synctest.Wait()
		}
		addHits(1, 3)
		pass(daySpan)
		addHits(4, 6)
		pass(daySpan)
		addHits(7, 9)
		if got := all(t, s); !slices.Equal(got, upTo(1, 9)) {
			t.Errorf("within retention: %v", got)
		}

		var read []int
		for r, err := range s.Records(1, 9) {
			if err != nil {
				t.Fatal(err)
			}
			if read = append(read, int(r.Size)); len(read) == 1 {
				pass(daySpan) // the day being read is dropped
			}
		}
		if !slices.Equal(read, upTo(1, 9)) {
			t.Errorf("a reader in progress got %v", read)
		}
		if got := all(t, s); !slices.Equal(got, upTo(4, 9)) {
			t.Errorf("after three days: %v", got)
		}

		pass(30 * daySpan)
		if got := all(t, s); !slices.Equal(got, upTo(7, 9)) {
			t.Errorf("after a silent month: %v, not the newest day", got)
		}
		closed(t, s)
		s = opened(t, Config{Dir: dir, Now: at.read, Retention: 2 * daySpan})
		addHits(10, 10)
		pass(0)
		if got := all(t, s); !slices.Equal(got, upTo(10, 10)) || s.Mark().LSN != 10 {
			t.Errorf("a new day: %v, the log is at %d", got, s.Mark().LSN)
		}
	})
}

func TestMarkMovesEachSecondAndNeverBack(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, Config{Dir: dir, Now: time.Now})
		synctest.Wait()
		<-s.Changed()
		before := s.Mark().At
		for range 3 {
			time.Sleep(time.Second)
			<-s.Changed()
			if at := s.Mark().At; at != before+1 {
				t.Errorf("the mark went from %s to %s", before, at)
			}
			before = s.Mark().At
		}
		s.Stop()
		time.Sleep(5 * time.Second)
		if s.Mark().At != before {
			t.Error("the mark moves after Stop")
		}
	})
}
