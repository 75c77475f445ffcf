package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/desk"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/trap"
)

// page is where metrics and health are served; nil: nowhere.
type page struct {
	net.Listener
	stop func(context.Context) error // set once it is served
}

// openPage opens a socket for metrics, where they are wanted.
func openPage(a config.Address) (*page, error) {
	if a == (config.Address{}) {
		return nil, nil
	}
	l, err := net.Listen(a.Network, a.Name)
	if err != nil {
		return nil, fmt.Errorf("listen for ops: %w", err)
	}
	return &page{Listener: l}, nil
}

func (p *page) abandon() error {
	if p == nil {
		return nil
	}
	return p.Close()
}

// makePages makes what the listener for metrics serves: those, health, and the operator's
// pages about disputes.
func (d *Daemon) makePages() error {
	site, err := desk.New(desk.Config{Disputes: d.desk, Settings: d.deskSettings,
		Observer: d.options.Events, Now: d.options.Now})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", d.options.Events.Handler(d.health))
	mux.Handle("/disputes", site.Handler())
	mux.Handle("/disputes/", site.Handler())
	d.pages = mux
	return nil
}

func (d *Daemon) deskSettings() desk.Settings {
	c := d.current.Load().config
	hears := c.Ops.Disputes
	return desk.Settings{Read: hears == config.HearingRead || hears == config.HearingWrite,
		Write: hears == config.HearingWrite, Origin: c.Zone.Origin, Public: c.Web.BaseURL}
}

// openOps serves metrics and health, for the time being where the start wants it.
func (d *Daemon) openOps(c *config.Config) error {
	if err := d.makePages(); err != nil {
		return err
	}
	p, err := openPage(c.Ops.Address)
	if err != nil {
		return err
	}
	if p != nil {
		d.metrics = p.Addr().String()
	}
	d.movePage(p)
	d.stack.push(func(ctx context.Context) error {
		if d.page == nil {
			return nil
		}
		return d.page.stop(ctx)
	})
	return nil
}

// pageStop bounds how long whoever reads metrics holds up a page that moves.
const pageStop = 5 * time.Second

// movePage serves metrics and health in another place.
func (d *Daemon) movePage(p *page) {
	if p != nil {
		p.stop = serveHTTP(p.Listener, ops.NewServer(d.pages))
	}
	old := d.page
	d.page = p
	if old != nil {
		ctx, cancel := context.WithTimeout(context.Background(), pageStop)
		defer cancel()
		_ = old.stop(ctx) // a reader that was cut off reads again
	}
}

// openAdmin serves the command line. Its answers may take long: a whole log, a
// replay under another policy.
func (d *Daemon) openAdmin(c *config.Config) error {
	l, err := openSocket(c.Admin.Socket)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	if err := l.place(); err != nil {
		return fmt.Errorf("listen for admin: %w", errors.Join(err, l.Close()))
	}
	server := ops.NewServer(admin.Handler(d.desk, d.orders()))
	server.ReadTimeout, server.WriteTimeout = 0, 0
	server.ConnContext = admin.ConnContext
	ctx, cancel := context.WithCancel(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	d.stack.push(serveHTTP(l, server))
	d.stack.push(func(context.Context) error { // first: nobody waits for a replay at the end
		cancel()
		return nil
	})
	return nil
}

// serveHTTP serves until it is stopped.
func serveHTTP(l net.Listener, server *http.Server) (stop func(context.Context) error) {
	wait := background(func(context.Context) error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		return errors.Join(err, wait())
	}
}

// bindTraps opens every listener before anything works, so that a start that
// fails has taken no mail and published nothing.
func (d *Daemon) bindTraps(c *config.Config) error {
	handed, err := activation.ListenersWithNames() // takes them all, so it is asked once
	if err != nil {
		return fmt.Errorf("take systemd's sockets: %w", err)
	}
	budget := trap.NewBudget()
	server, err := trap.New(trap.Config{Settings: settingsOf, Sink: d.intake,
		Observer: d.options.Events, Gate: d.gate, Now: d.options.Now, Budget: budget})
	if err != nil {
		return err
	}
	d.doors = doors{handed: handed, server: server, failed: make(chan error, 1)}
	d.watch(budget)
	if d.first, err = d.doors.prepare(c.Listen); err != nil {
		return err
	}
	d.stack.push(func(context.Context) error { return d.doors.abandon(d.first) })
	return nil
}

// serveTraps takes mail until the stack unwinds.
func (d *Daemon) serveTraps() (failed <-chan error) {
	d.doors.commit(d.first, d.current.Load().listeners)
	d.first = turn{}
	d.stack.push(d.doors.close)
	d.options.Ready(d.doors.names(), d.metrics)
	return d.doors.failed
}

// listen opens a socket or takes the one that systemd opened.
func listen(a config.Address, handed map[string][]net.Listener) (net.Listener, error) {
	switch a.Network {
	case "fd":
		if len(handed[a.Name]) == 0 {
			return nil, fmt.Errorf("systemd hands over no socket called %q: set FileDescriptorName=%s, "+
				"or restart where a reload has let go of it", a.Name, a.Name)
		}
		l := handed[a.Name][0]
		handed[a.Name] = handed[a.Name][1:]
		return l, nil
	case "unix":
		return openSocket(a.Name)
	}
	// Each wait of a session has a deadline, so no probes need to be set up for each of them.
	quiet := net.ListenConfig{KeepAlive: -1}
	return quiet.Listen(context.Background(), a.Network, a.Name)
}
