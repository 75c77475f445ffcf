package judge

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

func TestListingEndsByTheMarkAlone(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		<-c.judge.Changed()
		c.list("198.51.100.7")
		select {
		case <-c.judge.Changed():
		default:
			t.Error("a new listing is not signalled")
		}
		e := c.lookup("198.51.100.7")
		if !e.Listed {
			t.Fatal(e.Why)
		}
		pass(int(e.Until-e.At) - 1)
		if e := c.lookup("198.51.100.7"); !e.Listed {
			t.Errorf("a second before its end: %s", e.Why)
		}
		select {
		case <-c.judge.Changed():
			t.Error("a change is signalled, but there is none")
		default:
		}
		pass(1)
		if e := c.lookup("198.51.100.7"); e.Listed {
			t.Errorf("at its end: %s", e.Why)
		}
		<-c.judge.Changed()
		want := []string{"198.51.100.7 >127.0.0.2 hit", "198.51.100.7 127.0.0.2> time"}
		if diff := cmp.Diff(want, c.diary.changes); diff != "" {
			t.Error(diff)
		}
		if !c.judge.Explains(netip.MustParsePrefix("198.51.100.7/32")) ||
			c.judge.Explains(netip.MustParsePrefix("198.51.100.99/32")) {
			t.Error("Explains is wrong")
		}
	})
}

// An exception that ends frees the operator's listing under it: the list differs,
// though no source's score does.
func TestEndOfAnExceptionIsSignalled(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		at := c.store.Mark().At
		c.decide(criteria.Decision{Act: criteria.ActList, Network: netip.MustParsePrefix("203.0.113.9/32")},
			criteria.Decision{Act: criteria.ActExcept, Network: netip.MustParsePrefix("203.0.113.0/24"),
				Origin: criteria.FromOperator, Until: at + 6})
		select {
		case <-c.judge.Changed():
		default:
		}
		pass(7)
		select {
		case <-c.judge.Changed():
		default:
			t.Error("the end of an exception is not signalled")
		}
		if e := c.lookup("203.0.113.9"); e.Answer != criteria.Operator {
			t.Errorf("after the exception: %s", e.Why)
		}
	})
}

func TestPolicyChangeKeepsSince(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		c.list("198.51.100.7")
		since := c.lookup("198.51.100.7").Since
		c.hit("198.51.100.8", "a@traps.example", 1)
		pass(3)
		p := fast()
		p.Threshold, p.MinReports, p.MinTraps = criteria.One, 1, 1
		c.decide(policy(p))
		if e := c.lookup("198.51.100.7"); e.Since != since {
			t.Errorf("listed since %s, before the change %s", e.Since, since)
		}
		if e := c.lookup("198.51.100.8"); e.Since != since+3 {
			t.Errorf("listed by the new rules since %s, want %s", e.Since, since+3)
		}
		if !slices.Equal(c.diary.rewritten, []string{"2 policy +1 -0 ~0"}) {
			t.Errorf("told: %q", c.diary.rewritten)
		}
	})
}

func TestNotReadyBeforeTheLogIsRead(t *testing.T) {
	s, err := store.Open(store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	j := New(s, &diary{})
	check := func() {
		t.Helper()
		if err := j.View(func(*criteria.Engine) { t.Error("View calls") }); !errors.Is(err, ErrNotReady) {
			t.Errorf("View says %v", err)
		}
		if l, err := j.Listings(); !errors.Is(err, ErrNotReady) || l.Listings != nil {
			t.Errorf("Listings says %v", err)
		}
		if j.Explains(netip.MustParsePrefix("198.51.100.7/32")) {
			t.Error("Explains knows")
		}
	}
	check()
	if err := j.CatchUp(1); err != nil { // a store without any policy
		t.Fatal(err)
	}
	check()
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	for _, c := range []struct {
		name     string
		damage   func(path string) error
		unusable bool
	}{
		{"with its snapshot", func(string) error { return nil }, false},
		{"without", os.Remove, false},
		{"cut", func(path string) error { return os.Truncate(path, 40) }, true},
		{"empty", func(path string) error { return os.Truncate(path, 0) }, true},
		{"garbage", func(path string) error { return os.WriteFile(path, make([]byte, 4096), 0o600) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				court := newCourt(t, dir)
				court.list("198.51.100.7")
				pass(2)
				before := court.lookup("198.51.100.7")
				court.rest()
				if err := c.damage(filepath.Join(dir, "engine.snapshot")); err != nil {
					t.Fatal(err)
				}
				court.serve()
				defer court.close()
				if after := court.lookup("198.51.100.7"); after.Since != before.Since || after.Until != before.Until {
					t.Errorf("since %s until %s, before %s and %s", after.Since, after.Until, before.Since, before.Until)
				}
				if got := len(court.diary.unusable) == 1; got != c.unusable {
					t.Errorf("told of the snapshot: %v", court.diary.unusable)
				}
				if len(court.diary.changes) > 0 || court.diary.caughtUp != 1 {
					t.Errorf("told again: %v; caught up %d times", court.diary.changes, court.diary.caughtUp)
				}
			})
		})
	}
}

