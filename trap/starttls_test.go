package trap

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync"
	"testing"
	"time"
)

// testCertificate is made once: a key takes long to find.
var testCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	return SelfSigned("mx.traps.example", noon())
})

func withTLS(t testing.TB) func(*Config, *Settings) {
	t.Helper()
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return func(_ *Config, s *Settings) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
}

const (
	offersTLS = "< 250-mx.traps.example|250-PIPELINING|250-SIZE 10485760|250-STARTTLS|" +
		"250-8BITMIME|250-ENHANCEDSTATUSCODES|250-DSN|250 SMTPUTF8\n"
	offersNoTLS = "< 250-mx.traps.example|250-PIPELINING|250-SIZE 10485760|250-8BITMIME|" +
		"250-ENHANCEDSTATUSCODES|250-DSN|250 SMTPUTF8\n"
)

// TestStartTLS: RFC 3207 section 4.2: no second greeting, everything forgotten, no second offer.
func TestStartTLS(t *testing.T) {
	s := newStand(t, withTLS(t))
	plain := dial(t, s.address)
	plain.play(t, hi+"> EHLO in-the-clear\n"+offersTLS+
		"> MAIL FROM:<clear@b.example>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<clear@traps.example>\n< 250 2.1.5 Recipient OK")
	c := plain.startTLS(t)
	c.play(t, "> DATA\n< 503 5.5.1 Bad sequence of commands\n"+
		"> EHLO secret\n"+offersNoTLS+
		"> STARTTLS\n< 503 5.5.1 Bad sequence of commands\n"+
		"> MAIL FROM:<a@b.example>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"+
		"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n"+
		"> x\n> .\n< 250 2.0.0 OK\n"+quit)
	s.finish(t)
	m := s.sink.all()[0]
	if m.Helo != "secret" || m.Protocol != "ESMTPS" || len(m.Recipients) != 1 ||
		m.TLS != "TLS1.3 TLS_AES_128_GCM_SHA256" {
		t.Errorf("helo %q, protocol %s, TLS %q, to %v", m.Helo, m.Protocol, m.TLS, m.Recipients)
	}
	if !s.observer.has("session ended: quit") {
		t.Errorf("events:\n%s", s.observer)
	}
}

// TestStartTLSWithoutHello: nothing said in the clear counts, a missing HELO neither.
func TestStartTLSWithoutHello(t *testing.T) {
	s := newStand(t, withTLS(t))
	plain := dial(t, s.address)
	plain.play(t, hi)
	c := plain.startTLS(t)
	c.play(t, "> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"+
		"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n> .\n< 250 2.0.0 OK\n"+quit)
	s.finish(t)
	if m := s.sink.all()[0]; m.Helo != "" || m.Protocol != "ESMTPS" {
		t.Errorf("helo %q, protocol %s", m.Helo, m.Protocol)
	}
}

func TestStartTLSRefused(t *testing.T) {
	for _, test := range []struct{ name, script, event string }{
		{"injection", hi + "! STARTTLS\\r\\nEHLO injected\\r\\n\n" +
			"< 501 5.5.4 Syntax error in parameters\n.", "abuse: injection"},
		{"parameter", hi + "> STARTTLS now\n< 501 5.5.4 Syntax error in parameters\n" + quit,
			"session ended: quit"},
		{"no handshake", hi + "> STARTTLS\n< 220 2.0.0 Ready to start TLS\n> EHLO still-plain",
			"tls failed: not-tls"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, withTLS(t))
			s.observer.ended = make(chan struct{}, 1)
			dial(t, s.address).play(t, test.script)
			<-s.observer.ended
			if !s.observer.has(test.event) {
				t.Errorf("events:\n%s", s.observer)
			}
		})
	}
	t.Run("gone", func(t *testing.T) {
		s := newStand(t, withTLS(t))
		s.observer.ended = make(chan struct{}, 1)
		c := dial(t, s.address)
		c.play(t, hi+"> STARTTLS\n< 220 2.0.0 Ready to start TLS")
		_ = c.Close()
		<-s.observer.ended
		if !s.observer.has("tls failed: closed") || !s.observer.has("session ended: tls") {
			t.Errorf("events:\n%s", s.observer)
		}
	})
}

func TestStartTLSBehindProxy(t *testing.T) {
	s := newStand(t, func(c *Config, s *Settings) {
		withTLS(t)(c, s)
		behindProxy(c, s)
	})
	plain := dial(t, s.address)
	plain.send(t, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n")
	plain.play(t, hi)
	c := plain.startTLS(t)
	c.play(t, "> MAIL FROM:<>\n< 250 2.1.0 Sender OK\n"+
		"> RCPT TO:<x@traps.example>\n< 250 2.1.5 Recipient OK\n"+
		"> DATA\n< 354 Start mail input; end with <CRLF>.<CRLF>\n> .\n< 250 2.0.0 OK\n"+quit)
	s.finish(t)
	if m := s.sink.all()[0]; m.Peer.Addr().String() != "192.0.2.7" || m.TLS == "" {
		t.Errorf("peer %s, TLS %q", m.Peer, m.TLS)
	}
}

// TestSelfSigned: the certificate is the one of any mail server.
func TestSelfSigned(t *testing.T) {
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := leaf.VerifyHostname("mx.traps.example"); err != nil {
		t.Error(err)
	}
	if got := leaf.Subject.String(); got != "CN=mx.traps.example" || leaf.Issuer.String() != got {
		t.Errorf("subject %s, issuer %s", got, leaf.Issuer)
	}
	if leaf.NotBefore != noon() || leaf.NotAfter.Sub(noon()) != 3650*24*time.Hour {
		t.Errorf("valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	}
	if leaf.IsCA || leaf.PublicKeyAlgorithm != x509.RSA {
		t.Errorf("CA %v, key %s", leaf.IsCA, leaf.PublicKeyAlgorithm)
	}
	for _, mark := range []string{"trapline", "golang", "acme"} {
		if bytes.Contains(bytes.ToLower(certificate.Certificate[0]), []byte(mark)) {
			t.Errorf("the certificate says %q", mark)
		}
	}
	other, err := SelfSigned("mx.traps.example", noon())
	if err != nil {
		t.Fatal(err)
	}
	again, err := x509.ParseCertificate(other.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if leaf.SerialNumber.Cmp(again.SerialNumber) == 0 {
		t.Error("two certificates have one serial number")
	}
	if _, err := SelfSigned(strings.Repeat("ü", 3), noon()); err == nil {
		t.Error("a name that no certificate can hold was taken")
	}
}

// TestInjectionBetweenBuffers: content is read through a second buffer, and what came behind
// STARTTLS may still be in the first one when the second is empty.
func TestInjectionBetweenBuffers(t *testing.T) {
	const command = "\r\n.\r\nSTARTTLS\r\n"
	s, c := pipeStand(t, withTLS(t))
	c.play(t, data)
	c.send(t, strings.Repeat("x", contentBytes-len(command)))
	c.send(t, command+"EHLO injected\r\n")
	c.play(t, "< 250 2.0.0 OK\n< 501 5.5.4 Syntax error in parameters\n.")
	s.finish(t)
	if !s.observer.has("abuse: injection") {
		t.Errorf("events:\n%s", s.observer)
	}
}
