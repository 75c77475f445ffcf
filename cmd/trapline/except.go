package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/feed"
)

type exceptCmd struct {
	Add    exceptAddCmd    `cmd:"" help:"A network that is never listed."`
	Rm     exceptRmCmd     `cmd:"" help:"Take an exception back. Exit 3 when there is none."`
	List   exceptListCmd   `cmd:"" help:"All exceptions in force."`
	Import exceptImportCmd `cmd:"" help:"Exceptions of a list: DNSWL, or a file of networks."`
}

type exceptAddCmd struct {
	jsonFlag
	why
	Network string `arg:"" help:"An address, or a network of /8 or /16 and longer."`
}

// Help is shown by except add --help.
func (exceptAddCmd) Help() string {
	return "Example: trapline except add 198.51.100.0/24 --reason \"our own outbound\" --for 30d\n\n" +
		"Of an IPv6 address the exception is for it alone: it is left out of its listed network."
}

// Run has the daemon never list a network.
func (c *exceptAddCmd) Run(a *app) error {
	return c.override(a, c.jsonFlag, criteria.ActExcept, c.Network)
}

type exceptRmCmd struct {
	jsonFlag
	Reason  string `placeholder:"R" help:"Why; it is kept in the ledger."`
	Source  string `placeholder:"NAME" help:"Instead of a network: all that was imported from there."`
	Network string `arg:"" optional:"" help:"The network, as except list shows it."`
}

// Help is shown by except rm --help.
func (exceptRmCmd) Help() string {
	return "Example: trapline except rm 198.51.100.0/24\n\n" +
		"What the configuration excepts is taken out there, and then trapline reload."
}

// Run has the daemon take an exception back.
func (c *exceptRmCmd) Run(a *app) error {
	switch {
	case (c.Network == "") == (c.Source == ""):
		return usage("neither or both of a network and --source: give one")
	case c.Source != "":
		reason := c.Reason
		if reason == "" {
			reason = "no longer imported"
		}
		all := admin.Import{Source: c.Source, Reason: reason, Remove: true}
		return a.importExceptions(c.jsonFlag, all, nil)
	}
	order, err := why{Reason: c.Reason}.order(criteria.ActUnexcept, c.Network)
	if err != nil {
		return err
	}
	return a.decide(c.jsonFlag, order)
}

type exceptListCmd struct {
	jsonFlag
	CIDR string `name:"cidr" placeholder:"NETWORK" help:"Only those that share an address with it."`
}

// Help is shown by except list --help.
func (exceptListCmd) Help() string { return "Example: trapline except list --cidr 198.51.100.7" }

// Run prints every exception in force, sorted by network.
func (c *exceptListCmd) Run(a *app) error {
	within, err := networkOf("cidr", c.CIDR)
	if err != nil {
		return err
	}
	return a.ask(func(q answers) error {
		found, err := q.Exceptions(within)
		if err != nil {
			return err
		}
		return printAll(a, c.JSON, each(found), printException)
	})
}

func printException(w io.Writer, x criteria.Exception) {
	until := instant(x.Until)
	if until == "-" {
		until = "taken back"
	}
	fmt.Fprintf(w, "%s\tsince %s\tuntil %s\t%s\tby %s\t%s\n", x.Network, instant(x.Since), until,
		x.Origin, x.Who, printable(x.Reason))
}

type exceptImportCmd struct {
	jsonFlag
	why
	Format   string `enum:"auto,cidr,dnswl" default:"auto" help:"auto, cidr (a network a line, perhaps a reason behind it) or dnswl."`
	MinTrust int    `default:"0" placeholder:"N" help:"Of DNSWL, only what it trusts so much: 0 to 3."`
	Source   string `placeholder:"NAME" help:"Whose list it is; else the name of the file."`
	DryRun   bool   `help:"Only say what it would change."`
	File     string `arg:"" help:"The list; - for standard input."`
}

// Help is shown by except import --help.
func (exceptImportCmd) Help() string {
	return "Example: trapline except import --source dnswl --min-trust 1 " +
		"--reason \"known mail servers\" rbldnsd-dnswl\n\nWhat the same source brought before is replaced, so importing again is " +
		"harmless.\nIf a line is wrong, nothing is imported."
}

// Run has the daemon make the exceptions of a source those of a list.
func (c *exceptImportCmd) Run(a *app) error {
	i := admin.Import{Source: c.Source, Reason: c.Reason, DryRun: c.DryRun}
	var err error
	if i.For, err = lastingOf(c.For); err != nil {
		return err
	}
	switch {
	case i.Source == "" && c.File == "-":
		return usage("standard input has no name: give --source NAME")
	case i.Source == "":
		i.Source = filepath.Base(c.File)
	}
	if err := i.Check(); err != nil {
		return usage("%w", err)
	}
	networks, stats, err := c.read(a)
	if err != nil {
		return err
	}
	for _, n := range networks {
		i.Networks = append(i.Networks,
			admin.ImportedNetwork{Network: n.Network, Reason: joined(c.Reason, n.Reason)})
	}
	return a.importExceptions(c.jsonFlag, i, stats)
}

func (c *exceptImportCmd) read(a *app) ([]feed.Exception, *feed.Stats, error) {
	o := feed.ExceptionOptions{Path: c.File, Reason: c.Reason, Trust: c.MinTrust,
		Format: map[string]feed.Format{"cidr": feed.Networks, "dnswl": feed.DNSWL}[c.Format]}
	in, err := a.open(c.File, "list")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = in.Close() }() // only read
	networks, stats, err := feed.Exceptions(in, o)
	if err != nil {
		return nil, nil, usage("%w", err)
	}
	return networks, stats, nil
}

// joined is the operator's reason and the list's own words, cut to what a reason
// may have.
func joined(reason, text string) string {
	if text == reason {
		return reason
	}
	whole := reason + ": " + text
	return strings.ToValidUTF8(whole[:min(len(whole), admin.MostReason)], "")
}

// importLine is what --json prints.
type importLine struct {
	admin.Imported
	Read *feed.Stats `json:"read"` // null: there was no file
}

func (a *app) importExceptions(form jsonFlag, i admin.Import, stats *feed.Stats) error {
	return give(a, form, func(client *admin.Client) (importLine, error) {
		done, err := client.Import(context.Background(), i)
		return importLine{done, stats}, err
	}, a.printImported)
}

func (a *app) printImported(n importLine) {
	if n.Read != nil {
		fmt.Fprintf(a.stdout, "read %s\n", n.Read)
	}
	would := ""
	if n.DryRun {
		would = "would be "
	}
	fmt.Fprintf(a.stdout, "exceptions of %s: %s%d added, %d renewed, %d removed; %d as before\n",
		printable(n.Source), would, n.Added, n.Renewed, n.Removed, n.Kept)
	switch {
	case n.DryRun:
		fmt.Fprintf(a.stdout, "of those listed now: %s\n", changesText(n.Changes))
	case n.Last > 0:
		fmt.Fprintf(a.stdout, "%s\ndecisions %d to %d, by %s\n", changesText(n.Changes), n.First,
			n.Last, n.Who)
	}
}
