package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/criteria"
)

// breakage is what the disk does to a commit.
type breakage struct {
	name    string
	err     error
	applied bool // the commit is on disk all the same
	passes  bool // and the next one may succeed
}

func breakages() []breakage {
	write := func(e syscall.Errno) error { return &fs.PathError{Op: "write", Path: "x", Err: e} }
	return []breakage{
		{"no room", write(unix.ENOSPC), false, true},
		{"quota used up", write(unix.EDQUOT), false, true},
		{"file too large", write(unix.EFBIG), false, true},
		{"no longer file", fmt.Errorf("file resize error: %s", // as bbolt words it
			&fs.PathError{Op: "truncate", Path: "x", Err: unix.EFBIG}), false, true},
		{"no room for a name", &os.LinkError{Op: "rename", Old: "a", New: "b", Err: unix.ENOSPC}, false, true},
		{"input or output", write(unix.EIO), false, false},
		{"sync failed, lost", unix.EIO, false, false},
		{"sync failed, kept", unix.EIO, true, false},
		{"sync found no room, lost", unix.ENOSPC, false, false},
		{"sync found no room, kept", unix.ENOSPC, true, false},
		{"sync of a file", &fs.PathError{Op: "sync", Path: "x", Err: unix.ENOSPC}, true, false},
		{"read-only", write(unix.EROFS), false, false},
	}
}

// Whatever the disk does to one commit among others: what was acknowledged is
// there, once, after a restart too; what was refused is not there while the store
// is open, and afterwards only where nobody could know better.
func TestBrokenCommits(t *testing.T) {
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { testBrokenCommit(t, dir, b) })
		})
	}
}

func testBrokenCommit(t *testing.T, dir string, b breakage) {
	s, err := Open(Config{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	strikes := 0
	s.put = func(d *day, r []*Record, decided uint64) error {
		if strikes++; strikes != 3 {
			return d.put(r, decided)
		}
		if b.applied {
			if err := d.put(r, decided); err != nil {
				return err
			}
		}
		return b.err
	}
	s.Begin()
	add(t, s, 1, 2)
	err = s.Append(t.Context(), evident(3))
	if !errors.Is(err, b.want()) {
		t.Fatalf("the commit that breaks: %v", err)
	}
	if got := all(t, s); !slices.Equal(got, upTo(1, 2)) || !errors.Is(s.Room(), b.want()) {
		t.Errorf("then the log holds %v, room says %v", got, s.Room())
	}
	want := upTo(1, 2)
	if err = s.Append(t.Context(), evident(4)); b.passes {
		want = append(want, 4)
	} else if !errors.Is(err, ErrFailed) {
		t.Errorf("the commit after a failure: %v", err)
	}
	if b.passes {
		time.Sleep(time.Second) // the writer's
		synctest.Wait()
		if err != nil || s.Room() != nil {
			t.Errorf("the next commit: %v, room says %v", err, s.Room())
		}
	}
	closed(t, s)
	if b.applied {
		want = append(want, 3) // nobody was told that it is there
	}
	s = opened(t, Config{Dir: dir, Now: time.Now})
	if got := all(t, s); !slices.Equal(got, want) {
		t.Errorf("after a restart the log holds %v, want %v", got, want)
	}
	add(t, s, 5, 5)
	checkPagesOf(t, s)
	closed(t, s)
}

func (b breakage) want() error {
	if b.passes {
		return ErrFull
	}
	return ErrFailed
}

// The ledger's commits break as the log's do, and take no hit of the same batch
// with them that is on disk already.
func TestBrokenDecisions(t *testing.T) {
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			s, err := Open(Config{Dir: t.TempDir(), Now: newClock().read})
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, s)
			s.decide = func(l *ledger, d []criteria.Decision) error {
				if b.applied {
					if err := l.put(d); err != nil {
						return err
					}
				}
				return b.err
			}
			r := &request{records: []*Record{hit(1)}, done: make(chan error, 1)}
			d := &request{decisions: []criteria.Decision{except(1)}, done: make(chan error, 1)}
			s.queue <- r
			s.queue <- d
			s.Begin()
			if err := <-r.done; err != nil {
				t.Errorf("the hit: %v", err)
			}
			if err := <-d.done; !errors.Is(err, b.want()) {
				t.Errorf("the decision: %v", err)
			}
			if m := s.Mark(); m.LSN != 1 || m.Decision != 0 || len(s.Decisions(0, 9)) != 0 {
				t.Errorf("the mark is %+v, the ledger has %v", m, s.Decisions(0, 9))
			}
		})
	}
}

