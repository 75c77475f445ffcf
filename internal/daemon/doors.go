package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/coreos/go-systemd/v22/activation"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/trap"
)

// openOps serves metrics and health.
func (d *Daemon) openOps(c *config.Config) error {
	if c.Ops.Address == (config.Address{}) {
		return nil
	}
	l, err := net.Listen(c.Ops.Address.Network, c.Ops.Address.Name)
	if err != nil {
		return fmt.Errorf("listen for ops: %w", err)
	}
	d.serveHTTP(l, ops.NewServer(d.options.Events.Handler(d.ready, d.note)))
	return nil
}

// openAdmin serves the command line. Its answers may take long: a whole log, a
// replay under another policy.
func (d *Daemon) openAdmin(c *config.Config) error {
	l, err := listenUnix(c.Admin.Socket)
	if err != nil {
		return fmt.Errorf("listen for admin: %w", err)
	}
	server := ops.NewServer(admin.Handler(d.desk, d.orders()))
	server.ReadTimeout, server.WriteTimeout = 0, 0
	server.ConnContext = admin.ConnContext
	ctx, cancel := context.WithCancel(context.Background())
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	d.serveHTTP(l, server)
	d.stack.push(func(context.Context) error { // first: nobody waits for a replay at the end
		cancel()
		return nil
	})
	return nil
}

// serveHTTP serves until the stack unwinds.
func (d *Daemon) serveHTTP(l net.Listener, server *http.Server) {
	wait := background(func(context.Context) error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	d.stack.push(func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		return errors.Join(err, wait())
	})
}

// bindTraps opens every listener before anything works, so that a start that
// fails has taken no mail and published nothing.
func (d *Daemon) bindTraps(c *config.Config) error {
	handed, err := activation.ListenersWithNames() // takes them all, so it is asked once
	if err != nil {
		return fmt.Errorf("take systemd's sockets: %w", err)
	}
	for _, l := range c.Listen {
		listener, err := listen(l.Address, handed)
		if err != nil {
			return fmt.Errorf("listen for mail: %w", err)
		}
		d.listeners = append(d.listeners, listener)
		d.stack.push(func(context.Context) error {
			if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
				return err
			}
			return nil // by its server
		})
	}
	return nil
}

// serveTraps takes mail.
func (d *Daemon) serveTraps() (failed <-chan error, err error) {
	errs := make(chan error, len(d.listeners))
	budget := trap.NewBudget()
	d.watch(budget)
	names := map[string]string{}
	for i, listener := range d.listeners {
		if err := d.serveTrap(i, listener, budget, errs); err != nil {
			return nil, err
		}
		names[fmt.Sprintf("mail %d", i+1)] = listener.Addr().String()
	}
	d.options.Ready(names)
	return errs, nil
}

// serveTrap serves one listener until the stack unwinds.
func (d *Daemon) serveTrap(i int, l net.Listener, b *trap.Budget, failed chan<- error) error {
	server, err := trap.New(trap.Config{
		Settings: func() *trap.Settings { return d.current.Load().listeners[i] },
		Sink:     d.intake, Observer: d.options.Events, Gate: d.gate, Now: d.options.Now, Budget: b,
	})
	if err != nil {
		return err
	}
	wait := background(func(ctx context.Context) error {
		err := server.Serve(ctx, l)
		if err != nil {
			failed <- fmt.Errorf("serve mail on %s: %w", l.Addr(), err)
		}
		return err
	})
	d.stack.push(func(ctx context.Context) error {
		return errors.Join(server.Shutdown(ctx), wait())
	})
	return nil
}

// listen opens a socket or takes the one that systemd opened.
func listen(a config.Address, handed map[string][]net.Listener) (net.Listener, error) {
	switch a.Network {
	case "fd":
		if len(handed[a.Name]) == 0 {
			return nil, fmt.Errorf("systemd hands over no socket called %q: set FileDescriptorName=%s",
				a.Name, a.Name)
		}
		return handed[a.Name][0], nil
	case "unix":
		return listenUnix(a.Name)
	}
	// Each wait of a session has a deadline, so no probes need to be set up for each of them.
	quiet := net.ListenConfig{KeepAlive: -1}
	return quiet.Listen(context.Background(), a.Network, a.Name)
}

// listenUnix opens a unix socket for our user and group. The store's lock says
// that no other daemon has it, so one that lies there is a dead one's.
func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove old socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
