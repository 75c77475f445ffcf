package judge

import (
	"context"
	"errors"
	"slices"
)

// ErrEnded says that the judge reads no more: the daemon stops, or the log is
// damaged.
var ErrEnded = errors.New("the list is no longer kept")

// Await returns once the engine answers with a decision of the ledger applied.
// Errors are the context's, or ErrEnded: the decision is on disk all the same.
func (j *Judge) Await(ctx context.Context, decision uint64) error {
	for {
		applied, step := j.applied(decision)
		if applied {
			return nil
		}
		select {
		case <-step:
		case <-ctx.Done():
			return ctx.Err()
		case <-j.ended:
			if applied, _ := j.applied(decision); applied {
				return nil // with the last step
			}
			return ErrEnded
		}
	}
}

// applied tells whether a decision is, and else gives what is closed at the
// next mark.
func (j *Judge) applied(decision uint64) (bool, <-chan struct{}) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.ready && j.line.at.Decision >= decision && !slices.Contains(j.pending, decision), j.step
}

// stepped wakes whoever awaits a decision. The caller holds the lock.
func (j *Judge) stepped() {
	close(j.step)
	j.step = make(chan struct{})
}
