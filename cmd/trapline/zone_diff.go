package main

import (
	"fmt"

	"github.com/trapline/trapline/internal/admin"
)

type zoneDiffCmd struct {
	jsonFlag
}

// Help is shown by zone diff --help.
func (zoneDiffCmd) Help() string {
	return `Example: trapline zone diff

A line is a network that would be added (+), removed (-) or get another answer (~).
Behind "held" stands what the publish guard holds back: additions go out by
themselves, removals wait for zone build --force.`
}

// Run prints what the zone lacks of the list, and what the guard would hold.
func (c *zoneDiffCmd) Run(a *app) error {
	var d admin.ZoneDiff
	err := a.askZone(func(q zoneAnswers) (err error) {
		d, err = q.DiffZone()
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		err = a.printJSON(d)
	} else {
		c.print(a, d)
	}
	if err == nil && !d.Empty() {
		return errNo
	}
	return err
}

func (c *zoneDiffCmd) print(a *app, d admin.ZoneDiff) {
	for _, part := range []struct {
		sign     string
		listings []admin.Listing
	}{{"+", d.Added}, {"-", d.Removed}, {"~", d.Changed},
		{"held +", d.Held.Additions}, {"held -", d.Held.Removals}} {
		for _, l := range part.listings {
			fmt.Fprintln(a.stdout, part.sign, l.Source, l.Answer)
		}
	}
	fmt.Fprintf(a.stdout, "%d added, %d removed, %d changed; held back: %d additions, %d removals\n",
		len(d.Added), len(d.Removed), len(d.Changed), len(d.Held.Additions), len(d.Held.Removals))
	if d.Held.Next > 0 {
		fmt.Fprintf(a.stdout, "more of the additions go out at %s\n", d.Held.Next)
	}
	if d.Order != nil {
		fmt.Fprintf(a.stdout, "the zone is %s\n", d.Order)
	}
}
