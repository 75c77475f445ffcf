package admin

import (
	"context"
	"errors"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Settled is a configuration in force, and what its policy and exceptions
// changed.
type Settled struct {
	Policy    uint64 `json:"policy"`    // version in force
	Another   bool   `json:"another"`   // the policy is another one than before
	Version   string `json:"version"`   // of the configuration
	Areas     []Area `json:"areas"`     // of the configuration that are others
	Decisions int    `json:"decisions"` // that the ledger got; 0: it wanted none
	// Exceptions are how many came, went, or have another reason.
	Exceptions int `json:"exceptions"`
	Begun      int `json:"begun"` // listings that begin
	Ended      int `json:"ended"`
	Changed    int `json:"changed"` // listings whose answer changes
	// Changes are the first of them, sorted by source.
	Changes []Change `json:"changes"`
	// Reading: the log is still being read, so the list follows later.
	Reading bool `json:"reading"`
}

// mostShown is how many changes a reload tells one by one.
const mostShown = 20

// Settle puts what a configuration wants in the ledger, where that does not say
// so already, calls committed, and returns once the list has followed. An error
// before that means that nothing was decided.
func (d *Desk) Settle(
	ctx context.Context, who string, want judge.Settings, committed func(),
) (Settled, error) {
	d.rewriting.Lock()
	defer d.rewriting.Unlock()
	done := Settled{Changes: []Change{}, Version: want.Version, Areas: []Area{}}
	before, err := d.Judge.Listings()
	done.Reading = errors.Is(err, judge.ErrNotReady)
	if err != nil && !done.Reading {
		return done, err
	}
	missing := judge.Settle(d.Store.Decisions(0, d.Store.Mark().Decision), want, who)
	if len(missing) > 0 {
		if err := d.Store.Decide(ctx, missing...); err != nil {
			return done, err
		}
	}
	committed()
	done.count(missing)
	if done.Reading {
		return done, nil
	}
	after := before
	if len(missing) > 0 {
		if after, err = d.await(ctx, missing[0].Seq, missing[len(missing)-1].Seq); err != nil {
			return done, err
		}
	}
	done.compare(before, after)
	policy, err := d.Policy()
	done.Policy = policy.Version
	return done, err
}

func (s *Settled) count(decisions []criteria.Decision) {
	s.Decisions = len(decisions)
	for _, d := range decisions {
		switch d.Act {
		case criteria.ActPolicy:
			s.Another, s.Policy = true, d.Seq
		case criteria.ActExcept, criteria.ActUnexcept:
			s.Exceptions++
		}
	}
}

func (s *Settled) compare(before, after judge.List) {
	all := changes(before.Listings, after.Listings)
	for _, c := range all {
		switch criteria.Unlisted {
		case c.From:
			s.Begun++
		case c.To:
			s.Ended++
		default:
			s.Changed++
		}
	}
	s.Changes = all[:min(len(all), mostShown)]
}
