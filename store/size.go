package store

import "os"

// Size is how large the files of a kind are together. A page that is free is
// used again before a file grows.
type Size struct {
	Bytes     int64
	FreePages int
}

// SizeOfHits measures the files of all days.
func (s *Store) SizeOfHits() (all Size) {
	for _, d := range s.openFiles() {
		all.add(&d.file)
	}
	return all
}

// SizeOfLedger measures the file of decisions.
func (s *Store) SizeOfLedger() (size Size) {
	size.add(&s.ledger.file)
	return size
}

func (s *Size) add(f *file) {
	info, err := os.Stat(f.path)
	if err != nil {
		return // dropped meanwhile
	}
	s.Bytes += info.Size()
	s.FreePages += f.freePages()
}
