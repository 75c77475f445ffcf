package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
)

// Checkup is what a check of the store found of one file, or of the replay; without a
// file, how far the check is.
type Checkup struct {
	store.Checked
	Done  uint64 `json:"done,omitempty"` // bytes of the files, then hits of the replay
	Total uint64 `json:"total,omitempty"`
	Note  string `json:"note,omitempty"` // what is worth knowing and is no fault
}

// routeStore serves what is about the files of the store.
func routeStore(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("POST /v1/check", stream(func(r *http.Request) (iter.Seq2[Checkup, error], error) {
		return d.CheckStore(r.Context(), r.URL.Query().Get("replay") == "true"), nil
	}))
	mux.HandleFunc("GET /v1/backup", d.sendBackup)
}

// CheckStore checks all files beside the writer, at a share of its time, and then,
// if asked to, the state kept on disk against a replay of the log; that takes as
// much memory as a simulation. One check at a time.
func (d *Desk) CheckStore(ctx context.Context, replay bool) iter.Seq2[Checkup, error] {
	return func(yield func(Checkup, error) bool) {
		if !d.checking.TryLock() {
			yield(Checkup{}, refused("a check is under way", "ask again when it is done"))
			return
		}
		defer d.checking.Unlock()
		a, ctx, cancel := listening(ctx, yield)
		defer cancel()
		whole := true
		for found := range d.Store.Check(ctx, store.BesideWriter, checking(a)) {
			whole = whole && len(found.Faults) == 0
			if !a.tell(Checkup{Checked: found}, nil) {
				return
			}
		}
		if ctx.Err() != nil {
			a.tell(Checkup{}, refused("the check was cut off", "the daemon stops: check again"))
			return
		}
		if !replay || !whole {
			return
		}
		if !d.simulating.TryLock() {
			a.tell(Checkup{}, refused("a simulation is under way", "check again when it is done, "+
				"or leave the replay out with --no-replay"))
			return
		}
		defer d.simulating.Unlock()
		a.tell(compared(ctx, d.Store, checking(a)), nil)
	}
}

// checking tells an audience how far a check is.
func checking(a *audience[Checkup]) func(done, total uint64) {
	return func(done, total uint64) { a.tell(Checkup{Done: done, Total: total}, nil) }
}

// CheckFolder is CheckStore for the folder of a daemon that is down.
func CheckFolder(ctx context.Context, dir string, replay bool) iter.Seq2[Checkup, error] {
	return func(yield func(Checkup, error) bool) {
		a, ctx, cancel := listening(ctx, yield)
		defer cancel()
		whole := true
		for found, err := range store.CheckFolder(ctx, dir, checking(a)) {
			whole = whole && len(found.Faults) == 0
			if !a.tell(Checkup{Checked: found}, err) {
				return
			}
		}
		if !replay || !whole {
			return
		}
		s, err := store.OpenReadOnly(dir)
		if err != nil {
			a.tell(Checkup{}, err)
			return
		}
		defer func() { _ = s.Close() }() // only read
		a.tell(compared(ctx, s, checking(a)), nil)
	}
}

// compared holds the state kept on disk against a replay.
func compared(ctx context.Context, s *store.Store, p store.Progress) Checkup {
	found := Checkup{Checked: store.Checked{File: "replay", Faults: []store.Fault{}}}
	c, err := judge.CompareSnapshot(ctx, s, p)
	found.Last = c.At.LSN
	replayed := fmt.Sprintf("a replay up to hit %d remembers %d sources and lists %d",
		c.At.LSN, c.Sources, c.Listed)
	switch first, errFirst := s.Since(0); {
	case errors.Is(err, judge.ErrNoSnapshot):
		found.Note = "no state is kept: the next start reads the whole log"
	case err != nil || errFirst != nil:
		found.fault(errors.Join(err, errFirst).Error(), "restore a backup")
	case c.Equal:
		found.Note = replayed + ", as the state that is kept; a start reads on from there"
	case len(c.Changes) > 0:
		found.fault(fmt.Sprintf("%s; %d sources have another answer in the state that is kept",
			replayed, len(c.Changes)), mendState)
	case first > 1:
		found.Note = replayed + ", as the state that is kept; that knows more of the days that were dropped"
	default:
		found.fault(replayed+", as the state that is kept, which differs otherwise", mendState)
	}
	return found
}

const mendState = "remove engine.snapshot while the daemon is down: it is made anew from the log"

func (c *Checkup) fault(problem, mend string) {
	c.Faults = append(c.Faults, store.Fault{File: c.File, Problem: problem, Mend: mend})
}

// CheckStore has the daemon check its files.
func (c *Client) CheckStore(ctx context.Context, replay bool) iter.Seq2[Checkup, error] {
	return linesOf[Checkup](ctx, c, "POST", "check", url.Values{"replay": {strconv.FormatBool(replay)}})
}
