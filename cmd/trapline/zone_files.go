package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/daemon"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/zone"
)

// zoneAnswers are what questions about the zone are put to: a daemon, or the
// files of one that is down.
type zoneAnswers interface {
	DiffZone() (admin.ZoneDiff, error)
	Generations() ([]admin.Generation, error)
}

// zoneFiles answers for a daemon that is down.
type zoneFiles struct{ *admin.ZoneDesk }

var (
	_ zoneAnswers = (*admin.Client)(nil)
	_ zoneAnswers = zoneFiles{}
)

// DiffZone says what publishing now would change.
func (z zoneFiles) DiffZone() (admin.ZoneDiff, error) { return z.Diff() }

// askZone puts a question about the zone to the daemon, or, when it is down, to
// its files, and then says so.
func (a *app) askZone(question func(zoneAnswers) error) error {
	return a.reachZone(func(client *admin.Client) error { return question(client) },
		func(c *config.Config) error {
			s, err := store.OpenReadOnly(c.DataDir)
			if err != nil {
				return noStore(c, err)
			}
			defer func() { _ = s.Close() }() // only read
			a.say("the daemon is down: answering from its files")
			desk, err := a.zoneDesk(s, c)
			if err != nil {
				return err
			}
			return question(zoneFiles{desk})
		})
}

// orderZone has the daemon carry out an order about the zone and prints what
// came of it. What must not wait for a daemon that is down is done on its
// files: its next start goes on from there.
func (a *app) orderZone(form jsonFlag, o admin.OrderOfZone) error {
	var done admin.EffectOnZone
	err := a.reachZone(func(client *admin.Client) (err error) {
		done, err = client.OrderZone(context.Background(), o)
		return err
	}, func(c *config.Config) (err error) {
		done, err = a.orderFiles(c, o)
		return err
	})
	switch {
	case admin.IsNone(err):
		return &exitError{exitNo, err}
	case admin.IsMisuse(err):
		return &exitError{exitUsage, err}
	case err != nil:
		return err
	case form.JSON:
		return a.printJSON(done)
	}
	a.printZoneEffect(done)
	return nil
}

// reachZone asks the daemon, and where it is down something else.
func (a *app) reachZone(up func(*admin.Client) error, down func(*config.Config) error) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	client := admin.NewClient(c.Admin.Socket)
	defer client.Close()
	if err = up(client); errors.Is(err, admin.ErrDown) {
		return down(c)
	}
	return err
}

func (a *app) orderFiles(c *config.Config, o admin.OrderOfZone) (done admin.EffectOnZone, err error) {
	seen, err := store.OpenReadOnly(c.DataDir) // which makes nothing where there is no store
	if err != nil {
		return done, noStore(c, err)
	}
	if err := seen.Close(); err != nil {
		return done, err
	}
	s, err := store.Open(store.Config{Dir: c.DataDir, Now: a.now})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.say("the daemon is down: working on its files")
	desk, err := a.zoneDesk(s, c)
	if err != nil {
		return done, err
	}
	s.Begin()
	return desk.Order(context.Background(), admin.Self(), o)
}

func noStore(c *config.Config, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no daemon answers on %s and there is no store in %s: start trapline serve",
			c.Admin.Socket, c.DataDir)
	}
	return err
}

// zoneDesk publishes from a store whose daemon is down.
func (a *app) zoneDesk(s *store.Store, c *config.Config) (*admin.ZoneDesk, error) {
	j := judge.New(s, silent{})
	if err := j.CatchUp(criteria.At(a.now())); err != nil {
		return nil, err
	}
	return zoneDeskOf(s, j, c, a.now)
}

func zoneDeskOf(s *store.Store, j *judge.Judge, c *config.Config, now func() time.Time) (
	*admin.ZoneDesk, error,
) {
	publisher, err := zone.New(daemon.ZoneConfig(c, now, j.Explains))
	if err != nil {
		return nil, err
	}
	return &admin.ZoneDesk{Store: s, Publisher: publisher, Origin: c.Zone.Origin,
		Report: func(zone.Result, error) {}, // the verb tells it
		List: func() (zone.Snapshot, error) {
			list, err := j.Listings()
			return zone.Snapshot{Listings: list.Listings, Exceptions: list.Exceptions, At: list.At}, err
		}}, nil
}
