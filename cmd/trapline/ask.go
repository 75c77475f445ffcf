package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/judge"
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
}

var (
	_ answers = (*admin.Client)(nil)
	_ answers = (*admin.Desk)(nil)
)

// load reads the configuration; its faults are usage errors.
func (a *app) load() (*config.Config, error) {
	path, err := config.Find(a.config, getenv)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	c, err := config.Load(path)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return c, nil
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
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no daemon answers on %s and there is no store in %s: start trapline serve",
			c.Admin.Socket, c.DataDir)
	}
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // only read
	fmt.Fprintln(a.stderr, "trapline: the daemon is down: answering from its store")
	j := judge.New(s, silent{})
	if err := j.CatchUp(criteria.At(a.now())); err != nil {
		return err
	}
	return question(&admin.Desk{Store: s, Judge: j})
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

// silent hears what a judge does and says nothing.
type silent struct{}

var _ judge.Observer = silent{}

func (silent) SnapshotUnusable(error)                     {}
func (silent) CaughtUp(uint64, int, int)                  {}
func (silent) ListChanged(string, string, string, string) {}
func (silent) PolicyInForce(uint64, string, int)          {}
