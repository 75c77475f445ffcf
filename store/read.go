package store

import (
	"iter"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// chunk is how many records are read in one transaction: a reader that takes
// its time must not hold a file's memory map.
const chunk = 256

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
		for records, err := range batches(s, from, to, recordOf) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(Record{}, err)
			}
		}
	}
}

// batches gives what the log holds from one LSN to another, a transaction's
// worth at a time. An error comes with the batch before it, and is the last.
func batches[T any](s *Store, from, to uint64, unpack unpacking[T]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for _, d := range s.openFiles() {
			for from <= to {
				batch, next, err := read(d, from, to, unpack)
				from = next
				if len(batch) == 0 && err == nil {
					break
				}
				if !yield(batch, err) || err != nil {
					return
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

// Since gives the LSN of the first record that was stamped at an instant or
// later, the next to come where there is none.
func (s *Store) Since(at criteria.Second) (uint64, error) {
	for _, d := range s.openFiles() {
		if d.name < dayName(at) {
			continue
		}
		span, err := d.span()
		if err != nil {
			return 0, err
		}
		lsn, err := d.since(at, span)
		if err != nil || lsn <= span.last {
			return lsn, err
		}
	}
	return s.Mark().LSN + 1, nil
}
