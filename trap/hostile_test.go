package trap

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// hostile is one thing that a peer can do to us, and what comes of it. The cases are the table of
// docs/hostile.md; each is played over a real socket.
type hostile struct {
	name   string // what the peer does
	what   string // what comes of it
	script string // behind the greeting and, in TLS, the handshake; see client.play
	talk   func(*testing.T, *arena)
	change func(*Settings)
	sink   error    // that the sink fails with
	ways   way      // how the peer comes; 0: every way
	raw    bool     // nothing is played before: no header, no greeting, no TLS
	taken  int      // messages
	events []string // that the observer must have heard
}

// way is how a peer comes.
type way int

const (
	inClear way = 1 << iota
	inTLS
	viaProxy // in the clear, its address declared by one
	anyWay   = inClear | inTLS | viaProxy
)

func (w way) String() string {
	var names []string
	for i, name := range []string{"clear", "TLS", "PROXY"} {
		if w&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// hostileParts are the cases in the order of the document.
func hostileParts() []struct {
	title string
	cases []hostile
} {
	return []struct {
		title string
		cases []hostile
	}{
		{"Who says little, late or nothing", slowCases()},
		{"Who speaks something else", foreignCases()},
		{"Who lies in front: PROXY headers", proxyCases()},
		{"STARTTLS", tlsCases()},
		{"Commands", commandCases()},
		{"Floods of commands", floodCases()},
		{"Content", contentCases()},
		{"An end of data that is none", smugglingCases()},
		{"Too much at once", crowdCases()},
	}
}

// arena is one case being played.
type arena struct {
	*client
	stand *stand
	way   way
	ears  *ears
}

// proxyHeader names the client that all peers behind a proxy have.
const proxyHeader = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n"

// TestHostile plays every case every way.
func TestHostile(t *testing.T) {
	for _, part := range hostileParts() {
		for _, h := range part.cases {
			for _, w := range []way{inClear, inTLS, viaProxy} {
				if cmp.Or(h.ways, anyWay)&w != 0 {
					t.Run(h.name+" in "+w.String(), func(t *testing.T) { h.run(t, w) })
				}
			}
		}
	}
}

func (h *hostile) run(t *testing.T, w way) {
	t.Parallel() // some wait for a second
	a := h.arena(t, w)
	if h.talk != nil {
		h.talk(t, a)
	} else {
		a.play(t, h.script)
	}
	_ = a.Close()
	waitFor(t, a.stand, 0) // Shutdown would end what has not ended by itself
	a.stand.finish(t)
	for _, event := range h.events {
		if !a.stand.observer.has(event) {
			t.Errorf("want %q among the events:\n%s", event, a.stand.observer)
		}
	}
	if n := len(a.stand.sink.all()); n != h.taken {
		t.Errorf("%d messages taken, want %d", n, h.taken)
	}
	a.ears.check(t, &a.stand.settings)
	if b := a.stand.budget; b.Connections() != 0 || b.Memory() != 0 || len(b.held) != 0 {
		t.Errorf("not given back: %d connections, %d bytes, %v", b.Connections(), b.Memory(), b.held)
	}
}

// arena starts a server for the case and connects to it.
func (h *hostile) arena(t *testing.T, w way) *arena {
	s := newStand(t, func(c *Config, s *Settings) {
		withTLS(t)(c, s)
		if w == viaProxy {
			behindProxy(c, s)
		}
		if h.change != nil {
			h.change(s)
		}
	})
	if h.sink != nil {
		s.sink.accept = func(context.Context, *Message) error { return h.sink }
	}
	a := &arena{stand: s, way: w, ears: &ears{}}
	a.client = a.connect(t)
	if h.raw {
		return a
	}
	a.enter(t)
	return a
}

// connect makes a connection whose replies are listened to.
func (a *arena) connect(t *testing.T) *client {
	t.Helper()
	conn, err := net.Dial("tcp", a.stand.address)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, a.ears.at(conn))
}

// enter goes as far as a well-behaved peer would before its first command.
func (a *arena) enter(t *testing.T) {
	t.Helper()
	if a.way == viaProxy {
		a.send(t, proxyHeader)
	}
	a.play(t, strings.TrimSpace(hi))
	if a.way == inTLS {
		a.secure(t)
	}
}

// secure goes over to TLS; from there on what is said inside is listened to.
func (a *arena) secure(t *testing.T) {
	t.Helper()
	a.play(t, "> STARTTLS\n< 220 2.0.0 Ready to start TLS")
	conn := tls.Client(a.Conn, &tls.Config{InsecureSkipVerify: true})
	a.ears.deaf(a.Conn)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.client = newClient(t, a.ears.at(conn))
}

// socket is the TCP connection below.
func (a *arena) socket() *net.TCPConn {
	conn := a.Conn
	for {
		switch c := conn.(type) {
		case *ear:
			conn = c.Conn
		case *tls.Conn:
			conn = c.NetConn()
		case *net.TCPConn:
			return c
		}
	}
}

// halfClose says that nothing more will be said.
func (a *arena) halfClose(t *testing.T) {
	t.Helper()
	if conn, ok := a.Conn.(*ear).Conn.(interface{ CloseWrite() error }); ok {
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
}

// reset ends the connection with RST, once what was sent has been answered.
func (a *arena) reset() {
	_ = a.socket().SetLinger(0)
	_ = a.socket().Close()
}

// ears hear all that a server says in a test.
type ears struct {
	mu  sync.Mutex
	all []*ear
}

// ear hears what is said on one connection.
type ear struct {
	net.Conn
	heard bytes.Buffer
	off   bool
}

func (e *ears) at(conn net.Conn) net.Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	one := &ear{Conn: conn}
	e.all = append(e.all, one)
	return one
}

// deaf: what comes now is not for ears.
func (e *ears) deaf(conn net.Conn) { conn.(*ear).off = true }

// Read hears what it reads.
func (e *ear) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	if !e.off {
		e.heard.Write(p[:n])
	}
	return n, err
}

