package judge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// A rebuild makes the engine anew from the log alone, whatever is kept or in use. It
// is a decision of the ledger, so that a daemon that is stopped on the way does it at
// its next start: a state of before it is not used any more. To who reads the log
// from its beginning it says nothing.

// events gives the log after one mark and up to another, and tells how far it is.
func (t *timeline) events(after, to store.Mark) iter.Seq2[store.Event, error] {
	events := t.store.Events(after, to)
	if t.progress == nil {
		return events
	}
	return func(yield func(store.Event, error) bool) {
		for e, err := range events {
			if e.Hit != nil && e.Hit.LSN%4096 == 0 {
				t.progress(e.Hit.LSN, to.LSN)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// isRebuild tells whether a decision orders a rebuild.
func isRebuild(d criteria.Decision) bool { return d.Act == criteria.ActRebuild }

// isRefused tells whether a state was kept before a rebuild was ordered.
func (j *Judge) isRefused(kept store.Mark) bool {
	return slices.ContainsFunc(j.store.Decisions(kept.Decision, j.store.Mark().Decision), isRebuild)
}

// HasLeft tells whether a source that was published is not listed any more by the engine
// that answers, for a reason that it knows.
func (j *Judge) HasLeft(source netip.Prefix) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.ready && j.line.engine.Explains(source) &&
		j.line.engine.Lookup(source.Addr()).Answer == criteria.Unlisted
}

// Replayed is how many records of the log the engine that is being made anew has
// read, 0 where none is.
func (j *Judge) Replayed() uint64 { return j.replayed.Load() }

// Compare replays the log from its beginning up to where the engine that answers
// stands, beside it, and compares the two. Errors are ErrNotReady, damage in the log,
// or the context's end.
func (j *Judge) Compare(ctx context.Context, p store.Progress) (Compared, error) {
	mark, state, err := j.freeze()
	if err != nil {
		return Compared{}, err
	}
	return compare(ctx, &timeline{store: j.store, progress: p}, mark, state)
}

// freeze copies the engine, and where in the log it stands.
func (j *Judge) freeze() (store.Mark, []byte, error) {
	j.mu.Lock() // as for stand
	defer j.mu.Unlock()
	if !j.ready || len(j.pending) > 0 {
		return store.Mark{}, nil, ErrNotReady
	}
	mark := j.line.at
	mark.At = j.line.engine.Now()
	state, err := j.line.engine.MarshalBinary()
	return mark, state, err
}

// Rebuild replays the whole log of a store that no daemon has open, and keeps what
// comes of it in the place of the state on disk. It compares the two first, up to the
// place of that state; ErrNoSnapshot of Compared.Why says that there was none. Other
// errors are damage in the log, the context's end, or that of writing.
func Rebuild(ctx context.Context, s *store.Store, p store.Progress) (Compared, error) {
	line := &timeline{store: s, progress: p}
	c := Compared{}
	mark, state, err := s.ReadSnapshot()
	switch {
	case err == nil && state == nil:
		c.Why = ErrNoSnapshot
	case err != nil:
		c.Why = err
	default:
		if c, err = compare(ctx, line, mark, state); err != nil {
			return c, err
		}
	}
	mark = s.Mark()
	if err := line.read(ctx, mark, func([]criteria.Change) {}); err != nil {
		return c, replayError(ctx, err)
	}
	if line.engine == nil {
		return c, errNoPolicy(mark)
	}
	c.At, c.Sources, c.Listed, c.List = mark, line.engine.Sources(), line.engine.Listed(), listOf(line.engine)
	if state, err = line.engine.MarshalBinary(); err == nil {
		err = s.WriteSnapshot(mark, state)
	}
	return c, err
}

func replayError(ctx context.Context, err error) error {
	if errors.Is(err, errStopped) {
		return ctx.Err()
	}
	return fmt.Errorf("replay the log: %w", err)
}

func errNoPolicy(at store.Mark) error {
	return fmt.Errorf("replay the log: no policy up to hit %d: %w", at.LSN, store.ErrDamaged)
}

// compare brings a line to a mark and holds a state of there against it.
func compare(ctx context.Context, line *timeline, mark store.Mark, state []byte) (Compared, error) {
	if err := line.read(ctx, mark, func([]criteria.Change) {}); err != nil {
		return Compared{}, replayError(ctx, err)
	}
	if line.engine == nil {
		return Compared{}, errNoPolicy(mark)
	}
	c := Compared{At: mark, Sources: line.engine.Sources(), Listed: line.engine.Listed(),
		List: listOf(line.engine)}
	replayed, err := line.engine.MarshalBinary()
	if err != nil {
		return c, err
	}
	if c.Equal = bytes.Equal(replayed, state); c.Equal {
		return c, nil
	}
	kept, err := criteria.RestoreEngine(state)
	if err != nil {
		c.Why = fmt.Errorf("%w: %w", ErrNoSnapshot, err)
		return c, nil
	}
	c.Changes = line.engine.Standing().Changes(kept.Standing())
	return c, nil
}