// A ledger that cannot be rewritten without its old points ends the writer, as any
// other write does.
func TestFailureWhileDroppingPoints(t *testing.T) {
	clock := newClock()
	s, err := Open(Config{Dir: t.TempDir(), Now: clock.read, Retention: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.beginDay("20261120"); err != nil {
		t.Fatal(err)
	}
	if err := s.beginDay("20261121"); err != nil {
		t.Fatal(err)
	}
	if err := s.ledger.db.Close(); err != nil {
		t.Fatal(err)
	}
	s.Begin()
	<-s.Failed()
	if err := s.Append(context.Background(), hit(1)); !errors.Is(err, ErrFailed) {
		t.Errorf("append says %v", err)
	}
	closed(t, s)
}

// A snapshot that finds no room leaves the one before, and nothing else.
func TestSnapshotOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "2m")
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 1)
	before := s.Mark()
	if err := s.WriteSnapshot(before, []byte("state")); err != nil {
		t.Fatal(err)
	}
	add(t, s, 2, 2)
	filled := ballast(t, dir, 2<<20)
	if err := s.WriteSnapshot(s.Mark(), make([]byte, 1<<20)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("write says %v", err)
	}
	if m, state, err := s.ReadSnapshot(); m != before || string(state) != "state" || err != nil {
		t.Errorf("the snapshot is %+v, %q, %v", m, state, err)
	}
	gone(t, filled)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("in the folder lie %v, %v", entries, err)
	}
}

// limitDir names, in the environment of a child process, the store that it fills
// against a limit of the size of files.
const limitDir = "TRAPLINE_TEST_LIMIT_DIR"

// appendUpToLimit fills a store until its file may not grow, says how much was
// acknowledged, lifts the limit and goes on.
func appendUpToLimit(dir string) {
	err := func() error {
		limit := unix.Rlimit{Cur: 1 << 20, Max: unix.RLIM_INFINITY}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		s, err := Open(Config{Dir: dir})
		if err != nil {
			return err
		}
		s.Begin()
		noise := make([]byte, 60<<10)
		_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
		n := 1
		for ; err == nil && n < 1000; n++ {
			r := hit(n)
			r.Evidence = PackEvidence(noise)
			err = s.Append(context.Background(), r)
		}
		if !errors.Is(err, ErrFull) {
			return fmt.Errorf("append %d: %w", n, err)
		}
		if limit.Cur = unix.RLIM_INFINITY; unix.Setrlimit(unix.RLIMIT_FSIZE, &limit) != nil {
			return errors.New("the limit stays")
		}
		if err := s.Append(context.Background(), hit(n)); err != nil {
			return fmt.Errorf("without the limit: %w", err)
		}
		fmt.Println(s.Mark().LSN)
		return s.Close()
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func TestFileThatMayNotGrow(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), limitDir+"="+dir)
	said, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	files, faults := checked(t, dir)
	if len(faults) > 0 || fmt.Sprintln(files[0].Records) != string(said) || files[0].Records < 5 {
		t.Errorf("acknowledged %s, found %+v", said, files)
	}
	if info, err := os.Stat(filepath.Join(dir, files[0].File)); err != nil || info.Size() < 500<<10 {
		t.Errorf("the file is %v, %v", info, err)
	}
}

// The clock steps back over midnight, and ahead again: stamps and days ascend, and
// what is read is what was written.
func TestClockStepsOverMidnight(t *testing.T) {
	dir, at := t.TempDir(), newClock()
	at.move(14*time.Hour + 59*time.Minute) // 23:59
	s := opened(t, Config{Dir: dir, Now: at.read})
	for i, step := range []time.Duration{2 * time.Minute, -3 * time.Minute, -daySpan, daySpan, 5 * time.Minute} {
		add(t, s, i+1, i+1)
		at.move(step)
	}
	add(t, s, 6, 6)
	if got := all(t, s); !slices.Equal(got, upTo(1, 6)) || len(s.days) != 2 {
		t.Errorf("the log holds %v in %d days", got, len(s.days))
	}
	stamp := criteria.Second(0)
	for r, err := range s.Records(1, 6) {
		if err != nil || r.Stamp < stamp {
			t.Errorf("record %d is stamped %s after %s, %v", r.LSN, r.Stamp, stamp, err)
		}
		stamp = r.Stamp
	}
	at.move(-2 * daySpan) // and over a restart
	closed(t, s)
	_, err := Open(Config{Dir: dir, Now: at.read})
	if !errors.Is(err, ErrAhead) {
		t.Errorf("a log two days ahead: %v", err)
	}
	at.move(2*daySpan - 30*time.Minute)
	s = opened(t, Config{Dir: dir, Now: at.read})
	add(t, s, 7, 7)
	if got := all(t, s); !slices.Equal(got, upTo(1, 7)) || len(s.days) != 2 {
		t.Errorf("after a restart the log holds %v in %d days", got, len(s.days))
	}
	checkPagesOf(t, s)
}
