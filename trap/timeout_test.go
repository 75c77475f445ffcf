package trap

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections in memory, whose deadlines follow the test's clock.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return tcp("192.0.2.25:25") }

// remote is a connection in memory that says where it comes from.
type remote struct {
	net.Conn
	address net.Addr
}

func (r remote) RemoteAddr() net.Addr { return r.address }

// TestTimeouts: each wait has its bound, and the session has one of its own.
func TestTimeouts(t *testing.T) {
	settings := func(_ *Config, s *Settings) {
		s.Limits = Limits{SessionTimeout: 10 * time.Minute, CommandTimeout: time.Minute,
			DataTimeout: 5 * time.Minute}
	}
	const timeout = "< 421 4.4.2 Timeout\n."
	slowly := func(t *testing.T, c *client, what string, n int, pause time.Duration) {
		for range n {
			<-time.After(pause) // by the bubble's clock
			c.send(t, what)
		}
	}
	for _, test := range []struct {
		name  string
		talk  func(t *testing.T, c *client)
		after time.Duration
		event string
	}{
		{"silence", func(t *testing.T, c *client) { c.play(t, hi+timeout) },
			time.Minute, "session ended: timeout"},
		{"half a command", func(t *testing.T, c *client) {
			c.play(t, hi)
			slowly(t, c, "N", 5, 10*time.Second)
			c.play(t, timeout)
		}, time.Minute, "session ended: timeout"},
		{"silence in a transaction", func(t *testing.T, c *client) { c.play(t, rcpt+timeout) },
			time.Minute, "session ended: timeout"},
		{"silence in data", func(t *testing.T, c *client) { c.play(t, data+timeout) },
			5 * time.Minute, "message not taken: timeout"},
		{"slow data", func(t *testing.T, c *client) {
			c.play(t, data)
			slowly(t, c, "x\r\n", 9, 33*time.Second)
			c.play(t, timeout)
		}, 5 * time.Minute, "message not taken: timeout"},
		{"session", func(t *testing.T, c *client) {
			c.play(t, hi)
			for range 11 {
				slowly(t, c, "NOOP\r\n", 1, 51*time.Second)
				c.play(t, "< 250 2.0.0 OK")
			}
			c.play(t, timeout)
		}, 10 * time.Minute, "session ended: timeout"},
		{"data at the end of the session", func(t *testing.T, c *client) {
			c.play(t, helo)
			for range 9 {
				slowly(t, c, "NOOP\r\n", 1, 50*time.Second)
				c.play(t, "< 250 2.0.0 OK")
			}
			c.play(t, "> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n> RCPT TO:<x@traps.example>\n"+
				"< 250 2.1.5 Recipient OK\n> DATA\n"+
				"< 354 Start mail input; end with <CRLF>.<CRLF>\n"+timeout)
		}, 10 * time.Minute, "message not taken: timeout"},
		{"no handshake", func(t *testing.T, c *client) {
			c.play(t, hi+"> STARTTLS\n< 220 2.0.0 Ready to start TLS\n.")
		}, time.Minute, "tls failed: timeout"},
		{"replies unread", func(t *testing.T, c *client) {
			c.play(t, hi)
			c.send(t, "NOOP\r\n")
			<-time.After(time.Hour)
		}, time.Hour, "session ended: closed"},
		{"no header", func(t *testing.T, c *client) { c.play(t, ".") },
			proxyTimeout, "connection refused: proxy-header"},
	} {
		t.Run(test.name, func(t *testing.T) {
			change := withTLS(t) // its key is made outside the bubble
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				s, c := pipeStand(t, func(config *Config, s *Settings) {
					change(config, s)
					settings(config, s)
					if test.name == "no header" {
						s.ProxyFrom = testRules()[4].Peers
					}
				})
				test.talk(t, c)
				if got := time.Since(begin); got != test.after {
					t.Errorf("ended after %s, want %s", got, test.after)
				}
				s.finish(t)
				if !s.observer.has(test.event) || len(s.sink.all()) != 0 {
					t.Errorf("messages %v, events:\n%s", s.sink.all(), s.observer)
				}
			})
		})
	}
}

// pipeStand starts a server on a connection in memory from 192.0.2.1.
func pipeStand(t *testing.T, change func(*Config, *Settings)) (*stand, *client) {
	t.Helper()
	s := &stand{sink: &tray{}, observer: &diary{}}
	s.settings = Settings{Hostname: "mx.traps.example", Directory: testDirectory(t)}
	config := Config{Sink: s.sink, Observer: s.observer, Now: noon,
		Settings: func() *Settings { return &s.settings }}
	change(&config, &s.settings)
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	l := &pipes{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	ours, theirs := net.Pipe()
	l.conns <- remote{theirs, tcp("192.0.2.1:4711")}
	return s, pipeClient(t, ours)
}

// pipeClient reads without a deadline: the bubble has its own clock.
func pipeClient(t *testing.T, conn net.Conn) *client {
	return newClient(t, undying{conn})
}

// undying ignores deadlines.
type undying struct{ net.Conn }

func (undying) SetReadDeadline(time.Time) error { return nil }
