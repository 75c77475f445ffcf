package criteria

import (
	"math"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/parser"
)

// entry is a hit as the engine keeps it.
type entry struct {
	lsn    uint64
	digest uint64 // start of the content's digest
	host   uint64 // the low half of an IPv6 address: exceptions may split a unit
	time   uint32 // seconds since 1970, until 2106
	set    uint32 // its traps, in the registry
	weight uint32 // millionths
	cause  parser.Cause
	flags  flag
}

// latest is the last event time that an entry can hold.
const latest Second = math.MaxUint32

type flag uint8

const (
	isReport   flag = 1 << iota
	isIngested      // from a file, where the same event time means the same message
	isAgain         // never a repeat: ingested again on purpose
	isNameless      // of unknown content: never a repeat and never repeated
)

func (f flag) has(g flag) bool { return f&g != 0 }

// source is what the engine knows of one listing unit.
type source struct {
	entries  []entry // ascending by time, then LSN; no repeats
	delisted uint64  // hits up to this LSN are out
	barred   Second  // not listed before it
	answer   Answer
	since    Second // of the current listing
	due      Second // when the answer changes or the source is forgotten, or before
	until    Second // when the listing ends; 0: not searched since the last hit
	index    int    // in the engine's agenda, -1 outside
	unit     netip.Addr
}

// order says where a hit stands among a source's entries.
func (e entry) order(f entry) int {
	if e.time != f.time {
		return int(int64(e.time) - int64(f.time))
	}
	if e.lsn < f.lsn {
		return -1
	}
	return 1
}

// insert adds a hit in its place and tells whether it counts: a repeat is
// dropped, since it is recorded in the log and never counts.
func (s *source) insert(e entry, r *rules) bool {
	if s.repeats(e, r) {
		return false
	}
	at, _ := slices.BinarySearchFunc(s.entries, e, entry.order)
	s.entries = slices.Insert(s.entries, at, e)
	return true
}

// repeats: the same source, traps and content within repeat_window, or
// ingested again with the same event time.
func (s *source) repeats(e entry, r *rules) bool {
	if e.flags&(isAgain|isNameless) != 0 {
		return false
	}
	for i := len(s.entries) - 1; i >= 0; i-- {
		old := s.entries[i]
		apart := max(old.time, e.time) - min(old.time, e.time)
		if old.time < e.time && uint64(apart) >= max(r.repeat, 1) {
			return false
		}
		same := old.set == e.set && old.digest == e.digest && !old.flags.has(isNameless)
		if same && (uint64(apart) < r.repeat || apart == 0 && e.flags.has(isIngested)) {
			return true
		}
	}
	return false
}

// newest is the event time of the newest hit, 0 without any.
func (s *source) newest() Second {
	if len(s.entries) == 0 {
		return 0
	}
	return Second(s.entries[len(s.entries)-1].time)
}

// view is how a source's hits are looked at: at which second, and which hits
// are out before any rule applies.
type view struct {
	at       Second
	spamOnly bool                   // bounces and autoreplies left out
	excepted func(host uint64) bool // nil: no exception splits this unit
}

func (v view) leavesOut(e *entry) bool {
	return Second(e.time) > v.at ||
		v.spamOnly && isBackscatter(e.cause) ||
		v.excepted != nil && v.excepted(e.host)
}

func isBackscatter(c parser.Cause) bool { return c == parser.Bounce || c == parser.Autoreply }

// counter is the working memory of a tally, reused from one to the next.
type counter struct {
	seen    map[uint64]int // hits counted per trap or reporter
	domains map[uint64]struct{}
	counted []int // indexes of the counted entries, newest first
}

func newCounter() *counter {
	return &counter{seen: map[uint64]int{}, domains: map[uint64]struct{}{}}
}

func (c *counter) reset() {
	clear(c.seen)
	clear(c.domains)
	c.counted = c.counted[:0]
}

