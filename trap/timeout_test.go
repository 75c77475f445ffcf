package trap

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
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

// TestTimeouts: each wait has its bound, and the session has one of its own; in TLS as well.
func TestTimeouts(t *testing.T) {
	const timeout = "< 421 4.4.2 Timeout\n."
	slowly := func(t *testing.T, c *client, what string, n int, pause time.Duration) {
		for range n {
			<-time.After(pause) // by the bubble's clock
			c.send(t, what)
		}
	}
	for _, test := range []struct {
		name  string
		talk  func(t *testing.T, c *client) // behind the greeting
		after time.Duration
		event string
	}{
		{"silence", func(t *testing.T, c *client) { c.play(t, timeout) },
			time.Minute, "session ended: timeout"},
		{"half a command", func(t *testing.T, c *client) {
			slowly(t, c, "N", 5, 10*time.Second)
			c.play(t, timeout)
		}, time.Minute, "session ended: timeout"},
		{"silence in a transaction", func(t *testing.T, c *client) { c.play(t, greeted(rcpt)+timeout) },
			time.Minute, "session ended: timeout"},
		{"silence in data", func(t *testing.T, c *client) { c.play(t, greeted(data)+timeout) },
			5 * time.Minute, "message not taken: timeout"},
		{"slow data", func(t *testing.T, c *client) {
			c.play(t, greeted(data))
			slowly(t, c, "x\r\n", 9, 33*time.Second)
			c.play(t, timeout)
		}, 5 * time.Minute, "message not taken: timeout"},
		{"session", func(t *testing.T, c *client) {
			for range 11 {
				slowly(t, c, "NOOP\r\n", 1, 51*time.Second)
				c.play(t, "< 250 2.0.0 OK")
			}
			c.play(t, timeout)
		}, 10 * time.Minute, "session ended: timeout"},
		{"messages until the end of the session", func(t *testing.T, c *client) {
			c.play(t, greeted(helo))
			for range 11 {
				slowly(t, c, "NOOP\r\n", 1, 50*time.Second)
				c.play(t, "< 250 2.0.0 OK\n"+strings.TrimPrefix(rcpt, helo)+"> RSET\n< 250 2.0.0 OK")
			}
			c.play(t, timeout)
		}, 10 * time.Minute, "session ended: timeout"},
		{"data at the end of the session", func(t *testing.T, c *client) {
			c.play(t, greeted(helo))
			for range 9 {
				slowly(t, c, "NOOP\r\n", 1, 50*time.Second)
				c.play(t, "< 250 2.0.0 OK")
			}
			c.play(t, strings.TrimPrefix(data, helo)+timeout)
		}, 10 * time.Minute, "message not taken: timeout"},
		{"replies unread", func(t *testing.T, c *client) {
			c.send(t, "NOOP\r\n")
		}, time.Minute + parting, "session ended: timeout"},
		{"replies unread at the end of the session", func(t *testing.T, c *client) {
			for range 9 {
				slowly(t, c, "NOOP\r\n", 1, 59*time.Second)
				c.play(t, "< 250 2.0.0 OK")
			}
			slowly(t, c, "NOOP\r\n", 1, 59*time.Second)
		}, 10*time.Minute + parting, "session ended: timeout"},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %v", test.name, secure), func(t *testing.T) {
				runTimeout(t, withTLS(t), test.after, test.event, func(t *testing.T, c *client) {
					c.play(t, strings.TrimSpace(hi))
					if secure {
						c = c.startOldTLS(t)
					}
					test.talk(t, c)
				})
			})
		}
	}
}

// TestTimeoutsAtTheDoor: so have the waits before there is a dialogue.
func TestTimeoutsAtTheDoor(t *testing.T) {
	t.Run("no handshake", func(t *testing.T) {
		runTimeout(t, withTLS(t), time.Minute, "tls failed: timeout", func(t *testing.T, c *client) {
			c.play(t, hi+"> STARTTLS\n< 220 2.0.0 Ready to start TLS\n.")
		})
	})
	for name, header := range map[string]string{"no header": "", "slow header": "PROXY TCP4 "} {
		t.Run(name, func(t *testing.T) {
			runTimeout(t, func(_ *Config, s *Settings) { s.ProxyFrom = testRules()[4].Peers },
				proxyTimeout, "connection refused: proxy-header", func(t *testing.T, c *client) {
					for i := range len(header) {
						<-time.After(proxyTimeout / 12)
						c.send(t, header[i:i+1])
					}
					c.play(t, ".")
				})
		})
	}
}

// runTimeout runs a peer against a server whose clock is the bubble's, and wants to see it ended
// after so long.
func runTimeout(t *testing.T, change func(*Config, *Settings), after time.Duration, event string,
	talk func(*testing.T, *client)) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s, c := pipeStand(t, func(config *Config, s *Settings) {
			change(config, s)
			s.Limits = Limits{SessionTimeout: 10 * time.Minute, CommandTimeout: time.Minute,
				DataTimeout: 5 * time.Minute}
		})
		talk(t, c)
		for s.budget.Connections() > 0 {
			<-time.After(time.Millisecond)
		}
		if got := time.Since(begin).Truncate(time.Second); got != after {
			t.Errorf("ended after %s, want %s", got, after)
		}
		s.finish(t)
		if !s.observer.has(event) || len(s.sink.all()) != 0 {
			t.Errorf("messages %v, events:\n%s", s.sink.all(), s.observer)
		}
	})
}

// startOldTLS goes over to TLS 1.2: a TLS 1.3 server sends tickets unasked, and a pipe holds
// nothing that nobody reads.
func (c *client) startOldTLS(t *testing.T) *client {
	t.Helper()
	c.play(t, "> STARTTLS\n< 220 2.0.0 Ready to start TLS")
	conn := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return pipeClient(t, conn)
}

// pipeStand starts a server on a connection in memory from 192.0.2.1.
func pipeStand(t *testing.T, change func(*Config, *Settings)) (*stand, *client) {
	t.Helper()
	s := &stand{sink: &tray{}, observer: &diary{}}
	s.settings = Settings{Hostname: "mx.traps.example", Persona: Plain, Directory: testDirectory(t)}
	config := Config{Sink: s.sink, Observer: s.observer, Now: noon,
		Settings: func(net.Listener) *Settings { return &s.settings }}
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
