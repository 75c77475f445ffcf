package trap

import (
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConnections(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.Limits.Connections = 2 })
	first, second := dial(t, s.address), dial(t, s.address)
	first.play(t, hi+"> NOOP\n< 250 2.0.0 OK")
	second.play(t, hi)
	dial(t, s.address).play(t, "< 421 4.7.0 Too many connections\n.")
	first.play(t, quit)
	waitFor(t, s, 1)
	dial(t, s.address).play(t, hi+quit)
	second.play(t, quit)
	s.finish(t)
	if !s.observer.has("connection refused: connections") || s.budget.Connections() != 0 {
		t.Errorf("%d connections, events:\n%s", s.budget.Connections(), s.observer)
	}
}

// waitFor waits until no more than n connections are counted. The end of a connection reaches
// the peer before the count, so there is nothing to wait on but the count itself.
func waitFor(t *testing.T, s *stand, n int) {
	t.Helper()
	for s.budget.Connections() > n {
		if t.Context().Err() != nil {
			t.Fatal("connections are still counted")
		}
		runtime.Gosched()
	}
}

func TestConnectionsPerIP(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.Limits.ConnectionsPerIP = 1 })
	c := dial(t, s.address)
	c.play(t, hi)
	dial(t, s.address).play(t, "< 421 4.7.0 Too many connections\n.")
	c.play(t, quit)
	s.finish(t)
	if !s.observer.has("connection refused: connections-per-ip") {
		t.Errorf("events:\n%s", s.observer)
	}
	if len(s.budget.held) != 0 {
		t.Errorf("peers still counted: %v", s.budget.held)
	}
}

// TestSharedBudget: two listeners and two servers of one process have one cap.
func TestSharedBudget(t *testing.T) {
	budget := NewBudget()
	limit := func(c *Config, s *Settings) { c.Budget, s.Limits.Connections = budget, 1 }
	one, other := newStand(t, limit), newStand(t, limit)
	again := one.serve(t, listen(t))
	c := dial(t, one.address)
	c.play(t, hi)
	dial(t, other.address).play(t, "< 421 4.7.0 Too many connections\n.")
	dial(t, again).play(t, "< 421 4.7.0 Too many connections\n.")
}

func TestNeighbours(t *testing.T) {
	for peer, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
	} {
		if got := neighbours(netip.MustParseAddr(peer)); got != netip.MustParsePrefix(want) {
			t.Errorf("%s counts as %s, want %s", peer, got, want)
		}
	}
}

func TestRecipients(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.Limits.Recipients = 2 })
	dial(t, s.address).play(t, rcpt+`> RCPT TO:<y@traps.example>
	< 250 2.1.5 Recipient OK
	> RCPT TO:<z@traps.example>
	< 452 4.5.3 Too many recipients
	> RCPT TO:<z@elsewhere.example>
	< 550 5.1.1 No such user here
	> DATA
	< 354 Start mail input; end with <CRLF>.<CRLF>
	> .
	< 250 2.0.0 OK
	> MAIL FROM:<>
	< 250 2.1.0 Sender OK
	> RCPT TO:<z@traps.example>
	< 250 2.1.5 Recipient OK`)
	got := s.sink.all()[0].Recipients
	var names []string
	for _, r := range got {
		names = append(names, r.Address)
	}
	if diff := cmp.Diff([]string{"x@traps.example", "y@traps.example"}, names); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	if !s.observer.has("recipient refused: too-many") {
		t.Errorf("events:\n%s", s.observer)
	}
}

// TestPatience: errors end a session soon, idling late, refused recipients hardly ever, and a
// message makes up for all of them.
func TestPatience(t *testing.T) {
	const tooMany = "421 4.7.0 Too many errors"
	for _, test := range []struct {
		name, command string
		want          int // commands until the session ends
	}{
		{"errors", "XYZZY", 20},
		{"idling", "NOOP", 1000},
		{"hello", "HELO x", 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, nil)
			c := dial(t, s.address)
			c.reply(t)
			for range test.want {
				c.send(t, test.command+"\r\n")
				c.reply(t)
			}
			c.play(t, "< "+tooMany+"\n.")
			s.finish(t)
			if !s.observer.has("session ended: errors") {
				t.Errorf("events:\n%s", s.observer)
			}
		})
	}
	t.Run("recipients", func(t *testing.T) {
		s := newStand(t, nil)
		c := dial(t, s.address)
		c.play(t, rcpt)
		for range 50 {
			c.send(t, strings.Repeat("RCPT TO:<nobody@elsewhere.example>\r\n", 100))
			for range 100 {
				c.play(t, "< 550 5.1.1 No such user here")
			}
		}
		c.play(t, "> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n> .\n< 250 2.0.0 OK")
		s.finish(t)
	})
	t.Run("restored", func(t *testing.T) {
		s := newStand(t, nil)
		c := dial(t, s.address)
		c.play(t, helo)
		for range 4 {
			c.play(t, strings.Repeat("> XYZZY\n< 500 5.5.2 Command unrecognized\n", 15))
			c.play(t, strings.TrimPrefix(data, helo)+"> .\n< 250 2.0.0 OK")
		}
		s.finish(t)
	})
}

// TestMemory: messages that find no memory are read, refused for now, and leave none behind.
func TestMemory(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.Limits.MemoryBytes = headBytes + 1000 })
	c := dial(t, s.address)
	c.play(t, strings.ReplaceAll(data, "x@traps.example", "report@reports.example"))
	c.send(t, strings.Repeat("x", headBytes+2000))
	c.play(t, "> \n> .\n< 451 4.3.1 Mail system full\n"+strings.TrimPrefix(data, helo)+
		"> small\n> .\n< 250 2.0.0 OK\n"+quit)
	s.finish(t)
	if n := s.budget.Memory(); n != 0 || len(s.sink.all()) != 1 {
		t.Errorf("%d bytes kept, %d messages", n, len(s.sink.all()))
	}
	if !s.observer.has("message not taken: memory") {
		t.Errorf("events:\n%s", s.observer)
	}
}

// TestCrowded: while too many wait for memory, another transaction does not even begin.
func TestCrowded(t *testing.T) {
	s := newStand(t, nil)
	s.budget.memory.waiting = make([]*claim, mostWaiting)
	dial(t, s.address).play(t, helo+"> MAIL FROM:<>\n< 451 4.3.1 Mail system full\n"+quit)
	s.finish(t)
	if !s.observer.has("message not taken: memory") {
		t.Errorf("events:\n%s", s.observer)
	}
}

func TestLimitDefaults(t *testing.T) {
	if diff := cmp.Diff(DefaultLimits(), Limits{Recipients: -1}.orDefaults()); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	want := DefaultLimits()
	want.Recipients = 7
	if diff := cmp.Diff(want, Limits{Recipients: 7}.orDefaults()); diff != "" {
		t.Errorf("one set (-want +got):\n%s", diff)
	}
}
