package trap

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// open begins a transaction up to the 354.
func (c *client) open(t testing.TB, recipient, parameters string) {
	t.Helper()
	c.play(t, hi+"> EHLO peer.example")
	c.reply(t)
	c.play(t, "> MAIL FROM:<a@b.example>"+parameters+"\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<"+recipient+">\n< 250 2.1.5 Recipient OK\n"+
		"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>")
}

// TestSize: a message of exactly the limit is taken; one byte more, or a promise of more, is
// recorded and then refused.
func TestSize(t *testing.T) {
	for _, test := range []struct {
		name       string
		size       int
		parameters string
		want       string
		oversize   bool
	}{
		{"exactly", 1000, "", "250 2.0.0 OK", false},
		{"exactly, and said so", 1000, " SIZE=1000", "250 2.0.0 OK", false},
		{"one more", 1001, "", "552 5.3.4 Message too big", true},
		{"many more", 500_000, "", "552 5.3.4 Message too big", true},
		{"said one more", 10, " SIZE=1001", "552 5.3.4 Message too big", true},
		{"said an absurd size", 10, " SIZE=99999999999999999999", "552 5.3.4 Message too big", true},
		{"said less", 1000, " SIZE=5", "250 2.0.0 OK", false},
	} {
		for _, to := range []string{"x@traps.example", "report@reports.example", "postmaster"} {
			t.Run(test.name+" to "+to, func(t *testing.T) {
				s := newStand(t, func(_ *Config, s *Settings) { s.Limits.MessageBytes = 1000 })
				c := dial(t, s.address)
				c.open(t, to, test.parameters)
				content := strings.Repeat("x", test.size-2) + "\r\n"
				c.send(t, content)
				c.play(t, "> .\n< "+test.want+"\n"+quit)
				s.finish(t)
				got := s.sink.all()
				if len(got) != 1 {
					t.Fatalf("%d messages recorded, want 1", len(got))
				}
				m := got[0]
				if m.Size != int64(test.size) || m.Oversize != test.oversize {
					t.Errorf("size %d, oversize %v", m.Size, m.Oversize)
				}
				if string(m.Head) != content[:min(1000, test.size)] {
					t.Errorf("head of %d bytes", len(m.Head))
				}
			})
		}
	}
}

// TestHead: 256 KiB are kept of a trap's mail, all of a reporter's.
func TestHead(t *testing.T) {
	content := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("y", 98)+"\r\n", 5000)
	for to, want := range map[string]int{
		"x@traps.example": headBytes, "report@reports.example": len(content),
	} {
		s := newStand(t, nil)
		c := dial(t, s.address)
		c.open(t, to, "")
		c.send(t, content)
		c.play(t, "> .\n< 250 2.0.0 OK\n"+quit)
		s.finish(t)
		m := s.sink.all()[0]
		if string(m.Head) != content[:want] || m.Size != int64(len(content)) {
			t.Errorf("%s: head %d of %d, want %d", to, len(m.Head), m.Size, want)
		}
		if m.Digest != sha256.Sum256([]byte(content)) {
			t.Errorf("%s: the digest is not that of the whole content", to)
		}
		if n := s.budget.Memory(); n != 0 {
			t.Errorf("%s: %d bytes not given back", to, n)
		}
	}
}

// TestRefusal: what goes wrong behind the trap has a reply, nothing of it is on the wire, and
// the session goes on.
func TestRefusal(t *testing.T) {
	secret := errors.New("write /var/lib/x: bob@traps.example")
	for _, test := range []struct {
		name  string
		err   error
		reply string
		event string
	}{
		{"busy", fmt.Errorf("%w: %w", ErrBusy, secret), "451 4.3.0 Local error in processing", "busy"},
		{"full", fmt.Errorf("store hit: %w", ErrFull), "452 4.3.1 Insufficient system storage", "full"},
		{"else", secret, "451 4.3.0 Local error in processing", "fault"},
	} {
		t.Run(test.name+" sink", func(t *testing.T) {
			s := newStand(t, nil)
			s.sink.accept = func(context.Context, *Message) error { return test.err }
			dial(t, s.address).play(t, data+"> x\n> .\n< "+test.reply+"\n"+
				"> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n"+quit)
			s.finish(t)
			if !s.observer.has("message not taken: " + test.event) {
				t.Errorf("events:\n%s", s.observer)
			}
		})
		t.Run(test.name+" gate", func(t *testing.T) {
			s := newStand(t, func(c *Config, _ *Settings) {
				c.Gate = func() error { return test.err }
			})
			dial(t, s.address).play(t, helo+"> MAIL FROM:<>\n< "+test.reply+"\n"+
				"> RCPT TO:<x@traps.example>\n< 503 5.5.1 Bad sequence of commands\n"+quit)
		})
	}
}

