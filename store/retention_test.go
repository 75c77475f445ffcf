package store

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
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

// kept is a store of four days, two of them too old, whose writer has ended.
func kept(t *testing.T) (*Store, *hand) {
	t.Helper()
	at := newClock()
	s := opened(t, Config{Dir: t.TempDir(), Now: at.read, Retention: 2 * daySpan})
	for n := range 4 {
		add(t, s, n+1, n+1)
		decide(t, s, counted(7))
		at.move(daySpan)
	}
	s.Stop()
	return s, at
}

// A check ends, and reports each day, though days are to be dropped meanwhile.
func TestCheckBesideRetention(t *testing.T) {
	s, at := kept(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	files := 0
	for found := range s.Check(ctx, 0, quiet) {
		s.dropOld(criteria.At(at.read()))
		if files++; found.Records < 1 || len(found.Faults) > 0 {
			t.Errorf("found %+v", found)
		}
	}
	if files != 5 || ctx.Err() != nil {
		t.Errorf("%d files, %v", files, ctx.Err())
	}
	s.dropOld(criteria.At(at.read()))
	if got := all(t, s); !slices.Equal(got, upTo(3, 4)) {
		t.Errorf("after the check the log holds %v", got)
	}
}

// A day that is gone has nothing to walk over.
func TestWalkOverADayThatIsGone(t *testing.T) {
	s, _ := kept(t)
	d, free := s.letGo()
	if err := d.close(); err != nil || !free {
		t.Fatal(err, free)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c := newChecker(ctx, 0, s.cfg.Dir, quiet)
	c.begin(d.path, mendDay)
	c.walk(&d.file, bucketHit, 1, func(uint64, []byte, []byte) bool { return true })
	if ctx.Err() != nil {
		t.Error("it does not end")
	}
}

// While somebody needs the days, the ledger is not written either.
func TestKeptDaysCostNoCommits(t *testing.T) {
	s, at := kept(t)
	commits := func() (last int) {
		t.Helper()
		err := s.ledger.db.View(func(tx *bbolt.Tx) error {
			last = tx.ID()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	_, _, release := s.keepDays()
	before := commits()
	for range 3 {
		s.dropOld(criteria.At(at.read()))
	}
	if n := commits() - before; n != 0 || len(s.days) != 4 {
		t.Errorf("%d commits, %d days", n, len(s.days))
	}
	release()
	for range 3 {
		s.dropOld(criteria.At(at.read()))
	}
	if n := commits() - before; n != 1 || len(s.days) != 2 {
		t.Errorf("afterwards %d commits, %d days", n, len(s.days))
	}
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
