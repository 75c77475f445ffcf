package web

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// never is a time for a body that no test waits for.
const never = time.Hour

// open serves the site on a socket of this machine, and gives where.
func (s *stand) open() string {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	server, ended := &http.Server{Handler: s.handler, ReadHeaderTimeout: patience}, make(chan error, 1)
	go func() { ended <- server.Serve(s.site.Listener(l)) }()
	s.Cleanup(func() {
		if err := errors.Join(server.Close(), l.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
			s.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			s.Error(err)
		}
	})
	return l.Addr().String()
}

// peer is a connection of a visitor.
type peer struct {
	net.Conn
	*bufio.Reader
	t testing.TB
}

// Read is of what was read ahead, too.
func (p *peer) Read(b []byte) (int, error) { return p.Reader.Read(b) }

// dial connects from an address of this machine.
func (s *stand) dial(from, to string) *peer {
	s.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	c, err := d.DialContext(s.Context(), "tcp", to)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = c.Close() }) // also where the test did
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.Fatal(err)
	}
	return &peer{c, bufio.NewReader(c), s}
}

// say sends lines, and an empty one after the header.
func (p *peer) say(lines ...string) *peer {
	p.t.Helper()
	if _, err := io.WriteString(p.Conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// hear reads one answer, with its body.
func (p *peer) hear() *http.Response {
	p.t.Helper()
	w, err := http.ReadResponse(p.Reader, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err = io.Copy(io.Discard, w.Body); err != nil {
		p.t.Fatal(err)
	}
	return w
}

// isClosed waits for the end of the connection.
func (p *peer) isClosed() bool {
	_, err := p.ReadByte()
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// begin sends the head of a form, as a client of a trusted proxy, and waits until its body is
// asked for.
func (p *peer) begin(client string) int {
	p.t.Helper()
	p.say("POST /ip/198.51.100.7/dispute HTTP/1.1", "Host: bl.example", "X-Forwarded-For: "+client,
		"Content-Type: application/x-www-form-urlencoded", "Content-Length: 1000", "Expect: 100-continue")
	w := p.hear()
	if w.StatusCode == http.StatusContinue {
		if _, err := io.WriteString(p.Conn, "cl"); err != nil {
			p.t.Fatal(err)
		}
	}
	return w.StatusCode
}

var proxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/16")}

// TestSlowBodies: who sends bodies slowly holds no slot, and a network only its own part.
func TestSlowBodies(t *testing.T) {
	s := newStand(t)
	s.settings.TrustProxy, s.site.gate.bodyTime = proxy, never
	at := s.open()
	for i := range atOnceNetwork {
		if code := s.dial("127.0.0.1", at).begin(fmt.Sprintf("2001:db8:1:%x::1", i/2)); code != http.StatusContinue {
			t.Fatalf("body %d: %d", i+1, code)
		}
	}
	w := s.dial("127.0.0.1", at).say("GET /about HTTP/1.1", "Host: bl.example", "X-Forwarded-For: 2001:db8:1:99::1").hear()
	if w.StatusCode != http.StatusTooManyRequests || !w.Close {
		t.Errorf("one more of the network: %s, closed: %t", w.Status, w.Close)
	}
	for i := range 2 * atOnce {
		if code := s.dial("127.0.0.1", at).begin(fmt.Sprintf("2001:db8:%x::1", 2+i)); code != http.StatusContinue {
			t.Fatalf("body %d of another network: %d", i+1, code)
		}
	}
	w = s.dial("127.0.0.1", at).say("GET /about HTTP/1.1", "Host: bl.example", "X-Forwarded-For: 203.0.113.9").hear()
	if w.StatusCode != http.StatusOK {
		t.Errorf("while others send slowly: %s", w.Status)
	}
}

// TestBodyTime: a body has its time, and a request after it all of another.
func TestBodyTime(t *testing.T) {
	s := newStand(t)
	s.settings.TrustProxy, s.site.gate.bodyTime = proxy, time.Millisecond
	at := s.open()
	p := s.dial("127.0.0.1", at)
	p.begin("203.0.113.9")
	if w := p.hear(); w.StatusCode != http.StatusRequestTimeout || !w.Close || !p.isClosed() {
		t.Errorf("too slow: %s, closed: %t", w.Status, w.Close)
	}
	if len(s.bureau.forms) > 0 {
		t.Error("half a form was filed")
	}
	s.site.gate.bodyTime = never
	p = s.dial("127.0.0.1", at)
	for range 2 {
		p.say("POST /ip/198.51.100.7/dispute HTTP/1.1", "Host: bl.example", "Content-Length: 10",
			"Content-Type: application/x-www-form-urlencoded", "", "claim=mail")
		if w := p.hear(); w.StatusCode != http.StatusSeeOther {
			t.Errorf("in time: %s", w.Status)
		}
	}
}

// TestDeadlineEnds: the time of a body is not that of the work after it.
func TestDeadlineEnds(t *testing.T) {
	var deadlines []time.Time
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(strings.NewReader("q=x")))
	if err != nil {
		t.Fatal(err)
	}
	if err := newGate(time.Now).read(&deadlined{at: &deadlines}, r); err != nil {
		t.Fatal(err)
	}
	if len(deadlines) != 2 || !deadlines[1].IsZero() || time.Until(deadlines[0]) > bodyTime {
		t.Errorf("read until %v", deadlines)
	}
}

// deadlined notes deadlines.
type deadlined struct {
	http.ResponseWriter
	at *[]time.Time
}

func (d *deadlined) SetReadDeadline(t time.Time) error { *d.at = append(*d.at, t); return nil }

// TestConnections: a network has its part of the connections, a proxy as many as it likes, and a
// place that is given back is there for the next.
func TestConnections(t *testing.T) {
	s := newStand(t)
	s.settings.TrustProxy = []netip.Prefix{netip.MustParsePrefix("127.0.1.0/24")}
	at := s.open()
	idle := s.dial("127.0.0.1", at)
	for i := range connectionsOfNetwork - 1 {
		s.dial(fmt.Sprintf("127.0.0.%d", 2+i), at)
	}
	if !s.dial("127.0.0.99", at).isClosed() {
		t.Error("one more connection of the network stays open")
	}
	ask := func(from string, lines ...string) {
		t.Helper()
		w := s.dial(from, at).say(append([]string{"GET /about HTTP/1.1", "Host: bl.example"}, lines...)...).hear()
		if w.StatusCode != http.StatusOK {
			t.Errorf("from %s: %s", from, w.Status)
		}
	}
	ask("127.0.2.1")
	for range 2 * connectionsOfNetwork {
		s.dial("127.0.1.1", at)
	}
	ask("127.0.1.1", "X-Forwarded-For: 203.0.113.9")
	idle.say("GET /about HTTP/1.1", "Host: bl.example", "Connection: close").hear()
	if !idle.isClosed() {
		t.Error("a connection that was to be closed is open")
	}
	ask("127.0.0.1")
}

// TestSlowReaders: who reads an answer slowly holds no slot.
func TestSlowReaders(t *testing.T) {
	s := newStand(t)
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	for i := range 2 * atOnce {
		go func() {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "/about", nil) // of constants
			r.RemoteAddr = fmt.Sprintf("203.0.%d.1:1", i)
			s.handler.ServeHTTP(&slowly{http.Header{}, begun, end}, r)
			done <- struct{}{}
		}()
		<-begun
	}
	if w := s.ask("GET", "/about"); w.Code != http.StatusOK {
		t.Errorf("while others read slowly: %d", w.Code)
	}
	close(end)
	for range 2 * atOnce {
		<-done
	}
}

// slowly is sent an answer until end.
type slowly struct {
	header     http.Header
	begun, end chan struct{}
}

func (s *slowly) Header() http.Header { return s.header }
func (s *slowly) WriteHeader(int)     { s.begun <- struct{}{}; <-s.end }

func (s *slowly) Write(p []byte) (int, error) { return len(p), nil }

// TestHost: a form counts if it was sent to our own name or to none, whatever its browser thinks
// of where it came from. Pages are for all.
func TestHost(t *testing.T) {
	for _, test := range []struct {
		base, host string
		taken      bool
	}{
		{"https://bl.example", "bl.example", true},
		{"https://bl.example", "BL.example.:8443", true},
		{"https://bl.example:8443/list", "bl.example", true},
		{"https://bl.example", "192.0.2.80:8080", true},
		{"https://bl.example", "[2001:db8::80]", true},
		{"https://bl.example", "localhost:8080", true},
		{"", "127.0.0.1:8080", true},
		{"https://bl.example", "evil.example", false},
		{"https://bl.example", "evil.example:8080", false},
		{"https://bl.example", "bl.example.evil.example", false},
		{"https://bl.example", "evil.example/bl.example", false},
		{"https://bl.example", "evil.example@bl.example", false},
		{"https://bl.example", "192.0.2.80.evil.example", false},
		{"https://bl.example", "", false},
		{"", "evil.example", false},
		{"", "", false},
	} {
		t.Run(test.base+" "+test.host, func(t *testing.T) {
			s := newStand(t)
			s.settings.BaseURL = test.base
			host := func(r *http.Request) { r.Host = test.host }
			origin := header("Origin", "http://"+test.host)
			want := map[bool]int{true: http.StatusSeeOther, false: http.StatusMisdirectedRequest}[test.taken]
			w := s.ask("POST", "/ip/198.51.100.7/dispute", host, origin, form("claim=mail"))
			if w.Code != want || (len(s.bureau.forms) > 0) != test.taken {
				t.Errorf("got %d, %d forms; want %d", w.Code, len(s.bureau.forms), want)
			}
			if w := s.ask("GET", "/about", host); w.Code != http.StatusOK {
				t.Errorf("a page: %d", w.Code)
			}
		})
	}
}

// TestMethods: who asks in a way that a page does not have is told which it has.
func TestMethods(t *testing.T) {
	for target, allow := range map[string]string{"/": "GET, HEAD, POST", "/about": "GET, HEAD",
		"/ip/198.51.100.7": "GET, HEAD", "/api/v1/ip/198.51.100.7": "GET, HEAD", "/style.css": "GET, HEAD",
		"/ip/198.51.100.7/dispute": "GET, HEAD, POST", "/dispute/open": "GET, HEAD, POST"} {
		for _, method := range []string{"OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "NONSENSE", "POST"} {
			if slices.Contains(strings.Split(allow, ", "), method) {
				continue
			}
			w := newStand(t).ask(method, target)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allow {
				t.Errorf("%s %s: %d, allowed are %q", method, target, w.Code, w.Header().Get("Allow"))
			}
		}
	}
}
