package criteria

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/parser"
)

// ErrSnapshot says that bytes are no snapshot of an engine, or of another
// version of it. The engine is then made anew from the log.
var ErrSnapshot = errors.New("not a snapshot of this version")

// snapshotVersion changes with the layout or with the meaning of a field.
const snapshotVersion = 1

// frame is the part of a snapshot that is not worth packing.
type frame struct {
	Now        Second      `json:"now"`
	Policy     Decision    `json:"policy"`
	Exceptions []Exception `json:"exceptions"`
	Manual     []Manual    `json:"manual"`
}

// MarshalBinary packs the engine's whole state: equal states give equal bytes.
// The layout, all numbers unsigned varints: version; length and JSON of frame;
// number of trap sets, each with its ids and domains; number of sources, each with
// address, delisted, barred, answer, since, due and its entries.
func (e *Engine) MarshalBinary() ([]byte, error) {
	head, err := json.Marshal(frame{e.now, e.policy, e.overlay.all(), e.overlay.manuals()})
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	b := binary.AppendUvarint(nil, snapshotVersion)
	b = appendBytes(b, head)
	units := make([]netip.Addr, 0, len(e.sources))
	for unit := range e.sources {
		units = append(units, unit)
	}
	slices.SortFunc(units, netip.Addr.Compare)
	b, number := e.appendSets(b, units)
	b = binary.AppendUvarint(b, uint64(len(units)))
	for _, unit := range units {
		b = e.sources[unit].append(b, number)
	}
	return b, nil
}

// appendSets writes the trap sets in the order of their first use.
func (e *Engine) appendSets(b []byte, units []netip.Addr) ([]byte, map[uint32]uint64) {
	number := map[uint32]uint64{}
	var used []*trapSet
	for _, unit := range units {
		for _, n := range e.sources[unit].entries {
			if _, known := number[n.set]; !known {
				number[n.set] = uint64(len(used))
				used = append(used, e.sets.at(n.set))
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(used)))
	for _, set := range used {
		b = appendNumbers(appendNumbers(b, set.ids), set.domains)
	}
	return b, number
}

func appendNumbers(b []byte, numbers []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(numbers)))
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendBytes(b, s []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

func (s *source) append(b []byte, number map[uint32]uint64) []byte {
	b = appendBytes(b, s.unit.AsSlice())
	for _, n := range []uint64{s.delisted, uint64(s.barred), uint64(s.answer), uint64(s.since),
		uint64(s.due), uint64(len(s.entries))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, n := range s.entries {
		for _, v := range []uint64{n.lsn, n.digest, n.host, uint64(n.time), number[n.set],
			uint64(n.weight), uint64(n.cause), uint64(n.flags)} {
			b = binary.AppendUvarint(b, v)
		}
	}
	return b
}

// RestoreEngine makes the engine that MarshalBinary packed. It never panics on
// foreign bytes; ErrSnapshot names what it is.
func RestoreEngine(b []byte) (*Engine, error) {
	r := &unpacker{rest: b}
	if v := r.number(); v != snapshotVersion {
		return nil, fmt.Errorf("snapshot version %d: %w", v, ErrSnapshot)
	}
	var f frame
	if err := json.Unmarshal(r.bytes(), &f); err != nil {
		return nil, fmt.Errorf("snapshot frame: %w: %w", err, ErrSnapshot)
	}
	if err := f.Policy.Check(); f.Policy.Act != ActPolicy || err != nil {
		return nil, fmt.Errorf("snapshot policy: %w", ErrSnapshot)
	}
	e := NewEngine(*f.Policy.Policy)
	e.now, e.policy = f.Now, f.Policy
	e.overlay.restore(f)
	sets := r.sets()
	for range r.count() {
		r.source(e, sets)
	}
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("snapshot of %d bytes is cut or overlong: %w", len(b), ErrSnapshot)
	}
	return e, nil
}

// unpacker reads what was packed; bad is set at the first thing that is wrong,
// and everything reads as zero from there.
type unpacker struct {
	rest []byte
	bad  bool
}

func (r *unpacker) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || r.bad {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count reads a number of things that take at least a byte each.
func (r *unpacker) count() uint64 {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return 0
	}
	return n
}

func (r *unpacker) bytes() []byte {
	n := r.count()
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *unpacker) numbers() []uint64 {
	numbers := make([]uint64, r.count())
	for i := range numbers {
		numbers[i] = r.number()
	}
	return numbers
}

func (r *unpacker) sets() []trapSet {
	sets := make([]trapSet, r.count())
	for i := range sets {
		sets[i] = trapSet{ids: r.numbers(), domains: r.numbers()}
	}
	return sets
}

func (r *unpacker) source(e *Engine, sets []trapSet) {
	unit, ok := netip.AddrFromSlice(r.bytes())
	if !ok || e.sources[unit] != nil || e.rules.unitOf(unit).Addr() != unit {
		r.bad = true
		return
	}
	s := e.sourceOf(unit)
	s.delisted, s.barred = r.number(), Second(r.number())
	s.answer, s.since = Answer(r.number()), Second(r.number())
	due := Second(r.number())
	for range r.count() {
		s.entries = append(s.entries, r.entry(e.sets, sets))
	}
	if s.answer != Unlisted {
		e.listed++
	}
	e.agenda.set(s, due)
}

func (r *unpacker) entry(registry *registry, sets []trapSet) entry {
	n := entry{lsn: r.number(), digest: r.number(), host: r.number(), time: uint32(r.number())}
	set := r.number()
	n.weight, n.cause, n.flags = uint32(r.number()), parser.Cause(r.number()), flag(r.number())
	if r.bad || set >= uint64(len(sets)) || len(sets[set].ids) == 0 {
		r.bad = true
		return n
	}
	n.set = registry.holdSet(sets[set].ids, sets[set].domains)
	return n
}
