package criteria

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/parser"
)

// Engine keeps the state of every source and says who is listed. It is driven
// by a log: call Advance, Hit and Decide in the log's order, with instants that
// never step back. It has no clock of its own. It is not safe for concurrent
// use; look-ups change nothing and may run beside each other.
type Engine struct {
	rules   *rules
	now     Second
	policy  Decision // that put the rules in force
	overlay overlay
	sources map[netip.Addr]*source // by the first address of the unit
	sets    *registry
	agenda  agenda
	count   *counter
	listed  int
	changes []Change
}

// NewEngine makes an engine without hits. The policy must have passed Check.
func NewEngine(p Policy) *Engine {
	return &Engine{
		rules: compile(p), policy: Decision{Act: ActPolicy, Policy: &p},
		overlay: newOverlay(), sources: map[netip.Addr]*source{}, sets: newRegistry(),
		count: newCounter(),
	}
}

// Now is the instant up to which time has passed.
func (e *Engine) Now() Second { return e.now }

// Policy gives the policy in force and the decision that put it there.
func (e *Engine) Policy() (Policy, Decision) { return e.rules.Policy, e.policy }

// Sources is the number of sources that are remembered.
func (e *Engine) Sources() int { return len(e.sources) }

// Listed is the number of sources listed by their score.
func (e *Engine) Listed() int { return e.listed }

// Advance lets time pass up to an instant and gives what changed meanwhile, in
// order. An instant that lies behind does nothing.
func (e *Engine) Advance(to Second) []Change {
	for {
		at := min(e.agenda.first(), e.overlay.firstEnd())
		if at > to {
			break
		}
		e.now = max(e.now, at)
		e.expire(at)
		for e.agenda.first() <= at {
			e.reconsider(e.agenda[0], ByTime)
		}
	}
	e.now = max(e.now, to)
	return e.drain()
}

// Hit takes the next hit of the log, stamped no earlier than Now.
func (e *Engine) Hit(h Hit) []Change {
	e.changes = append(e.changes, e.Advance(h.Stamp)...)
	age := max(0, h.Stamp-h.Time)
	if !h.Source.IsValid() || len(h.Traps) == 0 || h.Time <= 0 || h.Time > latest ||
		uint64(age) >= e.rules.maxAge+e.rules.repeat {
		return e.drain()
	}
	s := e.sourceOf(e.rules.unitOf(h.Source).Addr())
	n := e.sets.entryOf(h)
	if !s.insert(n, e.rules) {
		e.sets.release(n.set)
		return e.drain()
	}
	e.outlook(s, e.count).prune(e.now)
	e.reconsider(s, ByHit)
	return e.drain()
}

func (e *Engine) sourceOf(unit netip.Addr) *source {
	s := e.sources[unit]
	if s == nil {
		s = &source{unit: unit, index: -1, due: Never}
		e.sources[unit] = s
	}
	return s
}

// reconsider settles a source's answer at the present second and notes when to
// look again; a source that can never matter again is forgotten.
func (e *Engine) reconsider(s *source, by Trigger) {
	o := e.outlook(s, e.count)
	answer := o.answerAt(e.now)
	s.until = 0
	if answer == s.answer && by == ByHit && e.keepsDue(o, answer) {
		return
	}
	e.record(s, answer, by)
	forget := max(s.newest()+Second(e.rules.maxAge+e.rules.repeat), s.barred)
	if forget <= e.now {
		e.forget(s)
		return
	}
	e.agenda.set(s, min(o.nextChange(e.now, answer), forget))
}

// keepsDue tells whether the instant noted earlier is still no later than the
// next change. It may then come too early, which costs one more look, but a
// busy listed source is not searched again at each hit.
func (e *Engine) keepsDue(o *outlook, answer Answer) bool {
	s := o.source
	return answer != Unlisted && s.index >= 0 && s.due > e.now+1 &&
		len(o.rises(e.now, s.due)) == 1 && o.answerAt(s.due-1) == answer
}

func (e *Engine) record(s *source, answer Answer, by Trigger) {
	if answer == s.answer {
		return
	}
	e.changes = append(e.changes, Change{
		Source: Source{e.rules.unitOf(s.unit)}, At: e.now, From: s.answer, To: answer, Trigger: by})
	switch Unlisted {
	case s.answer:
		s.since = e.now
		e.listed++
	case answer:
		e.listed--
	}
	s.answer = answer
}

func (e *Engine) forget(s *source) {
	s.drop(e.sets, func(int) bool { return true })
	e.agenda.remove(s)
	delete(e.sources, s.unit)
}

func (e *Engine) drain() []Change {
	changes := e.changes
	e.changes = nil
	return changes
}

func (e *Engine) outlook(s *source, c *counter) *outlook {
	return &outlook{rules: e.rules, source: s, sets: e.sets, count: c,
		except: e.overlay.exceptionsOf(e.rules.unitOf(s.unit))}
}