// A state that the store keeps well may still be none of this engine's.
func TestForeignStateIsToldAndReplaced(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		c.list("198.51.100.7")
		c.rest()
		if err := c.store.WriteSnapshot(c.store.Mark(), []byte("of a later version")); err != nil {
			t.Fatal(err)
		}
		c.serve()
		defer c.close()
		if len(c.diary.unusable) != 1 || !errors.Is(c.diary.unusable[0], criteria.ErrSnapshot) {
			t.Errorf("told: %v", c.diary.unusable)
		}
		if e := c.lookup("198.51.100.7"); !e.Listed {
			t.Error(e.Why)
		}
	})
}

// The state on disk is for a quick start only: a disk that does not take it
// must not stop the list.
func TestStateThatCannotBeKeptStopsNothing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		if err := os.Mkdir(filepath.Join(dir, "engine.snapshot"), 0o700); err != nil {
			t.Fatal(err)
		}
		c := newCourt(t, dir)
		defer c.close()
		c.list("198.51.100.7")
		pass(int(saveAfter) + 1)
		c.list("198.51.100.8")
		if e := c.lookup("198.51.100.8"); !e.Listed {
			t.Error(e.Why)
		}
		if len(c.diary.unusable) < 2 { // neither read nor written
			t.Errorf("told: %v", c.diary.unusable)
		}
	})
}

func TestDamageInTheLogEndsTheJudge(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		for range 3 {
			c.list("198.51.100.7")
		}
		c.close()
		logs, err := filepath.Glob(filepath.Join(dir, "hits-*.db"))
		if err != nil || len(logs) != 1 {
			t.Fatal(logs, err)
		}
		lose(t, logs[0], []byte{0, 0, 0, 0, 0, 0, 0, 4})
		if err := os.Remove(filepath.Join(dir, "engine.snapshot")); err != nil {
			t.Fatal(err)
		}
		c.open()
		c.serve()
		err = <-c.done
		if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), logs[0]+", hit 4") {
			t.Errorf("Serve says %v", err)
		}
		if _, err := c.judge.Listings(); !errors.Is(err, ErrNotReady) {
			t.Errorf("Listings says %v", err)
		}
		if err := c.store.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// lose takes a hit out of a file.
func lose(t *testing.T, path string, key []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("hit")).Delete(key) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// shortly is a context that ends when it has been asked so many times.
type shortly struct {
	context.Context
	mu   sync.Mutex
	left int
	end  context.CancelFunc
}

func (s *shortly) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left <= 0 {
		s.end()
	}
	return s.Context.Err()
}

// Wherever in the log it is stopped, in the middle of making a new engine too,
// the judge ends at once, and the next one goes on to the same list.
func TestServeEndsWhileCatchingUp(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c, random := newCourt(t, dir), newChance(3)
		for _, p := range []criteria.Policy{random.policy(), fast()} {
			p.MaxHitsPerTrap = 3 // unlike the one before
			fillRandomly(c, random, 50, func() {})
			c.decide(policy(p))
		}
		c.store.Stop()
		c.rest()
		want, snapshot := state(t, caughtUp(t, c.store)), filepath.Join(dir, "engine.snapshot")
		events := 0
		for _, err := range c.store.Events(store.Mark{}, c.store.Mark()) {
			if events++; err != nil {
				t.Fatal(err)
			}
		}
		for after := 1; after < events; after += 1 + after/8 {
			if err := os.Remove(snapshot); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			stopped := New(c.store, &diary{})
			if err := stopped.Serve(&shortly{Context: ctx, left: after, end: cancel}); err != nil {
				t.Fatalf("stopped after %d: %v", after, err)
			}
			if !bytes.Equal(state(t, caughtUp(t, c.store)), want) {
				t.Errorf("after a stop after %d: another list", after)
			}
		}
		if err := c.store.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLookupsBesideTheLog(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		defer c.close()
		stop := make(chan struct{})
		var readers sync.WaitGroup
		for n := range 8 {
			readers.Go(func() {
				for asked := false; ; asked = true {
					select {
					case <-stop:
						if asked {
							return
						}
					default:
					}
					ask(t, c.judge, n)
				}
			})
		}
		random := newChance(5)
		for range 300 {
			if err := c.store.Append(context.Background(), random.record()); err != nil {
				t.Error(err)
			}
			if random.IntN(20) == 0 {
				if err := c.store.Decide(context.Background(), random.decision()); err != nil {
					t.Error(err)
				}
			}
		}
		close(stop)
		readers.Wait()
	})
}

func ask(t *testing.T, j *Judge, n int) {
	t.Helper()
	switch n % 3 {
	case 0:
		err := j.View(func(e *criteria.Engine) {
			for _, s := range sources {
				e.Lookup(netip.MustParseAddr(s))
			}
		})
		if err != nil {
			t.Error(err)
		}
	case 1:
		if _, err := j.Listings(); err != nil {
			t.Error(err)
		}
	default:
		j.Explains(netip.MustParsePrefix("198.51.100.7/32"))
	}
}
