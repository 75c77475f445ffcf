package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// during restores a backup and lets something happen once so many of its bytes, in
// two readings, were read.
func during(t *testing.T, backup []byte, dir string, at int64, happen func()) error {
	t.Helper()
	once := sync.OnceFunc(happen)
	_, err := Restore(t.Context(), bytes.NewReader(backup), dir, func(done, _ uint64) {
		if int64(done) >= at {
			once()
		}
	})
	return err
}

// A daemon that starts in the folder before the restore has begun to write goes on
// in it, and starts again: nothing of the backup stays.
func TestRestoreBesideAStartLeavesItAlone(t *testing.T) {
	w := newSound(t)
	backup := backedUp(t, w)
	dir := filepath.Join(t.TempDir(), "data")
	var s *Store
	err := during(t, backup, dir, int64(len(backup)/2), func() {
		s = opened(t, Config{Dir: dir, Now: w.at.read})
		add(t, s, 1, 2)
	})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("restore says %v", err)
	}
	add(t, s, 3, 4)
	closed(t, s)
	s = opened(t, Config{Dir: dir, Now: w.at.read})
	add(t, s, 5, 5)
	if got := all(t, s); !slices.Equal(got, upTo(1, 5)) {
		t.Errorf("the log holds %v", got)
	}
	closed(t, s)
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("in the folder lie %v", entries)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(backup), dir, quiet); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("afterwards restore says %v", err)
	}
}

// While a restore is under way nobody starts in its folder, to write or to read.
func TestNoStartBesideARestore(t *testing.T) {
	w := newSound(t)
	backup := backedUp(t, w)
	dir := t.TempDir()
	err := during(t, backup, dir, int64(len(backup)*3/2), func() {
		for what, open := range map[string]func() (*Store, error){
			"to write": func() (*Store, error) { return Open(Config{Dir: dir, Now: w.at.read}) },
			"to read":  func() (*Store, error) { return OpenReadOnly(dir) },
		} {
			if _, err := open(); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
				t.Errorf("open %s says %v", what, err)
			}
		}
		if err := during(t, backup, dir, 0, func() {}); !errors.Is(err, ErrNotEmpty) {
			t.Errorf("another restore says %v", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	if words, err := w.readAll(dir); err != nil || !slices.Equal(words, w.told) {
		t.Errorf("restored %d of %d events, %v", len(words), len(w.told), err)
	}
}

// Where a file cannot be put in its place, those that could are taken back, and
// what was in the way stays.
func TestRestoreThatCannotEndIsTakenBack(t *testing.T) {
	backup := backedUp(t, newSound(t))
	for _, inTheWay := range []string{"hits-20261125.db", ledgerName} {
		dir := t.TempDir()
		err := during(t, backup, dir, int64(len(backup)*3/2), func() {
			overwrite(t, filepath.Join(dir, inTheWay), []byte("mine"))
		})
		if !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: restore says %v", inTheWay, err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, inTheWay)); string(b) != "mine" {
			t.Errorf("%s holds %d bytes, %v", inTheWay, len(b), err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%s: in the folder lie %v", inTheWay, entries)
		}
	}
}

// A restore that was done but for its clean-up, and files that were being made when
// a process was killed, are cleaned up by the next start.
func TestLeftoversAreRemovedAtStart(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 1)
	closed(t, s)
	if err := os.Mkdir(filepath.Join(dir, restoring), 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(dir, restoring, ledgerName), []byte("a second name"))
	overwrite(t, filepath.Join(dir, "hits-20261123.db.new"), []byte("half a day"))
	s, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	if _, err := os.Stat(filepath.Join(dir, restoring)); err != nil {
		t.Errorf("reading removed something: %v", err)
	}
	s = opened(t, Config{Dir: dir})
	if got := all(t, s); !slices.Equal(got, upTo(1, 1)) {
		t.Errorf("the log holds %v", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("in the folder lie %v", entries)
	}
}

// edited is a backup with another manifest, and without some members.
func edited(t *testing.T, backup []byte, edit func(*Manifest), without ...string) []byte {
	t.Helper()
	entries := unpacked(t, backup)
	last := &entries[len(entries)-1]
	var m Manifest
	if err := json.Unmarshal(last.content, &m); err != nil {
		t.Fatal(err)
	}
	edit(&m)
	var err error
	if last.content, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return repacked(t, slices.DeleteFunc(entries, func(e entry) bool {
		return slices.ContainsFunc(without, func(name string) bool { return strings.HasPrefix(e.name, name) })
	}))
}

// A backup whose mark says another thing than its files is not the store of any
// instant.
func TestMarkMustAgreeWithTheFiles(t *testing.T) {
	backup := backedUp(t, newSound(t))
	for name, b := range map[string][]byte{
		"later hit":         edited(t, backup, func(m *Manifest) { m.Mark.LSN++ }),
		"earlier hit":       edited(t, backup, func(m *Manifest) { m.Mark.LSN-- }),
		"later decision":    edited(t, backup, func(m *Manifest) { m.Mark.Decision++ }),
		"earlier decision":  edited(t, backup, func(m *Manifest) { m.Mark.Decision-- }),
		"last day left out": edited(t, backup, func(m *Manifest) { m.Files = m.Files[:2] }, "hits-20261125/"),
		"all days left out": edited(t, backup, func(m *Manifest) { m.Files = m.Files[:1] }, "hits-"),
	} {
		dir := filepath.Join(t.TempDir(), "data")
		_, err := Restore(t.Context(), bytes.NewReader(b), dir, quiet)
		if !errors.Is(err, ErrNoBackup) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was written", name)
		}
	}
}

// A day that begins while a backup does is in it, or behind its mark.
func TestBackupAtMidnight(t *testing.T) {
	at := newClock()
	s := opened(t, Config{Dir: t.TempDir(), Now: at.read})
	add(t, s, 1, 2)
	midnight := sync.OnceFunc(func() {
		at.move(daySpan)
		add(t, s, 3, 3)
	})
	s.cfg.Now = func() time.Time { // the writer has its clock already: this is the backup's
		midnight()
		return at.read()
	}
	m, err := s.Backup(t.Context(), io.Discard, 0)
	if err != nil {
		t.Fatal(err)
	}
	if last := m.Files[len(m.Files)-1].Last; last != m.Mark.LSN {
		t.Errorf("the mark is at hit %d, the last day ends at %d", m.Mark.LSN, last)
	}
}

// maskDir names, in the environment of a child process whose files nobody else may
// read, the folder that it makes a store and a restored one below.
const maskDir = "TRAPLINE_TEST_MASK_DIR"

func makeMasked(dir string) {
	err := func() error {
		unix.Umask(0o077)
		s, err := Open(Config{Dir: filepath.Join(dir, "a", "data")})
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if _, err := s.Backup(context.Background(), &b, 0); err != nil {
			return err
		}
		if _, err := Restore(context.Background(), bytes.NewReader(b.Bytes()), filepath.Join(dir, "b", "data"), quiet); err != nil {
			return err
		}
		_, err = Open(Config{Dir: filepath.Join(dir, "mine")})
		return err
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Whatever the umask, others may pass through the folders that are made, to the
// zone. One that was there is left as it was.
func TestOthersPassThroughNewFolders(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), maskDir+"="+dir)
	if said, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	for name, want := range map[string]os.FileMode{
		"a": 0o711, "a/data": 0o711, "b": 0o711, "b/data": 0o711, "mine": 0o700,
		"a/data/ledger.db": 0o600, "b/data/ledger.db": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %o", name, info, err, want)
		}
	}
}
