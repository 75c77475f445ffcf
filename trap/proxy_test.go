package trap

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

func behindProxy(_ *Config, s *Settings) {
	s.ProxyFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// header renders a version 2 header.
func header(t testing.TB, h *proxyproto.Header) string {
	t.Helper()
	var b bytes.Buffer
	h.Version = 2
	if _, err := h.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tcp(address string) *net.TCPAddr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
}

func TestProxy(t *testing.T) {
	v2 := func(command proxyproto.ProtocolVersionAndCommand,
		family proxyproto.AddressFamilyAndProtocol, source, target net.Addr) string {
		return header(t, &proxyproto.Header{Command: command, TransportProtocol: family,
			SourceAddr: source, DestinationAddr: target})
	}
	here := tcp("127.0.0.1:25")
	for _, test := range []struct {
		name, header string
		want         string // the client, "" if none is to be had
	}{
		{"v1", "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n", "192.0.2.7:4711"},
		{"v1 IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n", "[2001:db8::7]:4711"},
		{"v1 mapped", "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4711 25\r\n", "192.0.2.7:4711"},
		{"v1 unknown", "PROXY UNKNOWN\r\n", ""},
		{"v1 unknown with addresses", "PROXY UNKNOWN 192.0.2.7 198.51.100.1 4711 25\r\n", ""},
		{"v1 unspecified", "PROXY TCP4 0.0.0.0 198.51.100.1 4711 25\r\n", ""},
		{"v2", v2(proxyproto.PROXY, proxyproto.TCPv4, tcp("192.0.2.7:4711"), here), "192.0.2.7:4711"},
		{"v2 IPv6", v2(proxyproto.PROXY, proxyproto.TCPv6, tcp("[2001:db8::7]:4711"),
			tcp("[::1]:25")), "[2001:db8::7]:4711"},
		{"v2 local", v2(proxyproto.LOCAL, proxyproto.UNSPEC, nil, nil), ""},
		{"v2 local with addresses", v2(proxyproto.LOCAL, proxyproto.TCPv4,
			tcp("192.0.2.7:4711"), here), ""},
		{"v2 datagram", v2(proxyproto.PROXY, proxyproto.UDPv4,
			&net.UDPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711},
			&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25}), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, behindProxy)
			c := dial(t, s.address)
			c.send(t, test.header)
			if test.want == "" {
				c.play(t, helo+"> MAIL FROM:<a@b>\n< 421 4.7.0 Service not available\n.")
				s.finish(t)
				if !s.observer.has("session ended: no-client") || len(s.sink.all()) != 0 {
					t.Errorf("messages %v, events:\n%s", s.sink.all(), s.observer)
				}
				return
			}
			c.play(t, data+"> x\n> .\n< 250 2.0.0 OK\n"+quit)
			s.finish(t)
			m := s.sink.all()[0]
			if m.Peer.String() != test.want || m.Proxy.String() != "127.0.0.1" {
				t.Errorf("peer %s by %s, want %s", m.Peer, m.Proxy, test.want)
			}
		})
	}
}

// TestProxyRequired: from a proxy's address nothing is said, and nobody answered, without a
// header.
func TestProxyRequired(t *testing.T) {
	for _, sent := range []string{
		"EHLO x\r\n", "PROXY TCP4 192.0.2.7\r\n", "PROXY TCP4 x y 1 2\r\n", "PROXY TCP4 ", "\r\n\r\n\x00",
		string(proxyproto.SIGV2) + "\x21\x11\x00\x00", "PROXY " + strings.Repeat("x", 200),
	} {
		s := newStand(t, behindProxy)
		c := dial(t, s.address)
		c.send(t, sent)
		_ = c.Conn.(*net.TCPConn).CloseWrite()
		if got := c.reply(t); !strings.HasSuffix(got, "EOF") && !strings.HasSuffix(got, "reset by peer") {
			t.Errorf("%q: %q, want silence", sent, got)
		}
		s.finish(t)
		if !s.observer.has("connection refused: proxy-header") || len(s.budget.held) != 0 {
			t.Errorf("%q: events:\n%s", sent, s.observer)
		}
	}
}

// TestProxyPipelined: what comes in one packet with the header is not lost.
func TestProxyPipelined(t *testing.T) {
	s := newStand(t, behindProxy)
	c := dial(t, s.address)
	c.send(t, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\nHELO x\r\nQUIT\r\n")
	c.play(t, hi+"< 250 mx.traps.example\n< 221 2.0.0 Closing connection\n.")
}

// TestProxyCaps: the cap per address is the client's, not the proxy's, and so is the reporter's
// permission.
func TestProxyCaps(t *testing.T) {
	s := newStand(t, func(c *Config, s *Settings) {
		behindProxy(c, s)
		s.Limits.ConnectionsPerIP = 1
	})
	connect := func(client string) *client {
		c := dial(t, s.address)
		c.send(t, "PROXY TCP4 "+client+" 198.51.100.1 4711 25\r\n")
		return c
	}
	first := connect("192.0.2.7")
	first.play(t, mail+"> RCPT TO:<report@reports.example>\n< 250 2.1.5 Recipient OK")
	connect("203.0.113.8").play(t, mail+
		"> RCPT TO:<report@reports.example>\n< 550 5.1.1 No such user here")
	connect("192.0.2.7").play(t, "< 421 4.7.0 Too many connections\n.")
}

// TestLMTPPeers: LMTP over TCP is for known peers alone.
func TestLMTPPeers(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.LMTP = true })
	dial(t, s.address).play(t, "< 421 4.7.0 Service not available\n.")
	s.finish(t)
	if !s.observer.has("connection refused: peer") {
		t.Errorf("events:\n%s", s.observer)
	}
}

// TestUnix: a unix socket has no peer address; its mail is marked as local.
func TestUnix(t *testing.T) {
	s := newStand(t, func(_ *Config, s *Settings) { s.LMTP = true })
	l, err := net.Listen("unix", t.TempDir()+"/lmtp.sock")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", s.serve(t, l))
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, conn).play(t, `
	< 220 mx.traps.example LMTP
	> MAIL FROM:<>
	< 250 2.1.0 Sender OK
	> RCPT TO:<x@traps.example>
	< 250 2.1.5 Recipient OK
	> DATA
	< 354 Start mail input; end with <CRLF>.<CRLF>
	> .
	< 250 2.0.0 OK`)
	s.finish(t)
	m := s.sink.all()[0]
	if !m.Local || m.Peer.IsValid() || m.Listener != l.Addr().String() {
		t.Errorf("local %v, peer %v, listener %q", m.Local, m.Peer, m.Listener)
	}
}