// TestOversizeNotStored: what could not be stored is not refused for good.
func TestOversizeNotStored(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.Limits.MessageBytes = 4 })
	s.sink.accept = func(context.Context, *Message) error { return ErrFull }
	dial(t, s.address).play(t, data+"> too long\n> .\n< 452 4.3.1 Insufficient system storage\n"+quit)
}

// TestPanic: a sink that panics costs one session, not the daemon, and keeps no memory.
func TestPanic(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		s := newStand(t, func(_ *Config, s *Settings) {
			s.LMTP, s.Peers = lmtp, testRules()[4].Peers
		})
		s.sink.accept = func(context.Context, *Message) error { panic("x@traps.example") }
		c := dial(t, s.address)
		c.reply(t)
		c.play(t, "> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n"+
			"> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"+
			"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n"+
			"> x\n> .\n< 421 4.3.0 Local error in processing\n.")
		s.finish(t)
		if !s.observer.has("fault: session") || !s.observer.has("session ended: fault") {
			t.Errorf("events:\n%s", s.observer)
		}
		if s.budget.Memory() != 0 || s.budget.Connections() != 0 {
			t.Errorf("%d bytes, %d places kept", s.budget.Memory(), s.budget.Connections())
		}
	}
}

// TestPanicElsewhere: nor does a panic while no command is acted on cost more than its connection.
func TestPanicElsewhere(t *testing.T) {
	for where, change := range map[string]func(*Config, *Settings){
		"in a handshake": func(_ *Config, s *Settings) {
			s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				panic("handshake")
			}}
		},
		"behind the dialogue": func(c *Config, _ *Settings) { c.Observer = shaky{c.Observer} },
	} {
		t.Run(where, func(t *testing.T) {
			s := newStand(t, change)
			c := dial(t, s.address)
			c.reply(t)
			c.send(t, "STARTTLS\r\n")
			c.reply(t)
			_ = tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
			_ = c.Close()
			s.finish(t)
			if !s.observer.has("fault: session") || s.budget.Connections() != 0 {
				t.Errorf("%d places kept, events:\n%s", s.budget.Connections(), s.observer)
			}
		})
	}
}

// shaky panics at the end of a session.
type shaky struct{ Observer }

func (shaky) SessionEnded(netip.Addr, string, int, int, int64, time.Duration) { panic("the end") }

// TestCutOff: a message that the peer did not end is no message.
func TestCutOff(t *testing.T) {
	for _, tail := range []string{"", "x", "x\r\n", "x\r\n.", "x\r\n.\r", "x\n.\n"} {
		s := newStand(t, nil)
		c := dial(t, s.address)
		c.play(t, data)
		c.send(t, tail)
		_ = c.Close()
		s.finish(t)
		if n := len(s.sink.all()); n != 0 {
			t.Errorf("%q: %d messages", tail, n)
		}
		if !s.observer.has("message not taken: broken") || !s.observer.has("session ended: closed") {
			t.Errorf("%q: events:\n%s", tail, s.observer)
		}
		if n := s.budget.Memory(); n != 0 {
			t.Errorf("%q: %d bytes not given back", tail, n)
		}
	}
}

// TestCorpus sends every message of the shared corpus and wants it back byte by byte.
func TestCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../shared/corpus/*/*.eml")
	more, _ := filepath.Glob("../../shared/corpus/*/*/*.eml")
	if files = append(files, more...); len(files) == 0 {
		t.Skip("no corpus beside the project")
	}
	s := newStand(t, nil)
	c := dial(t, s.address)
	c.play(t, helo)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.TrimSuffix(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n")
		content := strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
		c.play(t, "> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n> RCPT TO:<x@traps.example>\n"+
			"< 250 2.1.5 Recipient OK\n> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>")
		c.send(t, strings.ReplaceAll("\r\n"+content, "\r\n.", "\r\n..")[2:]+".\r\n")
		if got := c.reply(t); got != "250 2.0.0 OK" {
			t.Fatalf("%s: %s", file, got)
		}
		got := s.sink.all()
		m := got[len(got)-1]
		if string(m.Head) != content[:min(len(content), headBytes)] ||
			m.Size != int64(len(content)) {
			t.Errorf("%s: came out changed", file)
		}
	}
	t.Logf("%d messages", len(files))
}
