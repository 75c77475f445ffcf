package store

// Gap is a run of hits that are in no file, though later ones are, or the ledger or
// the snapshot speaks of them: a day was lost.
type Gap struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Missing gives the hits that were not there when the store was opened. What retention
// dropped does not count, nor what is missing within a day: that is damage.
func (s *Store) Missing() []Gap { return s.missing }

// gapsIn gives the gaps between the days of a log that ends at an LSN, and behind the
// last of them.
func gapsIn(days []span, end uint64) []Gap {
	var found []Gap
	last := uint64(0)
	for _, d := range days {
		if last > 0 && d.first > last+1 {
			found = append(found, Gap{last + 1, d.first - 1})
		}
		last = max(last, d.last)
	}
	if end > last {
		found = append(found, Gap{last + 1, end})
	}
	return found
}
