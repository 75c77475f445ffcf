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
// rules do not say.
package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

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
	// PolicyInForce: other rules apply from here on.
	PolicyInForce(version uint64, who string, changes int)
}

// Judge is safe for use by any goroutine.
type Judge struct {
	store   *store.Store
	observe Observer
	changed chan struct{} // of one: the list may differ

	mu     sync.RWMutex // guards what follows; only Serve's goroutine takes it whole
	engine *criteria.Engine
	at     store.Mark // how far the engine has read
	ready  bool       // it has been at the mark

	saved store.Mark // of the snapshot; Serve's goroutine alone
}

// New makes a judge of a store's log; Serve makes it work.
func New(s *store.Store, o Observer) *Judge {
	return &Judge{store: s, observe: o, changed: make(chan struct{}, 1)}
}

// Changed gets a value when the list may differ from what it was when the last
// one was taken.
func (j *Judge) Changed() <-chan struct{} { return j.changed }

// Serve reads the log until the context ends, then reads what is left up to
// the mark, unless it is still catching up, and keeps the engine's state. An
// error is damage in the log: it names file and LSN.
func (j *Judge) Serve(ctx context.Context) error {
	j.restore()
	for {
		if err := j.follow(ctx); err != nil {
			return err
		}
		select {
		case <-j.store.Changed():
		case <-ctx.Done():
			return j.finish()
		}
	}
}

func (j *Judge) finish() error {
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
	if err == nil && state == nil {
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
	j.engine, j.at, j.saved = engine, mark, mark
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
	if mark.At-j.saved.At >= saveAfter && j.at.LSN != j.saved.LSN {
		j.save()
	}
	return nil
}

// read applies the log up to a mark.
func (j *Judge) read(ctx context.Context, to store.Mark) error {
	for event, err := range j.store.Events(j.at, to) {
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

func (j *Judge) apply(ctx context.Context, e store.Event) error {
	if d := e.Decision; d != nil && j.needsHistory(*d) {
		return j.replace(ctx, *d)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Record != nil {
		if j.engine != nil {
			j.announce(j.engine.Hit(e.Record.Hit))
		}
		j.at.LSN, j.at.At = e.Record.LSN, e.Record.Stamp
		return nil
	}
	if j.engine == nil {
		return fmt.Errorf("ledger: decision %d comes before any policy: %w",
			e.Decision.Seq, store.ErrDamaged)
	}
	changes, err := j.engine.Decide(*e.Decision)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	j.announce(changes)
	j.at.Decision, j.at.At = e.Decision.Seq, e.Decision.At
	j.signal()
	return nil
}

func (j *Judge) needsHistory(d criteria.Decision) bool {
	return d.Act == criteria.ActPolicy && (j.engine == nil || j.engine.NeedsHistory(d))
}

// replace makes the engine anew under another policy, beside the one that goes
// on answering, and swaps it in.
func (j *Judge) replace(ctx context.Context, d criteria.Decision) error {
	before := store.Mark{LSN: d.After, Decision: d.Seq - 1, At: d.At}
	fresh, err := replay(ctx, j.store, *d.Policy, before)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	old := j.engine
	if old == nil {
		old = criteria.NewEngine(*d.Policy)
	}
	j.announce(old.Advance(d.At))
	changes := fresh.Adopt(old, d)
	j.engine, j.at = fresh, store.Mark{LSN: max(j.at.LSN, d.After), Decision: d.Seq, At: d.At}
	j.observe.PolicyInForce(d.Seq, d.Who, len(changes))
	j.announce(changes)
	j.signal()
	return nil
}

// errStopped says that a replay was cut short by its context.
var errStopped = errors.New("stopped")

// replay makes an engine that has lived through the log up to a mark under one
// policy, with every other decision in its place.
func replay(
	ctx context.Context, s *store.Store, p criteria.Policy, to store.Mark,
) (*criteria.Engine, error) {
	engine := criteria.NewEngine(p)
	for event, err := range s.Events(store.Mark{}, to) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the log: %w", err)
		case ctx.Err() != nil:
			return nil, errStopped
		case event.Record != nil:
			engine.Hit(event.Record.Hit)
		case event.Decision.Act != criteria.ActPolicy:
			if _, err := engine.Decide(*event.Decision); err != nil {
				return nil, fmt.Errorf("ledger: %w", err)
			}
		}
	}
	engine.Advance(to.At)
	return engine, nil
}

// pass lets time pass up to the mark's instant.
func (j *Judge) pass(m store.Mark) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.engine == nil {
		return
	}
	j.announce(j.engine.Advance(m.At))
	j.at.At = m.At
	if !j.ready {
		j.ready = true
		j.observe.CaughtUp(m.LSN, j.engine.Sources(), j.engine.Listed())
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

// save keeps the engine's state on disk. Nothing depends on it but how long the
// next start takes, so a full disk must not stop the judge.
func (j *Judge) save() {
	if j.engine == nil || j.at == j.saved {
		return
	}
	j.saved = j.at
	state, err := j.engine.MarshalBinary()
	if err == nil {
		err = j.store.WriteSnapshot(j.at, state)
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
	f(j.engine)
	return nil
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
	return List{j.engine.Now(), j.engine.Listings(), j.engine.Exceptions()}, nil
}

// Explains tells whether a source that was published and is no longer listed
// has left the list for a reason the engine knows.
func (j *Judge) Explains(source netip.Prefix) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.ready && j.engine.Explains(source)
}
