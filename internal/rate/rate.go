// Package rate limits how often a network may begin something, in memory that does not grow.
//
// In come networks that begin something, and when; out comes whether they may. Strangers come
// from as many networks as they like, so it must never keep anything for each of them.
package rate

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"time"
)

// Sketch limits how often a network may begin something, by the generic cell rate algorithm (ITU-T
// I.371): of each network one instant is kept, at which what it began so far is paid for; each
// beginning moves that on by the interval of its rate, and nobody may run further ahead of the
// clock than burst. A quiet network may so begin a minute's worth at once.
//
// The instants are kept in a sketch of fixed size, since a peer may come from as many IPv6
// networks as it likes: each network has one cell in every row, by a hash that nobody can guess,
// and the earliest of its cells counts. It is never full and nothing has to be thrown out.
// Networks that share a cell can only make it later, so a newcomer is refused for what others do
// only where others run ahead in all its cells: a thousand networks that each come as often as
// they may do that to one newcomer in eighty thousand, and any number that come now and then to
// none, unless all together begin width times as much as one of them may.
//
// It is not safe for concurrent use.
type Sketch struct {
	seed  maphash.Seed
	cells [rows][width]time.Duration // since the Sketch was made
}

const (
	rows  = 4
	width = 1 << 14 // a power of two; rows indexes fit a hash of 64 bits
	burst = time.Minute
)

// New gives a Sketch in which nobody has begun anything.
func New() *Sketch { return &Sketch{seed: maphash.MakeSeed()} }

// Take counts one beginning at now, a time since the Sketch was made; false, and nothing counted, if
// the rate forbids it. Each what is counted apart.
func (s *Sketch) Take(now time.Duration, network netip.Prefix, what byte, perMinute int) bool {
	places := s.places(network, what)
	paid := s.cells[0][places[0]]
	for row := range places {
		paid = min(paid, s.cells[row][places[row]])
	}
	paid = max(paid, now) + time.Minute/time.Duration(perMinute)
	if paid-now > burst {
		return false
	}
	for row, place := range places {
		cell := &s.cells[row][place]
		*cell = max(*cell, paid)
	}
	return true
}

// places returns where the cells of a network are, one in each row.
func (s *Sketch) places(network netip.Prefix, what byte) (places [rows]uint16) {
	var key [18]byte
	address := network.Addr().As16()
	copy(key[:], address[:])
	key[16], key[17] = byte(network.Bits()), what
	hash := maphash.Bytes(s.seed, key[:])
	var parts [8]byte
	binary.LittleEndian.PutUint64(parts[:], hash)
	for row := range places {
		places[row] = binary.LittleEndian.Uint16(parts[2*row:]) % width
	}
	return places
}
