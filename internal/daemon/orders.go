package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/feed"
	"github.com/trapline/trapline/internal/intake"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/trap"
)

// newDesk makes what answers the operator.
func (d *Daemon) newDesk() *admin.Desk {
	return &admin.Desk{Store: d.store, Judge: d.judge, Zone: d.zone.State, Published: d.published,
		Provider: feed.NewProviders().Provider,
		Roster:   func() admin.Roster { return d.current.Load().roster() },
		Redactor: func() *redact.Redactor { return d.current.Load().redactor }}
}

// orders are what the operator may order of the parts.
func (d *Daemon) orders() admin.Orders {
	return admin.Orders{Ingest: d.ingest, Zone: d.zone, Reload: d.reload}
}

func (d *Daemon) gate() error { return intake.Gate(d.store.Room)() }

func (d *Daemon) published(source netip.Prefix) (uint32, bool) {
	return d.zone.Publisher.Published(source.Addr())
}

// ingest records a message from a file for the traps that it names.
func (d *Daemon) ingest(ctx context.Context, message []byte, from, name string, again bool) (admin.Ingested, error) {
	if err := d.store.Room(); err != nil {
		return admin.Ingested{}, err // as MAIL is refused then
	}
	to, err := d.trapsFor(message, name)
	if err != nil {
		return admin.Ingested{}, err
	}
	r, err := d.intake.Ingest(ctx, intake.File{Message: message, MailFrom: from, Recipients: to, Again: again})
	var refused intake.RefusedError
	switch {
	case errors.As(err, &refused):
		return admin.Ingested{}, problem(refused.Error(), "")
	case err != nil:
		return admin.Ingested{}, err
	}
	return admin.IngestedOf(r), nil
}

func (d *Daemon) trapsFor(message []byte, name string) ([]trap.Recipient, error) {
	directory, now := d.current.Load().directory, d.options.Now()
	if name == "" {
		to := intake.TrapsIn(message, directory, now)
		if len(to) == 0 {
			return nil, problem("the message names no trap", "give --trap ADDRESS")
		}
		return to, nil
	}
	to := directory.Match(name, netip.Addr{}, now)
	if to.Class != trap.Trap {
		return nil, problem(fmt.Sprintf("%q is no active trap", name), "give an address that a [[trap]] covers")
	}
	return []trap.Recipient{to}, nil
}

func problem(message, hint string) error {
	return &admin.ProblemError{Message: message, Hint: hint, Status: http.StatusUnprocessableEntity}
}

// reload puts the configuration on disk in force for new sessions, the policy
// and the exceptions, and waits for the list to follow; everything is checked
// first, and on any error the old one stays. Sockets, folders and the zone's
// header are opened at start only.
func (d *Daemon) reload(ctx context.Context, who string) (admin.Settled, error) {
	d.reloading.Lock() // a signal and the socket may ask at once
	defer d.reloading.Unlock()
	done, err := d.tryReload(ctx, who)
	if err != nil {
		d.options.Events.ReloadFailed(err)
		return done, err
	}
	d.options.Events.Reloaded(done.Policy, done.Begun, done.Ended, done.Changed)
	return done, nil
}

func (d *Daemon) tryReload(ctx context.Context, who string) (done admin.Settled, err error) {
	old := d.current.Load()
	c, err := config.Load(old.config.Path)
	if err != nil {
		return done, problem(err.Error(), "")
	}
	if what := restartFor(old.config, c); what != "" {
		return done, problem(what+" changed, which takes a restart", "nothing was changed")
	}
	s, err := newSettings(c, d.options.Now(), &d.made)
	if err != nil {
		return done, err
	}
	return d.desk.Settle(ctx, who, wanted(c), func() { d.current.Store(s) })
}

// restartFor names a section that only a start can change, "" if there is none.
func restartFor(old, now *config.Config) string {
	for _, section := range []struct {
		name     string
		old, now any
	}{
		{"data_dir", old.DataDir, now.DataDir},
		{"listen", fmt.Sprint(old.Listen), fmt.Sprint(now.Listen)},
		{"zone", fmt.Sprint(old.Zone), fmt.Sprint(now.Zone)},
		{"ops", old.Ops, now.Ops},
		{"admin", old.Admin, now.Admin},
		{"retention", old.Retention, now.Retention},
		{"limits.free_bytes", old.Limits.FreeBytes, now.Limits.FreeBytes},
		{"log", old.Log, now.Log},
	} {
		if section.old != section.now {
			return section.name
		}
	}
	return ""
}
