package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type trapCmd struct {
	List    trapListCmd    `cmd:"" help:"The traps, and what was decided about them."`
	Stats   trapStatsCmd   `cmd:"" help:"What each trap catches, and which one smells burnt."`
	Burn    trapBurnCmd    `cmd:"" help:"Hits on a trap never count again. Exit 3 when it is burnt."`
	Unburn  trapUnburnCmd  `cmd:"" help:"Take a burn back. Exit 3 when there is none."`
	Reweigh trapReweighCmd `cmd:"" help:"Give the hits that a trap had so far another weight."`
	Import  trapImportCmd  `cmd:"" help:"Check a list of traps and write it for the configuration."`
	Export  trapExportCmd  `cmd:"" help:"The traps in force, as tables or as a list."`
}

type trapListCmd struct {
	jsonFlag
}

// Help is shown by trap list --help.
func (trapListCmd) Help() string { return "Example: trapline trap list" }

// Run prints every [[trap]], in the order of the configuration.
func (c *trapListCmd) Run(a *app) error {
	return a.ask(func(q answers) error {
		traps, err := q.Traps()
		if err != nil {
			return err
		}
		return printAll(a, c.JSON, each(traps), printTrap)
	})
}

func printTrap(w io.Writer, t admin.Trap) {
	if t.Configured {
		from := ""
		if t.ActiveFrom > 0 {
			from = "from " + instant(t.ActiveFrom)
		}
		fmt.Fprintf(w, "%s\t%s\tweight %s\t%s\t%s\n", printable(t.Name()), t.Kind, t.Weight, t.State,
			from)
	} else {
		fmt.Fprintln(w, "no longer configured:")
	}
	for _, c := range t.Corrected {
		name := "  " + foreign(c.Address)
		if b := c.Burnt; b != nil {
			fmt.Fprintf(w, "%s\t%s\tby %s\t%s\n", name, burntText(b.Since), b.Who, printable(b.Reason))
		}
		if r := c.Reweighed; r != nil {
			fmt.Fprintf(w, "%s\tweight %s up to %s\tby %s\t%s\n", name, r.Weight, r.At, r.Who,
				printable(r.Reason))
		}
	}
}

func burntText(since criteria.Second) string {
	if since == 0 {
		return "burnt"
	}
	return "burnt since " + since.String()
}

type trapStatsCmd struct {
	jsonFlag
	Since string `placeholder:"TIME" help:"Only hits received at or after it."`
	Top   int    `default:"10" placeholder:"N" help:"Addresses of each domain: those hit most."`
}

// Help is shown by trap stats --help.
func (trapStatsCmd) Help() string {
	return `Example: trapline trap stats --since 7d

A trap is burnt when wanted mail comes to it, or when somebody uses it against
others. Signs are list mail, mail from networks that you except, and sources
that come to no other trap. See trap burn.`
}

// Run prints a line for each trap, and for its addresses that are hit most.
func (c *trapStatsCmd) Run(a *app) error {
	f := admin.TrapFilter{Top: c.Top}
	var err error
	if f.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if c.Top < 0 || c.Top > admin.MostTop {
		return usage("--top %d: give 0 to %d", c.Top, admin.MostTop)
	}
	return a.ask(func(q answers) error {
		stats, err := q.TrapStats(context.Background(), f)
		if err != nil {
			return err
		}
		if c.JSON {
			return printAll(a, true, each(stats), nil)
		}
		return a.printTrapStats(stats)
	})
}

func (a *app) printTrapStats(stats []admin.TrapStats) error {
	partial := false
	err := a.table(func(w io.Writer) {
		fmt.Fprintln(w, "trap\thits\tsources\tonly here\tlist mail\trepeats\texcepted\tlast hit\t")
		for i := range stats {
			t := &stats[i]
			partial = partial || t.Partial
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", trapName(t), t.Hits, t.Sources,
				t.Only, percent(t.ListMail, t.Hits), percent(t.Repeats, t.Hits),
				percent(t.Excepted, t.Hits), instant(t.LastHit), t.Verdict)
		}
	})
	if partial {
		a.say("too many to count: sources, only here and repeats are lower bounds; give a later --since")
	}
	return err
}

// trapName is a trap, or, set in, one of its addresses.
func trapName(t *admin.TrapStats) string {
	switch {
	case t.Trap == nil && t.Address == nil:
		return "no longer configured"
	case t.Address == nil:
		return printable(*t.Trap)
	case t.Trap != nil && *t.Trap == *t.Address:
		return printable(*t.Address)
	}
	return "  " + foreign(*t.Address)
}

