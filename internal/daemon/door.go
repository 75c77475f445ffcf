package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/trap"
)

// door is a socket that takes mail, and what a session that comes through it reads at its start.
type door struct {
	net.Listener
	address  config.Address // canonical
	settings atomic.Pointer[trap.Settings]
	stop     func() error // accepts no more; sessions go on. Set once it is served
}

// doors are the sockets that take mail. One goroutine at a time may change which, and another one
// may close them.
type doors struct {
	handed map[string][]net.Listener // by systemd, and not taken yet
	server *trap.Server
	failed chan error // of one: why a socket takes no more

	mu     sync.Mutex // guards what follows
	open   []*door    // in the order of config.Listen
	closed bool
}

// turn is doors that are about to take the place of others: what can fail is done.
type turn struct {
	all   []*door // as they will be
	come  []*door // of them, those that are new
	leave []*door
}

// prepare opens the sockets that are missing, and touches no other.
func (d *doors) prepare(wanted []config.Listen) (turn, error) {
	d.mu.Lock()
	t := turn{leave: slices.Clone(d.open), all: make([]*door, len(wanted))}
	d.mu.Unlock()
	for i, l := range wanted {
		address := l.Address.Canonical()
		at := slices.IndexFunc(t.leave, func(one *door) bool { return one.address == address })
		if at >= 0 {
			t.all[i] = t.leave[at]
			t.leave = slices.Delete(t.leave, at, at+1)
		}
	}
	for i, l := range wanted {
		if t.all[i] != nil {
			continue
		}
		listener, err := listen(l.Address, d.handed)
		if err != nil {
			return t, errors.Join(fmt.Errorf("listen for mail: %w%s", err, t.mendFor(err)), d.abandon(t))
		}
		t.all[i] = &door{Listener: listener, address: l.Address.Canonical()}
		t.come = append(t.come, t.all[i])
	}
	return t, nil
}

// mendFor says what helps where a socket may be taken by one that is about to leave: none leaves
// before all that come are there.
func (t turn) mendFor(err error) string {
	if len(t.leave) > 0 && errors.Is(err, syscall.EADDRINUSE) {
		return ": where a listener that is taken out holds it, take that out in a reload before, or restart"
	}
	return ""
}

// abandon closes what was opened. What systemd handed over waits for another turn: nobody here can
// open it again.
func (d *doors) abandon(t turn) error {
	var errs []error
	for _, one := range t.come {
		if one.address.Network == "fd" {
			d.handed[one.address.Name] = slices.Insert(d.handed[one.address.Name], 0, one.Listener)
			continue
		}
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// commit lets the doors take the place of those before them. Sessions in progress keep their
// settings, also those that came through a door that leaves.
func (d *doors) commit(t turn, settings []*trap.Settings) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = d.abandon(t) // the daemon stops
		return
	}
	for i, one := range t.all {
		one.settings.Store(settings[i])
	}
	for _, one := range t.come {
		if s, unix := one.Listener.(*socket); unix {
			if err := s.place(); err != nil {
				d.fail(one, err)
			}
		}
		d.serve(one)
	}
	for _, one := range t.leave {
		_ = one.stop() // an error is in d.failed
	}
	d.open = t.all
}

func (d *doors) serve(one *door) {
	one.stop = background(func(ctx context.Context) error {
		err := d.server.Serve(ctx, one)
		if err != nil {
			d.fail(one, err)
		}
		return err
	})
}

func (d *doors) fail(one *door, err error) {
	select {
	case d.failed <- fmt.Errorf("serve mail on %s: %w", one.Addr(), err):
	default: // one is enough to stop
	}
}

// close ends the sessions, and then the doors.
func (d *doors) close(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	errs := []error{d.server.Shutdown(ctx)}
	for _, one := range d.open {
		errs = append(errs, one.stop())
	}
	return errors.Join(errs...)
}

// names gives the addresses listened on, by what they serve.
func (d *doors) names() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := map[string]string{}
	for i, one := range d.open {
		names[fmt.Sprintf("mail %d", i+1)] = one.Addr().String()
	}
	return names
}

// settingsOf are those of the door that a connection came through.
func settingsOf(l net.Listener) *trap.Settings { return l.(*door).settings.Load() }
