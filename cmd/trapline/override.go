package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

// why is what every decision of the operator's says.
type why struct {
	Reason string `required:"" placeholder:"R" help:"Why; it is kept in the ledger."`
	For    string `placeholder:"D" help:"How long, as 24h or 7d; else without end."`
}

type listCmd struct {
	jsonFlag
	why
	Network string `arg:"" help:"An address, or a network of /24 or /48 and longer."`
}

// Help is shown by list --help.
func (listCmd) Help() string {
	return "Example: trapline list 198.51.100.7 --reason \"phishing, ticket 4711\" --for 7d\n\n" +
		"The answer of the zone is 127.0.0.4. delist takes it back."
}

// Run has the daemon list a network by the operator's word.
func (c *listCmd) Run(a *app) error {
	return c.override(a, c.jsonFlag, criteria.ActList, c.Network)
}

type delistCmd struct {
	jsonFlag
	why
	Network string `arg:"" help:"An address, or a network of /24 or /48 and longer."`
}

// Help is shown by delist --help.
func (delistCmd) Help() string {
	return "Example: trapline delist 198.51.100.7 --reason \"cleaned up, ticket 4711\"\n\n" +
		"Hits up to now never count again; new ones may list it anew, but not for as long as --for\n" +
		"says. Exit 3 when it is not listed and --for is not given: nothing is done then."
}

// Run has the daemon take a network off the list.
func (c *delistCmd) Run(a *app) error {
	return c.override(a, c.jsonFlag, criteria.ActDelist, c.Network)
}

// override gives one order about a network and prints what it changed.
func (w why) override(a *app, form jsonFlag, act criteria.Act, network string) error {
	order, err := w.order(act, network)
	if err != nil {
		return err
	}
	return a.decide(form, order)
}

// order puts the words of a command line together.
func (w why) order(act criteria.Act, network string) (admin.Order, error) {
	o := admin.Order{Act: act, Reason: w.Reason}
	var err error
	if o.Network, err = targetOf(network); err != nil {
		return o, err
	}
	if o.For, err = lastingOf(w.For); err != nil {
		return o, err
	}
	if err := o.Check(); err != nil {
		return o, usage("%w", err)
	}
	return o, nil
}

// decide gives an order and prints what it changed.
func (a *app) decide(form jsonFlag, o admin.Order) error {
	return give(a, form, func(client *admin.Client) (admin.Effect, error) {
		return client.Decide(context.Background(), o)
	}, func(e admin.Effect) { a.printEffect(o.Network, e) })
}

// targetOf reads an address or a network that is to be decided about: nothing in
// it is guessed.
func targetOf(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	} else if err == nil {
		return netip.Prefix{}, usage("%q has a zone: give an address of the internet", text)
	}
	p, problem, mend := config.ParseNetwork(text)
	if problem != "" {
		return p, usage("%s: %s", problem, mend)
	}
	return p, nil
}

// lastingOf reads --for, in seconds; 0 is for good.
func lastingOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	d, err := durationOf(text)
	if err != nil || d <= 0 || d%time.Second != 0 {
		return 0, usage("--for %q is no duration: give it as 24h, 7d or 90m; leave it out for good", text)
	}
	return int64(d / time.Second), nil
}

func (a *app) printEffect(asked netip.Prefix, e admin.Effect) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	network := criteria.Source{Prefix: e.Network}
	if e.Network != asked {
		say("%s is scored and listed by its network %s", criteria.Source{Prefix: asked}, network)
	}
	changed := changesText(e.Changes)
	switch e.Act {
	case criteria.ActExcept:
		say("%s is never listed now%s: %s", network, untilClause(e.Until), changed)
	case criteria.ActUnexcept:
		say("%s is an exception no more: %s", network, changed)
	case criteria.ActList:
		say("%s is listed now, %s%s: %s", network, criteria.Operator, untilClause(e.Until), changed)
	case criteria.ActDelist:
		say("hits on %s up to now never count again%s: %s", network, barredClause(e.Until), changed)
	}
	for _, x := range e.Except {
		if e.Act == criteria.ActUnexcept || e.Act == criteria.ActList {
			say("still never listed: %s: %s (%s)", x.Network, printable(x.Reason), x.Who)
		}
	}
	for _, l := range e.Left {
		if e.Act == criteria.ActExcept || e.Act == criteria.ActDelist {
			say("still listed: %s, %s", l.Source, l.Answer)
		}
	}
	say("decision %d, by %s", e.Seq, e.Who)
}

func untilClause(s criteria.Second) string {
	if s == 0 {
		return ""
	}
	return ", until " + s.String()
}

func barredClause(s criteria.Second) string {
	if s == 0 {
		return ""
	}
	return ", and it is not listed before " + s.String()
}

// changesText says how many listings began, ended and became others, and which
// where they are few.
func changesText(changes []admin.Change) string {
	const few = 5
	var begun, ended, other []string
	for _, c := range changes {
		switch criteria.Unlisted {
		case c.From:
			begun = append(begun, c.Source.String())
		case c.To:
			ended = append(ended, c.Source.String())
		default:
			other = append(other, c.Source.String())
		}
	}
	var parts []string
	for _, part := range []struct {
		sources   []string
		one, many string
	}{{ended, "ends", "end"}, {begun, "begins", "begin"}, {other, "changes", "change"}} {
		verb := part.many
		switch len(part.sources) {
		case 0:
			continue
		case 1:
			verb = part.one
		}
		text := number(len(part.sources), "listing") + " " + verb
		if len(part.sources) <= few {
			text += " (" + strings.Join(part.sources, ", ") + ")"
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return "no listing begins or ends"
	}
	return strings.Join(parts, ", ")
}
