package criteria

import "hash/maphash"

// index finds the number of a source by the hash of its unit.
//
// Go's map would do, but the memory of a million sources lies outside of the
// processor's caches, and there a look-up costs what it touches: of a map two
// places apart, of this one 8 bytes in one place, in IPv6 as in IPv4. The unit
// itself stands with the source, which is asked for next in any case. And the
// place is known before anything is read, so that those of many hits can be
// fetched at once: see Expect.
//
// It is open addressing with linear probing, at most three quarters full.
// Strangers choose addresses, so hashes are seeded; nothing depends on the seed
// but where a number stands.
type index struct {
	seed   maphash.Seed
	places []uint64 // hash << 32 | number, 0: empty; as many as a power of two
	used   int
}

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), places: make([]uint64, 64)}
}

// hash is odd, so that no place in use is 0.
func (x *index) hash(u *unit) uint32 { return uint32(maphash.Bytes(x.seed, u[:])) | 1 }

// home is where the search for a hash begins, after what follows a place.
func (x *index) home(hash uint32) int { return int(uint64(hash) * uint64(len(x.places)) >> 32) }

func (x *index) after(at int) int { return (at + 1) & (len(x.places) - 1) }

// find gives the number under a hash that is says yes to.
func (x *index) find(hash uint32, is func(number uint32) bool) (uint32, bool) {
	for at := x.home(hash); x.places[at] != 0; at = x.after(at) {
		if p := x.places[at]; uint32(p>>32) == hash && is(uint32(p)) {
			return uint32(p), true
		}
	}
	return 0, false
}

// add puts in a number that it does not have.
func (x *index) add(hash, number uint32) {
	if x.used++; x.used > len(x.places)/4*3 {
		old := x.places
		x.places = make([]uint64, 2*len(old))
		for _, p := range old {
			if p != 0 {
				x.put(p)
			}
		}
	}
	x.put(uint64(hash)<<32 | uint64(number))
}

func (x *index) put(p uint64) {
	at := x.home(uint32(p >> 32))
	for x.places[at] != 0 {
		at = x.after(at)
	}
	x.places[at] = p
}

// remove takes out a number that it has. Those behind it that would no longer be
// found move up.
func (x *index) remove(hash, number uint32) {
	at := x.home(hash)
	for x.places[at] != uint64(hash)<<32|uint64(number) {
		at = x.after(at)
	}
	x.used--
	for next := x.after(at); x.places[next] != 0; next = x.after(next) {
		if x.way(x.home(uint32(x.places[next]>>32)), next) >= x.way(at, next) {
			x.places[at] = x.places[next]
			at = next
		}
	}
	x.places[at] = 0
}

// way is how far a place lies after another.
func (x *index) way(from, to int) int { return (to - from) & (len(x.places) - 1) }
