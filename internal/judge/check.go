package judge

import (
	"context"
	"errors"
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// Compared is what a replay of the log makes of a state.
type Compared struct {
	At      store.Mark // the place in the log that the replay came to
	Sources int        // that the replay remembers
	Listed  int        // by the replay
	List    List       // likewise
	Equal   bool       // to the last bit
	// Changes are the sources that have another answer in the state (From) than in the
	// replay (To). There may be none though Equal is false: where days of the log were
	// dropped after their time, the state may know since when, and the log not.
	Changes []criteria.Change
	Why     error // there was no state to compare; nil: there was
}

// CompareSnapshot replays the log from its beginning up to the place of the state
// that is kept on disk, and compares. Without a state, and with one that does not
// unpack, there is nothing to compare: ErrNoSnapshot. Other errors are damage in
// the log, or the context's end. It takes as much memory as the engine that
// answers, whose way it does not cross.
func CompareSnapshot(ctx context.Context, s *store.Store, p store.Progress) (Compared, error) {
	mark, state, err := s.ReadSnapshot()
	if err == nil && state == nil {
		err = errors.New("none is kept")
	}
	if err != nil {
		return Compared{}, fmt.Errorf("%w: %w", ErrNoSnapshot, err)
	}
	c, err := compare(ctx, &timeline{store: s, progress: p}, mark, state)
	if err == nil {
		err = c.Why
	}
	return c, err
}

// ErrNoSnapshot says that there is no state on disk that could be compared.
var ErrNoSnapshot = errors.New("no state to compare")
