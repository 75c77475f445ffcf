package judge

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// lived is a folder in which a daemon has lived for a while, and the list that it
// left behind.
func lived(t *testing.T) (dir string, list List) {
	t.Helper()
	dir = t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, dir)
		fillRandomly(c, newChance(5), 100, func() {})
		list = pageOf(t, c).list
		c.close()
	})
	if len(list.Listings) == 0 {
		t.Fatal("nothing is listed")
	}
	return dir, list
}

func compareIn(t *testing.T, dir string) (Compared, error) {
	t.Helper()
	s, err := store.OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	return CompareSnapshot(t.Context(), s, nil)
}

func TestStateIsWhatAReplayGives(t *testing.T) {
	dir, list := lived(t)
	c, err := compareIn(t, dir)
	byScore := slices.DeleteFunc(list.Listings, func(l criteria.Listing) bool { return l.Answer == criteria.Operator })
	if err != nil || !c.Equal || len(c.Changes) != 0 || c.Listed != len(byScore) || c.Sources < c.Listed {
		t.Errorf("compared %+v, %v; %d are listed", c, err, len(byScore))
	}
}

// A state that tells another list than the log is found, though its checksum is
// right.
func TestStateThatIsWrongIsFound(t *testing.T) {
	dir, _ := lived(t)
	rewrite := func(change func(*criteria.Engine) []byte) {
		t.Helper()
		s, err := store.Open(store.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		mark, state, err := s.ReadSnapshot()
		if err != nil {
			t.Fatal(err)
		}
		engine, err := criteria.RestoreEngine(state)
		if err != nil {
			t.Fatal(err)
		}
		err = s.WriteSnapshot(mark, change(engine))
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(func(e *criteria.Engine) []byte {
		var listed []criteria.Decision
		for i, l := range e.Listings() {
			if i < 2 {
				listed = append(listed, criteria.Decision{Act: criteria.ActDelist, Network: l.Source, At: e.Now()})
			}
		}
		for _, d := range listed {
			if _, err := e.Decide(d); err != nil {
				t.Fatal(err)
			}
		}
		state, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return state
	})
	if c, err := compareIn(t, dir); err != nil || c.Equal || len(c.Changes) == 0 {
		t.Errorf("a state that lists less: %+v, %v", c, err)
	}
	rewrite(func(*criteria.Engine) []byte { return []byte("no engine") })
	if _, err := compareIn(t, dir); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("a state that does not unpack: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "engine.snapshot")); err != nil {
		t.Fatal(err)
	}
	if _, err := compareIn(t, dir); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("no state: %v", err)
	}
}

// A flipped byte anywhere in any file: the check names the file, or the list is
// the one that it was. Neither a start nor a replay makes another list of it.
func TestFlippedByteNeverListsAnother(t *testing.T) {
	dir, want := lived(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(6, 7))
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		const flips = 60
		for n := range flips {
			damaged := bytes.Clone(whole)
			at := random.IntN(len(whole))
			if isDB := filepath.Ext(path) == ".db"; isDB && n%5 == 0 { // one of the two meta pages
				at = random.IntN(2)*os.Getpagesize() + 16 + random.IntN(64)
			}
			damaged[at] ^= byte(1 + random.IntN(255))
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if isNamed(t, dir, e.Name()) {
				named++
			}
			for _, from := range []string{dir, bare(t, dir)} {
				got, err := listIn(from, want.At)
				if diff := cmp.Diff(want.Listings, got.Listings, prefixes); err == nil && diff != "" {
					t.Errorf("%s, byte %d: another list, and no word: %s", e.Name(), at, diff)
				}
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d flips named", e.Name(), named, flips)
	}
}

// bare is a copy of a folder without the state that is kept: it would hide what is
// lost.
func bare(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(copied, "engine.snapshot")); err != nil {
		t.Fatal(err)
	}
	return copied
}

func isNamed(t *testing.T, dir, file string) bool {
	t.Helper()
	var faults []store.Fault
	for found, err := range store.CheckFolder(t.Context(), dir, func(uint64, uint64) {}) {
		if err != nil {
			t.Fatal(err)
		}
		faults = append(faults, found.Faults...)
	}
	return slices.ContainsFunc(faults, func(f store.Fault) bool { return f.File == file })
}

// listIn is the list that a start makes of a folder, or why there is none.
func listIn(dir string, at criteria.Second) (list List, err error) {
	s, err := store.OpenReadOnly(dir)
	if err != nil {
		return list, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	j := New(s, &diary{})
	if err := j.CatchUp(at); err != nil {
		return list, err
	}
	return j.Listings()
}
