package judge

import (
	"context"
	"errors"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// rewriting is an engine that a goroutine makes anew while the one before it
// goes on answering.
type rewriting struct {
	line   timeline          // the goroutine's while it is at work
	first  criteria.Decision // that it was begun for
	result chan error        // of one: the line is near the mark, or why not
	busy   bool              // a result is still to come
	cancel context.CancelFunc
}

// work lets a goroutine go on with the line; its result comes when it is done.
func (r *rewriting) work(f func() error) {
	r.busy = true
	go func() { r.result <- f() }()
}

// near is how many records the new engine may be behind when it is taken over:
// what the judge reads with nobody answered.
const near = 1000

// done gives the result, and never one where nothing is rewritten.
func (r *rewriting) done() <-chan error {
	if r == nil {
		return nil
	}
	return r.result
}

// beginRewrite makes the engine anew for a decision that takes long. A rewriting
// under way comes to the decision by itself, and so does this one to those that
// follow.
func (j *Judge) beginRewrite(ctx context.Context, d criteria.Decision) error {
	j.mu.Lock()
	changes := j.line.engine.Advance(d.At)
	j.pending = append(j.pending, d.Seq)
	j.line.at.Decision, j.line.at.At = d.Seq, d.At
	j.mu.Unlock()
	j.announce(changes)
	if j.rewrite != nil {
		return nil
	}
	j.mu.RLock()
	before := j.line.engine.Standing()
	j.mu.RUnlock()
	ctx, cancel := context.WithCancel(ctx)
	j.rewrite = &rewriting{first: d, result: make(chan error, 1), cancel: cancel,
		line: timeline{store: j.store, policy: j.line.policy, known: j.line.known,
			progress: func(done, _ uint64) { j.replayed.Store(done) }}}
	line := &j.rewrite.line
	j.rewrite.work(func() error {
		if _, err := line.remake(ctx, d, before); err != nil {
			return err
		}
		return line.chase(ctx)
	})
	return nil
}

// chase reads until the line is near the mark.
func (t *timeline) chase(ctx context.Context) error {
	for {
		mark := t.store.Mark()
		if mark.LSN <= t.at.LSN+near && mark.Decision == t.at.Decision {
			return nil
		}
		if err := t.read(ctx, mark, func([]criteria.Change) {}); err != nil {
			return err
		}
	}
}

// takeOver puts the new engine in the place of the old, once both have read to
// the same place. Decisions that came meanwhile may rewrite the past too, so
// they are left to the goroutine.
func (j *Judge) takeOver(ctx context.Context, err error) error {
	r := j.rewrite
	r.busy = false
	if err == nil {
		err = j.follow(ctx)
	}
	if err == nil && r.line.at.Decision < j.line.at.Decision {
		r.work(func() error { return r.line.chase(ctx) })
		return nil
	}
	if err == nil {
		err = r.line.read(ctx, j.line.at, func([]criteria.Change) {})
	}
	switch {
	case ctx.Err() != nil:
		return nil // abandoned
	case err != nil:
		return err
	}
	r.cancel()
	j.replace(r)
	if isRebuild(r.first) {
		j.save() // a state of before it is not used any more
	}
	return nil
}

// replace lets the new engine answer. What differs is found beside the look-ups: a
// list may be long.
func (j *Judge) replace(r *rewriting) {
	j.mu.RLock()
	before := j.line.engine.Standing()
	j.mu.RUnlock()
	after, _ := r.line.standing(j.line.at.At)
	changes := after.Changes(before)
	r.line.progress = nil
	j.replayed.Store(0)
	j.mu.Lock()
	j.line, j.rewrite = r.line, nil
	j.pending = slices.DeleteFunc(j.pending, func(seq uint64) bool { return seq <= r.line.at.Decision })
	j.mu.Unlock()
	j.announce(changes)
	listed, delisted, changed := countChanges(changes)
	j.observe.Rewritten(r.first.Seq, string(r.first.Act), r.first.Who, listed, delisted, changed)
	j.mu.Lock()
	j.stepped()
	j.mu.Unlock()
	j.signal()
}

// tellCorrection tells what a correction changed that took no replay.
func (j *Judge) tellCorrection(d criteria.Decision, changes []criteria.Change) {
	switch d.Act {
	case criteria.ActBurn, criteria.ActUnburn, criteria.ActReweigh, criteria.ActUncount,
		criteria.ActRecount:
		changes = slices.DeleteFunc(slices.Clone(changes), func(c criteria.Change) bool {
			return c.Trigger != criteria.ByDecision
		})
		listed, delisted, changed := countChanges(changes)
		j.observe.Rewritten(d.Seq, string(d.Act), d.Who, listed, delisted, changed)
	}
}

func countChanges(changes []criteria.Change) (listed, delisted, changed int) {
	for _, c := range changes {
		switch criteria.Unlisted {
		case c.From:
			listed++
		case c.To:
			delisted++
		default:
			changed++
		}
	}
	return listed, delisted, changed
}

// abandon ends a rewriting that nobody will take over: the next start does it
// anew, since no state was kept that says it is done. An error is the log's.
func (j *Judge) abandon() (err error) {
	if j.rewrite == nil {
		return nil
	}
	j.rewrite.cancel()
	if j.rewrite.busy {
		err = <-j.rewrite.result
	}
	j.rewrite = nil
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}
