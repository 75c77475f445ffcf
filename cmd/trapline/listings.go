package main

import (
	"fmt"
	"io"
	"iter"
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/parser"
)

type listingsCmd struct {
	jsonFlag
	Since string `placeholder:"TIME" help:"Only those that began at or after it."`
	Cause string `placeholder:"CAUSE" help:"Only those with a counted hit of this cause."`
	CIDR  string `name:"cidr" placeholder:"NETWORK" help:"Only those that share an address with it."`
}

// Help is shown by listings --help.
func (listingsCmd) Help() string {
	return "Example: trapline listings --cidr 198.51.100.0/24 --since 24h"
}

// Run prints every listing, sorted by source.
func (c *listingsCmd) Run(a *app) error {
	f := admin.ListingFilter{Cause: c.Cause}
	var err error
	if f.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if f.CIDR, err = networkOf("cidr", c.CIDR); err != nil {
		return err
	}
	if _, known := parser.ParseCause(c.Cause); c.Cause != "" && !known {
		return usage("--cause %q is no cause: use one of %v", c.Cause, parser.Causes())
	}
	return a.ask(func(q answers) error {
		listings, err := q.Listings(f)
		if err != nil {
			return err
		}
		return printAll(a, c.JSON, each(listings), printListing)
	})
}

// each makes a stream of a slice.
func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, value := range all {
			if !yield(value, nil) {
				return
			}
		}
	}
}

func printListing(w io.Writer, l admin.Listing) {
	until := instant(l.Until)
	if l.Answer == criteria.Operator && until == "-" {
		until = "the operator ends it"
	}
	fmt.Fprintf(w, "%s\t%s\tsince %s\tuntil %s\t%s\n", l.Source, l.Answer, instant(l.Since), until,
		causeCounts(l.Causes))
}

// mapped is how many bits of an IPv4 address spelled as IPv6 stand before it.
const mapped = 96

// networkOf reads a network flag; an address alone is a network of one.
func networkOf(flag, text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() && p.Bits() < mapped {
		return p, usage("--%s %q is no network: give it as 198.51.100.0/24", flag, text)
	}
	if p.Addr().Is4In6() {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), nil
}
