package criteria

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
	t.trapIDs, t.reporters = len(c.traps.keys), len(c.reporters.keys)
	t.domains = len(c.domains.keys)
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

// census counts by key. Few keys are searched one by one, many by an index.
type census struct {
	keys  []uint64
	n     []int
	index map[uint64]int // into keys, once there are many
}

const fewKeys = 16

func (c *census) reset() {
	c.keys, c.n = c.keys[:0], c.n[:0]
	if len(c.index) > 0 {
		clear(c.index)
	}
}

// of gives how often a key was added.
func (c *census) of(key uint64) int {
	if i := c.find(key); i >= 0 {
		return c.n[i]
	}
	return 0
}

func (c *census) find(key uint64) int {
	if len(c.keys) > fewKeys {
		if i, ok := c.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range c.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// add counts a key once more and gives how often it was.
func (c *census) add(key uint64) int {
	if i := c.find(key); i >= 0 {
		c.n[i]++
		return c.n[i]
	}
	c.keys, c.n = append(c.keys, key), append(c.n, 1)
	if len(c.keys) > fewKeys {
		c.note()
	}
	return 1
}

// note keeps the index complete: the newest key, or all where it begins.
func (c *census) note() {
	if c.index == nil {
		c.index = map[uint64]int{}
	}
	for i := len(c.index); i < len(c.keys); i++ {
		c.index[c.keys[i]] = i
	}
}
