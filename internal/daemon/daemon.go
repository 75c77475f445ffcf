// Package daemon is the parts list: it opens the parts in order, hands each
// what it needs, and stops them in reverse.
//
// In come a checked configuration and a context; out comes what did not end
// well. It decides nothing about mail, scores or files: an `if` about those is
// in the wrong package.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/intake"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
	"github.com/trapline/trapline/zone"
)

// Options are what the world outside gives a daemon.
type Options struct {
	Events *ops.Events
	Now    func() time.Time
	// Reload gets a value when the configuration is to be read anew.
	Reload <-chan struct{}
	// Ready is told the addresses listened on, by what they serve, once the
	// daemon takes mail, and where metrics are, "" for nowhere.
	Ready func(listeners map[string]string, metrics string)
	// Drain is how long sessions in progress may take to end.
	Drain time.Duration
	// Watchdog is after how long a daemon that is not told to be alive is taken for dead; 0 is
	// never. Tell is told its states, by several goroutines; nil is nobody.
	Watchdog time.Duration
	Tell     func(State)
	// Log is told how to log from now on, when a reload says so; nil is nobody.
	Log func(config.Log)
	// TXT asks the DNS for the proofs of disputes; nil: the resolvers of this machine.
	TXT func(ctx context.Context, name string) ([]string, error)
}

// Daemon is the parts, each made once and complete.
type Daemon struct {
	options Options
	current atomic.Pointer[settings] // what new sessions read

	doors     doors        // under reloading
	first     turn         // the doors of the start
	metrics   string       // where they are served
	page      *page        // where metrics are served, under reloading
	pages     http.Handler // that are served there
	store     *store.Store
	judge     *judge.Judge
	intake    *intake.Intake
	clerk     *dispute.Clerk
	desk      *admin.Desk
	zone      *admin.ZoneDesk
	reloading sync.Mutex
	made      certificates          // under reloading
	broken    atomic.Pointer[error] // why the judge gave up

	// What the last publication was told with, so that each thing is told once.
	held    atomic.Pointer[zone.Held]
	ordered atomic.Pointer[admin.ZoneOrder]
	faults  atomic.Pointer[string]

	unpublished atomic.Pointer[error]  // why the last publication failed; of nil: it did not
	listed      atomic.Pointer[values] // listings by answer

	stack stack
}

// Run serves until the context ends, and then stops: listeners, sessions, the
// writer, the judge, the publisher, the operator's doors, and last the store.
// An error says what could not be opened, what failed beyond repair, or what
// had to be cut off.
func Run(ctx context.Context, c *config.Config, o Options) error {
	d := &Daemon{options: o}
	failed, err := d.start(c)
	if err == nil {
		err = d.wait(ctx, failed)
	}
	d.tell(Stopping)
	deadline, cancel := context.WithTimeout(context.Background(), o.Drain)
	defer cancel()
	return errors.Join(err, d.stack.unwind(deadline))
}

// start opens the parts. What it opened is on the stack even when it fails.
func (d *Daemon) start(c *config.Config) (failed <-chan error, err error) {
	for _, open := range []func(*config.Config) error{
		d.openStore, d.makeSettings, d.makeParts, d.bindTraps, d.openOps, d.openWeb, d.openAdmin, d.runEngine,
		d.runClerk,
	} {
		if err := open(c); err != nil {
			return nil, err
		}
	}
	return d.serveTraps(), nil
}

// wait serves until the context ends or something fails beyond repair.
func (d *Daemon) wait(ctx context.Context, failed <-chan error) error {
	stopReloads, stopPulse := background(d.heedReloads), background(d.watchPulse)
	defer func() { _, _ = stopReloads(), stopPulse() }() // they have no errors
	select {
	case <-ctx.Done():
		d.options.Events.Stopping("asked to")
		return nil
	case err := <-failed:
		return err
	case <-d.store.Failed():
		return fmt.Errorf("storage: %w: %w", d.store.Room(), store.ErrFailed)
	}
}

