package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/feed"
	"github.com/trapline/trapline/internal/intake"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/trap"
)

// newDesk makes what answers the operator.
func (d *Daemon) newDesk() *admin.Desk {
	return &admin.Desk{Store: d.store, Judge: d.judge, Zone: d.zone.State, Published: d.published, Disputes: d.clerk,
		CompareZone: func(l judge.List) (admin.ZoneCompared, error) { return d.zone.Compare(l, d.judge.HasLeft) },
		Provider:    feed.NewProviders().Provider,
		Roster:      func() admin.Roster { return d.current.Load().roster() },
		Redactor:    func() *redact.Redactor { return d.current.Load().redactor }}
}

// orders are what the operator may order of the parts.
func (d *Daemon) orders() admin.Orders {
	return admin.Orders{Ingest: d.ingest, Zone: d.zone, Reload: d.reload, Preview: d.preview}
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
