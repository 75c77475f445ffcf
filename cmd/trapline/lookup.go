package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type lookupCmd struct {
	jsonFlag
	IP string `arg:"" help:"An IPv4 or IPv6 address."`
}

// Help is shown by lookup --help.
func (lookupCmd) Help() string { return "Example: trapline lookup 198.51.100.7" }

// Run prints the verdict for an address; exit 3 when it is not listed.
func (c *lookupCmd) Run(a *app) error {
	addr, err := addressOf(c.IP)
	if err != nil {
		return err
	}
	var l admin.Lookup
	err = a.ask(func(q answers) (err error) {
		l, err = q.Lookup(addr)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = a.printJSON(l)
	} else {
		err = a.printLookup(l)
	}
	if err == nil && !l.Listed {
		return errNo
	}
	return err
}

// addressOf reads an address argument.
func addressOf(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return addr, usage("%q is not an address: give it as 198.51.100.7 or 2001:db8::1", text)
	}
	return addr, nil
}

func (a *app) printLookup(l admin.Lookup) error {
	fmt.Fprintf(a.stdout, "%s  %s\n\n", l.Source, l.Why)
	err := a.table(func(w io.Writer) {
		row := func(name, value string) { fmt.Fprintf(w, "  %s\t%s\n", name, value) }
		if l.Listed {
			row("answer", l.Answer.String())
			row("since", instant(l.Since))
			row("until", untilText(l))
		}
		row("score", l.Sum)
		row("counted", fmt.Sprintf("%s; traps or reporters: %d", number(l.Reports, "hit"), l.Traps))
		row("last hit", instant(l.LastHit))
		row("causes", causeCounts(l.Causes))
		row("in the zone", publishedText(l.Published))
		row("policy", fmt.Sprintf("version %d", l.Policy))
		for _, x := range l.Except {
			row("exception", decidedText(x.Network, x.Reason, x.Who, x.Since, x.Until))
		}
		if m := l.Manual; m != nil {
			row("by the operator", decidedText(m.Network, m.Reason, m.Who, m.Since, m.Until))
		}
		row("one more hit", "at a new trap: "+l.WhatIf.NewTrap.Why)
		if known := l.WhatIf.KnownTrap; known != nil {
			row("", "at the newest one's trap: "+known.Why)
		}
	})
	if err != nil || len(l.Terms) == 0 {
		return err
	}
	return a.printTerms(l.Terms)
}

// decidedText says what was decided about a network, by whom, when and why.
func decidedText(n netip.Prefix, reason, who string, since, until criteria.Second) string {
	text := fmt.Sprintf("%s: %s, by %s, since %s", criteria.Source{Prefix: n}, printable(reason), who,
		instant(since))
	if end := instant(until); end != "-" {
		text += ", until " + end
	}
	return text
}

func untilText(l admin.Lookup) string {
	if l.Until == 0 || l.Until == criteria.Never {
		return "the operator ends it"
	}
	return fmt.Sprintf("%s if nothing more comes (in %s, by %s)", l.Until, span(l.Until-l.At), l.EndsBy)
}

func publishedText(serial *uint32) string {
	if serial == nil {
		return "no"
	}
	return fmt.Sprintf("yes, serial %d", *serial)
}

// printTerms prints the sum, so that a reader can add it up.
func (a *app) printTerms(terms []admin.Term) error {
	const most = 20
	fmt.Fprintln(a.stdout)
	return a.table(func(w io.Writer) {
		fmt.Fprintln(w, "  hit\treceived\tage\tkind\tcause\tweight\tpart")
		for i, t := range terms {
			if i == most {
				fmt.Fprintf(w, "  and %d more, all of them with --json\n", len(terms)-most)
				return
			}
			fmt.Fprintln(w, strings.Join([]string{fmt.Sprintf("  %d", t.ID), instant(t.Time),
				span(criteria.Second(t.Age)), t.Kind.String(), t.Cause.String(),
				t.Weight.String(), t.Contribution.String()}, "\t"))
		}
	})
}