func percent(part, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %%", (100*part+of/2)/of)
}

// trapWhy is what every decision about a trap says.
type trapWhy struct {
	Reason string `placeholder:"R" help:"Why; it is kept in the ledger. Required but with --dry-run."`
	DryRun bool   `help:"Only say what it would change. It takes as long."`
}

// Validate is asked once the flags are read.
func (w trapWhy) Validate() error {
	if w.Reason == "" && !w.DryRun {
		return errors.New("missing flags: --reason=R")
	}
	return nil
}

type trapBurnCmd struct {
	jsonFlag
	trapWhy
	Since   string `placeholder:"TIME" help:"Only hits received at or after it; else all."`
	Address string `arg:"" help:"The trap's address."`
}

// Help is shown by trap burn --help.
func (trapBurnCmd) Help() string {
	return "Example: trapline trap burn old.sales@corp.example --since 2026-11-01 " +
		"--reason \"on a list\"\n\n" +
		"The log is read anew as if those hits named the trap in vain; hits to come do not count either."
}

// Run has the daemon never count a trap's hits again.
func (c *trapBurnCmd) Run(a *app) error {
	since, err := a.secondOf("since", c.Since)
	if err != nil {
		return err
	}
	return a.correct(c.jsonFlag, c.trapWhy,
		admin.TrapOrder{Act: criteria.ActBurn, Trap: c.Address, Since: since})
}

type trapUnburnCmd struct {
	jsonFlag
	trapWhy
	Address string `arg:"" help:"The trap's address."`
}

// Help is shown by trap unburn --help.
func (trapUnburnCmd) Help() string {
	return "Example: trapline trap unburn old.sales@corp.example --reason \"it was another one\""
}

// Run has the daemon count a trap's hits again.
func (c *trapUnburnCmd) Run(a *app) error {
	return a.correct(c.jsonFlag, c.trapWhy, admin.TrapOrder{Act: criteria.ActUnburn, Trap: c.Address})
}

type trapReweighCmd struct {
	jsonFlag
	trapWhy
	Address string `arg:"" help:"The trap's address."`
	Weight  string `arg:"" help:"What each hit so far weighs, 0 to 100; 0: nothing."`
}

// Help is shown by trap reweigh --help.
func (trapReweighCmd) Help() string {
	return "Example: trapline trap reweigh old.sales@corp.example 0.25 --reason typos\n\n" +
		"Hits to come weigh what the configuration says."
}

// Run has the daemon give a trap's hits another weight.
func (c *trapReweighCmd) Run(a *app) error {
	weight, err := criteria.ParseMicro(c.Weight)
	if err != nil {
		return usage("weight: %w", err)
	}
	return a.correct(c.jsonFlag, c.trapWhy,
		admin.TrapOrder{Act: criteria.ActReweigh, Trap: c.Address, Weight: weight})
}

// correct gives an order about a trap and prints what it changed.
func (a *app) correct(form jsonFlag, w trapWhy, o admin.TrapOrder) error {
	o.Reason, o.DryRun = w.Reason, w.DryRun
	if err := o.Check(); err != nil {
		return usage("%w", err)
	}
	return give(a, form, func(client *admin.Client) (admin.Corrected, error) {
		return client.Correct(context.Background(), o)
	}, a.printCorrected)
}

func (a *app) printCorrected(d admin.Corrected) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	would, since := "", ""
	if d.DryRun {
		would = "would "
	}
	if d.Since > 0 {
		since = " received since " + d.Since.String()
	}
	trap := printable(d.Trap)
	switch d.Act {
	case criteria.ActBurn:
		say("hits on %s%s %snever count again", trap, since, would)
	case criteria.ActUnburn:
		say("hits on %s%s %scount again", trap, since, would)
	case criteria.ActReweigh:
		say("hits on %s up to now %sweigh %s", trap, would, d.Weight)
	}
	say("of those young enough: %s, %d of them on no other trap that counts", number(d.Hits, "hit"),
		d.Alone)
	say("%s", changesText(d.Changes))
	if hint := stateHint(d); hint != "" {
		say("%s", hint)
	}
	if !d.DryRun {
		say("decision %d, by %s", d.Seq, d.Who)
	}
}

// stateHint says what of the configuration now does not fit.
func stateHint(d admin.Corrected) string {
	switch {
	case d.State == "active" && d.Act == criteria.ActBurn:
		return `its mail is still taken and counts nothing: give it a [[trap]] of its own with ` +
			`state = "watching" or "resting"`
	case d.State == "active" && d.Act == criteria.ActReweigh:
		return `hits to come weigh what the configuration says: set weight there`
	}
	return ""
}
