package criteria

// Engine keeps the state of every source and says who is listed. It is driven
// by a log: call Advance, Hit and Decide in the log's order, with instants that
// never step back. It has no clock of its own. It is not safe for concurrent
// use; look-ups change nothing and may run beside each other.
type Engine struct {
	rules      *rules
	now        Second
	known      Corrections // that decisions make, or will make
	past       hindsight
	policy     Decision // that put the rules in force
	overlay    overlay
	reputation reputation
	roll       *roll
	sets       *registry
	agenda     agenda
	networks   networks
	count      *counter
	listed     int
	ended      int  // see Ended
	loading    bool // nobody was judged yet: see Load
	changes    []Change
}

// NewEngine makes an engine without hits. The policy must have passed Check.
// known is what decisions to come will correct of the hits that it will read:
// see NeedsHistory. It may be given a log by Load and Settle, or be live at once.
func NewEngine(p Policy, known Corrections) *Engine {
	return &Engine{
		rules: compile(p), known: known.clone(), past: newHindsight(), policy: Decision{Act: ActPolicy, Policy: &p},
		overlay: newOverlay(), reputation: newReputation(), roll: newRoll(), sets: newRegistry(),
		networks: newNetworks(p.MinListed), count: new(counter), loading: true,
	}
}

// Now is the instant up to which time has passed.
func (e *Engine) Now() Second { return e.now }

// Policy gives the policy in force and the decision that put it there.
func (e *Engine) Policy() (Policy, Decision) { return e.rules.Policy, e.policy }

// Sources is the number of sources that are remembered.
func (e *Engine) Sources() int { return e.roll.len() }

// Listed is the number of sources listed by their score.
func (e *Engine) Listed() int { return e.listed }

// Advance lets time pass up to an instant and gives what changed meanwhile, in
// order. An instant that lies behind does nothing.
func (e *Engine) Advance(to Second) []Change {
	e.advance(to)
	return e.drain()
}

func (e *Engine) advance(to Second) {
	if e.loading {
		e.Settle(e.now)
	}
	for at := e.nextEvent(); at <= to; at = e.nextEvent() {
		e.pass(at)
		e.expire(at)
		for _, s := range e.agenda.due(at, e.roll) {
			e.judge(s, ByTime)
		}
		e.escalate(ByTime)
	}
	e.pass(to)
}

func (e *Engine) nextEvent() Second { return min(e.agenda.first(), e.overlay.firstEnd()) }

// pass moves the present second; once a day, points that count no more go.
func (e *Engine) pass(to Second) {
	if to <= e.now {
		return
	}
	if day := to / secondsOfDay; day > e.now/secondsOfDay {
		e.reputation.expire(day*secondsOfDay, Second(e.rules.maxAge))
	}
	e.now = to
}

// Ended counts the instants at which something that people decided ended by
// time. The list may differ from then on without a Change: an operator's listing
// comes out from under an exception, a network is whole again.
func (e *Engine) Ended() int { return e.ended }

// expire ends what people decided for a time only. Sources under an exception
// or a bar have its end on their own agenda.
func (e *Engine) expire(at Second) {
	if at < e.overlay.firstEnd() {
		return
	}
	e.ended++
	for _, n := range e.overlay.expire(at) {
		e.changes = append(e.changes, Change{Source{n}, e.now, Operator, Unlisted, ByTime})
	}
	e.networks.doubtAll()
}

// Hit takes the next hit of the log, stamped no earlier than Now.
func (e *Engine) Hit(h Hit) []Change {
	e.advance(h.Stamp)
	if s, n := e.take(&h); s != nil && !e.upholds(s, &n) {
		e.judge(s, ByHit)
		e.escalate(ByHit)
	}
	return e.drain()
}

// take adds a hit to its source, and gives both; nil if it can never count.
func (e *Engine) take(h *Hit) (*source, entry) {
	age := max(0, h.Stamp-h.Time)
	if !h.Source.IsValid() || len(h.Traps) == 0 || h.Time <= 0 || h.Time > latest ||
		uint64(age) >= e.rules.maxAge+e.rules.repeat {
		return nil, entry{}
	}
	s := e.sourceOf(e.rules.unitOf(h.Source))
	if len(s.entries) > 0 && e.forgetAt(s) <= e.now { // while loading, nobody saw it
		e.roll.drop(s, e.sets, func(int) bool { return true })
	}
	n := entryOf(h, e.sets.hold(h, e.past))
	if s.repeats(&n, e.rules, e.sets) {
		e.sets.release(n.set)
		return nil, entry{}
	}
	if e.past.uncounted[h.LSN] {
		n.strike(isUncounted)
	}
	e.roll.insert(s, n, h.Source)
	e.prune(s)
	s.until = 0
	return s, n
}

func (e *Engine) sourceOf(u unit) *source {
	s := e.roll.find(u)
	if s == nil {
		s = e.roll.add(u)
		e.networks.join(s)
	}
	return s
}

// judge settles a source's answer at the present second and notes when to look
// again; a source that can never matter again is forgotten.
func (e *Engine) judge(s *source, by Trigger) {
	s.until = 0
	o := e.outlook(s, e.count)
	if by == ByHit && o.stays(e.now) {
		return
	}
	answer := o.answerAt(e.now)
	e.record(s, answer, by)
	forget := e.forgetAt(s)
	if forget <= e.now {
		e.forget(s)
		return
	}
	e.agenda.note(s, min(o.nextChange(e.now, answer), forget))
}

// forgetAt is the second from which on a source's hits neither count nor can be
// repeated.
func (e *Engine) forgetAt(s *source) Second {
	return s.newest() + Second(e.rules.maxAge+e.rules.repeat)
}

func (e *Engine) record(s *source, answer Answer, by Trigger) {
	if answer == s.answer {
		return
	}
	e.changes = append(e.changes, Change{
		Source: Source{e.rules.prefixOf(s.unit)}, At: e.now, From: s.answer, To: answer, Trigger: by})
	switch Unlisted {
	case s.answer:
		s.since = noted(e.now)
		e.enlist(s, answer)
	case answer:
		e.listed--
		e.roll.mark(s, false)
		e.networks.count(s, -1)
	}
	s.answer = answer
}

func (e *Engine) enlist(s *source, answer Answer) {
	s.answer = answer
	e.listed++
	e.roll.mark(s, true)
	e.networks.count(s, +1)
}

func (e *Engine) forget(s *source) {
	e.roll.drop(s, e.sets, func(int) bool { return true })
	e.networks.leave(s)
	e.roll.remove(s)
}

func (e *Engine) drain() []Change {
	changes := e.changes
	e.changes = nil
	return changes
}

// outlook is how a source stands. Its counter is for one use at a time.
func (e *Engine) outlook(s *source, c *counter) outlook {
	o := outlook{rules: e.rules, source: s, prefix: e.rules.prefixOf(s.unit), sets: e.sets,
		count: c, days: e.reputation.of(s.unit)}
	if len(e.roll.hosts) > 0 {
		o.hosts = e.roll.hosts[s.number]
	}
	o.except = e.overlay.exceptionsOf(o.prefix)
	if until := e.overlay.barredUntil(o.prefix); until > e.now {
		o.barred = until
	}
	return o
}
