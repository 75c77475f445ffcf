package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// worn is a store of a sealed day, a day of today and a ledger, all with evidence
// or points, whose writer is at work.
func worn(t *testing.T, dir string) (*Store, *hand) {
	t.Helper()
	at := newClock()
	s := opened(t, Config{Dir: dir, Now: at.read})
	add(t, s, 1, 30)
	decide(t, s, except(1), counted(7))
	at.move(daySpan)
	add(t, s, 31, 40)
	return s, at
}

// rewritable are the files of a worn store, each of another kind.
func rewritable(s *Store) map[string]*file {
	return map[string]*file{"sealed": &s.days[0].file, "newest": &s.days[1].file, "ledger": &s.ledger.file}
}

// A process that dies while a file takes another's place leaves a whole store,
// whatever it was at. A copy of the folder at a moment is what a kill then leaves.
func TestCrashWhileAFileTakesAnothersPlace(t *testing.T) {
	for _, kind := range []string{"sealed", "newest", "ledger"} {
		dir := t.TempDir()
		s, at := worn(t, dir)
		var order []string
		var moments []string
		moment := func(step string) {
			order = append(order, step)
			copied := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Error(err)
			}
			moments = append(moments, copied)
		}
		real := s.disk
		s.disk = disk{
			sync: func(db *bbolt.DB) error {
				moment("sync")
				return real.sync(db)
			},
			rename: func(from, to string) error {
				moment("rename")
				defer moment("renamed")
				return real.rename(from, to)
			},
			syncFolder: func(dir string) error {
				moment("sync folder")
				return real.syncFolder(dir)
			},
		}
		if err := s.rewrite(t.Context(), rewritable(s)[kind], 0, bucketEvidence); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if want := []string{"sync", "sync", "rename", "renamed", "sync folder"}; !slices.Equal(order, want) {
			t.Errorf("%s: the disk was asked for %q: a name before its bytes", kind, order)
		}
		for i, copied := range moments {
			c := opened(t, Config{Dir: copied, Now: at.read})
			if got := all(t, c); !slices.Equal(got, upTo(1, 40)) || len(c.Decisions(0, 9)) != 2 {
				t.Errorf("%s, died before %s: %v, %d decisions", kind, order[i], got, len(c.Decisions(0, 9)))
			}
			add(t, c, 41, 41)
			checkPagesOf(t, c)
			closed(t, c)
			if left, _ := filepath.Glob(filepath.Join(copied, "*.new")); len(left) > 0 {
				t.Errorf("%s, died before %s: %q stays", kind, order[i], left)
			}
		}
	}
}

// Whatever the disk does to a file that takes another's place: what was and what is
// acknowledged is there, now and after a restart.
func TestDiskFailsWhileAFileTakesAnothersPlace(t *testing.T) {
	failure := &os.LinkError{Op: "rename", Old: "a", New: "b", Err: unix.EIO}
	for _, c := range []struct {
		name  string
		fail  func(*disk)
		want  error // nil: the error is heard, and the store goes on
		taken bool  // the new file is in place
	}{
		{"sync", func(d *disk) { d.sync = func(*bbolt.DB) error { return unix.EIO } }, nil, false},
		{"second sync", func(d *disk) {
			real, n := d.sync, 0
			d.sync = func(db *bbolt.DB) error {
				if n++; n == 2 {
					return unix.ENOSPC
				}
				return real(db)
			}
		}, nil, false},
		{"rename", func(d *disk) { d.rename = func(string, string) error { return failure } }, nil, false},
		{"rename, applied", func(d *disk) {
			real := d.rename
			d.rename = func(from, to string) error { return errors.Join(real(from, to), failure) }
		}, nil, true},
		{"folder", func(d *disk) { d.syncFolder = func(string) error { return unix.EIO } }, ErrFailed, true},
		{"folder without room", func(d *disk) { d.syncFolder = func(string) error { return unix.ENOSPC } }, ErrFailed, true},
	} {
		for _, kind := range []string{"sealed", "newest", "ledger"} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				dir := t.TempDir()
				s, at := worn(t, dir)
				c.fail(&s.disk)
				f := rewritable(s)[kind]
				before := f.db
				err := s.rewrite(t.Context(), f, 0)
				if c.want != nil && !errors.Is(err, c.want) || (f.db != before) != c.taken || (err == nil) != (c.name == "rename, applied") {
					t.Errorf("rewrite says %v, taken: %v", err, f.db != before)
				}
				last := 40
				if c.want == nil {
					add(t, s, 41, 45)
					decide(t, s, except(2))
					last = 45
				} else if err := s.Append(t.Context(), hit(41)); !errors.Is(err, ErrFailed) {
					t.Errorf("append after a failure: %v", err)
				}
				closed(t, s)
				s = opened(t, Config{Dir: dir, Now: at.read})
				if got := all(t, s); !slices.Equal(got, upTo(1, last)) {
					t.Errorf("after a restart the log holds %v", got)
				}
				if n := len(s.Decisions(0, 9)); n != 2 && c.want != nil || n != 3 && c.want == nil {
					t.Errorf("%d decisions", n)
				}
				checkPagesOf(t, s)
			})
		}
	}
}

