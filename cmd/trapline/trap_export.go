package main

import (
	"io"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

type trapExportCmd struct {
	jsonFlag
	Format string `enum:"toml,csv" default:"toml" help:"toml, [[trap]] tables, or csv, a trap a line."`
	Output string `short:"o" placeholder:"FILE" help:"Write to a file instead of stdout, for its owner alone."`
}

// Help is shown by trap export --help.
func (trapExportCmd) Help() string {
	return `Example: trapline trap export --format csv -o traps.csv

Writes the traps in force, each with all that is set for it, so that trap import
reads the same from it. What was burnt or reweighed is in the ledger: see trap list.`
}

// Run writes the traps in force.
func (c *trapExportCmd) Run(a *app) error {
	var found []admin.Trap
	err := a.ask(func(q answers) (err error) {
		found, err = q.Traps()
		return err
	})
	if err != nil {
		return err
	}
	traps := trapsInForce(found)
	return a.writeTo(c.Output, func(w io.Writer) error {
		switch {
		case c.JSON:
			for _, t := range traps {
				if err := jsonTo(w).Encode(exportedOf(t)); err != nil {
					return err
				}
			}
			return nil
		case c.Format == "csv":
			_, err := w.Write(config.AppendCSV(nil, traps))
			return err
		}
		_, err := w.Write(config.AppendTOML(nil, traps))
		return err
	})
}

// trapsInForce leaves out what is no longer configured.
func trapsInForce(found []admin.Trap) []config.Trap {
	var traps []config.Trap
	for _, t := range found {
		if !t.Configured {
			continue
		}
		one := config.Trap{Address: t.Address, Domain: t.Domain, Kind: config.Kind(t.Kind),
			Weight: t.Weight, State: config.State(t.State)}
		if t.ActiveFrom > 0 {
			one.ActiveFrom = t.ActiveFrom.Time()
		}
		traps = append(traps, one)
	}
	return traps
}

// exportedTrap is a trap as trap export and trap import print it with --json.
type exportedTrap struct {
	Address    string          `json:"address,omitempty"` // or
	Domain     string          `json:"domain,omitempty"`
	Kind       config.Kind     `json:"kind"`
	Weight     criteria.Micro  `json:"weight"`
	State      config.State    `json:"state"`
	ActiveFrom criteria.Second `json:"active_from"` // null: always
}

func exportedOf(t config.Trap) exportedTrap {
	one := exportedTrap{Address: t.Address, Domain: t.Domain, Kind: t.Kind, Weight: t.Weight,
		State: t.State}
	if !t.ActiveFrom.IsZero() {
		one.ActiveFrom = criteria.At(t.ActiveFrom)
	}
	return one
}
