package judge

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// page is the list as it was live at a place in the log.
type page struct {
	mark  store.Mark
	list  List
	state []byte
}

// The list that was live at any second is the list that a replay gives, long
// after, with or without the state on disk, however often the daemon was
// restarted on the way and whatever people decided.
func TestListIsTheSameLiveAndReplayed(t *testing.T) {
	for seed := range uint64(12) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, random := newCourt(t, dir), newChance(seed)
			var pages []page
			fillRandomly(c, random, 150, func() {
				if random.IntN(12) == 0 {
					restart(c, random)
				}
				if random.IntN(4) == 0 {
					pages = append(pages, pageOf(t, c))
				}
			})
			pages = append(pages, pageOf(t, c))
			c.rest()
			for _, p := range pages {
				comparePage(t, seed, c.store, p)
			}
			if got := state(t, caughtUp(t, c.store)); !bytes.Equal(got, pages[len(pages)-1].state) {
				t.Errorf("seed %d: with the state on disk, the end is another", seed)
			}
			if err := c.store.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// fillRandomly lets seconds pass in which hits and decisions come at random.
func fillRandomly(c *court, r chance, seconds int, each func()) {
	for range seconds {
		pass(1)
		for r.IntN(3) == 0 {
			c.append(r.record())
		}
		if r.IntN(12) == 0 {
			c.decide(r.decisions()...)
		}
		each()
	}
}

// restart ends the judge, sometimes the store and the state on disk with it.
func restart(c *court, r chance) {
	c.rest()
	if r.IntN(3) == 0 {
		if err := os.RemoveAll(filepath.Join(c.dir, "engine.snapshot")); err != nil {
			c.Fatal(err)
		}
	}
	if r.IntN(2) == 0 {
		if err := c.store.Close(); err != nil {
			c.Fatal(err)
		}
		c.open()
	}
	c.serve()
}

func pageOf(t *testing.T, c *court) page {
	t.Helper()
	list, err := c.judge.Listings()
	if err != nil {
		t.Fatal(err)
	}
	p := page{list: list, state: state(t, c.judge)}
	c.judge.mu.RLock()
	defer c.judge.mu.RUnlock()
	p.mark = c.judge.line.at
	return p
}

func comparePage(t *testing.T, seed uint64, s *store.Store, p page) {
	t.Helper()
	j := New(s, &diary{})
	if err := j.read(t.Context(), p.mark); err != nil {
		t.Fatal(err)
	}
	j.pass(p.mark)
	list, err := j.Listings()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.list, list, prefixes); diff != "" {
		t.Fatalf("seed %d, at %+v: replayed instead of live: %s", seed, p.mark, diff)
	}
	if !bytes.Equal(state(t, j), p.state) {
		t.Errorf("seed %d, at %+v: the same list, but another state", seed, p.mark)
	}
}

// caughtUp is a judge that has read the log to its end.
func caughtUp(t *testing.T, s *store.Store) *Judge {
	t.Helper()
	j := New(s, &diary{})
	if err := j.CatchUp(0); err != nil {
		t.Fatal(err)
	}
	return j
}

func state(t *testing.T, j *Judge) []byte {
	t.Helper()
	var b []byte
	if err := j.View(func(e *criteria.Engine) { b = packed(t, e) }); err != nil {
		t.Fatal(err)
	}
	return b
}

func packed(t *testing.T, e *criteria.Engine) []byte {
	t.Helper()
	b, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
