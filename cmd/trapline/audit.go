package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type auditCmd struct {
	jsonFlag
	Since       string `placeholder:"TIME" help:"Only decisions made at or after it."`
	Until       string `placeholder:"TIME" help:"Only decisions made before it."`
	Limit       int    `default:"50" help:"At most so many; 0 for all."`
	Act         string `placeholder:"ACT" help:"Only those of a kind: policy, except, unexcept, list, delist, …"`
	By          string `placeholder:"WHO" help:"Only those of a user, by name or number, or of who the ledger has."`
	OldestFirst bool   `help:"In the order of the ledger, as for an export."`
	ShowTraps   bool   `help:"Print trap addresses instead of their keyed hashes."`
}

// Help is shown by audit --help.
func (auditCmd) Help() string {
	return `Example: trapline audit --act delist --since 7d
         trapline audit --json --oldest-first --limit 0 >audit.jsonl

A line is a decision: its number, when, what, about what, what stood before, by whom, and why. A user is
who was at the other end of the admin socket, as the kernel tells it; "config" is a start or a SIGHUP.`
}

// Run prints the ledger of decisions, newest first.
func (c *auditCmd) Run(a *app) error {
	f := admin.AuditFilter{Limit: c.Limit, Act: criteria.Act(c.Act), By: c.By,
		OldestFirst: c.OldestFirst, ShowTraps: c.ShowTraps}
	var err error
	if f.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if f.Until, err = a.secondOf("until", c.Until); err != nil {
		return err
	}
	if c.Limit < 0 {
		return usage("--limit %d is less than 0: give 0 for all", c.Limit)
	}
	if f.Act != "" && !slices.Contains(admin.Acts(), f.Act) {
		return usage("--act %q is no act: use one of %s", c.Act, listed(admin.Acts()))
	}
	return a.ask(func(q answers) error { return printAll(a, c.JSON, q.Audit(f), printDecision) })
}

func listed(acts []criteria.Act) string {
	var words []string
	for _, act := range acts {
		words = append(words, string(act))
	}
	return strings.Join(words, ", ")
}

func printDecision(w io.Writer, d admin.Decision) {
	fmt.Fprintf(w, "%d\t%s\t%s\t%s\tby %s\t%s\n", d.Seq, instant(d.At), d.Act, whatDecided(d), d.Who,
		printable(d.Reason))
}

// whatDecided says what a decision is about, and what stood before.
func whatDecided(d admin.Decision) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if d.Network != nil {
		add("%s", criteria.Source{Prefix: *d.Network})
	}
	if d.Trap != "" {
		add("%s", foreign(d.Trap))
	}
	if d.Name != "" {
		add("%s", printable(d.Name))
	}
	if d.Dispute != nil {
		add("%s", d.Dispute.Step)
	}
	if d.Serial > 0 {
		add("serial %d", d.Serial)
	}
	if d.Since > 0 {
		add("since %s", d.Since)
	}
	if d.Weight != nil {
		add("weight %s", *d.Weight)
	}
	if d.Until > 0 {
		add("until %s", d.Until)
	}
	if len(d.Hits) > 0 {
		add("hits %v", d.Hits)
	}
	if d.Act == criteria.ActPolicy {
		add("%s", keysText(d.Changed))
	}
	if d.Before != nil {
		add("(before: %s)", beforeText(*d.Before))
	}
	return strings.Join(parts, " ")
}

func beforeText(b admin.Before) string {
	text := fmt.Sprintf("%s, by %s, decision %d", printable(b.Reason), printable(b.Who), b.Seq)
	switch {
	case b.Weight != nil:
		return "weight " + b.Weight.String() + ", " + text
	case b.Serial > 0:
		return fmt.Sprintf("serial %d, %s", b.Serial, text)
	case b.Name != "":
		return b.Name + ", " + text
	case b.Reason == "":
		return strings.TrimPrefix(text, ", ")
	}
	return text
}

func keysText(changed []admin.KeyChange) string {
	if len(changed) == 0 {
		return "as before"
	}
	var keys []string
	for _, c := range changed {
		if c.From == "" {
			return "the first"
		}
		keys = append(keys, fmt.Sprintf("%s %s → %s", c.Key, c.From, c.To))
	}
	return strings.Join(keys, ", ")
}
