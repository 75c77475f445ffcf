package criteria

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// trapSet is the traps that one message named, or one reporter. Names are not
// kept, only what tells them apart: strangers choose the addresses at a trap
// domain, and as many and as long as they like.
type trapSet struct {
	ids     []uint64 // one a trap, ascending
	domains []uint64 // registrable domains; none for a reporter
	refs    int      // entries that hold it
}

// setKey tells trap sets apart: a hash of their ids.
type setKey [sha256.Size]byte

// registry keeps each trap set once for all the hits that share it, for as
// long as a hit does.
type registry struct {
	sets  []trapSet
	free  []uint32
	byKey map[setKey]uint32
}

func newRegistry() *registry { return &registry{byKey: map[setKey]uint32{}} }

func (g *registry) at(set uint32) *trapSet { return &g.sets[set] }

// hold gives the number of a set and counts one more holder.
func (g *registry) hold(kind Kind, names []string) uint32 {
	var ids, domains []uint64
	for _, name := range names {
		ids = append(ids, identity(kind.String(), name))
		if kind == TrapHit {
			domains = append(domains, identity("domain", registrable(name)))
		}
	}
	return g.holdSet(ascending(ids), ascending(domains))
}

func ascending(ids []uint64) []uint64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (g *registry) holdSet(ids, domains []uint64) uint32 {
	key := keyOf(ids)
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
	g.sets[set] = trapSet{ids: ids, domains: domains, refs: 1}
	g.byKey[key] = set
	return set
}

func keyOf(ids []uint64) setKey {
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, id)
	}
	return sha256.Sum256(b)
}

func (g *registry) release(set uint32) {
	s := &g.sets[set]
	if s.refs--; s.refs > 0 {
		return
	}
	delete(g.byKey, keyOf(s.ids))
	*s = trapSet{}
	g.free = append(g.free, set)
}

// identity stands for a name in comparisons. It is cut from a cryptographic
// hash: strangers choose the names and must not find two that look the same.
func identity(kind, name string) uint64 {
	sum := sha256.Sum256([]byte(kind + "\x00" + name)) // no kind holds a NUL
	return beUint64(sum[:])
}

// registrable is the domain of an address that somebody can register, by the
// public suffix list; the whole domain where the list has no answer.
func registrable(address string) string {
	domain := address[strings.LastIndexByte(address, '@')+1:]
	if d, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return d
	}
	return domain
}

func beUint64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
