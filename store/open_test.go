package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func TestOpenSaysWhichFileIsWrong(t *testing.T) {
	w := newSound(t)
	for _, c := range []struct {
		name   string
		file   string
		damage func(t *testing.T, path string)
		want   error
	}{
		{"empty ledger", "ledger.db", cutTo(0), ErrDamaged},
		{"empty day", soundDay, cutTo(0), ErrDamaged},
		{"cut in the meta page", soundDay, cutTo(100), ErrDamaged},
		{"cut after the meta pages", soundDay, cutTo(8192), ErrDamaged},
		{"cut ledger", "ledger.db", cutTo(20_000), ErrDamaged},
		{"garbage", soundDay, garbage, ErrDamaged},
		{"garbage ledger", "ledger.db", garbage, ErrDamaged},
		{"foreign day", soundDay, foreign, ErrForeign},
		{"foreign ledger", "ledger.db", foreign, ErrForeign},
		{"day of another store", soundDay, ofAnotherStore, ErrForeign},
		{"ledger of another store", "ledger.db", ofAnotherStore, ErrForeign},
		{"newer day", soundDay, newer, ErrNewer},
		{"newer ledger", "ledger.db", newer, ErrNewer},
		{"ledger gone", "ledger.db", gone, ErrDamaged},
		{"hits of another day", "hits-20261123.db", copyOf(soundDay), ErrDamaged},
		{"hits put back from before", "hits-20261125.db", emptied, ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
				t.Fatal(err)
			}
			c.damage(t, filepath.Join(dir, c.file))
			for range 2 { // the first time must not mend or lock anything
				_, err := Open(Config{Dir: dir, Now: w.at.read})
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), dir) {
					t.Fatalf("open says %v, want %v and the path", err, c.want)
				}
			}
		})
	}
}

func cutTo(size int64) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
	}
}

func garbage(t *testing.T, path string) {
	t.Helper()
	overwrite(t, path, bytes.Repeat([]byte("no database"), 2000))
}

func gone(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func copyOf(name string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, b)
	}
}

// remade puts another bbolt file in the place of one.
func remade(t *testing.T, path string, fill func(*bbolt.Tx) error) {
	t.Helper()
	if err := createFile(path, fill); err != nil {
		t.Fatal(err)
	}
}

func foreign(t *testing.T, path string) {
	t.Helper()
	remade(t, path, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("accounts"))
		return err
	})
}

func ofAnotherStore(t *testing.T, path string) {
	t.Helper()
	other := opened(t, Config{Dir: t.TempDir()})
	add(t, other, 1, 1)
	name := filepath.Base(path)
	closed(t, other)
	b, err := os.ReadFile(filepath.Join(other.cfg.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, b)
}

// newer gives a file the schema of a later program.
func newer(t *testing.T, path string) {
	t.Helper()
	change(t, path, func(tx *bbolt.Tx) error { return put(tx, bucketMeta, keySchema, key(schema+1)) })
}

// emptied makes a day as it was before its hits: the ledger knows of them.
func emptied(t *testing.T, path string) {
	t.Helper()
	change(t, path, func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketMeta).Delete(keySpan); err != nil {
			return err
		}
		if err := tx.DeleteBucket(bucketHit); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucketHit)
		return err
	})
}

func change(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Where the whole newest file is lost, the log goes on after what ledger and
// snapshot know: no number is used twice.
func TestLostNewestDayDoesNotGiveNumbersTwice(t *testing.T) {
	for _, by := range []string{"ledger", "snapshot"} {
		t.Run(by, func(t *testing.T) {
			dir, at := t.TempDir(), newClock()
			s := opened(t, Config{Dir: dir, Now: at.read})
			add(t, s, 1, 3)
			at.move(daySpan)
			add(t, s, 4, 6)
			if by == "ledger" {
				decide(t, s, except(1))
			} else if err := s.WriteSnapshot(s.Mark(), []byte("state")); err != nil {
				t.Fatal(err)
			}
			closed(t, s)
			gone(t, filepath.Join(dir, "hits-20261125.db"))
			s = opened(t, Config{Dir: dir, Now: at.read})
			add(t, s, 7, 8)
			if s.Mark().LSN != 8 {
				t.Errorf("the log is at %d", s.Mark().LSN)
			}
			closed(t, s)
			s = opened(t, Config{Dir: dir, Now: at.read})
			if got := all(t, s); !slices.Equal(got, []int{1, 2, 3, 7, 8}) {
				t.Errorf("the log holds %v", got)
			}
		})
	}
}

func TestHalfMadeDayIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	overwrite(t, filepath.Join(dir, soundDay+".new"), []byte("half a day"))
	add(t, s, 1, 2)
	closed(t, s)
	s = opened(t, Config{Dir: dir})
	if got := all(t, s); !slices.Equal(got, upTo(1, 2)) {
		t.Errorf("the log holds %v", got)
	}
}

func TestFolderIsForOneProcess(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 1)
	for name, open := range map[string]func() (*Store, error){
		"to write": func() (*Store, error) { return Open(Config{Dir: dir}) },
		"to read":  func() (*Store, error) { return OpenReadOnly(dir) },
	} {
		begun := time.Now()
		_, err := open()
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir+": ") {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begun); took > 10*lockTimeout {
			t.Errorf("%s: waited %v", name, took)
		}
	}
	closed(t, s)
	a, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatalf("two readers: %v", err)
	}
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("a writer beside readers: %v", err)
	}
	if err := a.Append(context.Background(), hit(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a store open for reading: %v", err)
	}
	closed(t, a)
	closed(t, b)
}

func TestReadingNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder opens for reading: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("reading made %v", left)
	}
}
