package criteria

import (
	"net/netip"
	"slices"
)

// atOnce is how many sources are fetched together: about what a processor can
// wait for at once, and few enough that the first is still near when the last
// is there.
const atOnce = 32

// Expect is told whose hits Hit or Load will be given next, and brings what they
// need out of memory. It changes no answer, and needs not be called.
//
// With a million sources a hit takes less time to count than to fetch: the
// index, the source and its hits lie far apart, and each tells only where the
// next is. One hit has to wait for all three in turn; of many, each step is
// waited for together.
func (e *Engine) Expect(sources []netip.Addr) {
	var units [atOnce]unit
	for group := range slices.Chunk(sources, atOnce) {
		for i, a := range group {
			units[i] = e.rules.unitOf(a)
		}
		e.roll.fetch(units[:len(group)])
	}
}

// fetch reads a little of each source: first all places of the index, then all
// sources, then all hits.
func (r *roll) fetch(units []unit) {
	var sources [atOnce]*source
	found := 0
	for i := range units {
		if n, ok := r.index.find(r.index.hash(&units[i]), anyNumber); ok {
			sources[found] = r.at(n)
			found++
		}
	}
	var entries [atOnce][]entry
	for i, s := range sources[:found] {
		entries[i] = s.entries
	}
	const line = 2 // entries: a little less than what memory gives at a time
	for _, of := range entries[:found] {
		for i := len(of) - 1; i >= 0; i -= line {
			r.fetched += of[i].digest
		}
	}
}

func anyNumber(uint32) bool { return true }
