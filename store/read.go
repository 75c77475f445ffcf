package store

import (
	"iter"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// chunk is how many records are read in one transaction: a reader that takes
// its time must not hold a file's memory map.
const chunk = 256

// Event is the next thing in the log: a record, or a decision in its place.
type Event struct {
	Record   *Record
	Decision *criteria.Decision
}

// Events gives the log after one mark and up to another, decisions right after
// the record they follow. An error ends it: damage names the file and the LSN.
func (s *Store) Events(after, to Mark) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		decisions := s.Decisions(after.Decision, to.Decision)
		// flush gives the decisions that stand before the record lsn+1.
		flush := func(lsn uint64) bool {
			for len(decisions) > 0 && decisions[0].After <= lsn {
				d := decisions[0]
				decisions = decisions[1:]
				if !yield(Event{Decision: &d}, nil) {
					return false
				}
			}
			return true
		}
		for r, err := range s.Records(after.LSN+1, to.LSN) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !flush(r.LSN-1) || !yield(Event{Record: &r}, nil) {
				return
			}
		}
		flush(to.LSN)
	}
}

// Decisions gives the decisions numbered from after+1 to to.
func (s *Store) Decisions(after, to uint64) []criteria.Decision {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.ledger.decisions
	to = min(to, uint64(len(all)))
	return slices.Clone(all[min(after, to):to])
}

// Records gives the records from one LSN to another, without their evidence. An
// error comes after all the records before it, and is the last.
func (s *Store) Records(from, to uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, d := range s.openFiles() {
			for from <= to {
				records, err := d.read(from, chunk)
				for _, r := range records {
					if r.LSN > to || !yield(r, nil) {
						return
					}
					from = r.LSN + 1
				}
				if err != nil {
					yield(Record{}, err)
					return
				}
				if len(records) < chunk {
					break
				}
			}
		}
	}
}

// Newest gives records from an LSN down, newest first; else it is as Records.
func (s *Store) Newest(from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, d := range slices.Backward(s.openFiles()) {
			for from > 0 {
				records, err := d.readBack(from, chunk)
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
					from = r.LSN - 1
				}
				if err != nil {
					yield(Record{}, err)
					return
				}
				if len(records) < chunk {
					break
				}
			}
		}
	}
}

// Evidence gives the head of the message of a record; nil where it was not
// kept or is no longer.
func (s *Store) Evidence(lsn uint64) ([]byte, error) {
	for _, d := range s.openFiles() {
		head, err := d.evidence(lsn)
		if err != nil || head != nil {
			return head, err
		}
	}
	return nil, nil
}

// openFiles gives the days as they are now; one that is dropped meanwhile
// reads as empty.
func (s *Store) openFiles() []*day {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.days)
}
