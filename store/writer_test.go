package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trapline/trapline/criteria"
)

// Whatever was answered with nil is there after closing in the middle of a
// storm, once; everybody gets an answer.
func TestCloseWhileAHundredAppend(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	var mu sync.Mutex
	var acknowledged []int
	var sessions sync.WaitGroup
	started := make(chan struct{}, 100)
	for session := range 100 {
		sessions.Go(func() {
			for n := 1000 * session; ; n++ {
				err := s.Append(context.Background(), hit(n))
				if n == 1000*session {
					started <- struct{}{}
				}
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Errorf("append says %v", err)
					}
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, n)
				mu.Unlock()
			}
		})
	}
	for range 100 {
		<-started
	}
	closed(t, s)
	sessions.Wait()
	s = opened(t, Config{Dir: dir})
	found := all(t, s)
	slices.Sort(found)
	slices.Sort(acknowledged)
	if !slices.Equal(found, acknowledged) {
		t.Errorf("%d records acknowledged, %d there", len(acknowledged), len(found))
	}
	checkPagesOf(t, s)
}

func TestRequestIsWrittenWholeAndInOrder(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	var group []*Record
	for n := range 3 * maxBatch { // more than a batch holds of other people's
		group = append(group, hit(n))
	}
	if err := s.Append(context.Background(), group...); err != nil {
		t.Fatal(err)
	}
	for i, r := range group {
		if r.LSN != uint64(i+1) || r.Stamp != group[0].Stamp {
			t.Fatalf("record %d has LSN %d, stamp %s", i, r.LSN, r.Stamp)
		}
	}
	if err := s.Append(context.Background()); err != nil || s.Mark().LSN != uint64(len(group)) {
		t.Errorf("append of nothing: %v, the log is at %d", err, s.Mark().LSN)
	}
}

func TestWithoutWriterNobodyWaitsForEver(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 1)
	go func() { answers <- s.Append(context.Background(), hit(1)) }()
	closed(t, s)
	if err := <-answers; !errors.Is(err, ErrClosed) {
		t.Errorf("append says %v", err)
	}
	s.Begin() // after the end: nothing
	if err := s.Append(context.Background(), hit(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("append after closing says %v", err)
	}
}

func TestContextCountsOnlyBeforeTheQueue(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir(), Now: newClock().read})
	if err != nil {
		t.Fatal(err)
	}
	queued := make(chan error)
	for range maxQueue {
		s.queue <- &request{records: []*Record{hit(1)}, done: make(chan error, 1)}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { queued <- s.Append(ctx, hit(2)) }()
	cancel()
	if err := <-queued; !errors.Is(err, context.Canceled) {
		t.Errorf("append to a full queue says %v", err)
	}
	s.Begin()
	closed(t, s)
	if s.Mark().LSN != maxQueue {
		t.Errorf("%d of %d records written", s.Mark().LSN, maxQueue)
	}
}

// After a failure that only a restart can mend nothing more is written, not
// even what would succeed, and all who wait or come are told.
func TestFailureEndsTheWriter(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir, Now: newClock().read})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	if err := s.beginDay("20261124"); err != nil {
		t.Fatal(err)
	}
	if err := s.days[0].db.Close(); err != nil { // the file goes away under the writer
		t.Fatal(err)
	}
	s.queue <- &request{records: []*Record{hit(1)}, // one batch at least holds both kinds
		decisions: []criteria.Decision{except(1)}, done: make(chan error, 1)}
	answers := make(chan error)
	const waiting = maxQueue + 200
	for n := range waiting {
		go func() {
			if n%2 == 0 {
				answers <- s.Decide(context.Background(), except(n))
			} else {
				answers <- s.Append(context.Background(), hit(n))
			}
		}()
	}
	s.Begin()
	saved := 0
	for range waiting {
		err := <-answers
		switch {
		case err == nil:
			saved++
		case !errors.Is(err, ErrFailed):
			t.Fatalf("an answer says %v", err)
		}
	}
	<-s.Failed()
	if err := s.Room(); !errors.Is(err, ErrFailed) {
		t.Errorf("room says %v", err)
	}
	if m := s.Mark(); m.LSN != 0 || m.Decision != uint64(saved) {
		t.Errorf("the mark is %+v, %d decisions were acknowledged", m, saved)
	}
}

func TestRoomFollowsTheDisk(t *testing.T) {
	dir := smallDisk(t, "8m")
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, Config{Dir: dir, Now: time.Now, FreeBytes: 4 << 20})
		second := func() {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		second()
		if err := s.Room(); err != nil {
			t.Errorf("an empty disk: %v", err)
		}
		filled := ballast(t, dir, 5<<20)
		second()
		if err := s.Room(); !errors.Is(err, ErrFull) {
			t.Errorf("a disk nearly full: %v", err)
		}
		gone(t, filled)
		second()
		if err := s.Room(); err != nil {
			t.Errorf("room was made: %v", err)
		}
	})
}

// A full disk refuses a whole batch, leaves nothing of it, and is no failure.
func TestFullDiskPasses(t *testing.T) {
	dir := smallDisk(t, "4m")
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, Config{Dir: dir, Now: time.Now})
		var noise [100 << 10]byte                         // does not get smaller
		_, _ = rand.NewChaCha8([32]byte{}).Read(noise[:]) // never fails
		big := func(n int) *Record {
			r := hit(n)
			r.Evidence = PackEvidence(noise[:])
			return r
		}
		n := 1
		var err error
		for ; err == nil && n < 100; n++ {
			err = s.Append(context.Background(), hit(n), big(n), hit(n))
		}
		if !errors.Is(err, ErrFull) || errors.Is(err, ErrFailed) {
			t.Fatalf("batch %d: %v", n, err)
		}
		if !errors.Is(s.Room(), ErrFull) {
			t.Errorf("room says %v", s.Room())
		}
		stored := 3 * (n - 2)
		if m := s.Mark(); m.LSN != uint64(stored) || len(all(t, s)) != stored {
			t.Errorf("the log is at %d, %d batches of three were acknowledged", m.LSN, n-2)
		}
		closed(t, s) // as a crash would

		s = opened(t, Config{Dir: dir, Now: time.Now})
		if got := len(all(t, s)); got != stored {
			t.Errorf("reopened: %d of %d records", got, stored)
		}
		if err := s.Append(context.Background(), big(n), big(n)); !errors.Is(err, ErrFull) {
			t.Fatalf("append to a full disk: %v", err)
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
			t.Fatal(err)
		}
		add := hit(n)
		if err := s.Append(context.Background(), add, big(n)); err != nil || add.LSN != uint64(stored+1) {
			t.Fatalf("room was made: LSN %d, %v", add.LSN, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if err := s.Room(); err != nil {
			t.Errorf("room was made: %v", err)
		}
		checkPagesOf(t, s)
	})
}

// A disk without room for a new day's file refuses, and takes it later.
func TestFullDiskAtMidnight(t *testing.T) {
	dir, at := smallDisk(t, "2m"), newClock()
	s := opened(t, Config{Dir: dir, Now: at.read})
	add(t, s, 1, 1)
	filled := ballast(t, dir, 2<<20)
	at.move(daySpan)
	if err := s.Append(context.Background(), hit(2)); !errors.Is(err, ErrFull) {
		t.Fatalf("append says %v", err)
	}
	gone(t, filled)
	add(t, s, 2, 2)
	if got := all(t, s); !slices.Equal(got, upTo(1, 2)) || len(s.days) != 2 {
		t.Errorf("the log holds %v in %d days", got, len(s.days))
	}
}
