package criteria

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// trapSet is the traps that one message named, or one reporter.
type trapSet struct {
	key     string   // its names, for the snapshot
	ids     []uint64 // one a trap
	domains []uint64 // registrable domains; none for a reporter
	refs    int      // entries that hold it
}

// registry keeps each trap set once for all the hits that share it, for as
// long as a hit does: strangers choose the addresses at a trap domain, so
// what they can make us remember must end.
type registry struct {
	sets  []trapSet
	free  []uint32
	byKey map[string]uint32
}

func newRegistry() *registry { return &registry{byKey: map[string]uint32{}} }

func (g *registry) at(set uint32) *trapSet { return &g.sets[set] }

// hold gives the number of a set and counts one more holder.
func (g *registry) hold(kind Kind, names []string) uint32 {
	return g.holdKey(setKey(kind, names))
}

func setKey(kind Kind, names []string) string {
	sorted := slices.Compact(slices.Sorted(slices.Values(names)))
	return kind.String() + "\x00" + strings.Join(sorted, "\x00")
}

func (g *registry) holdKey(key string) uint32 {
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
	g.sets[set] = newTrapSet(key)
	g.byKey[key] = set
	return set
}

func newTrapSet(key string) trapSet {
	kind, names, _ := strings.Cut(key, "\x00")
	set := trapSet{key: key, refs: 1}
	for name := range strings.SplitSeq(names, "\x00") {
		set.ids = append(set.ids, identity(kind, name))
		if kind == TrapHit.String() {
			set.domains = append(set.domains, identity("domain", registrable(name)))
		}
	}
	return set
}

func (g *registry) release(set uint32) {
	s := &g.sets[set]
	if s.refs--; s.refs > 0 {
		return
	}
	delete(g.byKey, s.key)
	*s = trapSet{}
	g.free = append(g.free, set)
}

// names gives the traps, or the reporter, of a set.
func (s *trapSet) names() []string {
	_, names, _ := strings.Cut(s.key, "\x00")
	return strings.Split(names, "\x00")
}

// identity stands for a name in comparisons. It is cut from a cryptographic
// hash: strangers choose the names and must not find two that look the same.
func identity(kind, name string) uint64 {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
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
