package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/parser"
)

type hitsCmd struct {
	jsonFlag
	IP           string `arg:"" optional:"" help:"Only hits of this address."`
	Limit        int    `default:"50" help:"At most so many; 0 for all."`
	Since        string `placeholder:"TIME" help:"Only those received at or after it."`
	CIDR         string `name:"cidr" placeholder:"NETWORK" help:"Only those whose source lies in it."`
	Unattributed bool   `help:"Only those without a source."`
	ShowTraps    bool   `help:"Print trap addresses instead of their keyed hashes."`
}

// Help is shown by hits --help.
func (hitsCmd) Help() string { return "Example: trapline hits 198.51.100.7 --limit 10" }

// Run prints records, newest first.
func (c *hitsCmd) Run(a *app) error {
	f := admin.HitFilter{Limit: c.Limit, Unattributed: c.Unattributed, ShowTraps: c.ShowTraps}
	var err error
	if f.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if f.CIDR, err = networkOf("cidr", c.CIDR); err != nil {
		return err
	}
	if c.Limit < 0 {
		return usage("--limit %d is less than 0: give 0 for all", c.Limit)
	}
	if c.IP != "" {
		addr, err := addressOf(c.IP)
		if err != nil {
			return err
		}
		if f.CIDR.IsValid() {
			return usage("both an address and --cidr: give one")
		}
		f.CIDR = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
	}
	return a.ask(func(q answers) error { return printAll(a, c.JSON, q.Hits(f), printHit) })
}

func printHit(w io.Writer, h admin.Hit) {
	source := "unattributed (" + h.Reason + ")"
	if h.Source != nil {
		source = h.Source.String()
		if h.Reason != parser.UntrustedPeer.String() {
			source += " (" + h.Reason + ", not counted)"
		}
	}
	fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\tto %s\thelo %s\n", h.ID, instant(h.Time), source, h.Kind,
		h.Cause, foreign(strings.Join(h.Traps, " ")), foreign(h.Helo))
}
