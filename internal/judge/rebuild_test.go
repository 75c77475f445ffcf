package judge

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

var rebuildNow = criteria.Decision{Act: criteria.ActRebuild, Who: "test"}

// spoil makes the engine that answers list what the log does not: it has hits that
// never came.
func spoil(c *court, source string) {
	c.judge.mu.Lock()
	defer c.judge.mu.Unlock()
	for n := range byte(2) {
		c.judge.line.engine.Hit(criteria.Hit{LSN: 1<<40 + uint64(n), Time: criteria.At(time.Now()), Stamp: criteria.At(time.Now()),
			Source: netip.MustParseAddr(source), Traps: []string{trapNames[n]}, Weight: criteria.One,
			Digest: criteria.Digest{200 + n}})
	}
}

// A rebuild brings the list of an engine that went wrong back to what the log says,
// tells what that changed, and lasts over a restart.
func TestRebuildMendsTheEngine(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		c.list("198.51.100.7")
		since := c.lookup("198.51.100.7").Since
		pass(3)
		spoil(c, "198.51.100.99")
		if got := c.lookup("198.51.100.99"); !got.Listed {
			t.Fatalf("not spoilt: %+v", got)
		}
		found, err := c.judge.Compare(t.Context(), nil)
		want := []string{"198.51.100.99/32 127.0.0.2>"}
		if err != nil || found.Equal || !slices.Equal(changesOf(found.Changes), want) {
			t.Errorf("compared %v, equal: %v, %v", changesOf(found.Changes), found.Equal, err)
		}
		c.decide(rebuildNow)
		pass(1)
		if c.lookup("198.51.100.99").Listed || c.lookup("198.51.100.7").Since != since {
			t.Errorf("rebuilt: %+v", c.lookup("198.51.100.7"))
		}
		if got := c.diary.rewritten; !slices.Equal(got, []string{"2 rebuild +0 -1 ~0"}) {
			t.Errorf("told %q", got)
		}
		if found, err = c.judge.Compare(t.Context(), nil); err != nil || !found.Equal {
			t.Errorf("then compared %+v, %v", found, err)
		}
		mark, _, err := c.store.ReadSnapshot()
		if err != nil || mark.Decision != 2 {
			t.Errorf("the state that is kept is of %+v, %v", mark, err)
		}
		c.list("198.51.100.8")
		c.close()
		c.open()
		c.serve()
		if !c.lookup("198.51.100.7").Listed || !c.lookup("198.51.100.8").Listed || c.lookup("198.51.100.99").Listed {
			t.Error("after a restart it is another list")
		}
		c.close()
	})
}

func changesOf(all []criteria.Change) (texts []string) {
	for _, c := range all {
		texts = append(texts, c.Source.Prefix.String()+" "+c.From.String()+">"+c.To.String())
	}
	return texts
}

// A daemon that is stopped before its rebuild was done does it at its next start: the
// state of before is not used.
func TestRebuildOutlivesAStop(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		c.list("198.51.100.7")
		spoil(c, "198.51.100.99")
		c.rest()
		c.decide(rebuildNow) // and nobody reads it
		c.serve()
		if c.lookup("198.51.100.99").Listed || !c.lookup("198.51.100.7").Listed {
			t.Error("the state of before the rebuild was used")
		}
		c.close()
	})
}

// Whatever happened, a rebuild changes nothing where nothing is wrong, and a replay
// from the log's beginning is not led astray by it.
func TestRebuildOfASoundEngineChangesNothing(t *testing.T) {
	for seed := range uint64(4) {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			c, random := newCourt(t, dir), newChance(seed)
			fillRandomly(c, random, 80, func() {
				if random.IntN(15) == 0 {
					before := pageOf(t, c)
					c.decide(rebuildNow)
					if diff := cmp.Diff(before.list.Listings, pageOf(t, c).list.Listings, prefixes); diff != "" {
						t.Errorf("seed %d: rebuilt instead of before: %s", seed, diff)
					}
				}
			})
			pass(1)
			found, err := c.judge.Compare(t.Context(), nil)
			if err != nil || !found.Equal || len(found.Changes) > 0 {
				t.Errorf("seed %d: compared %+v, %v", seed, found, err)
			}
			comparePage(t, seed, c.store, pageOf(t, c))
			c.close()
		})
	}
}

// On the files of a daemon that is down a rebuild puts a state in the place of one
// that is wrong, missing or damaged, and says which.
func TestRebuildOfAFolder(t *testing.T) {
	dir, list := lived(t)
	path := filepath.Join(dir, "engine.snapshot")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		state []byte // nil: none
		why   error
	}{
		{"sound", whole, nil},
		{"missing", nil, ErrNoSnapshot},
		{"damaged", bytes.Replace(whole, whole[60:61], []byte{whole[60] ^ 1}, 1), store.ErrDamaged},
	} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if c.state != nil {
			if err := os.WriteFile(path, c.state, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := store.Open(store.Config{Dir: dir, Now: list.At.Time})
		if err != nil {
			t.Fatal(err)
		}
		found, err := Rebuild(t.Context(), s, nil)
		if err != nil || c.why == nil && (found.Why != nil || !found.Equal) || !errors.Is(found.Why, c.why) {
			t.Errorf("%s: %+v, %v", c.name, found.Why, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		after, err := listIn(dir, list.At)
		if diff := cmp.Diff(list.Listings, after.Listings, prefixes); err != nil || diff != "" {
			t.Errorf("%s: another list: %v %s", c.name, err, diff)
		}
		if again, err := compareIn(t, dir); err != nil || len(again.Changes) > 0 {
			t.Errorf("%s: then %+v, %v", c.name, again, err)
		}
	}
}

// A log that is damaged makes no state, and its fault is named.
func TestRebuildOfADamagedLog(t *testing.T) {
	dir, list := lived(t)
	files, err := filepath.Glob(filepath.Join(dir, "hits-*.db"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, []byte("a@traps.example"), []byte("z@traps.example"))
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(store.Config{Dir: dir, Now: list.At.Time})
	if err == nil {
		_, err = Rebuild(t.Context(), s, nil)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), filepath.Base(files[0])) {
		t.Errorf("rebuild says %v", err)
	}
}
