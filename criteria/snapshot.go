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
// number of trap sets, each with length and text; number of sources, each with
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
	var keys []string
	for _, unit := range units {
		for _, n := range e.sources[unit].entries {
			if _, known := number[n.set]; !known {
				number[n.set] = uint64(len(keys))
				keys = append(keys, e.sets.at(n.set).key)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, key := range keys {
		b = appendBytes(b, []byte(key))
	}
	return b, number
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
	keys := r.keys()
	for range r.count() {
		r.source(e, keys)
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

func (r *unpacker) keys() []string {
	keys := make([]string, r.count())
	for i := range keys {
		keys[i] = string(r.bytes())
	}
	return keys
}

func (r *unpacker) source(e *Engine, keys []string) {
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
		s.entries = append(s.entries, r.entry(e.sets, keys))
	}
	if s.answer != Unlisted {
		e.listed++
	}
	e.agenda.set(s, due)
}

func (r *unpacker) entry(sets *registry, keys []string) entry {
	n := entry{lsn: r.number(), digest: r.number(), host: r.number(), time: uint32(r.number())}
	key := r.number()
	n.weight, n.cause, n.flags = uint32(r.number()), parser.Cause(r.number()), flag(r.number())
	if r.bad || key >= uint64(len(keys)) {
		r.bad = true
		return n
	}
	n.set = sets.holdKey(keys[key])
	return n
}
