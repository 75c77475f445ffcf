package main

import (
	"fmt"
	"io"

	"github.com/trapline/trapline/internal/admin"
)

type zoneGenerationsCmd struct {
	jsonFlag
}

// Help is shown by zone generations --help.
func (zoneGenerationsCmd) Help() string {
	return `Example: trapline zone generations

Newest first, with what rolling back to each would add to the zone and remove
from it now. zone.keep says how many are kept: the newest two, and others that
reach back ever farther, up to a week.`
}

// Run prints the zones that are kept.
func (c *zoneGenerationsCmd) Run(a *app) error {
	var all []admin.Generation
	err := a.askZone(func(q zoneAnswers) (err error) {
		all, err = q.Generations()
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return printAll(a, true, each(all), nil)
	}
	return a.table(func(w io.Writer) {
		fmt.Fprintln(w, "serial\tpublished\tentries\trolling back to it")
		for _, g := range all {
			fmt.Fprintf(w, "%d\t%s\t%d\t%s\n", g.Serial, instant(g.Published), g.Entries, whatOf(g))
		}
	})
}

// whatOf says what a rollback to a generation would do.
func whatOf(g admin.Generation) string {
	switch {
	case g.Fault != "":
		return "cannot be: " + printable(g.Fault)
	case g.Stands:
		return "keeps the zone as it is"
	}
	return fmt.Sprintf("adds %d, removes %d, changes %d", g.Added, g.Removed, g.Changed)
}
