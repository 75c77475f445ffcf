package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
)

type rebuildCmd struct {
	jsonFlag
	Compare bool   `help:"Only compare a replay with the state and the published zone. Exit 3 when they differ."`
	Reason  string `placeholder:"TEXT" help:"Why, for the ledger."`
}

// Help is shown by rebuild --help.
func (rebuildCmd) Help() string {
	return `Example: trapline rebuild --compare

Replays the whole log, beside the daemon or on its files when it is down. What the
replay gives takes the place of the daemon's engine, or of the state on disk, and is
a decision of the ledger. Mail is taken meanwhile and look-ups are answered; it takes
as much memory again as the daemon's engine.

With --compare nothing is changed: it says which sources have another answer in a
replay, and which networks the published zone has too few or too many. What has come
or ended since the zone was published is left out: zone diff tells that.`
}

// Run prints what the replay gave, and what differed.
func (c *rebuildCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	done, err := c.rebuild(a, conf)
	switch {
	case admin.IsMisuse(err):
		return &exitError{exitUsage, err}
	case err != nil:
		return err
	case c.JSON:
		err = a.printJSON(done)
	default:
		c.print(a, done)
	}
	if err == nil && c.Compare && !done.Same() {
		return errNo
	}
	return err
}

// rebuild has the daemon do it, or, when it is down, does it on its files.
func (c *rebuildCmd) rebuild(a *app, conf *config.Config) (done admin.Rebuilt, err error) {
	client := admin.NewClient(conf.Admin.Socket)
	defer client.Close()
	meter := a.meter()
	defer meter.clear()
	ctx, order := context.Background(), admin.RebuildOrder{Compare: c.Compare, Reason: c.Reason}
	for line, err := range client.Rebuild(ctx, order) {
		switch {
		case errors.Is(err, admin.ErrDown):
			return c.onFiles(ctx, a, conf, order, meter.show)
		case err != nil:
			return done, err
		case line.Rebuilt != nil:
			return *line.Rebuilt, nil
		}
		meter.show(line.Done, line.Total)
	}
	return done, errCutOff
}

// errCutOff says that a stream of answers ended before the last.
var errCutOff = errors.New("read the daemon's answer: it ends too soon: see its log")

func (c *rebuildCmd) onFiles(ctx context.Context, a *app, conf *config.Config, o admin.RebuildOrder,
	p store.Progress) (done admin.Rebuilt, err error) {
	s, err := a.openStore(conf, c.Compare)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	doing := "rebuilding the state on disk"
	if c.Compare {
		doing = "comparing the state on disk"
	}
	a.say("the daemon is down: " + doing)
	j := judge.New(s, silent{})
	if c.Compare { // what has left the list since the zone was published, it knows
		if err := j.CatchUp(criteria.At(a.now())); err != nil {
			return done, err
		}
	}
	desk, err := deskOf(s, j, conf, a.now)
	if err != nil {
		return done, err
	}
	return desk.RebuildFiles(ctx, admin.Self(), o, p)
}

// openStore opens the store of a daemon that is down, where there is one.
func (a *app) openStore(conf *config.Config, readOnly bool) (*store.Store, error) {
	s, err := store.OpenReadOnly(conf.DataDir) // which makes nothing
	if err != nil || readOnly {
		return s, noStore(conf, err)
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if s, err = store.Open(store.Config{Dir: conf.DataDir, Now: a.now}); err != nil {
		return nil, err
	}
	s.Begin()
	return s, nil
}

func (c *rebuildCmd) print(a *app, r admin.Rebuilt) {
	fmt.Fprintf(a.stdout, "a replay up to hit %d remembers %s and lists %d\n", r.LSN, number(r.Sources, "source"),
		r.Listed)
	switch {
	case r.State == "none":
		fmt.Fprintf(a.stdout, "there was no state to compare it with: %s\n", printable(r.Why))
	case r.Differ > 0:
		fmt.Fprintf(a.stdout, "%s with another answer than in the %s:\n", number(r.Differ, "source"), r.State)
	case !r.Equal && c.Compare:
		fmt.Fprintf(a.stdout, "the %s lists the same; it knows more of days that were dropped\n", r.State)
	default:
		fmt.Fprintf(a.stdout, "the %s lists the same\n", r.State)
	}
	for _, change := range r.Changes {
		fmt.Fprintf(a.stdout, "  %s: %s in the %s, %s in the replay\n", change.Source, answerText(change.From),
			r.State, answerText(change.To))
	}
	if more := r.Differ - len(r.Changes); more > 0 {
		fmt.Fprintf(a.stdout, "  and %d more\n", more)
	}
	c.printZone(a, r.Zone)
	if r.Decision > 0 {
		fmt.Fprintf(a.stdout, "what the replay gave is in its place (decision %d)\n", r.Decision)
	}
}

func answerText(a criteria.Answer) string {
	if a == criteria.Unlisted {
		return "not listed"
	}
	return a.String()
}

func (c *rebuildCmd) printZone(a *app, z *admin.ZoneCompared) {
	switch {
	case z == nil:
		return
	case z.Order != nil:
		fmt.Fprintf(a.stdout, "the zone is %s\n", z.Order)
		return
	case z.Serial == 0:
		fmt.Fprintln(a.stdout, "no zone is published yet")
		return
	}
	for _, part := range []struct {
		what     string
		listings []admin.Listing
	}{{"lacks", z.Missing}, {"has too many, as", z.Extra}, {"has another answer for", z.Changed}} {
		for i, l := range part.listings {
			if i == mostNamed {
				fmt.Fprintf(a.stdout, "  and %d more\n", len(part.listings)-i)
				break
			}
			fmt.Fprintf(a.stdout, "the zone %s %s %s\n", part.what, l.Source, l.Answer)
		}
	}
	if len(z.Missing)+len(z.Extra)+len(z.Changed) == 0 {
		fmt.Fprintf(a.stdout, "the zone with serial %d lists the same\n", z.Serial)
	}
}

// mostNamed is how many networks of a kind are named one by one.
const mostNamed = 20
