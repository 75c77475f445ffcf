package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/zone"
)

type zoneCmd struct {
	Build  zoneBuildCmd  `cmd:"" help:"Publish now what has changed."`
	Verify zoneVerifyCmd `cmd:"" help:"Check the published files. Exit 3 when something is wrong."`
	Diff   zoneDiffCmd   `cmd:"" help:"What publishing now would change. Exit 3 when something would."`
}

type zoneBuildCmd struct {
	jsonFlag
	Force bool `help:"Let out what the publish guard holds back."`
}

// Help is shown by zone build --help.
func (zoneBuildCmd) Help() string { return "Example: trapline zone build --force" }

// Run has the daemon publish.
func (c *zoneBuildCmd) Run(a *app) error {
	return a.tell(func(client *admin.Client) error {
		z, err := client.BuildZone(context.Background(), c.Force)
		if err != nil {
			return err
		}
		if c.JSON {
			return a.printJSON(z)
		}
		fmt.Fprintf(a.stdout, "serial %d, %d entries, %d changes held\n", z.Serial, z.Entries, z.Held)
		return nil
	})
}

type zoneDiffCmd struct {
	jsonFlag
}

// Help is shown by zone diff --help.
func (zoneDiffCmd) Help() string { return "Example: trapline zone diff" }

// Run prints what the zone lacks of the list, and what the guard would hold.
func (c *zoneDiffCmd) Run(a *app) error {
	var d admin.ZoneDiff
	err := a.tell(func(client *admin.Client) (err error) {
		d, err = client.DiffZone(context.Background())
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
	}{{"+", d.Added}, {"-", d.Removed}, {"~", d.Changed}} {
		for _, l := range part.listings {
			fmt.Fprintln(a.stdout, part.sign, l.Source, l.Answer)
		}
	}
	fmt.Fprintf(a.stdout, "%d added, %d removed, %d changed, %d held back\n",
		len(d.Added), len(d.Removed), len(d.Changed), d.Held)
}

type zoneVerifyCmd struct {
	jsonFlag
	Dir    string `placeholder:"DIR" help:"The folder, as at a mirror; else that of the configuration."`
	Origin string `placeholder:"ZONE" help:"The zone's name; else that of the configuration."`
}

// Help is shown by zone verify --help.
func (zoneVerifyCmd) Help() string {
	return "Example: trapline zone verify --dir mirror --origin bl.mx.traps.example"
}

// Run checks the files of a zone, here or at a mirror.
func (c *zoneVerifyCmd) Run(a *app) error {
	if c.Dir == "" || c.Origin == "" {
		conf, err := a.load()
		if err != nil {
			return err
		}
		c.Dir, c.Origin = cmp.Or(c.Dir, conf.Zone.Dir), cmp.Or(c.Origin, conf.Zone.Origin)
	}
	faults, err := zone.Verify(c.Dir, c.Origin, criteria.At(a.now()))
	if err != nil {
		return err
	}
	if c.JSON {
		err = a.printJSON(map[string]any{"dir": c.Dir, "origin": c.Origin, "ok": len(faults) == 0, "faults": faultsOrNone(faults)})
	} else {
		c.print(a, faults)
	}
	if err == nil && len(faults) > 0 {
		return errNo
	}
	return err
}

func (c *zoneVerifyCmd) print(a *app, faults []zone.Fault) {
	if len(faults) == 0 {
		fmt.Fprintf(a.stdout, "%s in %s is good\n", c.Origin, c.Dir)
	}
	for _, f := range faults {
		fmt.Fprintln(a.stdout, f.Error())
	}
}

func faultsOrNone(faults []zone.Fault) []zone.Fault {
	if faults == nil {
		return []zone.Fault{}
	}
	return faults
}
