package main

import (
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type zoneRollbackCmd struct {
	jsonFlag
	Reason string `required:"" placeholder:"R" help:"Why; it is kept in the ledger."`
	To     uint32 `placeholder:"SERIAL" help:"Which one; see zone generations. Else the one before."`
}

// Help is shown by zone rollback --help.
func (zoneRollbackCmd) Help() string {
	return `Example: trapline zone rollback --to 1795418502 --reason "broken trap"

What was published with that serial is published again, with a new serial, and
stands until trapline zone resume: the list is kept, and not published meanwhile.
Nobody is in it who is excepted, or who was ever delisted and is not listed now.
A listing leaves it when the end that was published with it has come, unless the
list has it still.
Exit 3 when that zone is not kept.`
}

// Run puts an earlier zone in the place of the list.
func (c *zoneRollbackCmd) Run(a *app) error {
	return a.orderZone(c.jsonFlag, admin.OrderOfZone{Act: criteria.ActRollback, Serial: c.To,
		Reason: c.Reason})
}

// printZoneEffect says what an order about the zone did.
func (a *app) printZoneEffect(e admin.EffectOnZone) {
	switch e.Act {
	case criteria.ActRollback:
		fmt.Fprintf(a.stdout, "serial %d stands again, until trapline zone resume\n", e.Serial)
	case criteria.ActRetire:
		fmt.Fprintln(a.stdout, "the zone is retired: it goes on being served, and lists nobody")
	default:
		fmt.Fprintln(a.stdout, "the list is published again")
	}
	if e.Pending {
		fmt.Fprintln(a.stdout, "the list is still being read, and the zone follows then")
	} else {
		fmt.Fprintln(a.stdout, zoneText(e.Zone))
		fmt.Fprintf(a.stdout, "%d added, %d removed, %d changed\n", e.Added, e.Removed, e.Changed)
	}
	fmt.Fprintf(a.stdout, "decision %d, by %s\n", e.Seq, e.Who)
}
