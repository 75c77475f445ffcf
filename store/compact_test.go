package store

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// imported is the decision of a large import.
func imported(n int) criteria.Decision {
	d := counted(7)
	var points []criteria.Point
	for i := range n {
		points = append(points, criteria.Point{Day: 20000, Count: 1,
			Addr: netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})})
	}
	d.Points = criteria.PackPoints(points)
	return d
}

// loose is a store whose ledger is mostly free: it had the points of large imports.
func loose(t *testing.T) (*Store, *hand) {
	t.Helper()
	at := newClock()
	s := opened(t, Config{Dir: t.TempDir(), Now: at.read})
	for n := range 4 {
		add(t, s, n+1, n+1)
		decide(t, s, imported(20000), imported(20000), imported(20000), counted(uint32(n)))
		at.move(daySpan)
	}
	before := criteria.At(at.read().Add(-daySpan))
	if err := s.between(func() error { return s.ledger.dropPoints(before) }); err != nil {
		t.Fatal(err)
	}
	add(t, s, 5, 8)
	return s, at
}

// A file with many free pages is sound.
func TestManyFreePagesAreNoFault(t *testing.T) {
	s, _ := loose(t)
	size, free, err := freeIn(s.ledger.path)
	if err != nil || free < 256*int64(os.Getpagesize()) || free > size {
		t.Fatalf("%d of %d bytes are free, %v", free, size, err)
	}
	checkPagesOf(t, s)
}

// A compaction gives back what is free, says how much, and leaves alone what has
// little to give. The store is the same before and after.
func TestCompaction(t *testing.T) {
	s, at := loose(t)
	events, points := told(t, s, Mark{}, s.Mark()), pointsIn(t, s)
	var told []uint64
	results := map[string]Compacted{}
	for c, err := range s.Compact(t.Context(), 0, func(done, total uint64) { told = append(told, done, total) }) {
		if err != nil {
			t.Fatal(err)
		}
		if size := sizeOf(s.cfg.Dir + "/" + c.File); size != c.After {
			t.Errorf("%s has %d bytes, said %d", c.File, size, c.After)
		}
		results[c.File] = c
	}
	t.Logf("compacted %+v", results)
	ledger, sealed := results[ledgerName], results[soundDay]
	if len(results) != 6 || ledger.After > ledger.Before/3 || ledger.After < ledger.Before/100 || sealed.After > sealed.Before {
		t.Errorf("compacted %+v", results)
	}
	if n := len(told); n < 4 || !slices.IsSorted(evenOf(told)) || told[n-1] == 0 || told[n-1] != told[n-2] {
		t.Errorf("progress %v", told)
	}
	again := map[string]Compacted{}
	for c, err := range s.Compact(t.Context(), 0, quiet) {
		if again[c.File] = c; err != nil || c.After != c.Before {
			t.Errorf("again: %+v, %v", c, err)
		}
	}
	for range 2 {
		if diff := cmp.Diff(events, tellAll(t, s)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(points, pointsIn(t, s)); diff != "" {
			t.Error(diff)
		}
		checkPagesOf(t, s)
		closed(t, s)
		s = opened(t, Config{Dir: s.cfg.Dir, Now: at.read})
	}
}

func tellAll(t *testing.T, s *Store) []string {
	t.Helper()
	return told(t, s, Mark{}, s.Mark())
}

// evenOf are what was done, at each telling.
func evenOf(told []uint64) (done []uint64) {
	for i := 0; i < len(told); i += 2 {
		done = append(done, told[i])
	}
	return done
}

// A compaction that nobody waits for ends before the next file, with an error.
func TestCompactionEndsWithItsContext(t *testing.T) {
	s, _ := loose(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	files := 0
	var last error
	for _, err := range s.Compact(ctx, 0, quiet) {
		cancel()
		files, last = files+1, err
	}
	if files != 2 || last == nil {
		t.Errorf("%d files, then %v", files, last)
	}
}