// Decide takes the next decision of the ledger. A change of policy needs the
// hits of the past, which the engine no longer has: see NeedsHistory.
func (e *Engine) Decide(d Decision) ([]Change, error) {
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("decision %d: %w", d.Seq, err)
	}
	e.changes = append(e.changes, e.Advance(d.At)...)
	switch d.Act {
	case ActPolicy:
		if e.NeedsHistory(d) {
			return e.drain(), fmt.Errorf("decision %d: policy changed without its history", d.Seq)
		}
		e.policy = d
	case ActExcept, ActUnexcept:
		e.overlay.except(d)
		e.reconsiderWithin(d.Network)
	case ActList:
		e.overlay.list(d)
	case ActDelist:
		e.delist(d)
	}
	return e.drain(), nil
}

// NeedsHistory tells whether a decision can only be carried out by replaying
// the log into a new engine; Adopt then hands the listings over.
func (e *Engine) NeedsHistory(d Decision) bool {
	return d.Act == ActPolicy && !d.Policy.Equal(e.rules.Policy)
}

// reconsiderWithin looks anew at every source that shares an address with n.
func (e *Engine) reconsiderWithin(n netip.Prefix) {
	for _, s := range e.overlapping(n) {
		e.reconsider(s, ByDecision)
	}
}

// overlapping gives the sources that share an address with n, in a fixed order.
func (e *Engine) overlapping(n netip.Prefix) []*source {
	var found []*source
	for _, s := range e.sources {
		if e.rules.unitOf(s.unit).Overlaps(n) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *source) int { return a.unit.Compare(b.unit) })
	return found
}

func (e *Engine) delist(d Decision) {
	e.overlay.unlist(d.Network)
	if d.Until > 0 && d.Network.Bits() >= e.rules.unitOf(d.Network.Addr()).Bits() {
		e.sourceOf(e.rules.unitOf(d.Network.Addr()).Addr()) // bars even a source never seen
	}
	for _, s := range e.overlapping(d.Network) {
		s.delisted = max(s.delisted, d.After)
		s.barred = max(s.barred, d.Until)
		e.reconsider(s, ByDecision)
	}
}

// expire ends what people decided for a time only. Sources under an exception
// have its end on their own agenda.
func (e *Engine) expire(at Second) {
	for _, n := range e.overlay.expire(at) {
		e.changes = append(e.changes, Change{Source{n}, e.now, Operator, Unlisted, ByTime})
	}
}

// Adopt takes over the listings of the engine that ran before: what both list
// has been listed since then. It gives what the new rules changed.
func (e *Engine) Adopt(old *Engine, d Decision) []Change {
	e.policy = d
	e.drain()
	for unit, s := range e.sources {
		before := old.sources[unit]
		switch {
		case s.answer == Unlisted:
		case before != nil && before.answer != Unlisted:
			s.since = before.since
		default:
			s.since = e.now
		}
	}
	return difference(old, e)
}

// difference lists the sources whose answer differs, in a fixed order.
func difference(old, now *Engine) []Change {
	var changes []Change
	was, is := old.answers(), now.answers()
	for source, from := range was {
		if to := is[source]; to != from {
			changes = append(changes, Change{Source{source}, now.now, from, to, ByDecision})
		}
	}
	for source, to := range is {
		if _, known := was[source]; !known {
			changes = append(changes, Change{Source{source}, now.now, Unlisted, to, ByDecision})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return comparePrefix(a.Source.Prefix, b.Source.Prefix)
	})
	return changes
}

func (e *Engine) answers() map[netip.Prefix]Answer {
	answers := map[netip.Prefix]Answer{}
	for _, s := range e.sources {
		if s.answer != Unlisted {
			answers[e.rules.unitOf(s.unit)] = s.answer
		}
	}
	return answers
}

// Listings gives every listing, the operator's included, sorted by address and
// then from wide to narrow. The caller may keep it. Ends that hits have moved
// since the last call are searched anew and remembered, so unlike a look-up it
// must not run beside anything else.
func (e *Engine) Listings() []Listing {
	listings := e.overlay.listings()
	manual := map[netip.Prefix]bool{}
	for _, l := range listings {
		manual[l.Source] = true
	}
	for _, s := range e.sources {
		if unit := e.rules.unitOf(s.unit); s.answer != Unlisted && !manual[unit] {
			listings = append(listings, e.listing(s, unit))
		}
	}
	slices.SortFunc(listings, func(a, b Listing) int { return comparePrefix(a.Source, b.Source) })
	return listings
}

func (e *Engine) listing(s *source, unit netip.Prefix) Listing {
	o := e.outlook(s, e.count)
	if s.until == 0 {
		s.until = o.end(e.now, s.answer)
	}
	l := Listing{Source: unit, Answer: s.answer, Since: s.since, Until: s.until,
		Causes: map[parser.Cause]int{}}
	o.tallyAt(e.now, false)
	for _, i := range e.count.counted {
		l.Causes[s.entries[i].cause]++
	}
	return l
}

func comparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}
