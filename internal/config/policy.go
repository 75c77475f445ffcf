package config

import (
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// causeWeights is the one key of the policy that is a table: its keys are causes.
const causeWeights = "cause_weight"

// causes is what has a weight, for the mend of a cause that nobody knows.
const causes = "direct, relay, submission, webmail, script, proxy, " +
	"bounce, autoreply, list or unknown"

// policy reads [criteria]. The policy itself knows its keys, how they are spelled and what is
// wrong with them together; numbers reach it as they were written, so 0.1 stays a tenth.
func (s section) policy() criteria.Policy {
	p := criteria.DefaultPolicy()
	for _, key := range criteria.Keys() {
		switch key {
		case causeWeights:
			s.causeWeights(&p)
		case criteria.CapKey: // stands in [reputation]
		default:
			s.rule(&p, key)
		}
	}
	for _, f := range p.Check() {
		// Not s.at: a key like cause_weight.bounce is a path already.
		if path := s.path + "." + f.Key; s.sound(path) {
			s.fault(path, f.Problem, f.Mend)
		}
	}
	return p
}

// rule reads one key of the policy.
func (s section) rule(p *criteria.Policy, key string) {
	example, _ := p.Get(key) // every key of Keys is there
	want := aDecimal
	if _, err := time.ParseDuration(example); err == nil {
		want, example = aDuration, quoted(example)
	}
	table, name := s, key
	if sub, rest, ok := strings.Cut(key, "."); ok {
		table, name = s.section(sub), rest
	}
	if n := table.value(name, want, example); n != nil {
		s.set(p, s.at(key), key, n, "write it as "+example)
	}
}

func (s section) causeWeights(p *criteria.Policy) {
	table := s.value(causeWeights, aTable, "{ bounce = 1.0 }")
	if table == nil {
		return
	}
	for _, cause := range table.keys {
		n, path := table.table[cause], join(s.at(causeWeights), cause)
		if s.fits(path, n, aDecimal, "1.0") {
			s.set(p, path, causeWeights+"."+cause, n, "give a number to one of "+causes)
		}
	}
}

// set hands a value to the policy, whose errors begin with the key.
func (s section) set(p *criteria.Policy, path, key string, n *node, mend string) {
	q := *p // a Set that fails may leave anything behind
	err := q.Set(key, n.text)
	if err == nil {
		*p = q
		return
	}
	problem := err.Error()
	for _, prefix := range []string{key + ": ", causeWeights + ": "} {
		problem = strings.TrimPrefix(problem, prefix)
	}
	s.fault(path, problem, mend)
}
