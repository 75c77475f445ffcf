package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
)

func quiet(uint64, uint64) {}

// backedUp is a backup of a folder's store.
func backedUp(t testing.TB, w sound) []byte {
	t.Helper()
	s, err := OpenReadOnly(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	var b bytes.Buffer
	m, err := s.Backup(context.Background(), &b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if hits, decisions := m.Records(); hits != 600 || decisions != 10 {
		t.Errorf("the backup holds %d hits, %d decisions", hits, decisions)
	}
	return b.Bytes()
}

func TestRestoredStoreIsTheSame(t *testing.T) {
	w := newSound(t)
	backup := backedUp(t, w)
	if again := backedUp(t, w); len(again) != len(backup) {
		t.Errorf("another backup of the same has %d bytes, not %d", len(again), len(backup))
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not", "there")} {
		m, err := Restore(t.Context(), bytes.NewReader(backup), dir, quiet)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Files) != 3 || m.Mark.LSN != 600 {
			t.Errorf("restored %+v", m)
		}
		if _, faults := checked(t, dir); len(faults) > 0 {
			t.Errorf("faults %v", faults)
		}
		words, err := w.readAll(dir)
		if err != nil || !slices.Equal(words, w.told) {
			t.Errorf("%d of %d events, %v", len(words), len(w.told), err)
		}
		checkPrivate(t, dir)
		s := opened(t, Config{Dir: dir, Now: w.at.read})
		add(t, s, 601, 602)
		if s.Mark().LSN != 602 {
			t.Errorf("the log goes on at %d", s.Mark().LSN)
		}
		closed(t, s)
	}
}

// checkPrivate: the store is nobody else's to read, and nothing else lies beside it.
func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if len(entries) != 3 {
		t.Errorf("in the folder lie %v", entries)
	}
}

func TestPointsAreBackedUp(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	add(t, s, 1, 2)
	decide(t, s, counted(7), except(1), counted(8))
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b, 0); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Restore(t.Context(), bytes.NewReader(b.Bytes()), dir, quiet); err != nil {
		t.Fatal(err)
	}
	again := opened(t, Config{Dir: dir})
	found := pointsIn(t, again)
	if len(found) != 2 || !bytes.Equal(found[0], counted(7).Points) || !bytes.Equal(found[1], counted(8).Points) {
		t.Errorf("points %v", found)
	}
	if !bytes.Equal(again.Secret(), s.Secret()) {
		t.Error("the secret is another")
	}
}

func TestEmptyStoreIsBackedUp(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	var b bytes.Buffer
	if _, err := s.Backup(t.Context(), &b, 0); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Restore(t.Context(), bytes.NewReader(b.Bytes()), dir, quiet); err != nil {
		t.Fatal(err)
	}
	again := opened(t, Config{Dir: dir})
	add(t, again, 1, 1)
}

// What is committed while a backup is made is left out or in by the mark alone,
// and the backup is a whole store: decisions never follow hits that it lacks.
func TestBackupBesideTheWriter(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	add(t, s, 1, 50)
	var writers sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for w := range 4 {
		writers.Go(func() {
			for n := 1000 * (w + 1); ctx.Err() == nil; n++ {
				if err := s.Append(context.Background(), evident(n)); err != nil {
					t.Error(err)
				}
				if err := s.Decide(context.Background(), except(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 8 {
		before := s.Mark()
		var b bytes.Buffer
		m, err := s.Backup(t.Context(), &b, 0)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := Restore(t.Context(), bytes.NewReader(b.Bytes()), dir, quiet); err != nil {
			t.Fatal(err)
		}
		r := opened(t, Config{Dir: dir})
		if got := r.Mark(); got.LSN != m.Mark.LSN || got.Decision != m.Mark.Decision || got.LSN < before.LSN {
			t.Errorf("restored up to %+v, backed up at %+v, begun at %+v", got, m.Mark, before)
		}
		if len(told(t, r, Mark{}, r.Mark())) != int(m.Mark.LSN+m.Mark.Decision) {
			t.Errorf("events are missing")
		}
	}
	cancel()
	writers.Wait()
}

// A day that retention would drop stays until the backup has it.
func TestBackupKeepsTheDays(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		at := newClock()
		s := opened(t, Config{Dir: dir, Now: at.read, Retention: 2 * daySpan})
		for day := range 3 {
			if err := s.Append(t.Context(), hit(day+1)); err != nil {
				t.Fatal(err)
			}
			at.move(daySpan)
		}
		later := func() {
			at.move(daySpan)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		var b bytes.Buffer
		if _, err := s.Backup(t.Context(), &pausing{&b, sync.OnceFunc(later)}, 0); err != nil {
			t.Fatal(err)
		}
		m, err := VerifyBackup(t.Context(), bytes.NewReader(b.Bytes()))
		if err != nil || len(m.Files) != 4 {
			t.Errorf("backed up %+v, %v", m, err)
		}
		later()
		if got := all(t, s); slices.Contains(got, 1) {
			t.Errorf("the old day stays for ever: %v", got)
		}
	})
}

// pausing is a writer that lets something happen at its first write.
type pausing struct {
	io.Writer
	first func()
}

func (p *pausing) Write(b []byte) (int, error) {
	p.first()
	return p.Writer.Write(b)
}

func TestDamageIsNotBackedUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   string
		damage func(*bbolt.Tx) error
		want   string
	}{
		{"hit", soundDay, func(tx *bbolt.Tx) error { return tx.Bucket(bucketHit).Delete(key(7)) }, soundDay + ", hit 7"},
		{"evidence", soundDay, func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketEvidence).Put(key(7), []byte("no checksum"))
		}, soundDay + ", evidence 7"},
		{"points", ledgerName, func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketPoints).Put(key(2), []byte("no checksum"))
		}, "points of decision 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newSound(t)
			change(t, filepath.Join(w.dir, c.file), c.damage)
			s, err := OpenReadOnly(w.dir)
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, s)
			_, err = s.Backup(t.Context(), io.Discard, 0)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("backup says %v", err)
			}
		})
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	add(t, s, 1, 3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Backup(ctx, io.Discard, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("backup says %v", err)
	}
}

func TestRestoreGoesNowhereElse(t *testing.T) {
	backup := backedUp(t, newSound(t))
	dir := t.TempDir()
	overwrite(t, filepath.Join(dir, "notes"), nil)
	if _, err := Restore(t.Context(), bytes.NewReader(backup), dir, quiet); !errors.Is(err, ErrNotEmpty) ||
		!strings.Contains(err.Error(), "notes") {
		t.Errorf("into a folder with a file: %v", err)
	}
	file := filepath.Join(dir, "notes")
	if _, err := Restore(t.Context(), bytes.NewReader(backup), file, quiet); err == nil {
		t.Error("into a file")
	}
	// A restore that was cut off is no store, and no empty folder either.
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, restoring), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), bytes.NewReader(backup), dir, quiet); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("beside another restore: %v", err)
	}
	if _, err := Open(Config{Dir: dir, Now: newClock().read}); !errors.Is(err, ErrDamaged) ||
		!strings.Contains(err.Error(), restoring) {
		t.Errorf("open says %v", err)
	}
}

func TestRestoreThatFindsNoRoomLeavesNothing(t *testing.T) {
	backup := backedUp(t, newSound(t))
	dir := filepath.Join(smallDisk(t, "100k"), "data")
	if _, err := Restore(t.Context(), bytes.NewReader(backup), dir, quiet); err == nil {
		t.Fatal("it fits")
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
		t.Errorf("left %v, %v", left, err)
	}
}
