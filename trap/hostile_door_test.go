package trap

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

func proxyCases() []hostile {
	client := tcp("192.0.2.7:4711")
	v2 := func(t *testing.T, command proxyproto.ProtocolVersionAndCommand, tlvs int) string {
		h := &proxyproto.Header{Command: command, TransportProtocol: proxyproto.TCPv4,
			SourceAddr: client, DestinationAddr: tcp("198.51.100.1:25")}
		if tlvs > 0 {
			if err := h.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_NOOP,
				Value: make([]byte, tlvs)}}); err != nil {
				t.Fatal(err)
			}
		}
		return header(t, h)
	}
	mailFrom := func(t *testing.T, a *arena) {
		a.play(t, data+taken+quit)
		if got := a.stand.sink.all()[0]; got.Peer.String() != client.String() {
			t.Errorf("peer %s, want %s", got.Peer, client)
		}
	}
	refused := func(said string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.send(t, said)
			a.play(t, ".")
		}
	}
	const closed, noClient = "closed without a word", "421 4.7.0 at MAIL; never the proxy's own address"
	cases := []hostile{
		{name: "no header", what: closed, talk: refused("EHLO x\r\n")},
		{name: "half a header, then silence", what: closed + " when the time is over", change: soon,
			talk: refused("PROXY TCP4 192.0.2.7 ")},
		{name: "a version 1 header longer than its 107 bytes", what: closed,
			talk: refused("PROXY TCP6 " + strings.Repeat("0", 120) + "\r\n")},
		{name: "a version 1 header that names no address", what: closed,
			talk: refused("PROXY TCP4 x y 1 2\r\n")},
		{name: "a version 2 header shorter than its addresses", what: closed,
			talk: refused(string(proxyproto.SIGV2) + "\x21\x11\x00\x04\x00\x00\x00\x00")},
		{name: "a version 2 header with 64 KiB of extras", what: closed,
			talk: refused(string(proxyproto.SIGV2) + "\x21\x11\xff\xff" + strings.Repeat("x", 100))},
		{name: "a version 2 signature that goes wrong at its end", what: closed,
			talk: refused("\r\n\r\n\x00\r\nQUIT\r\x21\x11\x00\x00")},
	}
	for i := range cases {
		cases[i].events = []string{"connection refused: proxy-header"}
	}
	cases = append(cases, []hostile{
		{name: "a version 1 header, a byte at a time", what: "read, however many packets it takes",
			taken: 1, talk: func(t *testing.T, a *arena) {
				a.trickle(t, proxyHeader)
				mailFrom(t, a)
			}},
		{name: "a version 2 header, a byte at a time", what: "read, however many packets it takes",
			taken: 1, talk: func(t *testing.T, a *arena) {
				a.trickle(t, v2(t, proxyproto.PROXY, 0))
				mailFrom(t, a)
			}},
		{name: "a version 2 header with 4 KB of extras", what: "read and dropped",
			taken: 1, talk: func(t *testing.T, a *arena) {
				a.send(t, v2(t, proxyproto.PROXY, 4000))
				mailFrom(t, a)
			}},
		{name: "a second header behind the first", what: "500: it is a command; the first stays true",
			taken: 1, talk: func(t *testing.T, a *arena) {
				a.send(t, proxyHeader+"PROXY TCP4 203.0.113.9 198.51.100.1 4711 25\r\n")
				a.play(t, hi+"< 500 5.5.2 Command unrecognized\n"+greeted(data)+taken+quit)
				if got := a.stand.sink.all()[0]; got.Peer.String() != client.String() {
					t.Errorf("peer %s, want %s", got.Peer, client)
				}
			}, events: []string{"abuse: proxy"}},
		{name: "LOCAL, which names no client", what: noClient, talk: func(t *testing.T, a *arena) {
			a.send(t, v2(t, proxyproto.LOCAL, 0))
			a.play(t, helo+"> MAIL FROM:<>\n"+foreign)
		}, events: []string{"session ended: no-client"}},
		{name: "UNKNOWN, which names no client", what: noClient, talk: func(t *testing.T, a *arena) {
			a.send(t, "PROXY UNKNOWN\r\n")
			a.play(t, helo+"> MAIL FROM:<>\n"+foreign)
		}, events: []string{"session ended: no-client"}},
	}...)
	for i := range cases {
		cases[i].raw, cases[i].ways = true, viaProxy
		if len(cases[i].events) == 0 {
			cases[i].events = []string{endOfQuit}
		}
	}
	return cases
}

