package criteria

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
)

// RestoreEngine makes the engine that MarshalBinary packed. It never panics on
// foreign bytes; ErrSnapshot names what it is.
func RestoreEngine(b []byte) (*Engine, error) {
	r := &restorer{unpacker: unpacker{rest: b}}
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
	r.engine = engineOf(f)
	r.sets()
	for range r.count() {
		r.source()
	}
	r.points()
	for _, set := range r.held {
		r.engine.sets.release(set)
	}
	r.networks(f.Networks)
	if r.bad || len(r.rest) > 0 {
		return nil, fmt.Errorf("snapshot of %d bytes is cut or overlong: %w", len(b), ErrSnapshot)
	}
	r.dates()
	return r.engine, nil
}

// engineOf makes the engine of a frame, without sources.
func engineOf(f frame) *Engine {
	known := Corrections{burnt: f.Known.Burnt, reweighed: f.Known.Reweighed}.clone()
	for _, lsn := range f.Known.Named {
		known.named[lsn] = true
	}
	e := NewEngine(*f.Policy.Policy, known)
	maps.Copy(e.past.burnt, f.Burnt)
	maps.Copy(e.past.reweighed, f.Reweighed)
	for _, lsn := range f.Uncounted {
		e.past.uncounted[lsn] = true
	}
	e.now, e.policy, e.loading = f.Now, f.Policy, false
	e.overlay.restore(f)
	e.reputation.names = f.Names
	return e
}

// restorer fills an engine with what was packed.
type restorer struct {
	unpacker
	engine *Engine
	held   []uint32 // the registry's numbers of the sets, by their written ones
}

func (r *restorer) sets() {
	for range r.count() {
		members := make([]member, r.count())
		for i := range members {
			members[i] = member{id: r.number(), domain: r.number()}
			worth := r.number()
			members[i].weight, members[i].out = uint32(worth>>1), worth&1 == 1
			r.bad = r.bad || worth>>33 > 0 || i > 0 && members[i].id <= members[i-1].id
		}
		if r.bad || len(members) == 0 {
			r.bad = true
			return
		}
		r.held = append(r.held, r.engine.sets.holdSet(members))
	}
}

// unit reads the address of a unit of the policy.
func (r *restorer) unit() unit {
	a, ok := netip.AddrFromSlice(r.bytes())
	if !ok || r.engine.rules.unitOf(a).addr() != a {
		r.bad = true
		return unit{}
	}
	return a.As16()
}

func (r *restorer) source() {
	e, u := r.engine, r.unit()
	if r.bad || e.roll.find(u) != nil {
		r.bad = true
		return
	}
	s := e.sourceOf(u)
	answer := Answer(r.number())
	if answer != Unlisted {
		s.since = uint32(r.number())
	}
	for range r.count() {
		r.entry(s)
	}
	switch answer {
	case Unlisted:
	case Spam, Backscatter:
		e.enlist(s, answer)
	default:
		r.bad = true
	}
}

func (r *restorer) entry(s *source) {
	n := entry{digest: r.number(), time: uint32(r.number())}
	set := r.number()
	n.tag = r.number()
	from := s.unit.addr()
	if from.Is6() {
		from = netip.AddrFrom16([16]byte(r.take(len(unit{}))))
	}
	if r.bad || set >= uint64(len(r.held)) || from.Is4In6() ||
		r.engine.rules.unitOf(from) != s.unit {
		r.bad = true
		return
	}
	n.set = r.held[set]
	r.engine.sets.at(n.set).refs++
	r.engine.roll.insert(s, n, from)
}

func (r *restorer) points() {
	for range r.count() {
		u := r.unit()
		for range r.count() {
			c := dayCount{day: Day(r.number()), name: uint16(r.number()), mid: uint16(r.number()),
				host: r.number(), n: uint32(r.number())}
			if r.bad || int(c.name) >= len(r.engine.reputation.names) {
				r.bad = true
				return
			}
			r.engine.reputation.put(u, c)
		}
	}
}

// networks puts back since when networks have been listed.
func (r *restorer) networks(listed []listedNetwork) {
	for _, l := range listed {
		w := r.engine.networks.by[l.Network.Prefix]
		if w == nil || l.Since <= 0 {
			r.bad = true
			return
		}
		w.since = l.Since
	}
	clear(r.engine.networks.doubted)
}

// dates notes when each source must be looked at: that depends on when it was
// looked at before, so it is no part of the state.
func (r *restorer) dates() {
	e := r.engine
	for s := range e.roll.all() {
		o := e.outlook(s, e.count)
		e.agenda.note(s, min(o.nextChange(e.now, s.answer), e.forgetAt(s)))
	}
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
func (r *unpacker) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return 0
	}
	return int(n)
}

func (r *unpacker) bytes() []byte { return r.take(r.count()) }

// take reads n bytes, which are zeros where there are not so many.
func (r *unpacker) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}
