// Package judge keeps the engine in step with the log.
//
// In come the store's records and decisions up to its mark; out come look-ups
// and sorted copies of the list. The judge is the only goroutine that changes
// the engine. It has no clock and no queue: it reads from its own position to
// the mark, applies each decision after the record it follows, and lets time
// pass up to the mark's instant. Start, catching up and live are that one loop,
// so the same log gives the same listings at the same instants, and a slow
// judge delays a listing, never an acknowledgement.
//
// It never writes the log or the ledger, and never decides by itself what the
// rules do not say. Another policy, and a correction of the past that takes hits
// which the engine may have forgotten, is replayed into a second engine beside
// the one that goes on answering. A replay knows beforehand what all later
// decisions correct, so that one is enough, however many there are.
package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// Observer is told what happened; it must not block.
type Observer interface {
	// SnapshotUnusable: the state kept on disk could not be used, so the
	// judge starts from the log; or it could not be kept, so the next start
	// may have to.
	SnapshotUnusable(err error)
	// CaughtUp: for the first time the judge has read the log to its end.
	CaughtUp(records uint64, sources, listed int)
	// ListChanged: a source's answer became another one, "" being unlisted.
	ListChanged(source string, from, to string, trigger string)
	// Rewritten: a decision that changes what hits of the past count for is in
	// force: another policy, or a correction. It listed and delisted so many
	// sources, and gave others another answer; where the log was replayed for it,
	// together with those that came meanwhile, which are not told by themselves.
	Rewritten(decision uint64, act, who string, listed, delisted, changed int)
}

// Judge is safe for use by any goroutine.
type Judge struct {
	store   *store.Store
	observe Observer
	changed chan struct{} // of one: the list may differ
	ended   chan struct{} // closed when Serve is over
	beats   atomic.Uint64 // Serve's goroutine's: see Beats

	replayed atomic.Uint64 // see Replayed

	mu      sync.RWMutex  // guards what follows; only Serve's goroutine takes it whole
	line    timeline      // the engine that answers
	ready   bool          // it has been at the mark
	lapsed  int           // Engine.Ended, when it was last looked at
	pending []uint64      // decisions that it does not heed yet: see rewrite.go
	step    chan struct{} // closed, and made anew, whenever the engine came to a mark

	rewrite *rewriting // nil without one; this and saved are Serve's goroutine's alone
	saved   store.Mark // of the snapshot
}

// New makes a judge of a store's log; Serve makes it work.
func New(s *store.Store, o Observer) *Judge {
	return &Judge{store: s, observe: o, changed: make(chan struct{}, 1), line: timeline{store: s},
		ended: make(chan struct{}), step: make(chan struct{})}
}

// Changed gets a value when the list may differ from what it was when the last
// one was taken.
func (j *Judge) Changed() <-chan struct{} { return j.changed }

// Beats counts the steps that Serve has taken: each event, and each look at the mark. It
// stands still when Serve does, and while the mark rests.
func (j *Judge) Beats() uint64 { return j.beats.Load() }

// Serve reads the log until the context ends, then reads what is left up to
// the mark, unless it is still catching up, and keeps the engine's state. An
// error is damage in the log: it names file and LSN.
func (j *Judge) Serve(ctx context.Context) error {
	defer close(j.ended)
	defer func() { _ = j.abandon() }() // where an error ended it
	j.restore()
	for {
		if err := j.follow(ctx); err != nil {
			return err
		}
		select {
		case <-j.store.Changed():
		case err := <-j.rewrite.done():
			if err = j.takeOver(ctx, err); err != nil {
				return err
			}
		case <-ctx.Done():
			return j.finish()
		}
	}
}

func (j *Judge) finish() error {
	if err := j.abandon(); err != nil {
		return err
	}
	if j.ready {
		if err := j.follow(context.Background()); err != nil {
			return err
		}
	}
	j.save()
	return nil
}

// CatchUp reads the log once to its end and lets time pass up to now: what a
// reader needs while no daemon runs. It is Serve's counterpart, not for use
// beside it.
func (j *Judge) CatchUp(now criteria.Second) error {
	j.restore()
	mark := j.store.Mark()
	if err := j.read(context.Background(), mark); err != nil {
		return err
	}
	mark.At = max(mark.At, now)
	j.pass(mark)
	return nil
}

