package main

import (
	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

type zoneRetireCmd struct {
	jsonFlag
	Reason string `required:"" placeholder:"R" help:"Why; it is kept in the ledger."`
	Yes    string `placeholder:"ZONE" help:"The zone's name, typed in full: this is for good."`
}

// Help is shown by zone retire --help.
func (zoneRetireCmd) Help() string {
	return `Example: trapline zone retire --yes bl.mx.traps.example --reason "we close"

The zone goes on being served and answers for its test entries alone, so nobody's
mail is refused by it; its files say that it is retired. Announce it well before,
and keep the domain afterwards. The daemon goes on, and so must its name servers,
until nobody asks any more. trapline zone resume takes it back.`
}

// Run empties the zone for good.
func (c *zoneRetireCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	if c.Yes != conf.Zone.Origin {
		return usage("this empties the zone for good: say so with --yes %s", conf.Zone.Origin)
	}
	return a.orderZone(c.jsonFlag, admin.OrderOfZone{Act: criteria.ActRetire, Reason: c.Reason,
		Origin: c.Yes})
}
