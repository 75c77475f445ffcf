package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
)

// checkPagesOf runs bbolt's own check over every file of a store, and ours.
func checkPagesOf(t testing.TB, s *Store) {
	t.Helper()
	files := map[string]*bbolt.DB{s.ledger.path: s.ledger.db}
	for _, d := range s.days {
		files[d.path] = d.db
	}
	for path, db := range files {
		err := db.View(func(tx *bbolt.Tx) error {
			for fault := range tx.Check() {
				t.Errorf("%s: %v", path, fault)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for found := range s.Check(context.Background(), 0, quiet) {
		for _, f := range found.Faults {
			t.Error(f)
		}
	}
}

// checked gives what a check of a folder finds.
func checked(t testing.TB, dir string) (files []Checked, faults []Fault) {
	t.Helper()
	for found, err := range CheckFolder(context.Background(), dir, quiet) {
		if err != nil {
			t.Fatal(err)
		}
		files, faults = append(files, found), append(faults, found.Faults...)
	}
	return files, faults
}

func TestCheckCountsWhatIsThere(t *testing.T) {
	w := newSound(t)
	files, faults := checked(t, w.dir)
	for _, f := range faults {
		t.Error(f)
	}
	for i, want := range []Checked{
		{File: soundDay, Records: 360, Evidence: 360, First: 1, Last: 360},
		{File: "hits-20261125.db", Records: 240, Evidence: 240, First: 361, Last: 600},
		{File: "ledger.db", Records: 10, First: 1, Last: 10},
	} {
		if i >= len(files) {
			t.Fatalf("%d files", len(files))
		}
		got := files[i]
		if got.Bytes == 0 {
			t.Errorf("%s has no bytes", got.File)
		}
		got.Bytes, got.Faults = 0, nil
		if got.File != want.File || got.Records != want.Records || got.Evidence != want.Evidence ||
			got.First != want.First || got.Last != want.Last {
			t.Errorf("found %+v, want %+v", got, want)
		}
	}
}

// Damage that a reader meets late, or never, is named with its file and number.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	w := newSound(t)
	for _, c := range []struct {
		name   string
		file   string
		damage func(t *testing.T, path string)
		want   string // of the fault, after the file's name
	}{
		{"hit missing", soundDay, changed(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketHit).Delete(key(3))
		}), ", hit 3: missing"},
		{"hits missing at the end", soundDay, changed(func(tx *bbolt.Tx) error {
			return errors.Join(tx.Bucket(bucketHit).Delete(key(360)), tx.Bucket(bucketHit).Delete(key(359)))
		}), ", hit 359: missing, as are all up to hit 360"},
		{"a hit too many", soundDay, changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketHit, key(361), hit(1).append(nil))
		}), ", hit 361: is beyond the last, 360"},
		{"a hit before the first", "hits-20261125.db", changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketHit, key(7), hit(1).append(nil))
		}), "hit: key 0000000000000007 comes before the first, 361"},
		{"a hit that steps back", soundDay, changed(func(tx *bbolt.Tx) error {
			r := hit(9)
			r.Stamp = 1
			return put(tx, bucketHit, key(9), r.append(nil))
		}), ", hit 9: stamped 1970-01-01T00:00:01Z, before 2026-11-24T09:00:00Z"},
		{"a hit of the day after", soundDay, changed(func(tx *bbolt.Tx) error {
			r := hit(360)
			r.Stamp = 1 << 40
			return put(tx, bucketHit, key(360), r.append(nil))
		}), "after its day"},
		{"evidence of nothing", soundDay, changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketEvidence, key(361), evident(1).Evidence)
		}), ", hit 361: is beyond the last, 360"},
		{"evidence that does not unpack", soundDay, changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketEvidence, key(5), []byte("no zstd"))
		}), ", hit 5: evidence: unpack evidence"},
		{"decision missing", "ledger.db", changed(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketDecision).Delete(key(4))
		}), ", decision 4: missing"},
		{"decision about nothing", "ledger.db", changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketDecision, key(4), []byte("{}"))
		}), ", decision 4: \"\" is not an act"},
		{"points of nothing", "ledger.db", changed(func(tx *bbolt.Tx) error {
			return put(tx, bucketPoints, key(4), counted(7).Points)
		}), ", decision 4: points of a decision that brought none"},
		{"span gone", soundDay, changed(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketMeta).Delete(keySpan)
		}), "span: missing"},
		{"newest day gone", "hits-20261125.db", gone, "the log ends at hit 360"},
		{"empty", soundDay, cutTo(0), "empty"},
		{"cut", soundDay, cutTo(8192), "cut off"},
		{"garbage", "ledger.db", garbage, "no whole meta page"},
		{"ledger gone", "ledger.db", gone, "no such file"},
		{"of another store", soundDay, ofAnotherStore, "it belongs to another data_dir"},
		{"newer", "ledger.db", newer, "schema 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
				t.Fatal(err)
			}
			c.damage(t, filepath.Join(dir, c.file))
			_, faults := checked(t, dir)
			if !slices.ContainsFunc(faults, func(f Fault) bool { return strings.Contains(f.Error(), c.want) }) {
				t.Errorf("%q is not among %v", c.want, faults)
			}
			for _, f := range faults {
				if f.File == "" || f.Mend == "" {
					t.Errorf("%v does not say what to do", f)
				}
			}
		})
	}
}

