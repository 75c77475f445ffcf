package criteria

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// member is a trap that a message named, or a reporter, and what it was worth.
type member struct {
	id     uint64
	domain uint64 // registrable; nothing for a reporter
	weight uint32 // millionths
	out    bool   // burnt, or as if it were watching: counts for nothing
}

// trapSet is the traps that one message named, or one reporter. Names are not
// kept, only what tells them apart: strangers choose the addresses at a trap
// domain, and as many and as long as they like.
type trapSet struct {
	one    [1]member // nearly always there is one,
	more   *[]member // else these, ascending by id
	refs   uint32    // entries that hold it
	weight uint32    // the highest of those that are not out
}

func (s *trapSet) members() []member {
	if s.more != nil {
		return *s.more
	}
	return s.one[:]
}

// names tells whether a trap or reporter is one of the set's.
func (s *trapSet) names(id uint64) bool {
	return slices.ContainsFunc(s.members(), func(m member) bool { return m.id == id })
}

// setKey tells trap sets apart: by the trap itself and its weight where it is
// one, else by a hash of all.
type setKey struct{ a, b uint64 }

// registry keeps each trap set once for all the hits that share it, for as
// long as a hit does.
type registry struct {
	sets  []trapSet
	free  []uint32
	byKey map[setKey]uint32
	names *names
	room  []member // for hold
}

func newRegistry() *registry {
	return &registry{byKey: map[setKey]uint32{}, names: newNames()}
}

func (g *registry) at(set uint32) *trapSet { return &g.sets[set] }

// hold gives the number of a hit's set, as corrected, and counts one more
// holder.
func (g *registry) hold(h *Hit, past hindsight) uint32 {
	g.room = g.room[:0]
	for i, name := range h.Traps {
		m := g.names.member(h.Kind, name)
		m.weight = uint32(h.Weight)
		if len(h.Weights) == len(h.Traps) {
			m.weight = uint32(h.Weights[i])
		}
		if h.Kind == TrapHit {
			past.correct(&m, h.Time, h.LSN)
		}
		g.room = append(g.room, m)
	}
	if len(g.room) > 1 {
		g.room = ascending(g.room)
	}
	return g.holdSet(g.room)
}

// naming tells of each set whether it names a trap.
func (g *registry) naming(trap uint64) []bool {
	naming := make([]bool, len(g.sets))
	for i := range g.sets {
		naming[i] = g.sets[i].refs > 0 && g.sets[i].names(trap)
	}
	return naming
}

// corrected gives the number of the set that an entry has in hindsight instead
// of the one that it holds, which it no longer does.
func (g *registry) corrected(e *entry, past hindsight) uint32 {
	g.room = append(g.room[:0], g.at(e.set).members()...)
	for i := range g.room {
		past.correct(&g.room[i], Second(e.time), e.lsn())
	}
	set := g.holdSet(g.room)
	g.release(e.set)
	return set
}

// ascending sorts members, each once: of one named twice the heavier holds.
func ascending(members []member) []member {
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(b.weight, a.weight))
	})
	return slices.CompactFunc(members, func(a, b member) bool { return a.id == b.id })
}

func (g *registry) holdSet(members []member) uint32 {
	key := keyOf(members)
	if set, ok := g.byKey[key]; ok {
		g.sets[set].refs++
		return set
	}
	set := uint32(len(g.sets))
	if n := len(g.free); n > 0 {
		set, g.free = g.free[n-1], g.free[:n-1]
	} else {
		g.sets = append(g.sets, trapSet{})
	}
	g.sets[set] = setOf(members)
	g.byKey[key] = set
	return set
}

func setOf(members []member) trapSet {
	s := trapSet{refs: 1}
	if copy(s.one[:], members); len(members) > 1 {
		more := slices.Clone(members)
		s.more = &more
	}
	for _, m := range members {
		if !m.out {
			s.weight = max(s.weight, m.weight)
		}
	}
	return s
}

func keyOf(members []member) setKey {
	const several = 1 << 63
	if len(members) == 1 {
		return setKey{members[0].id, members[0].worth()}
	}
	b := make([]byte, 0, 16*len(members))
	for _, m := range members {
		b = binary.BigEndian.AppendUint64(b, m.id)
		b = binary.BigEndian.AppendUint64(b, m.worth())
	}
	sum := sha256.Sum256(b)
	return setKey{beUint64(sum[:]), beUint64(sum[8:]) | several}
}

func (m *member) worth() uint64 {
	if m.out {
		return uint64(m.weight)<<1 | 1
	}
	return uint64(m.weight) << 1
}

func (g *registry) release(set uint32) {
	s := &g.sets[set]
	if s.refs--; s.refs > 0 {
		return
	}
	delete(g.byKey, keyOf(s.members()))
	*s = trapSet{}
	g.free = append(g.free, set)
}

// sameTraps tells whether two sets name the same traps, whatever these weigh.
func (g *registry) sameTraps(a, b uint32) bool {
	return a == b || slices.EqualFunc(g.at(a).members(), g.at(b).members(),
		func(a, b member) bool { return a.id == b.id })
}

func beUint64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
