package trap

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// tape is a peer that says what is on it and listens to the end.
type tape struct {
	in     io.Reader
	out    bytes.Buffer
	writes []string
	from   net.Addr
}

func (t *tape) Read(p []byte) (int, error) { return t.in.Read(p) }
func (t *tape) Write(p []byte) (int, error) {
	t.writes = append(t.writes, string(p))
	return t.out.Write(p)
}
func (t *tape) Close() error                     { return nil }
func (t *tape) LocalAddr() net.Addr              { return tcp("192.0.2.25:25") }
func (t *tape) RemoteAddr() net.Addr             { return t.from }
func (t *tape) SetDeadline(time.Time) error      { return nil }
func (t *tape) SetReadDeadline(time.Time) error  { return nil }
func (t *tape) SetWriteDeadline(time.Time) error { return nil }

// playTape runs one connection and returns the peer and what the server did.
func playTape(t testing.TB, said string, change func(*Config, *Settings)) (*tape, *tray, *diary) {
	t.Helper()
	sink, observer := &tray{}, &diary{}
	settings := Settings{Hostname: "mx.traps.example", Directory: testDirectory(t)}
	settings.Limits.MessageBytes = 1 << 16
	config := Config{Sink: sink, Observer: observer, Now: noon,
		Settings: func(net.Listener) *Settings { return &settings }}
	if change != nil {
		change(&config, &settings)
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	peer := &tape{in: strings.NewReader(said), from: tcp("127.0.0.1:4711")}
	c := newConnection(s, peer, entry{"listener", settings, newSpool()})
	c.run()
	if s.budget.Memory() != 0 || s.budget.Connections() != 0 || len(s.budget.held) != 0 {
		t.Errorf("%q: budget not given back: %d bytes, %d connections, peers %v", said,
			s.budget.Memory(), s.budget.Connections(), s.budget.held)
	}
	return peer, sink, observer
}

var replies = regexp.MustCompile(`\A([2-5][0-9][0-9][ -][ -~]+\r\n)*\z`)

// FuzzDialogue: whatever a peer says, it gets replies of ours and nothing of its own, only whole
// messages are taken, and no more than it ended.
func FuzzDialogue(f *testing.F) {
	message := "HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<x@traps.example>\r\nDATA\r\n" +
		"A: b\r\n\r\nc\r\n.\r\n"
	for _, seed := range []string{
		message, message + message + "QUIT\r\n", message[:len(message)-3],
		strings.ReplaceAll(message, "\r\n", "\n"), strings.ReplaceAll(message, "\r\n", "\r\r\n"),
		"EHLO \x00\r\nMAIL FROM:<\"\r\nRCPT TO:<\"\\\"@traps.example>\r\nDATA\r\n.\r\n",
		"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00", "STARTTLS\r\n", "BDAT 3 LAST\r\nabc",
		"RSET\r\nNOOP\r\nVRFY\r\nHELP\r\nEXPN x\r\nTURN\r\nAUTH PLAIN\r\n\r\n",
		"MAIL\r\nRCPT TO:postmaster\r\nDATA x\r\n..\r\n.\r\n", "LHLO x\r\n", strings.Repeat("x", 5000),
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + message,
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, said string, lmtp bool) {
		peer, sink, observer := playTape(t, said, func(_ *Config, s *Settings) {
			s.LMTP, s.Peers = lmtp, testRules()[4].Peers
		})
		heard := peer.out.String()
		if !replies.MatchString(heard) {
			t.Fatalf("%q: no proper replies: %q", said, heard)
		}
		checkHeard(t, said, heard, sink.all(), lmtp)
		if heard := strings.ToLower(heard); strings.Contains(heard, "@") ||
			strings.Contains(heard, "smtp:") {
			t.Fatalf("%q: gives something away: %q", said, heard)
		}
		tellsNothing(t, heard)
		if observer.has("fault: session") {
			t.Fatalf("%q: panicked", said)
		}
		for _, m := range sink.all() {
			if len(m.Recipients) == 0 || m.Size < int64(len(m.Head)) {
				t.Fatalf("%q: took %+v", said, m)
			}
		}
		if most := strings.Count(said, ".\r\n"); len(sink.all()) > most {
			t.Fatalf("%q: %d messages of %d ends", said, len(sink.all()), most)
		}
	})
}

