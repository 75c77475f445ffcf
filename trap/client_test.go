package trap

import (
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// tool returns the path of a mail client of Debian's, or skips the test.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed (Debian: %s)", name, debian)
	}
	return path
}

// TestSwaks: a client that checks each reply, in the clear, over TLS and over LMTP.
func TestSwaks(t *testing.T) {
	swaks := tool(t, "swaks", "swaks")
	ends := slices.Clip([]string{"--proxy-source", "192.0.2.7", "--proxy-source-port", "4711",
		"--proxy-dest", "192.0.2.1", "--proxy-dest-port", "25"})
	for _, test := range []struct {
		name, protocol string
		args           []string
	}{
		{"plain", "ESMTP", nil},
		{"helo", "SMTP", []string{"--protocol", "SMTP"}},
		{"tls", "ESMTPS", []string{"--tls"}},
		{"lmtp", "LMTP", []string{"--protocol", "LMTP"}},
		{"proxy 1", "ESMTP", append(ends, "--proxy-family", "TCP4")},
		{"proxy 2", "ESMTP", append(ends, "--proxy-version", "2", "--proxy-family", "AF_INET")},
	} {
		t.Run(test.name, func(t *testing.T) {
			proxied := strings.HasPrefix(test.name, "proxy")
			s := newStand(t, func(c *Config, s *Settings) {
				withTLS(t)(c, s)
				s.LMTP, s.Peers = test.protocol == "LMTP", testRules()[4].Peers
				if proxied {
					behindProxy(c, s)
				}
			})
			host, port, _ := net.SplitHostPort(s.address)
			args := append([]string{"--server", host, "--port", port, "--ehlo", "peer.example",
				"--from", "a@b.example", "--to", "x@traps.example,y@traps.example",
				"--body", "one\n.\n..two\n"}, test.args...)
			out, err := exec.CommandContext(t.Context(), swaks, args...).CombinedOutput()
			if strings.Contains(string(out), "could not find") ||
				strings.Contains(string(out), "not available") {
				t.Skipf("swaks lacks a Perl module:\n%s", out)
			}
			if err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
			s.finish(t)
			m := s.sink.all()[0]
			if m.Protocol != test.protocol || len(m.Recipients) != 2 ||
				!strings.Contains(string(m.Head), "\r\n.\r\n..two\r\n") {
				t.Errorf("%s to %d:\n%s", m.Protocol, len(m.Recipients), m.Head)
			}
			if got := m.Peer.String(); proxied && got != "192.0.2.7:4711" {
				t.Errorf("peer %s", got)
			}
		})
	}
}

// TestSMTPSource: Postfix's own load generator, many sessions at once, also with LMTP.
func TestSMTPSource(t *testing.T) {
	source := tool(t, "smtp-source", "postfix")
	for name, more := range map[string][]string{
		"smtp": nil, "one session": {"-d"}, "helo": {"-o"}, "lmtp": {"-L"},
		"big": {"-l", "500000"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, func(_ *Config, s *Settings) {
				s.LMTP, s.Peers = name == "lmtp", testRules()[4].Peers
				s.Limits.ConnectionsPerIP = 100
			})
			args := append([]string{"-s", "10", "-m", "200", "-f", "a@b.example",
				"-t", "x@traps.example"}, more...)
			args = append(args, "inet:"+s.address)
			out, err := exec.CommandContext(t.Context(), source, args...).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Fatalf("%v:\n%s", err, out)
			}
			s.finish(t)
			if n := len(s.sink.all()); n != 200 {
				t.Errorf("%d messages, want 200", n)
			}
		})
	}
}
