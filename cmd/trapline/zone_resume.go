package main

import (
	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type zoneResumeCmd struct {
	jsonFlag
	Reason string `required:"" placeholder:"R" help:"Why; it is kept in the ledger."`
	Yes    string `placeholder:"ZONE" help:"The zone's name, typed in full, where it is retired."`
}

// Help is shown by zone resume --help.
func (zoneResumeCmd) Help() string {
	return `Example: trapline zone resume --reason "the trap is burnt"

Takes a rollback or a retirement back. The publish guard looks at what this
changes as at any other change: see zone diff. Exit 3 when the list stands already.`
}

// Run has the list published again.
func (c *zoneResumeCmd) Run(a *app) error {
	return a.orderZone(c.jsonFlag, admin.OrderOfZone{Act: criteria.ActResume, Reason: c.Reason,
		Origin: c.Yes})
}