// check wants every line to be one that the server has: no byte of a stranger's, no address.
func (e *ears) check(t *testing.T, s *Settings) {
	t.Helper()
	known := knownReplies(s)
	for _, one := range e.all {
		heard, alert, _ := strings.Cut(one.heard.String(), "\x15\x03") // of TLS, and not in words
		if len(alert) > 32 || !known.MatchString(heard) {
			t.Errorf("not our words: %q", one.heard.String())
		}
	}
}

// knownReplies matches any number of replies of the settings' persona, each whole, and no other
// text. Where one has a gap, only what we put in fits: our name, the peer's own address, a queue
// id, the date.
func knownReplies(s *Settings) *regexp.Regexp {
	gap := strings.NewReplacer("%h", regexp.QuoteMeta(s.Hostname), "%p", `[0-9a-f.:]+|unknown`,
		"%q", `[0-9A-Za-z-]+`, "%d", `[A-Z][a-z]{2}, [0-9]{2} [A-Za-z]{3} [0-9: +-]+`)
	v := s.Persona.voice()
	var lines []string
	for r := replyNone + 1; r < replyEnd; r++ {
		l := v.lines[r]
		text := strings.TrimLeft(l.enhanced+" "+l.text, " ")
		lines = append(lines, fmt.Sprintf("%d %s", l.code, gap.Replace(regexp.QuoteMeta(text))))
	}
	lines = append(lines, "250-"+gap.Replace(regexp.QuoteMeta(v.lines[replyHello].text)))
	for _, offer := range v.offers {
		lines = append(lines, "250[ -]"+offer+"( [0-9]+)?")
	}
	return regexp.MustCompile(`\A((` + strings.Join(lines, "|") + `)\r\n)*\z`)
}

// narrow makes a connection that takes little before somebody reads.
func (a *arena) narrow(t *testing.T) *client {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		control := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048)
		})
		return cmp.Or(control, err)
	}}
	conn, err := d.Dial("tcp", a.stand.serve(t, tight{listen(t)}))
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, a.ears.at(conn))
}

