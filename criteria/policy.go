package criteria

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/parser"
)

// Policy is the numbers of the rules. The zero Policy is of no use: start from
// DefaultPolicy. A Policy is a value; CauseWeight is never changed in place.
type Policy struct {
	FreshWeight Micro         // weight of a report received now
	FreshWindow time.Duration // the weight falls linearly to 1 at this age
	MaxAge      time.Duration // and is 0 from this age on

	TrapFactor   Micro // trap score below TrapSquareAt: times this
	TrapSquareAt Micro // from here on: squared
	ReportFactor Micro // a user's report

	Threshold       Micro // listed while score >= Threshold
	ReputationRatio Micro // and score >= ratio x reputation points

	MinReports     int // a single report never lists
	MinTraps       int // distinct trap addresses plus distinct reporters
	MinTrapDomains int // distinct registrable domains among trap hits

	MaxHitsPerTrap        int // per source and trap: the newest count
	MaxReportsPerReporter int // per source and reporter: the newest count
	MaxCounted            int // per source: the newest count

	RepeatWindow   time.Duration // same source, traps and content: not counted
	DelistAfter    time.Duration // of silence
	DelistAfterFew time.Duration // where there are exactly MinReports reports

	IPv6Prefix  int                    // IPv6 is scored and listed by this network
	CauseWeight map[parser.Cause]Micro // causes that weigh other than One

	ReputationCap int // points that count of a listing unit and day
	MinListed     int // of a /24 or /48 listed at once: all of it is; 0: never
}

// DefaultPolicy is the SpamCop rules as the documentation prints them.
func DefaultPolicy() Policy {
	return Policy{
		FreshWeight: 4 * One, FreshWindow: 48 * time.Hour, MaxAge: 168 * time.Hour,
		TrapFactor: 5 * One, TrapSquareAt: 6 * One, ReportFactor: One,
		Threshold: 25 * One, ReputationRatio: One / 50,
		MinReports: 2, MinTraps: 2, MinTrapDomains: 1,
		MaxHitsPerTrap: 5, MaxReportsPerReporter: 3, MaxCounted: 1000,
		RepeatWindow: 24 * time.Hour, DelistAfter: 24 * time.Hour, DelistAfterFew: 12 * time.Hour,
		IPv6Prefix: 64, ReputationCap: 1000,
	}
}

// Equal tells whether two policies give the same verdicts.
func (p Policy) Equal(q Policy) bool {
	for _, f := range fields {
		if f.text(&p) != f.text(&q) {
			return false
		}
	}
	return true
}

// keepsAs tells whether an engine keeps the same hits under both policies, and
// only reads them otherwise.
func (p Policy) keepsAs(q Policy) bool {
	return p.IPv6Prefix == q.IPv6Prefix && p.MaxAge == q.MaxAge && p.RepeatWindow == q.RepeatWindow &&
		p.MaxHitsPerTrap == q.MaxHitsPerTrap && p.MaxCounted == q.MaxCounted &&
		p.MaxReportsPerReporter == q.MaxReportsPerReporter && p.MinListed == q.MinListed
}

// Keys lists the keys of a policy in the order they are documented.
func Keys() []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// Get gives the value of a key as the configuration spells it.
func (p Policy) Get(key string) (string, error) {
	f, err := fieldOf(key)
	if err != nil {
		return "", err
	}
	return f.text(&p), nil
}

// Set reads a value as the configuration spells it: a plain decimal ("25.0"),
// a whole number or a duration ("48h"). A cause weight has the key
// "cause_weight.bounce". Set checks the value's form; Check its sense.
func (p *Policy) Set(key, value string) error {
	if name, ok := strings.CutPrefix(key, "cause_weight."); ok {
		return p.setCauseWeight(name, value)
	}
	f, err := fieldOf(key)
	if err != nil {
		return err
	}
	if f.set == nil {
		return fmt.Errorf("%s: set one cause at a time, as %s.bounce", key, key)
	}
	if err := f.set(p, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

func (p *Policy) setCauseWeight(name, value string) error {
	cause, ok := parser.ParseCause(name)
	if !ok {
		return fmt.Errorf("cause_weight: no cause is called %q", name)
	}
	weight, err := ParseMicro(value)
	if err != nil {
		return fmt.Errorf("cause_weight.%s: %w", name, err)
	}
	weights := maps.Clone(p.CauseWeight)
	if weights == nil {
		weights = map[parser.Cause]Micro{}
	}
	weights[cause] = weight
	p.CauseWeight = weights
	return nil
}

func (p Policy) causeWeight(c parser.Cause) Micro {
	if w, ok := p.CauseWeight[c]; ok {
		return w
	}
	return One
}

// weighted lists the causes with a weight of their own, in a fixed order.
func (p Policy) weighted() []parser.Cause {
	return slices.Sorted(maps.Keys(p.CauseWeight))
}