// restore starts from the state on disk, where it is usable.
func (j *Judge) restore() {
	mark, state, err := j.store.ReadSnapshot()
	if err == nil && (state == nil || j.isRefused(mark)) {
		return
	}
	var engine *criteria.Engine
	if err == nil {
		engine, err = criteria.RestoreEngine(state)
	}
	if err != nil {
		j.observe.SnapshotUnusable(err)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	policy, _ := engine.Policy()
	j.line.engine, j.line.policy, j.line.at, j.saved = engine, &policy, mark, mark
}

// saveAfter is how much log time may pass before the state is kept again: what
// a start after a crash has to read.
const saveAfter criteria.Second = 600

// follow brings the engine to the mark.
func (j *Judge) follow(ctx context.Context) error {
	mark := j.store.Mark()
	if err := j.read(ctx, mark); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil
	}
	j.pass(mark)
	if mark.At-j.saved.At >= saveAfter && j.line.at.LSN != j.saved.LSN {
		j.save()
	}
	return nil
}

// read applies the log up to a mark.
func (j *Judge) read(ctx context.Context, to store.Mark) error {
	j.line.known = to.Decision
	for event, err := range foretold(j.store.Events(j.line.at, to), j.expect) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		err := j.apply(ctx, event)
		if errors.Is(err, errStopped) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expect tells the engine whose hits come next: that only reads.
func (j *Judge) expect(sources []netip.Addr) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	j.line.expect(sources)
}

// apply takes the next event. Nobody reads the line before it is ready, so a
// start that has the past to rewrite does it here, without the lock.
func (j *Judge) apply(ctx context.Context, e store.Event) error {
	j.beats.Add(1)
	if !j.ready {
		_, err := j.line.apply(ctx, e)
		return err
	}
	if e.Decision != nil && (j.line.judgesAll(*e.Decision) || isRebuild(*e.Decision)) {
		return j.beginRewrite(ctx, *e.Decision)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	changes, err := j.line.apply(ctx, e)
	if err != nil {
		return err
	}
	j.announce(changes)
	if e.Decision != nil {
		j.tellCorrection(*e.Decision, changes)
		j.signal()
	}
	j.heedEnds()
	return nil
}

// heedEnds signals when something that people decided has ended by time.
func (j *Judge) heedEnds() {
	if ended := j.line.engine.Ended(); ended != j.lapsed {
		j.lapsed = ended
		j.signal()
	}
}

// pass lets time pass up to the mark's instant.
func (j *Judge) pass(m store.Mark) {
	j.beats.Add(1)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.line.engine == nil {
		return
	}
	j.announce(j.line.engine.Advance(m.At))
	j.heedEnds()
	j.line.at.At = m.At
	j.stepped()
	if !j.ready {
		j.ready = true
		j.observe.CaughtUp(m.LSN, j.line.engine.Sources(), j.line.engine.Listed())
		j.signal()
	}
}

// announce tells of changes. What a replay at start repeats was told before.
func (j *Judge) announce(changes []criteria.Change) {
	if len(changes) == 0 {
		return
	}
	j.signal()
	if !j.ready {
		return
	}
	for _, c := range changes {
		j.observe.ListChanged(c.Source.String(), c.From.String(), c.To.String(), string(c.Trigger))
	}
}

func (j *Judge) signal() {
	select {
	case j.changed <- struct{}{}:
	default:
	}
}

// save keeps the engine's state on disk, but for one that knows of decisions which
// it has not come to. Nothing depends on it but how long the next start takes, so
// a full disk must not stop the judge.
func (j *Judge) save() {
	if j.line.engine == nil || j.line.at == j.saved || len(j.pending) > 0 ||
		j.line.at.Decision < j.line.known {
		return
	}
	j.saved = j.line.at
	state, err := j.line.engine.MarshalBinary()
	if err == nil {
		err = j.store.WriteSnapshot(j.line.at, state)
	}
	if err != nil {
		j.observe.SnapshotUnusable(err)
	}
}

// ErrNotReady says that the judge is still reading the log.
var ErrNotReady = errors.New("still reading the log")

// View calls f with the engine for reading; f must not keep or change it.
func (j *Judge) View(f func(*criteria.Engine)) error {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if !j.ready {
		return ErrNotReady
	}
	f(j.line.engine)
	return nil
}

// Position is how far the engine has come, or ErrNotReady.
func (j *Judge) Position() (store.Mark, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if !j.ready {
		return store.Mark{}, ErrNotReady
	}
	return j.line.at, nil
}

// List is a sorted copy of the list at an instant.
type List struct {
	At         criteria.Second
	Listings   []criteria.Listing
	Exceptions []criteria.Exception
}

// Listings gives the list, or ErrNotReady.
func (j *Judge) Listings() (List, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ready {
		return List{}, ErrNotReady
	}
	return listOf(j.line.engine), nil
}

// Explains tells whether a source that was published and is no longer listed
// has left the list for a reason the engine knows.
func (j *Judge) Explains(source netip.Prefix) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.ready && j.line.engine.Explains(source)
}
