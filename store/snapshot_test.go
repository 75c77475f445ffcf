package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/trapline/trapline/criteria"
)

func TestSnapshotComesBack(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	if m, state, err := s.ReadSnapshot(); state != nil || err != nil || m != (Mark{}) {
		t.Errorf("without a snapshot: %+v, %q, %v", m, state, err)
	}
	add(t, s, 1, 2)
	decide(t, s, except(1))
	for _, want := range []string{"first", "second and longer", ""} {
		if err := s.WriteSnapshot(s.Mark(), []byte(want)); err != nil {
			t.Fatal(err)
		}
		m, state, err := s.ReadSnapshot()
		if err != nil || string(state) != want || m != s.Mark() {
			t.Errorf("read %+v, %q, %v; want %q", m, state, err, want)
		}
	}
}

func TestDamagedSnapshotIsNoSnapshot(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 1)
	if err := s.WriteSnapshot(s.Mark(), []byte("state")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "engine.snapshot")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, b []byte) {
		overwrite(t, path, b)
		if _, state, err := s.ReadSnapshot(); !errors.Is(err, ErrDamaged) || state != nil {
			t.Errorf("%s: %q, %v", what, state, err)
		}
	}
	for n := range whole {
		check("cut", whole[:n])
	}
	for bit := range len(whole) * 8 {
		flipped := bytes.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		check("flipped", flipped)
	}
	check("garbage", bytes.Repeat([]byte("x"), 4096))
	closed(t, s)
	if s, err = Open(Config{Dir: dir, Now: newClock().read}); err != nil || s.Mark().LSN != 1 {
		t.Fatalf("a damaged snapshot stops the start: %v", err)
	}
	closed(t, s)
}

// A snapshot left behind by another store would leave out decisions: exceptions
// among them.
func TestSnapshotOfAnotherStoreIsForeign(t *testing.T) {
	other := opened(t, Config{Dir: t.TempDir()})
	if err := other.WriteSnapshot(Mark{LSN: 9, At: criteria.At(morning)}, []byte("state")); err != nil {
		t.Fatal(err)
	}
	s := opened(t, Config{Dir: t.TempDir()})
	left, err := os.ReadFile(other.snapshotPath())
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, s.snapshotPath(), left)
	if _, _, err := s.ReadSnapshot(); !errors.Is(err, ErrForeign) {
		t.Errorf("of another store: %v", err)
	}
}

// TestUnfinishedSnapshotIsDropped: what is left of a snapshot that a kill cut short does not pile
// up.
func TestUnfinishedSnapshotIsDropped(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	left := filepath.Join(dir, ".engine.snapshot123")
	overwrite(t, left, []byte("half a sta"))
	if err := s.WriteSnapshot(s.Mark(), []byte("state")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stat %s: %v", left, err)
	}
}
