package store

import (
	"os"

	"go.etcd.io/bbolt"
)

// Size is how large the files of a kind are together. A page that is free is
// used again before a file grows.
type Size struct {
	Bytes     int64
	FreePages int
}

// SizeOfHits measures the files of all days.
func (s *Store) SizeOfHits() (all Size) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.days {
		all.add(d.path, freePages(d.db))
	}
	return all
}

// SizeOfLedger measures the file of decisions.
func (s *Store) SizeOfLedger() (size Size) {
	size.add(s.ledger.path, freePages(s.ledger.db))
	return size
}

func (s *Size) add(path string, free int) {
	info, err := os.Stat(path)
	if err != nil {
		return // dropped meanwhile
	}
	s.Bytes += info.Size()
	s.FreePages += free
}

// freePages are free for the next commit, or once the readers of today are done.
func freePages(db *bbolt.DB) int {
	stats := db.Stats()
	return stats.FreePageN + stats.PendingPageN
}
