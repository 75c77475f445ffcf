package criteria

import (
	"iter"
	"math/bits"
	"net/netip"
	"slices"
)

// roll keeps the sources by number, in blocks that never move, and what only
// few of them need beside it.
type roll struct {
	index   *index // from unit to number
	blocks  []*[blockSize]source
	size    uint32            // numbers given out so far
	free    []uint32          // of those, the ones without a source
	hosts   map[uint32][]unit // IPv6: which address each entry came from
	listed  []uint64          // bitmap over the numbers
	fetched uint64            // means nothing: see fetch
}

const blockSize = 512

func newRoll() *roll {
	return &roll{index: newIndex(), hosts: map[uint32][]unit{}}
}

func (r *roll) at(number uint32) *source { return &r.blocks[number/blockSize][number%blockSize] }

// find gives the source of a unit, nil where there is none.
func (r *roll) find(u unit) *source {
	is := func(number uint32) bool { return r.at(number).unit == u }
	if number, ok := r.index.find(r.index.hash(&u), is); ok {
		return r.at(number)
	}
	return nil
}

func (r *roll) len() int { return r.index.used }

// add makes a source of a unit that has none.
func (r *roll) add(u unit) *source {
	number := r.size
	if n := len(r.free); n > 0 {
		number, r.free = r.free[n-1], r.free[:n-1]
	} else if r.size++; number%blockSize == 0 {
		r.blocks = append(r.blocks, new([blockSize]source))
		r.listed = append(r.listed, make([]uint64, blockSize/64)...)
	}
	r.index.add(r.index.hash(&u), number)
	s := r.at(number)
	*s = source{unit: u, number: number, due: uint32(latest), known: true}
	return s
}

// remove forgets a source without entries.
func (r *roll) remove(s *source) {
	r.index.remove(r.index.hash(&s.unit), s.number)
	delete(r.hosts, s.number)
	r.free = append(r.free, s.number)
	*s = source{number: s.number, due: uint32(latest)}
}

// all gives every source, in no order that means anything. The one that was
// given last may be removed.
func (r *roll) all() iter.Seq[*source] {
	return func(yield func(*source) bool) {
		for n := range r.size {
			if s := r.at(n); s.known && !yield(s) {
				return
			}
		}
	}
}

// sorted gives every source by address.
func (r *roll) sorted() []*source {
	sources := make([]*source, 0, r.len())
	sources = slices.AppendSeq(sources, r.all())
	slices.SortFunc(sources, compareUnits)
	return sources
}

// mark notes whether a source is listed.
func (r *roll) mark(s *source, listed bool) {
	bit := uint64(1) << (s.number % 64)
	if listed {
		r.listed[s.number/64] |= bit
	} else {
		r.listed[s.number/64] &^= bit
	}
}

// allListed gives the sources that are listed, in no order; the cost follows
// their number.
func (r *roll) allListed() iter.Seq[*source] {
	return func(yield func(*source) bool) {
		for i, word := range r.listed {
			for ; word != 0; word &= word - 1 {
				n := uint32(i*64 + bits.TrailingZeros64(word))
				if !yield(r.at(n)) {
					return
				}
			}
		}
	}
}

// insert adds a hit in its place.
func (r *roll) insert(s *source, e entry, from netip.Addr) {
	at := len(s.entries)
	if at > 0 && s.entries[at-1].order(e) > 0 {
		at, _ = slices.BinarySearchFunc(s.entries, e, entry.order)
	}
	s.entries = slices.Insert(roomy(s.entries), at, e)
	if from.Is6() && !from.Is4In6() {
		r.hosts[s.number] = slices.Insert(r.hosts[s.number], at, unit(from.As16()))
	}
}

// roomy gives entries with room for one more. They grow in small steps: most
// sources have few, and there are many sources.
func roomy(entries []entry) []entry {
	if len(entries) < cap(entries) {
		return entries
	}
	grown := make([]entry, len(entries), len(entries)+max(2, len(entries)/8))
	copy(grown, entries)
	return grown
}

// drop removes the entries for which out holds, and their hold on the registry.
func (r *roll) drop(s *source, sets *registry, out func(i int) bool) {
	entries, hosts := s.entries[:0], r.hosts[s.number]
	kept := 0
	for i, e := range s.entries {
		if out(i) {
			sets.release(e.set)
			continue
		}
		entries = append(entries, e)
		if hosts != nil {
			hosts[kept] = hosts[i]
		}
		kept++
	}
	if cap(entries) > 4*kept {
		entries = slices.Clone(entries)
	}
	s.entries = entries
	if hosts != nil {
		r.hosts[s.number] = hosts[:kept]
	}
}