// postfixReplies is all that the usual persona has to say to the peers of the fuzz targets.
var postfixReplies = sync.OnceValue(func() *regexp.Regexp {
	return knownReplies(&Settings{Hostname: "mx.traps.example"})
})

// checkHeard: every reply is one of ours, each message was asked for, and what was called queued
// is what the sink has, neither more nor less.
func checkHeard(t *testing.T, said, heard string, taken []Message, lmtp bool) {
	t.Helper()
	if !postfixReplies().MatchString(heard) {
		t.Fatalf("%q: not our words: %q", said, heard)
	}
	if asked := strings.Count(heard, "354 "); len(taken) > asked {
		t.Fatalf("%q: %d messages, of which %d were asked for", said, len(taken), asked)
	}
	queued, oversize := strings.Count(heard, ": queued as "), 0
	for _, m := range taken {
		if m.Oversize {
			oversize++
		}
	}
	if kept := len(taken) - oversize; queued < kept || !lmtp && queued != kept {
		t.Fatalf("%q: %d messages, %d said to be queued", said, kept, queued)
	}
}

// FuzzSecure: so it is in TLS, whose peer may also end it at any point.
func FuzzSecure(f *testing.F) {
	for _, seed := range []string{
		"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n",
		"DATA\r\nSTARTTLS\r\n", "\x16\x03\x01", "RCPT TO:<x@traps.example>\r\n\r\n.\r\n", "GET / HTTP/1.1\r\n",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	change := withTLS(f)
	f.Fuzz(func(t *testing.T, said string, lmtp bool) {
		heard, sink, observer := playSecure(t, said, func(c *Config, s *Settings) {
			change(c, s)
			s.LMTP, s.Peers = lmtp, testRules()[4].Peers
		})
		checkHeard(t, said, heard, sink.all(), lmtp)
		if observer.has("fault: session") {
			t.Fatalf("%q: panicked", said)
		}
		for _, m := range sink.all() {
			if m.TLS == "" || len(m.Recipients) == 0 {
				t.Fatalf("%q: took %+v", said, m)
			}
		}
	})
}

// playSecure runs one connection that says something in TLS and then no more, and returns what it
// heard there.
func playSecure(t *testing.T, said string, change func(*Config, *Settings)) (string, *tray, *diary) {
	t.Helper()
	s := &stand{sink: &tray{}, observer: &diary{}}
	s.settings = Settings{Hostname: "mx.traps.example", Directory: testDirectory(t)}
	config := Config{Sink: s.sink, Observer: s.observer, Now: noon,
		Settings: func(net.Listener) *Settings { return &s.settings }}
	change(&config, &s.settings)
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		newConnection(server, remote{theirs, tcp("127.0.0.1:4711")},
			entry{"listener", s.settings, newSpool()}).run()
	}()
	c := newClient(t, ours)
	c.reply(t)
	c.send(t, "STARTTLS\r\n")
	c.reply(t)
	conn := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
	go func() {
		_, _ = io.WriteString(conn, said) // fails if the server has heard enough
		_ = conn.CloseWrite()
	}()
	heard, _ := io.ReadAll(conn)
	_ = conn.Close()
	<-done
	if b := server.budget; b.Memory() != 0 || b.Connections() != 0 || len(b.held) != 0 {
		t.Errorf("%q: budget not given back", said)
	}
	return string(heard), s.sink, s.observer
}

// FuzzCommand: what a command names is in its line, and no line is too odd to be split.
func FuzzCommand(f *testing.F) {
	for _, seed := range []string{"MAIL FROM:<a@b> SIZE=1", "RCPT TO:\"a b\" <x@y>", "rcpt to:<@a,@b:c@d>",
		"MAIL FROM:<<a>>", "MAIL", "MAIL FROM:<\"a>", "RCPT TO:a@b NOTIFY=NEVER", "\x00", "MAIL FROM:> <"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c := splitCommand(line)
		address, parameters := c.path("FROM")
		if !strings.Contains(line, address) || !strings.Contains(line, parameters) ||
			!strings.Contains(line, c.rest) || strings.ContainsAny(c.verb, " \t") {
			t.Errorf("%q: %q names %q with %q", line, c, address, parameters)
		}
		if n := declaredSize(parameters); n < 0 {
			t.Errorf("%q: size %d", line, n)
		}
	})
}

