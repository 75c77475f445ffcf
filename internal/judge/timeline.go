package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// timeline is an engine on its way through the log: the one that answers, one
// that is made anew beside it, or one on trial under other rules. It has no
// clock and no lock.
type timeline struct {
	store  *store.Store
	known  uint64           // decisions up to this one are known beforehand
	from   store.Mark       // where in the log it begins; decisions count from the first
	policy *criteria.Policy // in force; nil before the first
	fixed  bool             // the policy stays, whatever the ledger says
	bare   bool             // nothing is excepted, whatever the ledger says
	engine *criteria.Engine // nil before the first policy
	at     store.Mark       // how far it has read

	progress store.Progress // told records of the log; nil: nobody wants to know
}

// errStopped says that reading was cut short by its context.
var errStopped = errors.New("stopped")

// read brings the engine to a mark and lets time pass up to its instant. The
// changes are told in order.
func (t *timeline) read(ctx context.Context, to store.Mark, tell func([]criteria.Change)) error {
	t.known = to.Decision
	for event, err := range foretold(t.events(t.at, to), t.expect) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if ctx.Err() != nil {
			return errStopped
		}
		changes, err := t.apply(ctx, event)
		if err != nil {
			return err
		}
		tell(changes)
	}
	t.at = to
	if t.engine != nil {
		tell(t.engine.Advance(to.At))
	}
	return nil
}

// expect tells the engine whose hits come next.
func (t *timeline) expect(sources []netip.Addr) {
	if t.engine != nil {
		t.engine.Expect(sources)
	}
}

// apply takes the next event.
func (t *timeline) apply(ctx context.Context, e store.Event) (changes []criteria.Change, err error) {
	d := e.Decision
	switch {
	case d == nil:
		t.at.LSN, t.at.At = e.Hit.LSN, e.Hit.Stamp
		if t.engine != nil {
			changes = t.engine.Hit(*e.Hit)
		}
		return changes, nil
	case t.rewrites(*d):
		return t.rewrite(ctx, *d)
	case t.engine == nil:
		return nil, fmt.Errorf("ledger: decision %d comes before any policy: %w",
			d.Seq, store.ErrDamaged)
	}
	changes, err = t.decide(t.engine, *d)
	if d.Act == criteria.ActPolicy && !t.fixed {
		t.policy = d.Policy
	}
	t.at.Decision, t.at.At = d.Seq, d.At
	return changes, err
}

func (t *timeline) decide(e *criteria.Engine, d criteria.Decision) ([]criteria.Change, error) {
	if t.passesOver(d) {
		return nil, nil // the next event lets its time pass
	}
	changes, err := e.Decide(d)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return changes, nil
}

func (t *timeline) passesOver(d criteria.Decision) bool {
	switch d.Act {
	case criteria.ActPolicy:
		return t.fixed
	case criteria.ActExcept, criteria.ActUnexcept:
		return t.bare
	}
	return false
}

// rewrites tells whether a decision takes hits that the engine may have
// forgotten, so that it must be made anew.
func (t *timeline) rewrites(d criteria.Decision) bool {
	switch {
	case d.Act == criteria.ActPolicy && (t.fixed || t.engine == nil):
		return !t.fixed
	case t.engine == nil:
		return false
	}
	return t.engine.NeedsHistory(d)
}

// judgesAll tells whether a decision looks at every source anew, if not at every
// hit: what those who ask for look-ups need not wait for.
func (t *timeline) judgesAll(d criteria.Decision) bool {
	return t.rewrites(d) || d.Act == criteria.ActPolicy && !d.Policy.Equal(*t.policy)
}

func (t *timeline) rewrite(ctx context.Context, d criteria.Decision) ([]criteria.Change, error) {
	before, changes := t.standing(d.At)
	t.engine = nil // one at a time is large enough
	more, err := t.remake(ctx, d, before)
	return append(changes, more...), err
}

// standing is the list as it stands at an instant, and what changed up to it.
func (t *timeline) standing(at criteria.Second) (criteria.Standing, []criteria.Change) {
	if t.engine == nil {
		return criteria.Standing{}, nil
	}
	changes := t.engine.Advance(at)
	return t.engine.Standing(), changes
}

// remake makes the engine as it is after a decision that rewrites the past, and
// hands it the list as it stood before. It gives what the decision changed. What
// later decisions correct is known to the new engine: it need not be made anew
// for them.
func (t *timeline) remake(
	ctx context.Context, d criteria.Decision, before criteria.Standing,
) ([]criteria.Change, error) {
	if d.Act == criteria.ActPolicy && !t.fixed {
		t.policy = d.Policy
	}
	to := store.Mark{LSN: d.After, Decision: d.Seq, At: d.At}
	known := criteria.CorrectionsOf(t.store.Decisions(0, max(t.known, d.Seq)))
	engine, err := t.load(ctx, to, known)
	if err != nil {
		return nil, err
	}
	t.engine, t.at = engine, store.Mark{LSN: max(t.at.LSN, d.After), Decision: d.Seq, At: d.At}
	return engine.Adopt(before, d), nil
}

// load makes an engine that has lived through the log up to a mark under the
// policy in force, with the other decisions in their place, and that knew
// beforehand what they correct.
func (t *timeline) load(
	ctx context.Context, to store.Mark, known criteria.Corrections,
) (*criteria.Engine, error) {
	engine := criteria.NewEngine(*t.policy, known)
	for event, err := range foretold(t.events(t.from, to), engine.Expect) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the log: %w", err)
		case ctx.Err() != nil:
			return nil, errStopped
		case event.Hit != nil:
			engine.Load(*event.Hit)
		default:
			if _, err := t.decide(engine, *event.Decision); err != nil {
				return nil, err
			}
		}
	}
	engine.Settle(to.At)
	return engine, nil
}
