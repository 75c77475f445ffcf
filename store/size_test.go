package store

import "testing"

func TestSize(t *testing.T) {
	s := opened(t, Config{Dir: t.TempDir()})
	if got := s.SizeOfHits(); got != (Size{}) {
		t.Errorf("hits before the first: %+v", got)
	}
	add(t, s, 1, 1)
	decide(t, s, except(1))
	first := s.SizeOfHits()
	if first.Bytes < 4096 || s.SizeOfLedger().Bytes < 4096 {
		t.Errorf("hits %+v, ledger %+v", first, s.SizeOfLedger())
	}
	free := 0
	for range 50 { // each rewrites pages, and frees the ones before for the next
		add(t, s, 1, 1)
		free += s.SizeOfHits().FreePages
	}
	if got := s.SizeOfHits(); got.Bytes < first.Bytes || free == 0 {
		t.Errorf("hits then: %+v, first %+v, %d free pages ever", got, first, free)
	}
}
