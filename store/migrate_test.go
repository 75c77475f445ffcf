package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

var oldHits = []byte("hits")

// older makes of a sound store what a program of a schema before ours could have
// left: its bucket of hits has another name.
func older(t *testing.T, w sound) (files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	for _, name := range []string{soundDay, "hits-20261125.db", ledgerName} {
		path := filepath.Join(w.dir, name)
		change(t, path, func(tx *bbolt.Tx) error {
			if err := put(tx, bucketMeta, keySchema, key(schema-1)); err != nil || name == ledgerName {
				return err
			}
			return moveBucket(tx, bucketHit, oldHits)
		})
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return files
}

func moveBucket(tx *bbolt.Tx, from, to []byte) error {
	b, err := tx.CreateBucket(to)
	if err != nil {
		return err
	}
	if err := tx.Bucket(from).ForEach(b.Put); err != nil {
		return err
	}
	return tx.DeleteBucket(from)
}

// ahead1 is the step that older undoes.
func ahead1(tx *bbolt.Tx, file string) error {
	if file == ledgerName {
		return nil
	}
	return moveBucket(tx, oldHits, bucketHit)
}

// An older store is copied as it is, brought to our schema, and is then the same store.
func TestOlderStoreIsMigrated(t *testing.T) {
	w := newSound(t)
	before := older(t, w)
	for what, open := range map[string]func() (*Store, error){
		"to write, without a step": func() (*Store, error) { return Open(Config{Dir: w.dir, Now: w.at.read}) },
		"to read":                  func() (*Store, error) { return OpenReadOnly(w.dir) },
	} {
		if _, err := open(); !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), ledgerName+": schema 0") {
			t.Errorf("opened %s: %v", what, err)
		}
	}
	from, copied, err := migrate(Config{Dir: w.dir}, map[uint64]step{schema - 1: ahead1})
	if err != nil || from != schema-1 || copied != filepath.Join(w.dir, "before-schema-1") {
		t.Fatalf("migrated from %d, copied to %s: %v", from, copied, err)
	}
	for name, want := range before {
		path := filepath.Join(copied, name)
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s was copied as %d of %d bytes, %v", name, len(got), len(want), err)
		}
	}
	checkMigrated(t, w)
	if from, _, err := migrate(Config{Dir: w.dir}, nil); err != nil || from != schema {
		t.Errorf("again: from %d, %v", from, err)
	}
}

// checkMigrated: the store is whole and holds what it held.
func checkMigrated(t *testing.T, w sound) {
	t.Helper()
	if words, err := w.readAll(w.dir); err != nil || !slices.Equal(words, w.told) {
		t.Errorf("%d of %d events, %v", len(words), len(w.told), err)
	}
	if _, faults := checked(t, w.dir); len(faults) > 0 {
		t.Error(faults)
	}
}

// A migration that was cut off, wherever that was, goes on at the next start, and the
// copy stays that of before.
func TestMigrationGoesOnAfterACrash(t *testing.T) {
	crash := errors.New("crash")
	for at := range 3 {
		w := newSound(t)
		before := older(t, w)
		n := 0
		failing := func(tx *bbolt.Tx, file string) error {
			if n++; n == at+1 {
				return crash
			}
			return ahead1(tx, file)
		}
		if _, _, err := migrate(Config{Dir: w.dir}, map[uint64]step{schema - 1: failing}); !errors.Is(err, crash) ||
			!strings.Contains(err.Error(), "before-schema-1") {
			t.Fatalf("crash %d: %v", at, err)
		}
		_, copied, err := migrate(Config{Dir: w.dir}, map[uint64]step{schema - 1: ahead1})
		if err != nil {
			t.Fatalf("after crash %d: %v", at, err)
		}
		for name, want := range before {
			if got, err := os.ReadFile(filepath.Join(copied, name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("after crash %d: the copy of %s is another, %v", at, name, err)
			}
		}
		checkMigrated(t, w)
	}
	// A copy that was cut off is none.
	w := newSound(t)
	older(t, w)
	half := filepath.Join(w.dir, "before-schema-1.new")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	overwrite(t, filepath.Join(half, ledgerName), []byte("half"))
	_, copied, err := migrate(Config{Dir: w.dir}, map[uint64]step{schema - 1: ahead1})
	if entries, _ := os.ReadDir(copied); err != nil || len(entries) != 3 || sizeOf(filepath.Join(copied, ledgerName)) < 100 {
		t.Errorf("after half a copy: %v, %v", entries, err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a copy stays: %v", err)
	}
}

// Without room for the copy nothing is touched, and the start says so.
func TestMigrationNeedsRoom(t *testing.T) {
	w := newSound(t)
	before := older(t, w)
	_, _, err := migrate(Config{Dir: w.dir, FreeBytes: 1 << 60}, map[uint64]step{schema - 1: ahead1})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "bytes free") {
		t.Errorf("migrate says %v", err)
	}
	for name, want := range before {
		if got, err := os.ReadFile(filepath.Join(w.dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s was touched, %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(w.dir); len(entries) != 3 {
		t.Errorf("in the folder lie %v", entries)
	}
}

// A store of a later program is left as it is.
func TestNewerStoreIsNotMigrated(t *testing.T) {
	w := newSound(t)
	newer(t, filepath.Join(w.dir, ledgerName))
	_, err := Open(Config{Dir: w.dir, Now: w.at.read})
	if !errors.Is(err, ErrNewer) {
		t.Errorf("open says %v", err)
	}
	if entries, _ := os.ReadDir(w.dir); len(entries) != 3 {
		t.Errorf("in the folder lie %v", entries)
	}
}
