package criteria

import "math/bits"

// pruneFrom is the number of hits from which a source is worth pruning.
const pruneFrom = 64

// prune drops what can never count again: hits past every window, and, when
// there are many, hits beyond the caps that no repeat can still refer to. What
// goes depends on the entries and the second alone, so every run drops alike.
func (e *Engine) prune(s *source) {
	past := func(i int) bool {
		return e.now-Second(s.entries[i].time) >= Second(e.rules.maxAge+e.rules.repeat)
	}
	if past(0) {
		e.roll.drop(s, e.sets, past)
	}
	n := len(s.entries)
	if n < pruneFrom || bits.OnesCount(uint(n)) != 1 {
		return
	}
	keep := e.countable(s)
	e.roll.drop(s, e.sets, func(i int) bool { return !keep[i] })
}

// alike are hits that every way of looking at a source takes or leaves
// together: exceptions, those to come included, go by the host, and the answer
// asks for the rest without bounces and autoreplies.
type alike struct {
	host        unit
	backscatter bool
	trap        uint64
	report      bool
	part        uint32 // corrections take or leave it together, too
}

// countable tells which entries may count in some way of looking at the source,
// or may be repeated. A hit that the caps admit among any hits, they admit
// among those of them that are alike: there, no other takes its place. Nor do
// hits dated ahead, before their second, or those that a decision names. A flood keeps four times max_counted of
// either, the newest, and what counts now in any case: hosts of an IPv6 network
// can be as many as a sender likes.
func (e *Engine) countable(s *source) []bool {
	keep, seen, most := e.counted(s), map[alike]int{}, 4*e.rules.MaxCounted
	hosts := e.roll.hosts[s.number]
	counted, recent := 0, 0
	for i := len(s.entries) - 1; i >= 0; i-- {
		n := &s.entries[i]
		key := alike{backscatter: isBackscatter(n.cause()), report: n.has(isReport)}
		if hosts != nil {
			key.host = hosts[i]
		}
		age := e.now - Second(n.time)
		admitted := age >= 0 && !n.has(isDelisted) &&
			(e.known.named[n.lsn()] || key.admits(e, n, seen))
		switch {
		case admitted && counted < most:
			counted++
			keep[i] = true
		case age < max(Second(e.rules.repeat), 1) && recent < most:
			recent++
			keep[i] = true
		}
	}
	return keep
}

// counted tells which entries count at this second, with and without the
// exceptions that split the source, and with and without backscatter.
func (e *Engine) counted(s *source) []bool {
	keep := make([]bool, len(s.entries))
	whole := e.outlook(s, e.count)
	split := whole
	whole.except = nil
	for _, o := range []outlook{whole, split} {
		for _, spamOnly := range []bool{false, true} {
			o.tallyAt(e.now, spamOnly)
			for _, i := range e.count.counted {
				keep[i] = true
			}
		}
	}
	return keep
}

// admits counts a hit on the traps that it names, whether they are burnt or not:
// that may change.
func (a alike) admits(e *Engine, n *entry, seen map[alike]int) bool {
	members, limit, room := e.sets.at(n.set).members(), e.rules.limit(n), false
	for i := range members {
		a.trap, a.part = members[i].id, e.known.part(members[i].id, n)
		room = room || seen[a] < limit
	}
	for i := range members {
		if a.trap, a.part = members[i].id, e.known.part(members[i].id, n); room {
			seen[a]++
		}
	}
	return room
}
