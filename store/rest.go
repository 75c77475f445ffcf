package store

import (
	"context"
	"time"
)

// Progress is told how much of something is done, of how much; it must not block.
type Progress func(done, total uint64)

// Rest is how often longer than it worked a reader rests that must not get into
// the writer's way; 0 is for a store that nobody writes.
type Rest int

// BesideWriter leaves a reader a quarter of one processor.
const BesideWriter Rest = 3

// easer gives a function that rests after a stretch of work, and tells whether to
// go on: not when the context has ended.
func (r Rest) easer(ctx context.Context) func() bool {
	const stretch = 2 * time.Millisecond
	began := time.Now()
	return func() bool {
		worked := time.Since(began)
		if r == 0 || worked < stretch {
			return ctx.Err() == nil
		}
		wait := time.NewTimer(time.Duration(r) * worked)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		began = time.Now()
		return ctx.Err() == nil
	}
}