// tally counts a source's hits at a second, in the order of the rules: what is
// out, the caps (newest kept), then the weights.
func (r *rules) tally(s *source, v view, sets *registry, c *counter) tally {
	c.reset()
	var t tally
	for i := len(s.entries) - 1; i >= 0 && t.hits+t.count < r.MaxCounted; i-- {
		e := &s.entries[i]
		if v.leavesOut(e) || e.lsn <= s.delisted && s.delisted > 0 {
			continue
		}
		age := uint64(v.at - Second(e.time))
		if age >= r.maxAge {
			break
		}
		if !c.admits(sets.at(e.set), r.limit(e)) {
			continue
		}
		c.counted = append(c.counted, i)
		t.last = max(t.last, Second(e.time))
		if e.flags.has(isReport) {
			t.count++
			t.reports.addProduct(r.freshness(age), r.worth(e))
		} else {
			t.hits++
			t.traps.addProduct(r.freshness(age), r.worth(e))
		}
	}
	t.count += t.hits
	t.distinct(c, sets, s.entries)
	return t
}

// limit is the cap per trap, or per reporter.
func (r *rules) limit(e *entry) int {
	if e.flags.has(isReport) {
		return r.MaxReportsPerReporter
	}
	return r.MaxHitsPerTrap
}

// worth is trap weight x cause weight in units of 1e-12.
func (r *rules) worth(e *entry) uint64 {
	return uint64(e.weight) * uint64(r.causeWeight(e.cause))
}

// admits tells whether one of the hit's traps has room below its cap, and
// counts the hit against all of them.
func (c *counter) admits(set *trapSet, limit int) bool {
	room := false
	for _, id := range set.ids {
		room = room || c.seen[id] < limit
	}
	if room {
		for _, id := range set.ids {
			c.seen[id]++
		}
	}
	return room
}

// distinct fills in how many traps, reporters and domains were counted.
func (t *tally) distinct(c *counter, sets *registry, entries []entry) {
	reporters := 0
	for _, i := range c.counted {
		set := sets.at(entries[i].set)
		for _, d := range set.domains {
			c.domains[d] = struct{}{}
		}
		if entries[i].flags.has(isReport) && c.seen[set.ids[0]] > 0 {
			c.seen[set.ids[0]] = 0 // counted once
			reporters++
		}
	}
	t.trapIDs, t.reporters, t.domains = len(c.seen)-reporters, reporters, len(c.domains)
}

// prune drops what can never count again: hits past every window, and, once
// there are many and no room for one more, hits beyond the caps that no repeat
// can still refer to.
func (o *outlook) prune(now Second) {
	s, old := o.source, 0
	for old < len(s.entries) && now-Second(s.entries[old].time) >= Second(o.maxAge+o.repeat) {
		old++
	}
	s.drop(o.sets, func(i int) bool { return i < old })
	if len(s.entries) < pruneFrom || len(s.entries) < cap(s.entries) {
		return
	}
	keep := o.countable(now)
	hard := len(s.entries) - 4*o.MaxCounted
	s.drop(o.sets, func(i int) bool {
		recent := now-Second(s.entries[i].time) < Second(o.repeat)
		return !keep[i] && (!recent || i < hard)
	})
}

// countable gives the entries that count in any way of looking at the source:
// with and without bounces, with and without the exceptions that split it.
func (o *outlook) countable(now Second) map[int]bool {
	keep := map[int]bool{}
	whole := *o
	whole.except = nil
	for _, look := range []*outlook{o, &whole} {
		for _, spamOnly := range []bool{false, true} {
			look.tallyAt(now, spamOnly)
			for _, i := range o.count.counted {
				keep[i] = true
			}
		}
	}
	return keep
}

// pruneFrom is the number of hits from which a source is worth pruning.
const pruneFrom = 64

// drop removes the entries for which out holds, and their hold on the registry.
func (s *source) drop(sets *registry, out func(i int) bool) {
	kept := s.entries[:0]
	for i, e := range s.entries {
		if out(i) {
			sets.release(e.set)
		} else {
			kept = append(kept, e)
		}
	}
	s.entries = kept
}

// hostOf is the low half of an IPv6 address.
func hostOf(a netip.Addr) uint64 {
	if !a.Is6() {
		return 0
	}
	b := a.As16()
	return beUint64(b[8:])
}

// unitOf gives the listing unit that an address belongs to.
func (r *rules) unitOf(a netip.Addr) netip.Prefix {
	return address.Unit(address.Unwrap(a), r.IPv6Prefix)
}
