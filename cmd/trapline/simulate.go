package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type criteriaSimulateCmd struct {
	jsonFlag
	Set   []string `sep:"none" placeholder:"KEY=VALUE" help:"Change a key of the policy, as threshold=30. May be repeated."`
	Sweep string   `placeholder:"KEY=FROM:TO:STEP" help:"Try one key at many values, as threshold=10:60:5."`
	From  string   `default:"7d" placeholder:"TIME" help:"Begin of the span: a time, or how long ago (7d)."`
	To    string   `placeholder:"TIME" help:"End of the span, else now."`
	Limit int      `default:"20" placeholder:"N" help:"Sources to name in each table; 0 names all."`
}

// Help is shown by criteria simulate --help.
func (criteriaSimulateCmd) Help() string {
	return `Example: trapline criteria simulate --set threshold=30 --from 14d

Replays the recorded hits under the policy of the configuration file with the
changes given, beside the daemon: edit the file, simulate, then reload. What
people decided stands as it stood at each instant. Nothing is changed.

With --sweep a line for each value, and a chart of the hours listed.`
}

// Run prints what would be listed that is not, and the other way round.
func (c *criteriaSimulateCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	policy, err := withKeys(conf.Policy, c.Set)
	if err != nil {
		return err
	}
	trials, err := sweepOf(policy, c.Sweep)
	if err != nil {
		return err
	}
	s := admin.Simulation{To: criteria.At(a.now()) + 1}
	for _, t := range trials {
		s.Policies = append(s.Policies, t.policy)
	}
	if s.From, err = a.secondOf("from", c.From); err != nil {
		return err
	}
	if c.To != "" {
		if s.To, err = a.secondOf("to", c.To); err != nil {
			return err
		}
	}
	if s.From >= s.To {
		return usage("--from %s is not before --to %s", s.From, s.To)
	}
	found, err := a.simulate(s)
	if err != nil {
		return err
	}
	return c.print(a, trials, found)
}

// simulate asks for the comparisons and shows how far they are.
func (a *app) simulate(s admin.Simulation) (found []criteria.Comparison, err error) {
	meter := a.meter()
	defer meter.clear()
	err = a.ask(func(q answers) error {
		for line, err := range q.Simulate(context.Background(), s) {
			switch {
			case err != nil:
				return err
			case line.Comparison != nil:
				found = append(found, *line.Comparison)
			}
			meter.show(line.Done, line.Total)
		}
		return nil
	})
	if err == nil && len(found) < len(s.Policies) {
		err = fmt.Errorf("read the daemon's answer: %w", io.ErrUnexpectedEOF)
	}
	return found, err
}

// trialOf is one policy of a sweep, and the value that tells it from others.
type trialOf struct {
	key, value string
	policy     criteria.Policy
}

// mostSteps bounds a sweep: each step is a replay.
const mostSteps = 100

// sweepOf makes the policies of a sweep; without one it is the policy itself.
func sweepOf(p criteria.Policy, sweep string) ([]trialOf, error) {
	if sweep == "" {
		return []trialOf{{policy: p}}, nil
	}
	key, span, _ := strings.Cut(sweep, "=")
	parts := strings.Split(span, ":")
	if len(parts) != 3 {
		return nil, usage("--sweep %q is not KEY=FROM:TO:STEP", sweep)
	}
	values, err := stepsOf(parts[0], parts[1], parts[2])
	if err != nil {
		return nil, usage("--sweep %s: %w", key, err)
	}
	var trials []trialOf
	for _, value := range values {
		q := p
		if err := q.Set(key, value); err != nil {
			return nil, usage("--sweep %w", err)
		}
		if err := checked(q); err != nil {
			return nil, err
		}
		spelt, err := q.Get(key)
		if err != nil {
			spelt = value // a key below another
		}
		trials = append(trials, trialOf{key, spelt, q})
	}
	return trials, nil
}

// stepsOf gives the values from one to another, as the configuration spells
// them: plain decimals, or durations.
func stepsOf(from, to, step string) (values []string, err error) {
	numbers, spell := make([]int64, 3), func(n int64) string { return criteria.Micro(n).String() }
	for i, text := range []string{from, to, step} {
		m, err := criteria.ParseMicro(text)
		numbers[i] = int64(m)
		if err == nil {
			continue
		}
		d, err := durationOf(text)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a number nor a duration", text)
		}
		numbers[i], spell = int64(d), func(n int64) string { return time.Duration(n).String() }
	}
	if numbers[2] <= 0 || numbers[1] < numbers[0] || (numbers[1]-numbers[0])/numbers[2] >= mostSteps {
		return nil, fmt.Errorf("%s:%s:%s: give a rising span of at most %d steps", from, to, step, mostSteps)
	}
	for n := numbers[0]; n <= numbers[1]; n += numbers[2] {
		values = append(values, spell(n))
	}
	return values, nil
}