// FuzzBody compares the reader of content with what RFC 5321 says in two lines.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"a\r\n.\r\nb", ".\r\n", "..\r\n.\r\n",
		"a\n.\r\n\r\r\n.\r\n", ".\r."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		const end = "\r\n.\r\n"
		content, left, whole := strings.Cut("\r\n"+sent, end)
		want := strings.ReplaceAll(content+"\r\n", "\r\n.", "\r\n")[2:]
		in := bufio.NewReaderSize(strings.NewReader(sent), 16)
		got, err := readBody(newBody(in, 1<<20))
		if !whole {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%q: %v, want an unexpected end", sent, err)
			}
			return
		}
		rest, _ := io.ReadAll(in)
		if err != nil || got != want || string(rest) != left {
			t.Fatalf("%q: got %q and left %q, %v; want %q and %q", sent, got, rest, err, want, left)
		}
	})
}

// FuzzProxy: whatever a proxy says, no message is ever the proxy's own.
func FuzzProxy(f *testing.F) {
	const tail = "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\nDATA\r\n.\r\n"
	for _, h := range []string{
		"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n", "PROXY TCP6 2001:db8::7 ::1 4711 25\r\n",
		"PROXY UNKNOWN\r\n", "PROXY TCP4 ::1 ::1 1 1\r\n", "PROXY TCP6 ::ffff:192.0.2.7 ::1 1 1\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc0\x00\x02\x01\x12\x67\x00\x19",
		"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", "\r\n\r\n\x00\r\nQUIT\n\x21\x31\x00\xff", "",
	} {
		f.Add([]byte(h + tail))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		_, sink, observer := playTape(t, string(said), func(_ *Config, s *Settings) {
			s.ProxyFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		})
		if observer.has("fault: session") {
			t.Fatalf("%q: panicked", said)
		}
		for _, m := range sink.all() {
			if !m.Peer.IsValid() || m.Peer.Addr().Is4In6() || m.Proxy.String() != "127.0.0.1" ||
				m.Peer.Port() == 4711 && m.Peer.Addr() == m.Proxy {
				t.Fatalf("%q: peer %s by %s", said, m.Peer, m.Proxy)
			}
		}
	})
}

// FuzzNormalAddress: normalising once is enough, and nothing becomes somebody else's.
func FuzzNormalAddress(f *testing.F) {
	for _, seed := range []string{"a@b", `"a b"@c`, `"\"@c`, "ü@ü.example", "@", "a@b@c", `a"b@c"@d`,
		"x@xn--bcher-kva.example", "x@\xff", "I\u0307@x", "x@ß.example", "x@\u2160.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		once := NormalAddress(address)
		if again := NormalAddress(once); again != once {
			t.Errorf("%q: once %q, twice %q", address, once, again)
		}
	})
}

// TestOneWrite: each answer leaves in one write, however many lines it has.
func TestOneWrite(t *testing.T) {
	peer, _, _ := playTape(t, "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\n"+
		"RCPT TO:<y@traps.example>\r\nDATA\r\n.\r\nQUIT\r\n", nil)
	if got := len(peer.writes); got != 8 {
		t.Errorf("%d writes for 8 answers: %q", got, peer.writes)
	}
	lmtp, _, _ := playTape(t, "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\n"+
		"RCPT TO:<y@traps.example>\r\nDATA\r\n.\r\n", func(_ *Config, s *Settings) {
		s.LMTP, s.Peers, s.Persona = true, testRules()[4].Peers, Plain
	})
	last := lmtp.writes[len(lmtp.writes)-1]
	if want := "250 2.0.0 OK\r\n250 2.0.0 OK\r\n"; last != want {
		t.Errorf("last write %q, want %q", last, want)
	}
}
