package judge

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// Trial asks what other rules would have made of the recorded hits.
type Trial struct {
	Policies []criteria.Policy // on trial, each for itself
	From, To criteria.Second   // the span; To is not in it
	// Provider names the mail provider that a listed network belongs to.
	Provider func(network netip.Prefix) (name string, known bool)
	// Progress is told how many records are done, of how many; it must not block.
	Progress func(done, total uint64)
}

// ErrNoSpan says that the log holds nothing of the span of a trial.
var ErrNoSpan = errors.New("the log holds nothing of that time")

// Try replays the span under the policies of the ledger and then under each on
// trial, with all else that people decided as it stood at each instant, after a
// time of warming up that is as long as a hit can count. A span that reaches out
// of the log is cut. Try reads the log and changes nothing, and the engine that
// answers goes on beside it; errors are ErrNoSpan, the log's, or the context's.
func (j *Judge) Try(ctx context.Context, t Trial) ([]criteria.Comparison, error) {
	c, err := j.court(t)
	if err != nil {
		return nil, err
	}
	var found []criteria.Comparison
	for _, p := range t.Policies {
		result, err := c.try(ctx, p)
		if errors.Is(err, errStopped) {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		found = append(found, result)
	}
	return found, nil
}

// courtroom is where policies are tried one after the other on the same span.
type courtroom struct {
	Trial
	store     *store.Store
	decisions []criteria.Decision
	begin     store.Mark // where the span begins
	end       store.Mark // where it ends, at the latest
	done      uint64
	total     uint64           // records to go through, in all
	excepts   bool             // something was ever excepted
	base      *criteria.Course // what was; nil before the first trial
}

func (j *Judge) court(t Trial) (*courtroom, error) {
	c := &courtroom{Trial: t, store: j.store, end: j.store.Mark()}
	c.decisions = c.store.Decisions(0, c.end.Decision)
	if len(c.decisions) == 0 {
		return nil, ErrNoSpan
	}
	c.From, c.To = max(t.From, c.decisions[0].At), min(t.To, c.end.At+1)
	if c.From >= c.To {
		return nil, ErrNoSpan
	}
	first, err := c.store.Since(c.From)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	before := slices.IndexFunc(c.decisions, func(d criteria.Decision) bool {
		return d.At > c.From || d.After >= first
	})
	if before < 0 {
		before = len(c.decisions)
	}
	c.begin = store.Mark{LSN: first - 1, Decision: uint64(before), At: c.From}
	c.excepts = slices.ContainsFunc(c.decisions, func(d criteria.Decision) bool {
		return d.Act == criteria.ActExcept
	})
	sides := uint64(len(c.Policies))
	if c.excepts {
		sides *= 2
	}
	c.total = (c.end.LSN - c.begin.LSN) * (sides + 1)
	return c, nil
}

func (c *courtroom) try(ctx context.Context, p criteria.Policy) (criteria.Comparison, error) {
	if c.base == nil {
		was, err := c.run(ctx, timeline{policy: c.policyBefore()})
		if err != nil {
			return criteria.Comparison{}, err
		}
		c.base = was
	}
	other, err := c.run(ctx, timeline{policy: &p, fixed: true})
	if err != nil {
		return criteria.Comparison{}, err
	}
	var bare *criteria.Course
	if c.excepts {
		bare, err = c.run(ctx, timeline{policy: &p, fixed: true, bare: true})
		if err != nil {
			return criteria.Comparison{}, err
		}
	}
	return criteria.Compare(c.base, other, bare, c.Provider), nil
}

// side is one of the ways that the span is gone through, one after the other:
// each takes an engine of its own.
type side struct {
	timeline
	course *criteria.Course
	spare  *criteria.Engine // without hits, it knows the exceptions that a bare side does not
}

// run brings a side through the span, event by event, and gives its course.
func (c *courtroom) run(ctx context.Context, t timeline) (*criteria.Course, error) {
	t.store, t.known = c.store, c.end.Decision
	s := &side{timeline: t, course: criteria.NewCourse(c.From, c.To)}
	if err := c.warmUp(ctx, s); err != nil {
		return nil, err
	}
	for event, err := range foretold(c.store.Events(c.begin, c.end), s.expect) {
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		if ctx.Err() != nil {
			return nil, errStopped
		}
		if instant(event) >= c.To {
			break
		}
		c.tick()
		if err := s.take(ctx, event); err != nil {
			return nil, err
		}
	}
	s.note(s.engine.Advance(c.To - 1))
	return s.course, nil
}

func (s *side) take(ctx context.Context, e store.Event) error {
	changes, err := s.apply(ctx, e)
	if err == nil && e.Decision != nil {
		err = s.except(*e.Decision)
	}
	if err == nil {
		s.note(changes)
	}
	return err
}

// note follows the changes of the side's engine.
func (s *side) note(changes []criteria.Change) {
	s.course.Take(s.engine, changes)
	if s.spare != nil {
		s.spare.Advance(s.engine.Now())
		s.course.Spare(s.spare, changes)
	}
}

// except tells the engine that knows the exceptions of one more or less.
func (s *side) except(d criteria.Decision) error {
	if s.spare == nil || d.Act != criteria.ActExcept && d.Act != criteria.ActUnexcept {
		return nil
	}
	if _, err := s.spare.Decide(d); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

func instant(e store.Event) criteria.Second {
	if e.Decision != nil {
		return e.Decision.At
	}
	return e.Hit.Stamp
}

// warmUp brings a side to the beginning of the span.
func (c *courtroom) warmUp(ctx context.Context, s *side) error {
	counts := criteria.Second((s.policy.MaxAge + s.policy.RepeatWindow) / time.Second)
	first, err := c.store.Since(c.From - counts)
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	s.from = store.Mark{LSN: max(first, 1) - 1}
	if s.engine, err = s.load(ctx, c.begin, criteria.CorrectionsOf(c.decisions)); err != nil {
		return err
	}
	s.at = c.begin
	if s.bare {
		s.spare = criteria.NewEngine(*s.policy, criteria.Corrections{})
	}
	for _, d := range c.decisions[:c.begin.Decision] {
		if err := s.except(d); err != nil {
			return err
		}
	}
	s.course.Begin(s.engine)
	return nil
}

// policyBefore is the policy in force when the span begins. The first decision
// of a ledger is one.
func (c *courtroom) policyBefore() *criteria.Policy {
	policy := c.decisions[0].Policy
	for _, d := range c.decisions[:c.begin.Decision] {
		if d.Act == criteria.ActPolicy {
			policy = d.Policy
		}
	}
	return policy
}

// tick tells of progress now and then.
func (c *courtroom) tick() {
	c.done++
	if c.Progress != nil && c.done%4096 == 0 {
		c.Progress(c.done, c.total)
	}
}
