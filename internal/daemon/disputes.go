package daemon

import (
	"context"
	"net"
	"path/filepath"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/intake"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
)

// DisputesOf gives the disputes of a store, for questions without a daemon.
func DisputesOf(c *config.Config, s *store.Store, o dispute.Observer) *dispute.Clerk {
	return dispute.Load(dispute.Config{Dir: disputeDir(c), Ledger: s, Observer: o})
}

func disputeDir(c *config.Config) string { return filepath.Join(c.DataDir, "disputes") }

// makeClerk makes what hears disputes.
func (d *Daemon) makeClerk(c *config.Config) {
	d.clerk = dispute.Load(dispute.Config{Dir: disputeDir(c), Secret: d.store.Secret(), Ledger: d.store,
		List: d.judge, Reread: d.reread, TXT: d.txt(), Observer: d.options.Events, Now: d.options.Now,
		SelfRemoval: func() bool { return d.current.Load().config.Web.SelfRemoval }})
}

// txt asks the DNS by the resolvers of this machine.
func (d *Daemon) txt() func(context.Context, string) ([]string, error) {
	if d.options.TXT != nil {
		return d.options.TXT
	}
	return (&net.Resolver{PreferGo: true}).LookupTXT
}

// reread reads a hit again.
func (d *Daemon) reread(lsn uint64) (dispute.Reading, error) {
	source, proves, err := intake.Reread(d.store, lsn)
	return dispute.Reading{Proves: proves, Source: source}, err
}

// runClerk does what time brings to disputes, once the list can be asked.
func (d *Daemon) runClerk(*config.Config) error {
	stop := background(func(ctx context.Context) error {
		if d.judge.Await(ctx, 0) == nil {
			d.clerk.Serve(ctx)
		}
		return nil
	})
	d.stack.push(func(context.Context) error { return stop() })
	return nil
}

func (d *Daemon) watchDisputes() {
	d.options.Events.Watch(
		ops.Gauge{Name: "disputes", Help: "Disputes that have not ended.", Label: "state",
			Values: func() values {
				s := d.clerk.Standing()
				return values{"filed": float64(s.Filed), "open": float64(s.Open)}
			}},
		ops.Gauge{Name: "disputes_overdue", Help: "Open disputes that the operator is late with.",
			Label: "due", Values: func() values {
				s := d.clerk.Standing()
				return values{"answer": float64(s.AnswerOverdue), "decision": float64(s.DecisionOverdue)}
			}})
}

// trustNoted is whose Received lines a configuration believes, as the ledger notes it.
func trustNoted(c *config.Config) criteria.Trust {
	t := criteria.Trust{Hosts: c.Trust.Hosts, Loopback: c.Trust.Loopback,
		LocalSubmission: c.Trust.LocalSubmission}
	for _, r := range c.Trust.Relays {
		t.Relays = append(t.Relays, criteria.TrustedRelay{Network: r.Network, By: r.By})
	}
	for _, r := range c.Reporters {
		t.Reporters = append(t.Reporters,
			criteria.TrustedReporter{Name: r.Name, Hosts: r.Hosts, Relays: r.Relays})
	}
	return t
}

var (
	_ dispute.Observer = (*ops.Events)(nil)
	_ dispute.List     = (*judge.Judge)(nil)
)
