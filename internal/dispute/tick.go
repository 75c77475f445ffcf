package dispute

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trapline/trapline/criteria"
)

const (
	tickEvery  = time.Minute
	mostRounds = 10 // of reading a listing's hits again
)

// Serve does what time brings, until the context ends. It begins at once, so the list
// must be there.
func (c *Clerk) Serve(ctx context.Context) {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		if err := c.Tick(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Observer.DisputeFailed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.work:
		case <-ticker.C:
		}
	}
}

// Tick reads the hits of new disputes again, ends those whose listing has ended,
// and forgets what has been kept for long enough. What fails is tried again with
// the next one.
func (c *Clerk) Tick(ctx context.Context) error {
	c.ticking.Lock()
	defer c.ticking.Unlock()
	errs := []error{c.forgetOld()}
	for _, k := range c.Cases() {
		if k.State == Open && ctx.Err() == nil {
			errs = append(errs, c.tend(ctx, k))
		}
	}
	return errors.Join(errs...)
}

// tend does for an open dispute what nobody has to decide.
func (c *Clerk) tend(ctx context.Context, k Case) error {
	if k.Reread == nil || !k.Reread.done {
		if err := c.reread(ctx, k); err != nil {
			return fmt.Errorf("read the hits of dispute %s again: %w", k.ID, err)
		}
	}
	entry, err := c.cfg.List.Lookup(k.Address)
	if err != nil {
		return fmt.Errorf("look %s up: %w", k.Address, err)
	}
	if entry.Listed {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.docket[k.ID]
	if now == nil || now.over() {
		return nil
	}
	if len(now.reread().Wrong) > 0 {
		return c.record(ctx, now.step(criteria.StepAccepted, rereading,
			"the source of the mail was read wrong; it counts no more"))
	}
	return c.record(ctx, now.step(criteria.StepMoot, clock, "the listing has ended"))
}

// reread reads every counted hit of a dispute's address again. Those that had another
// source, or none, never count again; others may count in their place, so that
// these are read next. A hit that proves nothing stays.
func (c *Clerk) reread(ctx context.Context, k Case) error {
	read := map[uint64]bool{}
	proving := 0
	for range mostRounds {
		wrong, err := c.readCounted(ctx, k, read, &proving)
		if err != nil {
			return err
		}
		if len(wrong) == 0 {
			break
		}
		if err := c.uncount(ctx, k, wrong); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.docket[k.ID]
	if now == nil || now.over() {
		return nil
	}
	done := now.step(criteria.StepReread, rereading, "")
	done.Dispute.Read = proving
	return c.record(ctx, done)
}

// readCounted reads the hits that count now and were not read yet, and gives those
// found wrong.
func (c *Clerk) readCounted(ctx context.Context, k Case, read map[uint64]bool, proving *int) (
	wrong []uint64, err error,
) {
	entry, err := c.cfg.List.Lookup(k.Address)
	if err != nil {
		return nil, err
	}
	for _, t := range entry.Terms {
		if read[t.LSN] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := c.cfg.Reread(t.LSN)
		if err != nil {
			return nil, fmt.Errorf("hit %d: %w", t.LSN, err)
		}
		read[t.LSN] = true
		if r.Proves {
			*proving++
		}
		if r.Proves && (!r.Source.IsValid() || !k.Subject.Contains(r.Source)) {
			wrong = append(wrong, t.LSN)
		}
	}
	return wrong, nil
}

// uncount takes hits out of the count by policy, and waits for the list.
func (c *Clerk) uncount(ctx context.Context, k Case, wrong []uint64) error {
	decisions := []criteria.Decision{{Act: criteria.ActUncount, Who: rereading, Hits: wrong, Name: k.ID,
		Reason: "dispute " + k.ID + ": today's parser finds another source, or none"}}
	c.mu.Lock()
	err := c.record(ctx, decisions...)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.cfg.List.Await(ctx, decisions[0].Seq)
}

// forgetOld drops forms that nobody proved, and what is private of disputes that
// ended long ago.
func (c *Clerk) forgetOld() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	var errs []error
	for _, k := range c.docket {
		switch {
		case k.State == Filed && k.Filed+seconds(Patience) <= now:
			errs = append(errs, c.drop(k))
		case k.over() && k.Private != nil && k.Ended+seconds(Remember) <= now:
			err := c.forms.forget(k.ID)
			if errs = append(errs, err); err == nil {
				k.Private = nil
			}
		}
	}
	return errors.Join(errs...)
}

// Standing is how many disputes there are.
type Standing struct {
	Filed, Open                    int
	AnswerOverdue, DecisionOverdue int
}

// Standing counts the disputes that have not ended, and those that the operator is
// late with.
func (c *Clerk) Standing() (s Standing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, k := range c.docket {
		switch k.State {
		case Filed:
			s.Filed++
		case Open:
			s.Open++
		}
		answer, decision := k.Overdue(now)
		if answer {
			s.AnswerOverdue++
		}
		if decision {
			s.DecisionOverdue++
		}
	}
	return s
}
