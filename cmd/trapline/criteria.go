package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type criteriaCmd struct {
	Show     criteriaShowCmd     `cmd:"" help:"The policy in force."`
	Score    criteriaScoreCmd    `cmd:"" help:"Score hits from a file."`
	Simulate criteriaSimulateCmd `cmd:"" help:"What another policy would have listed."`
}

type criteriaShowCmd struct {
	jsonFlag
}

// Help is shown by criteria show --help.
func (criteriaShowCmd) Help() string { return "Example: trapline criteria show --json" }

// Run prints the policy in force.
func (c *criteriaShowCmd) Run(a *app) error {
	var p admin.Policy
	err := a.ask(func(q answers) (err error) {
		p, err = q.Policy()
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(p)
	}
	fmt.Fprintf(a.stdout, "# version %d, in force since %s, by %s\n[criteria]\n", p.Version, instant(p.Since), p.Who)
	return a.table(func(w io.Writer) {
		for _, key := range criteria.Keys() {
			value, _ := p.Criteria.Get(key) // a key of the list
			if strings.HasSuffix(value, "h") || strings.HasSuffix(value, "m") || strings.HasSuffix(value, "s") {
				value = `"` + value + `"`
			}
			fmt.Fprintf(w, "%s\t= %s\n", key, value)
		}
	})
}

type criteriaScoreCmd struct {
	jsonFlag
	Set        []string `sep:"none" placeholder:"KEY=VALUE" help:"Change a key of the policy, as threshold=30. May be repeated."`
	At         string   `placeholder:"TIME" help:"Score as of then, else as of now."`
	Reputation int64    `placeholder:"N" help:"Reputation points of each source."`
	File       string   `arg:"" help:"Hits as JSON lines; - for standard input."`
}

// Help is shown by criteria score --help.
func (criteriaScoreCmd) Help() string {
	return `Example: trapline criteria score --set threshold=30 hits.jsonl

Each line is an object: {"time":"2026-11-24T09:00:00Z","source":"198.51.100.7",
"kind":"trap","trap":"a@traps.example","weight":1,"cause":"relay","digest":"…"}.
The policy is that of --config where it is given, else the default one.`
}

// Run prints a verdict for each source, sorted.
func (c *criteriaScoreCmd) Run(a *app) error {
	policy, err := c.policy(a)
	if err != nil {
		return err
	}
	at := criteria.At(a.now())
	if c.At != "" {
		if at, err = a.secondOf("at", c.At); err != nil {
			return err
		}
	}
	if c.Reputation < 0 {
		return usage("--reputation %d is less than 0: give the number of points", c.Reputation)
	}
	hits, err := c.hits(a)
	if err != nil {
		return err
	}
	return printAll(a, c.JSON, each(criteria.ScoreAll(policy, hits, at, c.Reputation)), printVerdict)
}

func printVerdict(w io.Writer, v criteria.Verdict) {
	fmt.Fprintf(w, "%s\t%s\tuntil %s\n", v.Source, v.Why, instant(v.Until))
}

func (c *criteriaScoreCmd) policy(a *app) (criteria.Policy, error) {
	policy := criteria.DefaultPolicy()
	if a.config != "" {
		conf, err := loadFile(a.config)
		if err != nil {
			return policy, err
		}
		policy = conf.Policy
	}
	return withKeys(policy, c.Set)
}

// withKeys changes the keys of a policy that --set names.
func withKeys(policy criteria.Policy, sets []string) (criteria.Policy, error) {
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok {
			return policy, usage("--set %q: give KEY=VALUE", set)
		}
		if err := policy.Set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return policy, usage("--set %s: %w", set, err)
		}
	}
	return policy, checked(policy)
}

// checked names all that is wrong with a policy.
func checked(policy criteria.Policy) error {
	var errs []error
	for _, fault := range policy.Check() {
		errs = append(errs, fault)
	}
	if err := errors.Join(errs...); err != nil {
		return &exitError{exitUsage, err}
	}
	return nil
}

// mostLine bounds a line of hits.
const mostLine = 1 << 20

func (c *criteriaScoreCmd) hits(a *app) ([]criteria.Hit, error) {
	in, err := a.open(c.File, "hits")
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read
	var hits []criteria.Hit
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, mostLine)
	n := 1
	for ; scanner.Scan(); n++ {
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		h, err := criteria.ParseHit(line)
		if err != nil {
			return nil, usage("%s:%d: %w", c.File, n, err)
		}
		hits = append(hits, h)
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return nil, usage("%s:%d: line is longer than 1 MiB: give one hit a line", c.File, n)
	}
	return hits, scanner.Err()
}