// tight is a listener of connections that send little ahead.
type tight struct{ net.Listener }

// Accept returns the next.
func (l tight) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(2048)
	}
	return conn, err
}

// later connects before anybody accepts, says something, and only then has the server begin.
func (a *arena) later(t *testing.T, said string) *client {
	t.Helper()
	l := listen(t)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, a.ears.at(conn))
	c.send(t, said)
	a.stand.serve(t, l)
	return c
}

// trickle says something a byte at a time, each in a segment of its own.
func (a *arena) trickle(t *testing.T, said string) {
	t.Helper()
	_ = a.socket().SetNoDelay(true)
	for i := range len(said) {
		a.send(t, said[i:i+1])
	}
}

// TestHostileTable keeps the document equal to the cases.
func TestHostileTable(t *testing.T) {
	const path = "../docs/hostile.md"
	const begin, end = "<!-- cases -->\n", "<!-- end -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the cases, between %q and %q", path, begin, end)
	}
	want := before + begin + hostileTable() + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := gocmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s differs from the cases (-want +got), see -update:\n%s", path, diff)
	}
}

func hostileTable() string {
	var b strings.Builder
	var names []string
	for _, part := range hostileParts() {
		fmt.Fprintf(&b, "\n## %s\n\n| the peer | what comes of it | tested in |\n|---|---|---|\n", part.title)
		for _, h := range part.cases {
			names = append(names, h.name)
			fmt.Fprintf(&b, "| %s | %s | %s |\n", h.name, h.what, cmp.Or(h.ways, anyWay))
		}
	}
	fmt.Fprintf(&b, "\n%d cases.\n", len(names))
	return b.String()
}

// TestHostileNames: a name says one thing, and there are as many as the product promises.
func TestHostileNames(t *testing.T) {
	var names []string
	for _, part := range hostileParts() {
		for _, h := range part.cases {
			if h.name == "" || h.what == "" || strings.ContainsAny(h.name+h.what, "|\n") {
				t.Errorf("case %q (%s) cannot stand in a table", h.name, h.what)
			}
			if len(h.events) == 0 {
				t.Errorf("case %q is seen by nobody", h.name)
			}
			names = append(names, h.name)
		}
	}
	slices.Sort(names)
	if n := len(names); n < 60 || len(slices.Compact(names)) != n {
		t.Errorf("%d cases, or two of one name", n)
	}
}

// TestKnownReplies: the judge of all replies knows ours, and no others.
func TestKnownReplies(t *testing.T) {
	s := &Settings{Hostname: "mx.traps.example", Persona: Plain}
	known := knownReplies(s)
	for text, want := range map[string]bool{
		"":                               true,
		"220 mx.traps.example ESMTP\r\n": true,
		"250-mx.traps.example\r\n250-PIPELINING\r\n250 SMTPUTF8\r\n": true,
		"250 2.0.0 OK\r\n550 5.1.1 No such user here\r\n":            true,
		"250 2.0.0 OK":                      false,
		"250 2.0.0 OK\n":                    false,
		"220 mxetraps.example ESMTP\r\n":    false,
		"550 5.1.1 <x@traps.example>\r\n":   false,
		"250 2.0.0 OK x\r\n":                false,
		"250 2.0.0 OK\r\nx\r\n":             false,
		"250-mx.traps.example\r\n250 X\r\n": false,
	} {
		if known.MatchString(text) != want {
			t.Errorf("%q: known %v", text, !want)
		}
	}
}

// soon bounds the waits of a case that waits for them.
func soon(s *Settings) {
	s.Limits.CommandTimeout, s.Limits.DataTimeout = time.Second, time.Second
}

// gone expects the end of the connection.
func (a *arena) gone(t *testing.T) {
	t.Helper()
	_ = a.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, a.in); err != nil && os.IsTimeout(err) {
		t.Fatal("the connection is still open")
	}
}
