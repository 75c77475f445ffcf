package store

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the last commit brought is not lost without a word: neither by one flipped
// byte, nor by a file of before beside those of today.

// A file with one whole meta page opens in bbolt, and ends a commit earlier. The
// first meta page of a commit is the newest in one of two files, so both count.
func TestBrokenMetaPageStopsTheStart(t *testing.T) {
	w := newSound(t)
	for _, name := range []string{soundDay, "hits-20261125.db", ledgerName} {
		whole, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"meta page 0 is broken", "meta page 1 is broken"} {
			damaged := slices.Clone(whole)
			damaged[i*os.Getpagesize()+36] ^= 1
			checkRefused(t, w, name, damaged, want)
		}
		// One in the place of the other: whole, and the last commit is gone.
		for i := range 2 {
			damaged, size := slices.Clone(whole), os.Getpagesize()
			copy(damaged[i*size:(i+1)*size], whole[(1-i)*size:(2-i)*size])
			checkRefused(t, w, name, damaged, "do not follow each other")
		}
		checkRefused(t, w, name, aged(t, whole), "do not follow each other")
	}
}

// checkRefused: with such a file in it no store opens, and the file is named.
func checkRefused(t *testing.T, w sound, name string, content []byte, want string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	overwrite(t, path, content)
	for what, open := range map[string]func() (*Store, error){
		"to write": func() (*Store, error) { return Open(Config{Dir: dir, Now: w.at.read}) },
		"to read":  func() (*Store, error) { return OpenReadOnly(dir) },
	} {
		s, err := open()
		if err == nil {
			closed(t, s)
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path+": ") ||
			!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: opened %s: %v", name, what, err)
		}
	}
	_, faults := checked(t, dir)
	if !slices.ContainsFunc(faults, func(f Fault) bool { return f.File == name && strings.Contains(f.Problem, want) }) {
		t.Errorf("%s: a check names %v", name, faults)
	}
}

// aged is a file whose older meta page is of a commit long before.
func aged(t *testing.T, file []byte) []byte {
	t.Helper()
	b, order, size := slices.Clone(file), binary.NativeEndian, os.Getpagesize()
	tx := func(i int) []byte { return b[i*size+pageHeader+48:] }
	older := 0
	if order.Uint64(tx(1)) < order.Uint64(tx(0)) {
		older = 1
	}
	order.PutUint64(tx(older), order.Uint64(tx(older))-2)
	sum := fnv.New64a()
	sum.Write(b[older*size+pageHeader:][:metaLength-8])
	order.PutUint64(b[older*size+pageHeader+metaLength-8:], sum.Sum64())
	return b
}

// A ledger of before lists what was delisted or excepted since.
func TestOlderLedgerStopsTheStart(t *testing.T) {
	for name, later := range map[string]func(*testing.T, *Store){
		"known to the state": func(t *testing.T, s *Store) {
			if err := s.WriteSnapshot(s.Mark(), []byte("state")); err != nil {
				t.Fatal(err)
			}
		},
		"known to a day": func(t *testing.T, s *Store) { add(t, s, 3, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := opened(t, Config{Dir: dir})
			add(t, s, 1, 2)
			decide(t, s, except(1), except(2), except(3))
			closed(t, s)
			before, err := os.ReadFile(filepath.Join(dir, ledgerName))
			if err != nil {
				t.Fatal(err)
			}
			s = opened(t, Config{Dir: dir})
			decide(t, s, except(4), except(5))
			later(t, s)
			closed(t, s)
			overwrite(t, filepath.Join(dir, ledgerName), before)
			const want = "ends at decision 3, but decision 5 was stored"
			for what, open := range map[string]func() (*Store, error){
				"to write": func() (*Store, error) { return Open(Config{Dir: dir, Now: newClock().read}) },
				"to read":  func() (*Store, error) { return OpenReadOnly(dir) },
			} {
				s, err := open()
				if err == nil {
					closed(t, s)
				}
				if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), ledgerName+" "+want) {
					t.Errorf("opened %s: %v", what, err)
				}
			}
			_, faults := checked(t, dir)
			if len(faults) != 1 || faults[0].File != ledgerName || !strings.Contains(faults[0].Problem, want) ||
				strings.Contains(faults[0].Mend, "remove") {
				t.Errorf("a check names %v", faults)
			}
		})
	}
}
