package judge

import (
	"context"
	"errors"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Suppose gives the list as it is, and as it would be were more decisions in the
// ledger. It replays the log beside the engine that answers, and changes nothing;
// since when the supposed listings would be is not known. Errors are ErrNotReady,
// the log's, or the context's.
func (j *Judge) Suppose(ctx context.Context, more ...criteria.Decision) (is, would List, err error) {
	is, from, err := j.stand()
	if err != nil {
		return is, would, err
	}
	line := timeline{store: j.store, policy: from.policy}
	more = slices.Clone(more)
	for i := range more {
		d := &more[i]
		if d.Act == criteria.ActPolicy {
			line.policy = d.Policy
		}
		d.Seq, d.After, d.At = from.at.Decision+uint64(i)+1, from.at.LSN, from.at.At
	}
	known := criteria.CorrectionsOf(append(j.store.Decisions(0, from.at.Decision), more...))
	engine, err := line.load(ctx, from.at, known)
	if errors.Is(err, errStopped) {
		err = ctx.Err()
	}
	if err != nil {
		return is, would, err
	}
	for _, d := range more {
		if d.Act == criteria.ActPolicy && d.Policy != line.policy {
			continue // the last one is in force
		}
		if _, err := line.decide(engine, d); err != nil {
			return is, would, err
		}
	}
	return is, listOf(engine), nil
}

// stand copies the list, and where in the log it stands. A line that a pending
// decision is about to replace stands too far: its list is of before.
func (j *Judge) stand() (List, timeline, error) {
	j.mu.Lock() // see criteria.Engine.Listings
	defer j.mu.Unlock()
	if !j.ready || len(j.pending) > 0 {
		return List{}, timeline{}, ErrNotReady
	}
	at := j.line.at
	at.At = j.line.engine.Now()
	return listOf(j.line.engine), timeline{policy: j.line.policy, at: at}, nil
}

func listOf(e *criteria.Engine) List { return List{e.Now(), e.Listings(), e.Exceptions()} }
