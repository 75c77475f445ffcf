package trap

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// bare is the least that go-smtp can be without us: the peer of the benchmark.
type bare struct{}

func (bare) NewSession(*smtp.Conn) (smtp.Session, error) { return bare{}, nil }
func (bare) Mail(string, *smtp.MailOptions) error        { return nil }
func (bare) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (bare) Reset()                                      {}
func (bare) Logout() error                               { return nil }
func (bare) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// nothing takes all messages and keeps none.
type nothing struct{}

func (nothing) Accept(context.Context, *Message) error { return nil }

// BenchmarkSession measures whole sessions with one message each, ours against the bare library.
func BenchmarkSession(b *testing.B) {
	for name, size := range map[string]int{"4KiB": 4 << 10, "1MiB": 1 << 20} {
		content := strings.Repeat(strings.Repeat("x", 62)+"\r\n", size/64)
		b.Run("trap/"+name, func(b *testing.B) {
			s := newStand(b, func(c *Config, s *Settings) {
				c.Sink, c.Observer = nothing{}, &diary{mute: true}
				s.Limits.ConnectionsPerIP = 1000
			})
			benchmarkSessions(b, s.address, content)
		})
		b.Run("bare/"+name, func(b *testing.B) {
			l := listen(b)
			server := smtp.NewServer(bare{})
			done := make(chan error, 1)
			go func() { done <- server.Serve(l) }()
			b.Cleanup(func() {
				_ = server.Close()
				if err := <-done; err != nil {
					b.Error(err)
				}
			})
			benchmarkSessions(b, l.Addr().String(), content)
		})
	}
}

func benchmarkSessions(b *testing.B, address, content string) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := benchmarkSession(address, content); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func benchmarkSession(address, content string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for _, line := range []string{"", "HELO x\r\n", "MAIL FROM:<>\r\n",
		"RCPT TO:<x@traps.example>\r\n", "DATA\r\n", content + ".\r\n", "QUIT\r\n"} {
		if _, err := io.WriteString(conn, line); err != nil {
			return err
		}
		if _, err := in.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}
