package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"os"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/daemon"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/feed"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/store"
)

// answers are what the questions of the command line are put to: a daemon, or
// the store of one that is down.
type answers interface {
	Lookup(netip.Addr) (admin.Lookup, error)
	Policy() (admin.Policy, error)
	Stats() (admin.Stats, error)
	Listings(admin.ListingFilter) ([]admin.Listing, error)
	Hits(admin.HitFilter) iter.Seq2[admin.Hit, error]
	Exceptions(within netip.Prefix) ([]criteria.Exception, error)
	Audit(admin.AuditFilter) iter.Seq2[admin.Decision, error]
	Simulate(context.Context, admin.Simulation) iter.Seq2[admin.Simulated, error]
	Traps() ([]admin.Trap, error)
	TrapStats(context.Context, admin.TrapFilter) ([]admin.TrapStats, error)
	Reputation(netip.Addr) (admin.Reputation, error)
	Safeguards() (admin.Safeguards, error)
	Cases(admin.DisputeFilter) ([]dispute.Case, error)
	Case(id string) (dispute.Case, error)
	Report(context.Context, admin.ReportOrder) (admin.Report, error)
	Inbox(admin.LetterFilter) iter.Seq2[admin.Letter, error]
	Letter(_ context.Context, id uint64, raw bool) (admin.LetterText, error)
}

var (
	_ answers = (*admin.Client)(nil)
	_ answers = (*admin.Desk)(nil)
)

// load reads the configuration; its faults are usage errors.
func (a *app) load() (*config.Config, error) {
	path, err := config.Find(a.config, os.Getenv)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return loadFile(path)
}

// loadFile reads the configuration at a path.
func loadFile(path string) (*config.Config, error) {
	c, err := config.Load(path)
	if err != nil {
		return nil, noConfig(err)
	}
	return c, nil
}

// noConfig says that there is no configuration to go by, or none that is sound.
func noConfig(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return usage("%w: give --config FILE, or write one with trapline init", err)
	}
	return &exitError{exitUsage, err}
}

// ask puts a question to the daemon, or, when it is down, to its store, and
// then says so.
func (a *app) ask(question func(answers) error) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	client := admin.NewClient(c.Admin.Socket)
	defer client.Close()
	if _, err := client.Policy(); !errors.Is(err, admin.ErrDown) {
		return question(client)
	}
	s, err := store.OpenReadOnly(c.DataDir)
	if err != nil {
		return noStore(c, err)
	}
	defer func() { _ = s.Close() }() // only read
	a.offline = true
	a.say("the daemon is down: answering from its store")
	j := judge.New(s, silent{})
	if err := j.CatchUp(criteria.At(a.now())); err != nil {
		return err
	}
	desk, err := deskOf(s, j, c, a.now)
	if err != nil {
		return err
	}
	desk.Disputes = daemon.DisputesOf(c, s, complaining{a})
	return question(desk)
}

// deskOf answers from the files that a daemon has left: of the zone, too.
func deskOf(s *store.Store, j *judge.Judge, c *config.Config, now func() time.Time) (
	*admin.Desk, error,
) {
	roster, err := daemon.RosterOf(c)
	if err != nil {
		return nil, err
	}
	redactor := daemon.RedactorOf(c)
	d := &admin.Desk{Store: s, Judge: j, Redactor: func() *redact.Redactor { return redactor },
		Provider: feed.NewProviders().Provider, Roster: func() admin.Roster { return roster }}
	desk, err := zoneDeskOf(s, j, c, now)
	if err != nil {
		return nil, err
	}
	_ = desk.Publisher.Load() // what cannot be read is not published; zone verify says what is wrong
	d.Zone = desk.State
	d.CompareZone = func(l judge.List) (admin.ZoneCompared, error) { return desk.Compare(l, j.HasLeft) }
	d.Published = func(source netip.Prefix) (uint32, bool) {
		return desk.Publisher.Published(source.Addr())
	}
	return d, nil
}

// tell gives an order to the daemon, which must be up.
func (a *app) tell(order func(*admin.Client) error) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	client := admin.NewClient(c.Admin.Socket)
	defer client.Close()
	err = order(client)
	if errors.Is(err, admin.ErrDown) {
		return fmt.Errorf("%w: start it with trapline serve", err)
	}
	return err
}

// give has the daemon carry out an order and prints what came of it. An order that
// finds nothing to do is exit 3.
func give[T any](a *app, form jsonFlag, order func(*admin.Client) (T, error), show func(T)) error {
	return a.tell(func(client *admin.Client) error {
		done, err := order(client)
		switch {
		case admin.IsNone(err):
			return &exitError{exitNo, err}
		case err != nil:
			return err
		case form.JSON:
			return a.printJSON(done)
		}
		show(done)
		return nil
	})
}

// open opens what an argument names: a file, or standard input as "-".
func (a *app) open(path, what string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(a.stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usage("open %s: %w: give a file, or -", what, err)
	}
	return f, nil
}

// silent hears what a judge does and says nothing.
type silent struct{}

var _ judge.Observer = silent{}

// SnapshotUnusable is as judge.Observer says: the answer is the same, and comes later.
func (silent) SnapshotUnusable(error) {}

// CaughtUp is as judge.Observer says.
func (silent) CaughtUp(uint64, int, int) {}

// ListChanged is as judge.Observer says.
func (silent) ListChanged(string, string, string, string) {}

// Rewritten is as judge.Observer says.
func (silent) Rewritten(uint64, string, string, int, int, int) {}