const ready = "> STARTTLS\n< 220 2.0.0 Ready to start TLS\n"

func tlsCases() []hostile {
	const words = "< 501 5.5.4 Syntax error in parameters\n"
	handshake := func(config *tls.Config) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.play(t, ready)
			a.ears.deaf(a.Conn)
			if err := tls.Client(a.Conn, config).HandshakeContext(t.Context()); err == nil {
				t.Error("hands were shaken")
			}
			a.gone(t)
		}
	}
	after220 := func(said string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.play(t, ready)
			a.send(t, said)
			a.halfClose(t)
			a.gone(t)
		}
	}
	cases := []hostile{
		{name: "a command in one packet with STARTTLS", what: "501 and closed: it could be anybody's",
			script: "! STARTTLS\\r\\nMAIL FROM:<injected@b.example>\\r\\n\n" + words + ".",
			events: []string{"abuse: injection", "session ended: tls"}},
		{name: "a piece of a command in one packet with STARTTLS", what: "501 and closed",
			script: "! STARTTLS\\r\\nM\n" + words + ".", events: []string{"abuse: injection"}},
		{name: "a command instead of a handshake", what: "an alert and closed; it is not read as a command",
			talk: after220("EHLO x\r\nMAIL FROM:<>\r\n"), events: []string{"tls failed: not-tls"}},
		{name: "goes instead of a handshake", what: "counted",
			talk: func(t *testing.T, a *arena) { leaves(t, a, ready) }, events: []string{"tls failed: closed"}},
		{name: "silence instead of a handshake", what: "closed when the time for a command is over",
			change: soon, talk: func(t *testing.T, a *arena) {
				a.play(t, ready)
				a.gone(t)
			}, events: []string{"tls failed: timeout", "session ended: tls"}},
		{name: "half a ClientHello", what: "counted as closed",
			talk: after220("\x16\x03\x01\x02\x00\x01\x00"), events: []string{"tls failed: closed"}},
		{name: "a protocol version that we do not speak", what: "an alert and closed",
			talk: handshake(&tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10,
				MaxVersion: tls.VersionTLS10, ServerName: "x"}), events: []string{"tls failed: handshake"},
			change: func(s *Settings) {
				s.TLS = s.TLS.Clone()
				s.TLS.MinVersion = tls.VersionTLS12
			}},
		{name: "no cipher suite in common", what: "an alert and closed",
			talk: handshake(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
				CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}),
			change: func(s *Settings) {
				s.TLS = s.TLS.Clone()
				s.TLS.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
			}, events: []string{"tls failed: handshake"}},
		{name: "does not accept our certificate", what: "counted; most then come again in the clear",
			talk:   handshake(&tls.Config{ServerName: "mx.traps.example", RootCAs: x509.NewCertPool()}),
			events: []string{"tls failed: handshake"}},
		{name: "words behind STARTTLS", what: "501, and goes on", script: "> STARTTLS now\n" + words + quit,
			events: []string{endOfQuit}},
		{name: "a transaction before STARTTLS", what: "forgotten with all that was said in the clear",
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(rcpt))
				a.secure(t)
				a.play(t, "> DATA\n< 503 5.5.1 Bad sequence of commands\n"+quit)
			}, events: []string{endOfQuit}},
	}
	for i := range cases {
		cases[i].ways = inClear | viaProxy
	}
	return append(cases,
		hostile{name: "STARTTLS within TLS", what: "503, and goes on", ways: inTLS,
			script: "> STARTTLS\n< 503 5.5.1 Bad sequence of commands\n" + quit,
			events: []string{endOfQuit}},
		hostile{name: "junk between the records", what: "an alert and closed; no message", ways: inTLS,
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(data))
				if _, err := a.socket().Write([]byte("x\r\n.\r\n")); err != nil {
					t.Fatal(err)
				}
				a.gone(t)
			}, events: []string{"message not taken: broken", "session ended: tls"}},
		hostile{name: "cuts TLS off without saying so", what: "no message: the rest may have been cut",
			ways: inTLS, talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(data))
				a.send(t, "x\r\n")
				_ = a.socket().CloseWrite()
				a.gone(t)
			}, events: []string{"message not taken: broken", endClose}})
}
