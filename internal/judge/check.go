package judge

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// Compared is what a replay of the log makes of the state kept on disk.
type Compared struct {
	At      store.Mark // the place in the log that the state stands for
	Sources int        // that the replay remembers
	Listed  int        // by the replay
	Equal   bool       // to the last bit
	// Differ is how many sources have another answer in the state than in the
	// replay. There may be none though Equal is false: where days of the log were
	// dropped after their time, the state may know since when, and the log not.
	Differ int
}

// CompareSnapshot replays the log from its beginning up to the place of the state
// that is kept on disk, and compares. Without a state, and with one that does not
// unpack, there is nothing to compare: ErrNoSnapshot. Other errors are damage in
// the log, or the context's end. It takes as much memory as the engine that
// answers, whose way it does not cross.
func CompareSnapshot(ctx context.Context, s *store.Store) (Compared, error) {
	mark, state, err := s.ReadSnapshot()
	if err == nil && state == nil {
		err = errors.New("none is kept")
	}
	if err != nil {
		return Compared{}, fmt.Errorf("%w: %w", ErrNoSnapshot, err)
	}
	line := timeline{store: s}
	if err := line.read(ctx, mark, func([]criteria.Change) {}); err != nil {
		return Compared{}, fmt.Errorf("replay the log: %w", err)
	}
	if line.engine == nil {
		return Compared{}, fmt.Errorf("replay the log: no policy up to hit %d: %w", mark.LSN, store.ErrDamaged)
	}
	c := Compared{At: mark, Sources: line.engine.Sources(), Listed: line.engine.Listed()}
	replayed, err := line.engine.MarshalBinary()
	if err != nil {
		return c, err
	}
	if c.Equal = bytes.Equal(replayed, state); c.Equal {
		return c, nil
	}
	kept, err := criteria.RestoreEngine(state)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrNoSnapshot, err)
	}
	c.Differ = len(kept.Standing().Changes(line.engine.Standing()))
	return c, nil
}

// ErrNoSnapshot says that there is no state on disk that could be compared.
var ErrNoSnapshot = errors.New("no state to compare")