// A disk that is full, or would be, keeps the file as it is, and nothing beside it.
func TestRewriteOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "2m")
	s, _ := worn(t, dir)
	ballast(t, dir, 2<<20)
	for _, size := range []int64{0, 1 << 40} { // no room, and too little beside what mail needs
		s.Reserve(uint64(size))
		if err := s.rewrite(t.Context(), &s.days[0].file, 0); !errors.Is(err, ErrFull) {
			t.Errorf("rewrite says %v", err)
		}
	}
	gone(t, filepath.Join(dir, "ballast"))
	s.Reserve(0)
	ballast(t, dir, 2<<20-100<<10) // less than it looks like: a copy needs more on the way
	err := s.rewrite(t.Context(), &s.days[0].file, 0)
	t.Logf("rewrite says %v", err)
	if got := all(t, s); !slices.Equal(got, upTo(1, 40)) {
		t.Errorf("the log holds %v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
	checkPagesOf(t, s)
}

// A copy that meets ENOSPC on its way is given up.
func TestCopyThatFindsNoRoom(t *testing.T) {
	dir := smallDisk(t, "2m")
	s, _ := worn(t, dir)
	w, err := s.beginRewriting(&s.days[0].file, nil)
	if err != nil {
		t.Fatal(err)
	}
	filled := ballast(t, dir, 2<<20)
	err = errors.Join(s.carryOver(t.Context(), w, 0), w.discard())
	if !errors.Is(err, unix.ENOSPC) && !strings.Contains(err.Error(), "no space left") {
		t.Errorf("the copy says %v", err)
	}
	gone(t, filled)
	add(t, s, 41, 42)
	if got := all(t, s); !slices.Equal(got, upTo(1, 42)) {
		t.Errorf("the log holds %v", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// What is written while a file is copied is in the new one: of the newest day, and
// of the ledger. Readers find all of it at any time.
func TestRewriteBesideTheWriter(t *testing.T) {
	dir := t.TempDir()
	s, at := worn(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var others sync.WaitGroup
	last := 40
	others.Go(func() {
		for ctx.Err() == nil {
			last++
			if err := s.Append(context.Background(), evident(last)); err != nil {
				t.Error(err)
			}
			if err := s.Decide(context.Background(), except(last), counted(uint32(last))); err != nil {
				t.Error(err)
			}
		}
	})
	others.Go(func() {
		for ctx.Err() == nil {
			to := s.Mark()
			if n := len(told(t, s, Mark{}, to)); n != int(to.LSN+to.Decision) {
				t.Errorf("%d events up to %+v", n, to)
			}
		}
	})
	rounds := 0
	for ; ctx.Err() == nil; rounds++ {
		for _, f := range rewritable(s) {
			if err := s.rewrite(context.Background(), f, 0); err != nil {
				t.Error(err)
			}
		}
	}
	others.Wait()
	t.Logf("%d hits, %d rounds", last, rounds)
	if got := all(t, s); !slices.Equal(got, upTo(1, last)) || rounds < 2 {
		t.Errorf("the log holds %d of %d hits, after %d rounds", len(got), last, rounds)
	}
	if got := pointsIn(t, s); len(got) != last-39 || len(got[len(got)-1]) == 0 {
		t.Errorf("%d imports of %d", len(got), last-39)
	}
	for n := 1; n <= last; n++ {
		if head, err := s.Evidence(uint64(n)); err != nil || string(head) != string(headOf(n)) {
			t.Fatalf("evidence of hit %d: %q, %v", n, head, err)
		}
	}
	closed(t, s)
	s = opened(t, Config{Dir: dir, Now: at.read})
	if got := all(t, s); !slices.Equal(got, upTo(1, last)) {
		t.Errorf("after a restart the log holds %d of %d hits", len(got), last)
	}
	checkPagesOf(t, s)
}

// Nobody waits for a rewriting that is not wanted any more.
func TestRewriteEndsWithItsContextAndTheStore(t *testing.T) {
	dir := t.TempDir()
	s, _ := worn(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.rewrite(ctx, &s.days[0].file, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("without anybody waiting: %v", err)
	}
	s.Stop()
	if err := s.rewrite(t.Context(), &s.days[0].file, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("without a writer: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
