package zone

import (
	"context"
	"errors"
	"time"
)

// Runner publishes as the list changes, or the Publisher is renewed: at once when idle, at most once
// in Config.MinInterval.
type Runner struct {
	Publisher *Publisher
	// Changed says that the list may have changed; a channel of one, so that many changes are one.
	Changed <-chan struct{}
	// List copies the list, or says that it is ErrIncomplete: then nothing is published, so that the
	// copies of a list nobody keeps fall silent in the end.
	List Source
	// Report is told of every attempt with a complete list, before the next one.
	Report func(Result, error)
}

// lookEvery is how often a Runner looks without being told: for an end that passed, for what the
// guard may release, and for a folder that somebody damaged.
const lookEvery = 10 * time.Minute

// Serve publishes until the context ends, and then once more, without waiting.
func (r Runner) Serve(ctx context.Context) {
	if err := r.Publisher.Load(); err != nil {
		r.Report(Result{}, err)
	}
	next := time.Now() // not before
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			r.attempt()
			return
		case _, open := <-r.Changed:
			if !open {
				r.Changed = nil
			}
			timer.Reset(time.Until(next))
		case <-r.Publisher.renewed:
			timer.Reset(time.Until(next))
		case <-timer.C:
			done := r.attempt()
			least, refresh := r.Publisher.pace()
			next = time.Now().Add(least)
			timer.Reset(pause(done, least, refresh))
		}
	}
}

// attempt tells whether the folder now is as it should be.
func (r Runner) attempt() bool {
	result, err := r.Publisher.Publish(r.List)
	if !errors.Is(err, ErrIncomplete) {
		r.Report(result, err)
	}
	return err == nil
}

// pause is how long to wait for a change. What failed is tried again, but never in a tight loop.
func pause(done bool, least, refresh time.Duration) time.Duration {
	const shortest = time.Second
	if !done {
		return max(shortest, least)
	}
	if refresh > 0 {
		return refresh / ((refresh + lookEvery - 1) / lookEvery) // so that a look falls on it
	}
	return lookEvery
}
