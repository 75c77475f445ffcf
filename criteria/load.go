package criteria

// Load takes a hit of the past without asking who is listed, which is much
// cheaper than Hit. Decisions between hits are taken by Decide as always. After
// the last, Settle makes the engine live; before it, the engine must not be
// asked anything. It must not be called of a live engine.
func (e *Engine) Load(h Hit) {
	if h.Stamp/secondsOfDay > e.now/secondsOfDay {
		e.sweep(h.Stamp)
	}
	e.pass(h.Stamp)
	e.take(&h)
}

// Settle judges every source as of an instant, which is no earlier than the
// last hit, and makes the engine live: from here on it answers and changes as
// one that has read the same log by Hit. It cannot know since when sources have
// been listed; that comes from Adopt.
func (e *Engine) Settle(at Second) {
	e.pass(at)
	e.overlay.expire(e.now)
	e.loading = false
	for s := range e.roll.all() {
		e.judge(s, ByDecision)
		e.changes = e.changes[:0] // nobody hears of what begins here
	}
	e.networks.doubtAll()
	e.escalate(ByDecision)
	e.drain()
}

// sweep forgets the sources that can never matter again, so that a long log
// does not pile them up.
func (e *Engine) sweep(now Second) {
	for s := range e.roll.all() {
		if e.forgetAt(s) <= now {
			e.forget(s)
		}
	}
}
