package criteria

import (
	"math"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/parser"
)

// entry is a hit as the engine keeps it: 24 bytes, without a pointer.
type entry struct {
	digest uint64 // start of the content's digest
	time   uint32 // seconds since 1970, until 2106
	set    uint32 // its traps and their weights, in the registry
	tag    uint64 // LSN << 16 | cause << 8 | marks
}

// latest is the last event time that an entry can hold.
const latest Second = math.MaxUint32

type mark uint8

const (
	isReport    mark = 1 << iota
	isIngested       // from a file, where the same event time means the same message
	isAgain          // never a repeat: ingested again on purpose
	isNameless       // of unknown content: never a repeat and never repeated
	isDelisted       // never counts, but others may repeat it
	isUncounted      // likewise, unless it is counted again

	isOut = isDelisted | isUncounted
)

func (e *entry) lsn() uint64         { return e.tag >> 16 }
func (e *entry) cause() parser.Cause { return parser.Cause(e.tag >> 8) }
func (e *entry) has(m mark) bool     { return mark(e.tag)&m != 0 }
func (e *entry) strike(m mark)       { e.tag |= uint64(m) }

// entryOf puts a hit into the engine's form. set holds its traps.
func entryOf(h *Hit, set uint32) entry {
	var marks mark
	for _, m := range [...]struct {
		mark
		set bool
	}{{isReport, h.Kind == Report}, {isIngested, h.Ingested}, {isAgain, h.Again},
		{isNameless, h.Digest == Digest{}}} {
		if m.set {
			marks |= m.mark
		}
	}
	return entry{digest: beUint64(h.Digest[:]), time: uint32(h.Time), set: set,
		tag: h.LSN<<16 | uint64(h.Cause)<<8 | uint64(marks)}
}

// order says where a hit stands among a source's entries.
func (e entry) order(f entry) int {
	if e.time != f.time {
		return int(int64(e.time) - int64(f.time))
	}
	if e.lsn() < f.lsn() {
		return -1
	}
	return 1
}

// source is what the engine knows of one listing unit, in one cache line.
type source struct {
	entries []entry // ascending by time, then LSN; no repeats
	unit    unit
	number  uint32 // in the roll
	due     uint32 // when it must be looked at; later than that only if it is noted
	since   uint32 // of the current listing
	until   uint32 // when the listing ends; 0: not searched since the last hit
	answer  Answer
	known   bool // false: the number is free
}

// noted is an instant in a source's form. What lies after 2106 is never.
func noted(s Second) uint32 { return uint32(min(max(s, 0), latest)) }

// newest is the event time of the newest hit, 0 without any.
func (s *source) newest() Second {
	if len(s.entries) == 0 {
		return 0
	}
	return Second(s.entries[len(s.entries)-1].time)
}

// repeats: the same source, traps and content within repeat_window, or
// ingested again with the same event time. Traps are compared as received,
// whatever became of them.
func (s *source) repeats(e *entry, r *rules, sets *registry) bool {
	if e.has(isAgain | isNameless) {
		return false
	}
	for i := len(s.entries) - 1; i >= 0; i-- {
		old := &s.entries[i]
		apart := uint64(max(old.time, e.time) - min(old.time, e.time))
		if old.time < e.time && apart >= max(r.repeat, 1) {
			return false
		}
		if old.digest != e.digest || old.has(isNameless) {
			continue
		}
		near := apart < r.repeat || apart == 0 && e.has(isIngested)
		if near && sets.sameTraps(old.set, e.set) {
			return true
		}
	}
	return false
}

// unit is the first address of a listing unit, IPv4 in its IPv6 form. It has no
// pointer, so that a million of them cost the garbage collector nothing.
type unit [16]byte

func (u unit) addr() netip.Addr { return netip.AddrFrom16(u).Unmap() }

// unitOf gives the listing unit that an address belongs to.
func (r *rules) unitOf(a netip.Addr) unit {
	return address.Unit(a, r.IPv6Prefix).Addr().As16()
}

// prefixOf gives a unit as a network.
func (r *rules) prefixOf(u unit) netip.Prefix {
	return address.Unit(u.addr(), r.IPv6Prefix)
}

func isBackscatter(c parser.Cause) bool { return c == parser.Bounce || c == parser.Autoreply }

func compareUnits(a, b *source) int { return slices.Compare(a.unit[:], b.unit[:]) }
