package criteria

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrSnapshot says that bytes are no snapshot of an engine, or of another
// version of it. The engine is then made anew from the log.
var ErrSnapshot = errors.New("not a snapshot of this version")

// snapshotVersion changes with the layout or with the meaning of a field.
const snapshotVersion = 3

// frame is the part of a snapshot that is not worth packing.
type frame struct {
	Now        Second             `json:"now"`
	Policy     Decision           `json:"policy"`
	Exceptions []Exception        `json:"exceptions"`
	Manual     []Manual           `json:"manual"`
	Bars       []bar              `json:"bars"`
	Burnt      map[uint64]Second  `json:"burnt"`
	Reweighed  map[uint64]reweigh `json:"reweighed"`
	Uncounted  []uint64           `json:"uncounted"`
	Known      knownCorrections   `json:"known"`
	Networks   []listedNetwork    `json:"networks"`
	Names      []string           `json:"names"` // of who counted points
}

// knownCorrections is Corrections in a snapshot.
type knownCorrections struct {
	Burnt     map[uint64][]Second `json:"burnt"`
	Reweighed map[uint64][]uint64 `json:"reweighed"`
	Named     []uint64            `json:"named"`
}

// listedNetwork is a network that is listed.
type listedNetwork struct {
	Network Source `json:"network"`
	Since   Second `json:"since"`
}

func (e *Engine) frame() frame {
	f := frame{Now: e.now, Policy: e.policy, Exceptions: e.overlay.all(),
		Manual: e.overlay.manuals(), Bars: e.overlay.barred(), Burnt: e.past.burnt,
		Reweighed: e.past.reweighed, Uncounted: slices.Sorted(maps.Keys(e.past.uncounted)),
		Names: e.reputation.names, Known: knownCorrections{e.known.burnt, e.known.reweighed,
			slices.Sorted(maps.Keys(e.known.named))}}
	for _, w := range e.listedNetworks() {
		f.Networks = append(f.Networks, listedNetwork{Source{w.Prefix}, w.since})
	}
	slices.SortFunc(f.Networks, func(a, b listedNetwork) int {
		return comparePrefix(a.Network.Prefix, b.Network.Prefix)
	})
	return f
}

// MarshalBinary packs the engine's whole state: equal states give equal bytes.
// The layout, all numbers unsigned varints: version; length and JSON of frame;
// number of trap sets, each with the number of its members and of each id,
// domain, weight and whether it is out; number of sources, each with address,
// answer, since when it is listed, number of entries and of each LSN, digest, time, set, cause
// and flags, in IPv6 with the address; number of units with points, each with
// address, number of counts and of each day, name, host, count.
func (e *Engine) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(e.frame())
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	b := binary.AppendUvarint(nil, snapshotVersion)
	b = appendBytes(b, head)
	sources := e.roll.sorted()
	b, numbers := e.sets.append(b, sources)
	b = binary.AppendUvarint(b, uint64(len(sources)))
	for _, s := range sources {
		b = s.append(b, numbers, e.roll.hosts[s.number])
	}
	return e.reputation.append(b), nil
}

// append writes the trap sets in the order of their first use, and gives the
// number that each is written under.
func (g *registry) append(b []byte, sources []*source) ([]byte, []uint32) {
	const unused = 1<<32 - 1
	numbers := make([]uint32, len(g.sets))
	for i := range numbers {
		numbers[i] = unused
	}
	var used []uint32
	for _, s := range sources {
		for i := range s.entries {
			if set := s.entries[i].set; numbers[set] == unused {
				numbers[set] = uint32(len(used))
				used = append(used, set)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(used)))
	for _, set := range used {
		members := g.at(set).members()
		b = binary.AppendUvarint(b, uint64(len(members)))
		for _, m := range members {
			b = appendNumbers(b, m.id, m.domain, m.worth())
		}
	}
	return b, numbers
}

func appendNumbers(b []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (s *source) append(b []byte, numbers []uint32, hosts []unit) []byte {
	b = appendBytes(b, s.unit.addr().AsSlice())
	b = append(b, byte(s.answer))
	if s.answer != Unlisted {
		b = appendNumbers(b, uint64(s.since))
	}
	b = appendNumbers(b, uint64(len(s.entries)))
	for i := range s.entries {
		n := &s.entries[i]
		b = appendNumbers(b, n.digest, uint64(n.time), uint64(numbers[n.set]), n.tag)
		if hosts != nil {
			b = append(b, hosts[i][:]...)
		}
	}
	return b
}

func (r *reputation) append(b []byte) []byte {
	units := slices.SortedFunc(maps.Keys(r.units), func(a, b unit) int {
		return slices.Compare(a[:], b[:])
	})
	b = binary.AppendUvarint(b, uint64(len(units)))
	for _, u := range units {
		b = appendBytes(b, u.addr().AsSlice())
		b = binary.AppendUvarint(b, uint64(len(r.units[u])))
		for _, c := range r.units[u] {
			b = appendNumbers(b, uint64(c.day), uint64(c.name), uint64(c.mid), c.host, uint64(c.n))
		}
	}
	return b
}
