package criteria

import (
	"hash/maphash"
	"math/bits"
)

// tally is what the rules count of one source at one second.
type tally struct {
	traps, reports     uint128 // weighted sums in units of 1/rules.unit
	hits, count        int     // counted trap hits; counted reports of both kinds
	trapIDs, reporters int     // distinct among the counted
	domains            int     // distinct registrable domains of counted trap hits
	last               Second  // newest counted report
	points             int64   // reputation
	backscatter        bool    // some of the counted are bounces or autoreplies
}

// counter is the working memory of a tally, reused from one to the next.
type counter struct {
	traps, reporters, domains census
	counted                   []int // indexes of the counted entries, newest first
}

func (c *counter) reset() {
	c.traps.reset()
	c.reporters.reset()
	c.domains.reset()
	c.counted = c.counted[:0]
}

// tallyAt counts a source's hits at a second, in the order of the rules: what
// is out, the caps (newest kept), then the weights. spamOnly leaves bounces and
// autoreplies out.
func (o *outlook) tallyAt(at Second, spamOnly bool) tally {
	c := o.count
	c.reset()
	var t tally
	for i := len(o.source.entries) - 1; i >= 0 && t.hits+t.count < o.MaxCounted; i-- {
		e := &o.source.entries[i]
		if Second(e.time) > at || e.has(isOut) || spamOnly && isBackscatter(e.cause()) ||
			len(o.except) > 0 && o.exceptsHost(i, at) {
			continue
		}
		age := uint64(at - Second(e.time))
		if age >= o.maxAge {
			break
		}
		if set := o.set(e); c.admits(set.members(), e.has(isReport), o.limit(e)) {
			c.counted = append(c.counted, i)
			t.add(e, o.freshness(age), o.worth(set, e))
		}
	}
	t.count += t.hits
	t.trapIDs, t.reporters, t.domains = c.traps.keys, c.reporters.keys, c.domains.keys
	t.points = o.pointsAt(at)
	return t
}

func (t *tally) add(e *entry, freshness, worth uint64) {
	t.last = max(t.last, Second(e.time))
	t.backscatter = t.backscatter || isBackscatter(e.cause())
	if e.has(isReport) {
		t.count++
		t.reports.addProduct(freshness, worth)
	} else {
		t.hits++
		t.traps.addProduct(freshness, worth)
	}
}

// limit is the cap per trap, or per reporter.
func (r *rules) limit(e *entry) int {
	if e.has(isReport) {
		return r.MaxReportsPerReporter
	}
	return r.MaxHitsPerTrap
}

// worth is trap weight x cause weight in units of 1e-12.
func (r *rules) worth(s *trapSet, e *entry) uint64 {
	return uint64(s.weight) * r.causes[e.cause()]
}

// admits tells whether one of the hit's traps has room below its cap, and
// counts the hit against all of them.
func (c *counter) admits(members []member, report bool, limit int) bool {
	seen := &c.traps
	if report {
		seen = &c.reporters
	}
	room := false
	for i := range members {
		room = room || !members[i].out && seen.of(members[i].id) < limit
	}
	for i := range members {
		m := &members[i]
		if room && !m.out && seen.add(m.id) == 1 && !report {
			c.domains.add(m.domain)
		}
	}
	return room
}

// census counts by key. Keys are cut from a cryptographic hash, but strangers
// choose what is hashed, so where a key stands is spread by a secret factor.
type census struct {
	slots  []slot // as many as a power of two, at most half of them in use
	round  uint32 // what stands in a slot of another round is over
	keys   int    // distinct
	factor uint64
}

type slot struct {
	key      uint64
	round, n uint32
}

// reset forgets all that was added.
func (c *census) reset() {
	if c.slots == nil {
		c.slots, c.factor = make([]slot, 32), maphash.Bytes(maphash.MakeSeed(), nil)|1
	}
	if c.keys, c.round = 0, c.round+1; c.round == 0 {
		clear(c.slots)
		c.round = 1
	}
}

// slot is where a key stands, or would.
func (c *census) slot(key uint64) *slot {
	last := uint64(len(c.slots) - 1)
	home, _ := bits.Mul64(key*c.factor, last+1)
	for at := home; ; at = (at + 1) & last {
		if s := &c.slots[at]; s.round != c.round || s.key == key {
			return s
		}
	}
}

// of gives how often a key was added.
func (c *census) of(key uint64) int {
	if s := c.slot(key); s.round == c.round {
		return int(s.n)
	}
	return 0
}

// add counts a key once more and gives how often it was.
func (c *census) add(key uint64) int {
	s := c.slot(key)
	if s.round == c.round {
		s.n++
		return int(s.n)
	}
	*s = slot{key, c.round, 1}
	if c.keys++; 2*c.keys > len(c.slots) {
		c.grow()
	}
	return 1
}

func (c *census) grow() {
	old := c.slots
	c.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.round == c.round {
			*c.slot(s.key) = s
		}
	}
}
