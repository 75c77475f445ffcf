package criteria

import (
	"fmt"
	"time"

	"github.com/trapline/trapline/parser"
)

// Fault is one thing wrong with a policy: the key, what is wrong, the mend.
type Fault struct{ Key, Problem, Mend string }

// Error puts the fault in one line.
func (f Fault) Error() string { return fmt.Sprintf("%s %s: %s", f.Key, f.Problem, f.Mend) }

// Bounds of a policy's numbers: with them every sum fits its integers.
const (
	maxWeight  = 100 * One // of a cause, of a trap, of a fresh report
	maxSpan    = 366 * 24 * time.Hour
	maxReports = 100_000
	maxNumber  = 1_000_000 * One // of a threshold or factor
	maxPoints  = 1_000_000_000   // of reputation, of a unit and day
	maxListed  = 1 << 16         // sources that escalate to their network
)

// MaxTrapWeight is the highest weight a trap may have.
const MaxTrapWeight = maxWeight

// Check gives everything that is wrong with the policy: values out of bounds,
// scores that would rise with age, and policies that could never list. Nil
// means that the policy may be put in force.
func (p Policy) Check() []Fault {
	var c checker
	p.checkSpans(&c)
	p.checkNumbers(&c)
	p.checkCounts(&c)
	p.checkSense(&c)
	return c.faults
}

type checker struct{ faults []Fault }

func (c *checker) want(ok bool, key, problem, mend string) {
	if !ok {
		c.faults = append(c.faults, Fault{key, problem, mend})
	}
}

func (p Policy) checkSpans(c *checker) {
	for _, s := range []struct {
		key string
		d   time.Duration
		min time.Duration
	}{
		{"fresh_window", p.FreshWindow, time.Second},
		{"max_age", p.MaxAge, time.Second},
		{"repeat_window", p.RepeatWindow, 0},
		{"delist_after", p.DelistAfter, time.Second},
		{"delist_after_few", p.DelistAfterFew, time.Second},
	} {
		c.want(s.d >= s.min, s.key, "is "+spanText(s.d), "give at least "+spanText(s.min))
		c.want(s.d <= maxSpan, s.key, "is "+spanText(s.d), "give at most "+spanText(maxSpan))
		c.want(s.d%time.Second == 0, s.key, "is "+s.d.String(), "give whole seconds")
	}
	c.want(p.DelistAfterFew <= p.DelistAfter, "delist_after_few", "is longer than delist_after",
		"a source with fewer reports cannot stay longer: give at most "+spanText(p.DelistAfter))
}

func (p Policy) checkNumbers(c *checker) {
	for _, n := range []struct {
		key           string
		value, lo, hi Micro
	}{
		{"fresh_weight", p.FreshWeight, One, maxWeight},
		{"trap_factor", p.TrapFactor, 0, maxNumber},
		{"trap_square_at", p.TrapSquareAt, 0, maxNumber},
		{"report_factor", p.ReportFactor, 0, maxNumber},
		{"threshold", p.Threshold, 0, maxNumber},
		{"reputation_ratio", p.ReputationRatio, 0, maxNumber},
	} {
		c.want(n.value >= n.lo, n.key, "is "+n.value.String(), "give at least "+n.lo.String())
		c.want(n.value <= n.hi, n.key, "is "+n.value.String(), "give at most "+n.hi.String())
	}
	for _, cause := range p.weighted() {
		w := p.CauseWeight[cause]
		c.want(w >= 0 && w <= maxWeight, "cause_weight."+cause.String(), "is "+w.String(),
			"give 0 to "+maxWeight.String())
	}
}

func (p Policy) checkCounts(c *checker) {
	for _, n := range []struct {
		key           string
		value, lo, hi int
	}{
		{"min_reports", p.MinReports, 1, maxReports},
		{"min_traps", p.MinTraps, 0, maxReports},
		{"min_trap_domains", p.MinTrapDomains, 0, maxReports},
		{"max_hits_per_trap", p.MaxHitsPerTrap, 1, maxReports},
		{"max_reports_per_reporter", p.MaxReportsPerReporter, 1, maxReports},
		{"max_counted", p.MaxCounted, 1, maxReports},
		{"ipv6_prefix", p.IPv6Prefix, 48, 128},
		{"network.min_listed", p.MinListed, 0, maxListed},
		{CapKey, p.ReputationCap, 1, maxPoints},
	} {
		is := fmt.Sprintf("is %d", n.value)
		c.want(n.value >= n.lo, n.key, is, fmt.Sprintf("give at least %d", n.lo))
		c.want(n.value <= n.hi, n.key, is, fmt.Sprintf("give at most %d", n.hi))
	}
}

// checkSense refuses policies whose scores would rise with age, and those that
// no history could ever satisfy.
func (p Policy) checkSense(c *checker) {
	c.want(p.TrapFactor <= p.TrapSquareAt, "trap_factor",
		fmt.Sprintf("is above trap_square_at, so a score would rise as its hits age past %s",
			p.TrapSquareAt), "give at most "+p.TrapSquareAt.String())
	c.want(p.MinReports <= p.MaxCounted, "min_reports",
		"is more than max_counted, so nothing could ever be listed",
		fmt.Sprintf("give at most %d", p.MaxCounted))
	c.want(p.MinListed != 1, "network.min_listed", "is 1, so that one source would list "+
		"its whole network", "give 0 for never, or at least 2")
	c.want(p.best(p.Threshold), "threshold",
		"is above the score of max_counted fresh hits, so nothing could ever be listed", "lower it")
}

// best tells whether some history scores at least n: max_counted fresh hits of
// the heaviest traps and causes.
func (p Policy) best(n Micro) bool {
	var heaviest Micro
	for _, cause := range parser.Causes() {
		heaviest = max(heaviest, p.causeWeight(cause))
	}
	top := float64(p.FreshWeight) / 1e6 * float64(heaviest) / 1e6 * 100 * float64(p.MaxCounted)
	traps := top * float64(p.TrapFactor) / 1e6
	if top >= float64(p.TrapSquareAt)/1e6 {
		traps = top * top
	}
	return max(traps, top*float64(p.ReportFactor)/1e6) >= float64(n)/1e6
}
