package trap

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

// closeNow shuts a server down with no time to drain.
func (s *stand) closeNow(t *testing.T) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return s.Shutdown(ctx)
}

// TestShutdownIdle: who has no transaction open is told at once, wherever it is.
func TestShutdownIdle(t *testing.T) {
	for name, script := range map[string]string{
		"greeted": hi, "hello": helo,
		"after a message": data + "> .\n< 250 2.0.0 OK\n",
		"after rset":      rcpt + "> RSET\n< 250 2.0.0 OK\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, nil)
			c := dial(t, s.address)
			c.play(t, script)
			s.finish(t)
			c.play(t, "< 421 4.3.2 Service shutting down\n.")
			if !s.observer.has("session ended: shutdown") {
				t.Errorf("events:\n%s", s.observer)
			}
			if _, err := net.Dial("tcp", s.address); err == nil {
				t.Error("still listening")
			}
		})
	}
}

// TestShutdownDrains: an open transaction comes to its end, a new one does not begin.
func TestShutdownDrains(t *testing.T) {
	s := newStand(t, nil)
	c := dial(t, s.address)
	c.play(t, rcpt)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for !s.isClosing() {
		c.play(t, "> NOOP\n< 250 2.0.0 OK")
	}
	c.play(t, "> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n"+
		"! x\\r\\n.\\r\\nMAIL FROM:<>\\r\\n\n< 250 2.0.0 OK\n< 421 4.3.2 Service shutting down\n.")
	if err := <-done; err != nil || len(s.sink.all()) != 1 {
		t.Errorf("%v, %d messages", err, len(s.sink.all()))
	}
}

// TestShutdownCuts: past the deadline nobody is waited for but the sink.
func TestShutdownCuts(t *testing.T) {
	for name, script := range map[string]string{
		"in a transaction": rcpt, "in data": data + "! half a line\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, nil)
			c := dial(t, s.address)
			c.play(t, strings.TrimSuffix(script, "\n"))
			err := s.closeNow(t)
			if !errors.Is(err, context.Canceled) ||
				!strings.HasPrefix(err.Error(), "drain sessions: 1 cut off: ") {
				t.Errorf("shutdown: %v", err)
			}
			c.play(t, "< 421 4.3.2 Service shutting down\n.")
			if name == "in data" && !s.observer.has("message not taken: cut") {
				t.Errorf("events:\n%s", s.observer)
			}
			if !s.observer.has("session ended: cut") || len(s.sink.all()) != 0 {
				t.Errorf("messages %v, events:\n%s", s.sink.all(), s.observer)
			}
		})
	}
}

// TestShutdownWaitsForSink: what the sink has begun is answered, and it is told to hurry.
func TestShutdownWaitsForSink(t *testing.T) {
	s := newStand(t, nil)
	begun := make(chan struct{})
	s.sink.accept = func(ctx context.Context, _ *Message) error {
		close(begun)
		<-ctx.Done()
		return nil // stored all the same
	}
	c := dial(t, s.address)
	c.play(t, data+"> x\n> .")
	<-begun
	if err := s.closeNow(t); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
	c.play(t, "< 250 2.0.0 OK\n< 421 4.3.2 Service shutting down\n.")
}

// TestShutdownHeader: who has not even sent its PROXY header is not waited for.
func TestShutdownHeader(t *testing.T) {
	s := newStand(t, behindProxy)
	c := dial(t, s.address)
	for s.budget.Connections() == 0 {
		if t.Context().Err() != nil {
			t.Fatal("never connected")
		}
	}
	s.finish(t)
	if got := c.reply(t); got[0] == '4' {
		t.Errorf("%q: told something before its header", got)
	}
}

func TestShutdownTwice(t *testing.T) {
	s := newStand(t, nil)
	s.finish(t)
	s.finish(t)
	if err := s.Serve(t.Context(), listen(t)); err != nil {
		t.Errorf("serve after shutdown: %v", err)
	}
}

// TestServeContext: the context ends Serve, not the sessions.
func TestServeContext(t *testing.T) {
	s := newStand(t, nil)
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	c := dial(t, l.Addr().String())
	c.play(t, hi)
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	c.play(t, "> NOOP\n< 250 2.0.0 OK\n"+quit)
}

// moody is a listener that fails in turn.
type moody struct {
	net.Listener
	errs []error
}

func (m *moody) Accept() (net.Conn, error) {
	err := m.errs[0]
	m.errs = m.errs[1:]
	return nil, &net.OpError{Op: "accept", Err: err}
}

// TestServeErrors: a want of descriptors passes, a broken listener does not.
func TestServeErrors(t *testing.T) {
	s := newStand(t, nil)
	l := &moody{listen(t), []error{syscall.EMFILE, syscall.ECONNABORTED, syscall.EBADF}}
	if err := s.Serve(t.Context(), l); !errors.Is(err, syscall.EBADF) {
		t.Errorf("serve: %v", err)
	}
	if !s.observer.has("fault: accept") {
		t.Errorf("events:\n%s", s.observer)
	}
}

func TestNew(t *testing.T) {
	whole := Config{Settings: func(net.Listener) *Settings { return nil }, Sink: &tray{}, Observer: &diary{},
		Now: noon}
	for want, change := range map[string]func(*Config){
		"make trap server: no settings": func(c *Config) { c.Settings = nil },
		"make trap server: no sink":     func(c *Config) { c.Sink = nil },
		"make trap server: no observer": func(c *Config) { c.Observer = nil },
		"make trap server: no clock":    func(c *Config) { c.Now = nil },
	} {
		config := whole
		change(&config)
		if _, err := New(config); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestReload: a session keeps the settings it began with.
func TestReload(t *testing.T) {
	first := Settings{Hostname: "mx.traps.example", Persona: Plain, Directory: testDirectory(t)}
	other, err := NewDirectory(nil)
	if err != nil {
		t.Fatal(err)
	}
	second := Settings{Hostname: "new.example", Persona: Plain, Directory: other}
	current := make(chan *Settings, 2)
	current <- &first
	current <- &second
	s := newStand(t, func(c *Config, _ *Settings) {
		c.Settings = func(net.Listener) *Settings { return <-current }
	})
	old := dial(t, s.address)
	old.play(t, mail)
	dial(t, s.address).play(t, "< 220 new.example ESMTP\n> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<x@traps.example>\n< 550 5.1.1 No such user here\n"+quit)
	old.play(t, "> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"+quit)
}

// TestServeListeners: one server takes mail from several listeners, each with settings of its own;
// the end of one is nothing to the others.
func TestServeListeners(t *testing.T) {
	names := map[net.Addr]string{}
	first, second := listen(t), listen(t)
	names[first.Addr()], names[second.Addr()] = "one.example", "two.example"
	s := newStand(t, func(c *Config, all *Settings) {
		c.Settings = func(l net.Listener) *Settings {
			own := *all
			own.Hostname = names[l.Addr()]
			return &own
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, first) }()
	address := s.serve(t, second)
	one := dial(t, first.Addr().String())
	one.play(t, "< 220 one.example ESMTP\n")
	dial(t, address).play(t, "< 220 two.example ESMTP\n"+quit)
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	dial(t, address).play(t, "< 220 two.example ESMTP\n"+quit)
	one.play(t, "> NOOP\n< 250 2.0.0 OK\n"+quit)
}
