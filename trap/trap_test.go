package trap

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is what the clock of every test server says.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// tray is a Sink that keeps copies, or fails.
type tray struct {
	mu       sync.Mutex
	messages []Message
	accept   func(context.Context, *Message) error
}

func (t *tray) Accept(ctx context.Context, m *Message) error {
	if t.accept != nil {
		if err := t.accept(ctx, m); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := *m
	kept.Head = bytes.Clone(m.Head)
	t.messages = append(t.messages, kept)
	return nil
}

func (t *tray) all() []Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.messages)
}

// diary is an Observer that writes each event down as a line.
type diary struct {
	mu    sync.Mutex
	lines []string
	ended chan struct{} // one for each SessionEnded, if not nil
	mute  bool          // writes nothing down
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mute {
		return
	}
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func (d *diary) has(line string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.lines, line)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, "\n")
}

func (d *diary) ConnectionRefused(_ netip.Addr, why string) {
	d.note("connection refused: %s", why)
}
func (d *diary) SessionEnded(_ netip.Addr, why string, commands, messages int, bytes int64,
	_ time.Duration) {
	d.note("session ended: %s", why)
	d.note("session had: %d commands, %d messages, %d bytes", commands, messages, bytes)
	if d.ended != nil {
		d.ended <- struct{}{}
	}
}
func (d *diary) RecipientRefused(_ netip.Addr, why string) { d.note("recipient refused: %s", why) }
func (d *diary) MessageTaken(_ netip.Addr, class string, recipients int, size int64,
	_ time.Duration) {
	d.note("message taken: %s, %d recipients, %d bytes", class, recipients, size)
}
func (d *diary) MessageNotTaken(_ netip.Addr, why string) { d.note("message not taken: %s", why) }
func (d *diary) TLSFailed(_ netip.Addr, why string)       { d.note("tls failed: %s", why) }
func (d *diary) ProtocolAbuse(_ netip.Addr, kind string)  { d.note("abuse: %s", kind) }
func (d *diary) Fault(where, _ string)                    { d.note("fault: %s", where) }

var _ Observer = (*diary)(nil)

// testRules are the traps and reporters of every test server.
func testRules() []Rule {
	return []Rule{
		{Domain: "traps.example", Class: Trap, Kind: "pristine", Weight: 1_000_000},
		{Domain: "*.traps.example", Class: Trap, Kind: "typo", Weight: 250_000},
		{Address: "old.sales@corp.example", Class: Trap, Kind: "recycled", Weight: 500_000},
		{Address: "resting@traps.example", Class: Trap, State: StateResting},
		{Address: "report@reports.example", Class: Reporter, Name: "noc",
			Peers: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"),
				netip.MustParsePrefix("192.0.2.0/24")}},
	}
}

func testDirectory(t testing.TB) *Directory {
	t.Helper()
	d, err := NewDirectory(testRules())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stand is a running server and what it did.
type stand struct {
	*Server
	sink     *tray
	observer *diary
	settings Settings
	address  string
}

// newStand starts a server on a loopback port; change may alter its configuration.
func newStand(t testing.TB, change func(*Config, *Settings)) *stand {
	t.Helper()
	s := &stand{sink: &tray{}, observer: &diary{}}
	s.settings = Settings{Hostname: "mx.traps.example", Persona: Plain, Directory: testDirectory(t)}
	config := Config{Sink: s.sink, Observer: s.observer, Now: noon,
		Settings: func(net.Listener) *Settings { return &s.settings }}
	if change != nil {
		change(&config, &s.settings)
	}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = server
	s.address = s.serve(t, listen(t))
	return s
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serve runs the server on l until the end of the test.
func (s *stand) serve(t testing.TB, l net.Listener) string {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx) // sessions that the test left open may be cut
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// finish shuts the server down, so that all events have been told.
func (s *stand) finish(t testing.TB) {
	t.Helper()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// client is the peer of a test.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

// newClient hears nothing that gives us away, in any test.
func newClient(t testing.TB, conn net.Conn) *client {
	heard := new(bytes.Buffer)
	t.Cleanup(func() {
		_ = conn.Close()
		tellsNothing(t, heard.String())
	})
	return &client{Conn: conn, in: bufio.NewReader(io.TeeReader(conn, heard))}
}

func (c *client) send(t testing.TB, raw string) {
	t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatalf("send %.60q: %v", raw, err)
	}
}

// reply reads one reply of any number of lines, joined by |.
func (c *client) reply(t testing.TB) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	var lines []string
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return strings.Join(append(lines, err.Error()), "|")
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "|")
		}
	}
}

// play follows a script: "> " sends a line, "< " expects a reply, "! " sends bytes with Go's
// escapes as they are, and "." alone expects the connection to be closed.
func (c *client) play(t testing.TB, script string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		line = strings.TrimLeft(line, "\t")
		verb, rest := line, ""
		if len(line) > 1 {
			verb, rest = line[:1], line[2:]
		}
		switch verb {
		case ">":
			c.send(t, unescape(t, rest)+"\r\n")
		case "!":
			c.send(t, unescape(t, rest))
		case "<":
			if got := c.reply(t); got != rest {
				t.Fatalf("reply %q, want %q", got, rest)
			}
		case ".":
			// A reset is what a peer sees whose last bytes were not read.
			got := c.reply(t)
			if got != io.EOF.Error() && !strings.HasSuffix(got, "connection reset by peer") {
				t.Fatalf("got %q, want the connection closed", got)
			}
		default:
			t.Fatalf("script line %q", line)
		}
	}
}

func unescape(t testing.TB, s string) string {
	t.Helper()
	raw := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00", `\t`, "\t", `\e`, "\x1b",
		`\x16`, "\x16", `\x03`, "\x03").Replace(s)
	return raw
}

// startTLS goes over to TLS and greets again.
func (c *client) startTLS(t testing.TB) *client {
	t.Helper()
	c.play(t, "> STARTTLS\n< 220 2.0.0 Ready to start TLS")
	conn := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}