// changed makes damage of a transaction.
func changed(f func(*bbolt.Tx) error) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		change(t, path, f)
	}
}

func TestCheckOfNothingAndOfAStoreInUse(t *testing.T) {
	dir := t.TempDir()
	for found, err := range CheckFolder(t.Context(), dir, quiet) {
		if !errors.Is(err, os.ErrNotExist) {
			t.Errorf("an empty folder: %+v, %v", found, err)
		}
	}
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 1)
	for found, err := range CheckFolder(t.Context(), dir, quiet) {
		if !errors.Is(err, ErrLocked) {
			t.Errorf("a store in use: %+v, %v", found, err)
		}
	}
}

// A check beside the writer reports neither what is being written nor a page
// that the writer has just let go.
func TestCheckBesideTheWriter(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	add(t, s, 1, 300)
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 301; n <= 600; n++ {
			if err := s.Append(context.Background(), evident(n)); err != nil {
				t.Error(err)
			}
			if n%10 == 0 {
				if err := s.Decide(context.Background(), except(n)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for s.Mark().LSN < 600 {
		for found := range s.Check(t.Context(), 0, quiet) {
			for _, f := range found.Faults {
				t.Error(f)
			}
			if found.File == soundDay && found.Records < 300 {
				t.Errorf("found %+v", found)
			}
		}
	}
	writer.Wait()
}

// TestEveryFlipIsNamedOrHarmless flips bytes anywhere in each file: a check names
// the file, or all that can be read is what was written. A start reads all of it, or
// ends with an error, named or not.
func TestEveryFlipIsNamedOrHarmless(t *testing.T) {
	w := newSound(t)
	s, err := Open(Config{Dir: w.dir, Now: w.at.read})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.WriteSnapshot(s.Mark(), slices.Repeat([]byte("state"), 200)); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for _, name := range []string{soundDay, "hits-20261125.db", ledgerName, snapshotName} {
		whole, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for n := range *flips {
			at, with := random.IntN(len(whole)), byte(1+random.IntN(255))
			switch {
			case n%8 == 0 && name != snapshotName:
				at = inMeta(random)
			case n%2 == 0: // headers are few and matter most
				at = at/os.Getpagesize()*os.Getpagesize() + random.IntN(pageHeader+4*elementSize)
			}
			at = min(at, len(whole)-1)
			damaged := slices.Clone(whole)
			damaged[at] ^= with
			overwrite(t, filepath.Join(dir, name), damaged)
			_, faults := checked(t, dir)
			words, err := w.readAll(dir)
			if err == nil && !slices.Equal(words, w.told) || err != nil && len(faults) == 0 {
				t.Errorf("%s, byte %d ^ %#x: named %v, a start reads %d of %d events, %v", name, at, with,
					faults, len(words), len(w.told), err)
			}
			if len(faults) == 0 {
				continue
			}
			if named++; faults[0].File != name && faults[len(faults)-1].File != name {
				t.Errorf("%s, byte %d ^ %#x: only %v", name, at, with, faults)
			}
		}
		overwrite(t, filepath.Join(dir, name), whole)
		t.Logf("%s: %d of %d flips named, the others harmless", name, named, *flips)
	}
}
