package dispute

import (
	"context"
	"fmt"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Remedy is what the operator does about a dispute that is accepted. The zero
// Remedy removes the listing.
type Remedy struct {
	Uncount    []uint64 `json:"uncount,omitempty"`     // counted hits of the address that never count again
	UncountAll bool     `json:"uncount_all,omitempty"` // all of them
	Delist     bool     `json:"delist,omitempty"`      // no hit so far counts again; needs a TXT proof
	Except     bool     `json:"except,omitempty"`      // it is never listed again; likewise
	For        int64    `json:"for,omitempty"`         // of Except: seconds; 0: for good
}

// Answer says something to the requester before it is decided; the dispute's page
// shows it.
func (c *Clerk) Answer(ctx context.Context, who, id, reason string) (Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := c.opened(id)
	if err != nil {
		return Case{}, err
	}
	err = c.record(ctx, k.step(criteria.StepAnswered, who, reason))
	return c.docket[id].clone(), err
}

// Reject ends a dispute; the listing stays.
func (c *Clerk) Reject(ctx context.Context, who, id, reason string) (Case, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := c.opened(id)
	if err != nil {
		return Case{}, err
	}
	err = c.record(ctx, k.step(criteria.StepRejected, who, reason))
	return c.docket[id].clone(), err
}

// Accept ends a dispute with a remedy, all of it or nothing, and returns when the
// list has followed. The decisions are those that it put in the ledger.
func (c *Clerk) Accept(ctx context.Context, who, id, reason string, r Remedy) (
	Case, []criteria.Decision, error,
) {
	found, ok := c.Find(id)
	if !ok {
		return Case{}, nil, refuse(Unknown, "see trapline dispute list", "there is no dispute %s", id)
	}
	entry, err := c.cfg.List.Lookup(found.Address)
	if err != nil {
		return Case{}, nil, fmt.Errorf("look %s up: %w", found.Address, err)
	}
	done, decisions, err := c.accept(ctx, who, id, reason, r, entry)
	if err != nil {
		return done, nil, err
	}
	for _, d := range decisions { // the last may be heeded before one that takes the whole log
		if err := c.cfg.List.Await(ctx, d.Seq); err != nil {
			return done, decisions, fmt.Errorf("decision %d is in the ledger: await the list: %w",
				d.Seq, err)
		}
	}
	return done, decisions, nil
}

func (c *Clerk) accept(ctx context.Context, who, id, reason string, r Remedy, e criteria.Entry) (
	Case, []criteria.Decision, error,
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, err := c.opened(id)
	if err != nil {
		return Case{}, nil, err
	}
	decisions, err := k.remedy(r, e, c.now())
	if err != nil {
		return Case{}, nil, err
	}
	for i := range decisions {
		d := &decisions[i]
		d.Who, d.Reason, d.Name = who, fmt.Sprintf("dispute %s: %s", id, reason), id
	}
	decisions = append(decisions, k.step(criteria.StepAccepted, who, reason))
	if err := c.record(ctx, decisions...); err != nil {
		return Case{}, nil, fmt.Errorf("accept dispute: %w", err)
	}
	return c.docket[id].clone(), decisions, nil
}

// remedy puts a remedy into decisions, or says why it cannot be.
func (k *Case) remedy(r Remedy, e criteria.Entry, now criteria.Second) ([]criteria.Decision, error) {
	if len(r.Uncount) == 0 && !r.UncountAll && !r.Except {
		r.Delist = true
	}
	if (r.Delist || r.Except) && !k.proven(ByTXT) {
		return nil, refuse(NoProof, "answer that it is needed, or un-count the hits that should not "+
			"have been counted", "nobody has proven control of %s by TXT, which a removal takes", k.Subject)
	}
	var decisions []criteria.Decision
	hits, err := r.hits(e)
	if err != nil {
		return nil, err
	}
	if len(hits) > 0 {
		decisions = append(decisions, criteria.Decision{Act: criteria.ActUncount, Hits: hits})
	}
	if r.Except {
		d := criteria.Decision{Act: criteria.ActExcept, Network: k.Subject.Prefix,
			Origin: criteria.FromOperator}
		if r.For > 0 {
			d.Until = now + criteria.Second(r.For)
		}
		decisions = append(decisions, d)
	}
	if r.Delist {
		decisions = append(decisions,
			criteria.Decision{Act: criteria.ActDelist, Network: k.Subject.Prefix})
	}
	return decisions, nil
}

// hits are those to un-count: each must be one that counts for the address.
func (r Remedy) hits(e criteria.Entry) ([]uint64, error) {
	counted := make([]uint64, 0, len(e.Terms))
	for _, t := range e.Terms {
		counted = append(counted, t.LSN)
	}
	for _, lsn := range r.Uncount {
		if !slices.Contains(counted, lsn) {
			return nil, refuse(BadForm, "see trapline lookup", "hit %d is none that counts for %s", lsn,
				e.Source)
		}
	}
	if r.UncountAll {
		return counted, nil
	}
	return r.Uncount, nil
}

// opened gives a dispute that waits for a decision. c.mu is held.
func (c *Clerk) opened(id string) (*Case, error) {
	k := c.docket[id]
	switch {
	case k == nil:
		return nil, refuse(Unknown, "see trapline dispute list", "there is no dispute %s", id)
	case k.State == Filed:
		return nil, refuse(NoProof, "it opens when they do, or is forgotten after a week",
			"nobody has proven control of %s", k.Subject)
	case k.over():
		return nil, refuse(Over, "see trapline dispute show "+id, "dispute %s was %s already", id, k.State)
	}
	return k, nil
}