// heedReloads reads the configuration anew when it is told to. The list may take
// its time to follow, and nothing else waits for it.
func (d *Daemon) heedReloads(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.options.Reload:
			_, _ = d.reload(ctx, byFile) // told to the log
		}
	}
}

func (d *Daemon) openStore(c *config.Config) error {
	s, err := store.Open(store.Config{Dir: c.DataDir, Now: d.options.Now,
		FreeBytes: uint64(c.Limits.FreeBytes), Retention: c.Retention.Hits,
		Evidence: c.Retention.Evidence, Observer: d.options.Events})
	if err != nil {
		return err
	}
	d.store = s
	d.stack.push(func(context.Context) error { return s.Close() })
	for _, gap := range s.Missing() {
		d.options.Events.HitsMissing(gap.First, gap.Last)
	}
	s.Begin()
	return d.settle(context.Background(), c)
}

// makeSettings makes what the first sessions read. It comes behind the store, whose lock says that
// the certificates beside it are ours to make.
func (d *Daemon) makeSettings(c *config.Config) error {
	d.made.dir, d.made.stays = filepath.Join(c.DataDir, "certificates"), d.options.Events.CertificateStays
	s, err := newSettings(c, d.options.Now(), &d.made)
	if err != nil {
		return err
	}
	d.current.Store(s)
	return nil
}

// byFile is who decides what nobody at the socket ordered: a start, or a signal.
const byFile = "config"

// settle puts into the ledger what the configuration wants and it does not say.
func (d *Daemon) settle(ctx context.Context, c *config.Config) error {
	missing := judge.Settle(d.store.Decisions(0, d.store.Mark().Decision), d.wanted(c), byFile)
	if len(missing) == 0 {
		return nil
	}
	return d.store.Decide(ctx, missing...)
}

// makeParts makes what the doors answer from; nothing of it works yet.
func (d *Daemon) makeParts(c *config.Config) error {
	d.judge = judge.New(d.store, d.options.Events)
	d.intake = intake.New(d.store, func() parser.Trust { return d.current.Load().trust },
		d.options.Events, d.options.Now)
	if err := d.makeZone(c); err != nil {
		return err
	}
	d.makeClerk(c)
	d.desk = d.newDesk()
	return nil
}

// runEngine starts the judge and the publisher that follows it. Stopped in
// reverse, the publisher would be first: so one stage stops both in order.
func (d *Daemon) runEngine(*config.Config) error {
	runner := zone.Runner{Publisher: d.zone.Publisher, Changed: d.judge.Changed(),
		List: d.zone.Snapshot, Report: d.report}
	stopJudge := background(d.runJudge)
	stopPublisher := background(func(ctx context.Context) error {
		runner.Serve(ctx)
		return nil
	})
	d.stack.push(func(context.Context) error {
		d.store.Stop()
		return errors.Join(stopJudge(), stopPublisher())
	})
	return nil
}

// runJudge follows the log. A damaged log ends the judge, not the daemon: mail
// is still taken, and the last good zone stays until it falls silent.
func (d *Daemon) runJudge(ctx context.Context) error {
	err := d.judge.Serve(ctx)
	if err != nil {
		d.broken.Store(&err)
		d.options.Events.JudgeStopped(err)
	}
	return err
}

// behind is how old the engine's instant may be before its list counts as
// incomplete: it renews each second, but not while a log is replayed under
// another policy, or while the disk hangs.
const behind criteria.Second = 60

// incomplete says why the list is not to be published, nil when it is.
func (d *Daemon) incomplete() error {
	if err := d.broken.Load(); err != nil {
		return *err
	}
	if err := d.store.Room(); errors.Is(err, store.ErrFailed) {
		return err
	}
	late := criteria.Second(0)
	err := d.judge.View(func(e *criteria.Engine) { late = criteria.At(d.options.Now()) - e.Now() })
	if err == nil && late > behind {
		return fmt.Errorf("the engine is %d seconds behind", late)
	}
	return err
}

var _ trap.Observer = (*ops.Events)(nil)
