package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// simulated is one line of JSON: the comparison, and in a sweep its value.
type simulated struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
	criteria.Comparison
}

func (c *criteriaSimulateCmd) print(a *app, trials []trialOf, found []criteria.Comparison) error {
	if c.JSON {
		for i, x := range found {
			if err := a.printJSON(simulated{trials[i].key, trials[i].value, x}); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(a.stdout, "%s to %s (%s)\n\n", found[0].From, found[0].To, span(found[0].To-found[0].From))
	if c.Sweep != "" {
		return a.printSweep(trials, found)
	}
	return a.printComparison(found[0], c.Limit)
}

// printSweep prints a line for each value. The bars are in proportion to the
// hours that all sources were listed together; what was is the line above.
func (a *app) printSweep(trials []trialOf, found []criteria.Comparison) error {
	most := found[0].Base.Seconds
	for _, x := range found {
		most = max(most, x.Other.Seconds)
	}
	return a.table(func(w io.Writer) {
		fmt.Fprintf(w, "%s\tlisted\thours\t+\t-\t~\t\n", trials[0].key)
		fmt.Fprintf(w, "as it was\t%d\t%s\t\t\t\t%s\n", found[0].Base.Sources, hours(found[0].Base.Seconds),
			bar(found[0].Base.Seconds, most))
		for i, x := range found {
			fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%d\t%s\n", trials[i].value, x.Other.Sources,
				hours(x.Other.Seconds), len(x.Added), len(x.Removed), len(x.Moved), bar(x.Other.Seconds, most))
		}
	})
}

// bar is a length in proportion to the most.
func bar(n, most int64) string {
	const length = 30
	if most == 0 {
		return ""
	}
	return strings.Repeat("#", int((n*length+most-1)/most))
}

// hours prints seconds as hours, with one decimal, rounded down.
func hours(seconds int64) string {
	return strconv.FormatInt(seconds/3600, 10) + "." + strconv.FormatInt(seconds%3600/360, 10)
}

// printComparison prints what would change, from the whole to the parts.
func (a *app) printComparison(c criteria.Comparison, limit int) error {
	err := a.table(func(w io.Writer) {
		fmt.Fprintf(w, "\tsources listed\thours\n")
		fmt.Fprintf(w, "as it was\t%d\t%s\n", c.Base.Sources, hours(c.Base.Seconds))
		fmt.Fprintf(w, "as it would have been\t%d\t%s\n", c.Other.Sources, hours(c.Other.Seconds))
	})
	if err != nil {
		return err
	}
	if c.Changes()+len(c.Spared) == 0 {
		fmt.Fprintln(a.stdout, "\nNothing would have been different.")
		return nil
	}
	for _, t := range []struct {
		name   string
		groups []criteria.Group
	}{{"by cause", c.Causes}, {"by network", c.Networks}, {"known mail providers", c.Providers}} {
		if err := a.printGroups(t.name, t.groups, limit); err != nil {
			return err
		}
	}
	for _, t := range []struct {
		name string
		list []criteria.Contrast
	}{{"would have been listed, and was not", c.Added}, {"was listed, and would not have been", c.Removed},
		{"listed for another time", c.Moved}} {
		if err := a.printContrasts(t.name, t.list, limit); err != nil {
			return err
		}
	}
	return a.printSpared(c.Spared, limit)
}

func (a *app) printGroups(name string, groups []criteria.Group, limit int) error {
	if len(groups) == 0 {
		return nil
	}
	fmt.Fprintf(a.stdout, "\n%s\n", name)
	return a.table(func(w io.Writer) {
		fmt.Fprintf(w, "  \t+\t-\t~\thours\n")
		for _, g := range first(groups, limit) {
			fmt.Fprintf(w, "  %s\t%d\t%d\t%d\t%s -> %s\n", g.Name, g.Added, g.Removed, g.Moved,
				hours(g.Base), hours(g.Other))
		}
		more(w, len(groups), limit)
	})
}

func (a *app) printContrasts(name string, list []criteria.Contrast, limit int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintf(a.stdout, "\n%s: %s\n", name, number(len(list), "source"))
	return a.table(func(w io.Writer) {
		for _, x := range first(list, limit) {
			fmt.Fprintf(w, "  %s\t%s\t%s -> %s\n", x.Source, x.Cause, span(criteria.Second(x.Base)),
				span(criteria.Second(x.Other)))
		}
		more(w, len(list), limit)
	})
}

func (a *app) printSpared(list []criteria.Spare, limit int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintf(a.stdout, "\nkept off the list by an exception: %s\n", number(len(list), "source"))
	return a.table(func(w io.Writer) {
		for _, x := range first(list, limit) {
			fmt.Fprintf(w, "  %s\t%s\t%s: %s\n", x.Source, span(criteria.Second(x.Seconds)), x.Network,
				printable(x.Reason))
		}
		more(w, len(list), limit)
	})
}

// first gives the first of a list, all of them without a limit.
func first[T any](list []T, limit int) []T {
	if limit > 0 && len(list) > limit {
		return list[:limit]
	}
	return list
}

// more says how many were left out.
func more(w io.Writer, n, limit int) {
	if limit > 0 && n > limit {
		fmt.Fprintf(w, "  and %d more: --limit 0 names all\n", n-limit)
	}
}
