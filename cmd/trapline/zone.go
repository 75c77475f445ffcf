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
	Build       zoneBuildCmd       `cmd:"" help:"Publish now what has changed."`
	Verify      zoneVerifyCmd      `cmd:"" help:"Check the published files. Exit 3 when something is wrong."`
	Diff        zoneDiffCmd        `cmd:"" help:"What publishing now would change. Exit 3 when something would."`
	Generations zoneGenerationsCmd `cmd:"" help:"The zones that are kept, and may be rolled back to."`
	Rollback    zoneRollbackCmd    `cmd:"" help:"Put a zone that was published before in the place of the list, until a resume."`
	Retire      zoneRetireCmd      `cmd:"" help:"Empty the zone for good."`
	Resume      zoneResumeCmd      `cmd:"" help:"Publish the list again after a rollback, or a retirement."`
}

type zoneBuildCmd struct {
	jsonFlag
	Force  bool   `help:"Let out what the publish guard holds back; the ledger tells of it."`
	Reason string `placeholder:"R" help:"Why; for the ledger. Goes with --force."`
}

// Help is shown by zone build --help.
func (zoneBuildCmd) Help() string { return "Example: trapline zone build --force" }

// Run has the daemon publish.
func (c *zoneBuildCmd) Run(a *app) error {
	if c.Reason != "" && !c.Force {
		return usage("--reason goes with --force: without it nothing is decided")
	}
	return give(a, c.jsonFlag, func(client *admin.Client) (admin.Built, error) {
		return client.BuildZone(context.Background(), admin.BuildOrder{Force: c.Force, Reason: c.Reason})
	}, func(b admin.Built) { c.print(a, b) })
}

func (c *zoneBuildCmd) print(a *app, b admin.Built) {
	fmt.Fprintln(a.stdout, zoneText(b.Zone))
	switch {
	case b.Forced != zone.Held{}:
		fmt.Fprintf(a.stdout, "%s and %s that were held back went out\n",
			number(b.Forced.Additions, "addition"), number(b.Forced.Removals, "removal"))
	case c.Force:
		fmt.Fprintln(a.stdout, "nothing was held back, so there was nothing to force")
	}
}

// zoneText says in a line what is published.
func zoneText(z admin.Zone) string {
	if z.Serial == 0 {
		return "not published yet"
	}
	return fmt.Sprintf("serial %d, %s, %s held", z.Serial, entriesText(z.Entries),
		number(z.Held.Additions+z.Held.Removals, "change"))
}

func entriesText(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
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
		err = a.printJSON(verifiedZone{c.Dir, c.Origin, len(faults) == 0, faultsOrNone(faults)})
	} else {
		c.print(a, faults)
	}
	if err == nil && len(faults) > 0 {
		return errNo
	}
	return err
}

// verifiedZone is what zone verify --json prints.
type verifiedZone struct {
	Dir    string       `json:"dir"`
	Origin string       `json:"origin"`
	OK     bool         `json:"ok"`
	Faults []zone.Fault `json:"faults"` // what is wrong with the files
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
