package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/signpost"
)

// machineAddresses are those by which others may reach this machine.
func machineAddresses() (own []netip.Addr) {
	all, _ := net.InterfaceAddrs() // none known: then no name leads here, and that is said
	for _, a := range all {
		n, err := netip.ParsePrefix(a.String())
		if err == nil && n.Addr().Unmap().IsGlobalUnicast() {
			own = append(own, n.Addr().Unmap())
		}
	}
	return own
}

// findings looks up the names of a configuration.
func (a *app) findings(c *config.Config) []signpost.Finding {
	return signpost.Check(context.Background(), a.dns, siteOf(c, a.own()))
}

// siteOf says what the DNS ought to know of a configuration. A trap or a reporter of one address is
// there as its domain.
func siteOf(c *config.Config, own []netip.Addr) signpost.Site {
	s := signpost.Site{Own: own, Hosts: []string{c.Hostname}, Origin: c.Zone.Origin, NS: c.Zone.NS}
	for _, l := range c.Listen {
		s.Hosts = append(s.Hosts, l.Hostname)
	}
	for _, t := range c.Traps {
		s.Traps = append(s.Traps, t.Domain+domainOf(t.Address))
	}
	for _, r := range c.Reporters {
		s.Traps = append(s.Traps, domainOf(r.Address))
	}
	for _, r := range c.Trust.Relays {
		s.Relays = append(s.Relays, signpost.Relay{Network: r.Network, Names: r.By})
	}
	if len(c.Trust.Hosts) > 0 {
		s.Relays = append(s.Relays, signpost.Relay{Names: c.Trust.Hosts})
	}
	s.Hosts, s.Traps = once(s.Hosts), once(s.Traps)
	return s
}

// domainOf is what stands behind the last @.
func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// once leaves out what was there before.
func once(all []string) (kept []string) {
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// printFindings prints a finding a line, in a terminal in as many as it needs.
func (a *app) printFindings(all []signpost.Finding) {
	looks := map[signpost.State]style{signpost.Fine: good, signpost.Odd: odd, signpost.Unknown: doubted}
	for _, f := range all {
		text := fmt.Sprintf("%s %s %s", f.Record, f.Name, f.Text)
		if f.Mend != "" {
			text += ": " + f.Mend
		}
		a.screen.hang(a.stdout, paragraph{lead: fmt.Sprintf("%-9s", f.State), text: printable(text),
			leadLook: looks[f.State]})
	}
}

// isAstray tells whether mail to a trap is known to go to others.
func isAstray(all []signpost.Finding) bool {
	return slices.ContainsFunc(all, func(f signpost.Finding) bool { return f.Astray })
}
