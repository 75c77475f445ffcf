package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Retention is how long what came in is kept; 0 is for ever.
type Retention struct {
	Records  time.Duration
	Evidence time.Duration // not longer than its record
}

// Retain has records and evidence kept for another time from now on. What is gone
// already does not come back.
func (s *Store) Retain(r Retention) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = r
}

// Reserve has so many bytes of disk left free from now on: see Config.FreeBytes.
func (s *Store) Reserve(bytes uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved = bytes
}

func (s *Store) reserve() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.reserved
}

func (s *Store) retention() Retention {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keep
}

// tick is the writer's second: it renews the mark, measures the disk and drops
// days that are too old.
func (s *Store) tick() {
	now, err := s.clock.read()
	if err != nil {
		s.setFull(err)
		return
	}
	m := s.mark
	m.At = max(m.At, now)
	s.moveMark(m)
	s.setFull(s.measure())
	s.dropOld(m.At)
}

// setFull notes why Room refuses, or that it does not.
func (s *Store) setFull(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !errors.Is(s.full, ErrFailed) {
		s.full = why
	}
}

// measure asks the file system how much is free.
func (s *Store) measure() error {
	return roomFor(s.cfg.Dir, s.reserve())
}

// roomFor asks a file system whether so many bytes are free; ErrFull where not.
func roomFor(dir string, size uint64) error {
	free, err := FreeBytes(dir)
	if err == nil && free < size { // where nothing is learnt, writing will tell
		return fmt.Errorf("%d bytes free, %d wanted: %w", free, size, ErrFull)
	}
	return nil
}

// dropOld unlinks the days whose every record is older than retention, except
// the newest: it says where the log ends.
func (s *Store) dropOld(now criteria.Second) {
	keep := s.retention()
	if keep.Records == 0 {
		return
	}
	oldest := criteria.At(now.Time().Add(-keep.Records))
	first := dayName(oldest)
	if s.mayDrop(first) {
		// What stays on a full disk goes with the next day.
		if err := s.ledger.dropPoints(oldest); err != nil && errors.Is(s.refuse(err), ErrFailed) {
			return
		}
	}
	for len(s.days) > 1 && s.days[0].name < first {
		d, free := s.letGo()
		if !free {
			return
		}
		_, _ = d.close(), os.Remove(d.path) // what stays is dropped at the next start
	}
}

// mayDrop tells whether there is a day before one, and nobody needs the days.
func (s *Store) mayDrop(first string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kept == 0 && len(s.days) > 1 && s.days[0].name < first
}

// letGo takes the oldest day off the list, unless somebody needs the days.
func (s *Store) letGo() (*day, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept > 0 {
		return nil, false
	}
	d := s.days[0]
	s.days = s.days[1:]
	return d, true
}

// keepDays gives the days as they are now, and the mark that they reach. None of
// them is dropped until the function that comes with them was called.
func (s *Store) keepDays() (days []*day, to Mark, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept++
	return slices.Clone(s.days), s.mark, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept--
	}
}
