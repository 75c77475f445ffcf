package admin

import (
	"context"
	"errors"
	"iter"

	"github.com/trapline/trapline/store"
)

// Compaction is one line of the answer to a compaction: how far it is, or a file that
// is done.
type Compaction struct {
	Done  uint64           `json:"done,omitempty"` // bytes
	Total uint64           `json:"total,omitempty"`
	File  *store.Compacted `json:"file,omitempty"`
}

// Compact rewrites the store's files without what is free in them, at a share of the
// writer's time; one compaction at a time.
func (d *Desk) Compact(ctx context.Context, r store.Rest) iter.Seq2[Compaction, error] {
	return func(yield func(Compaction, error) bool) {
		if !d.compacting.TryLock() {
			yield(Compaction{}, refused("a compaction is under way", "ask again when it is done"))
			return
		}
		defer d.compacting.Unlock()
		a, ctx, cancel := listening(ctx, yield)
		defer cancel()
		progress := func(done, total uint64) { a.tell(Compaction{Done: done, Total: total}, nil) }
		for file, err := range d.Store.Compact(ctx, r, progress) {
			if !a.tell(Compaction{File: &file}, compactError(err)) {
				return
			}
		}
	}
}

func compactError(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, store.ErrClosed) {
		return refused("the compaction was cut off", "the daemon stops: what was done stays so")
	}
	return err
}

// Compact has the daemon compact its files.
func (c *Client) Compact(ctx context.Context) iter.Seq2[Compaction, error] {
	return linesOf[Compaction](ctx, c, "POST", "compact", nil)
}
