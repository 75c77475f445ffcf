package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// load is the mail that one run brings, as fast as it is taken: each session waits for an answer
// before it says the next thing, as smtp-source does.
type load struct {
	to       netip.AddrPort
	sessions int
	kept     bool // one connection a session; else one a message
	secure   bool // with STARTTLS, and a full handshake each time
	length   time.Duration
	serial   *atomic.Uint64 // numbers messages, so that no two are alike
}

// bring brings it, and gives how many messages were taken and how long that took.
func (l load) bring(ctx context.Context) (taken int, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.length+patience)
	defer cancel()
	var over atomic.Bool
	end := time.AfterFunc(l.length, func() { over.Store(true) })
	defer end.Stop()
	counts := make([]int, l.sessions)
	group, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for i := range l.sessions {
		group.Go(func() (err error) {
			s := newSession(l, i)
			counts[i], err = s.run(ctx, &over)
			return err
		})
	}
	err = group.Wait()
	took = time.Since(begin)
	for _, n := range counts {
		taken += n
	}
	return taken, took, err
}

// patience is how long a server may take for anything on a machine that has other things to do.
const patience = time.Minute

// session is one connection at a time.
type session struct {
	load   load
	from   netip.Addr
	rcpt   []byte
	tls    *tls.Config
	conn   net.Conn
	in     [1024]byte
	letter []byte // with room for its number
	number []byte // in letter
}

func newSession(l load, i int) *session {
	s := &session{load: l, from: sourceOf(l.to.Addr(), i), letter: bytes.Clone(letter)}
	s.rcpt = fmt.Appendf(nil, "RCPT TO:<trap%d@%s>\r\n", i%16, domain)
	at := bytes.Index(s.letter, []byte(blank))
	s.number = s.letter[at : at+len(blank)]
	// One curve, as not all peers have the newer ones. The certificate is nobody's.
	s.tls = &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}}
	return s
}

// sourceOf spreads the sessions over the addresses of the network, where it is ours.
func sourceOf(to netip.Addr, i int) netip.Addr {
	if to.IsLoopback() {
		return to
	}
	a := to.As4()
	a[3] = byte(1 + i%200)
	return netip.AddrFrom4(a)
}

// run brings messages until over, and gives how many were taken.
func (s *session) run(ctx context.Context, over *atomic.Bool) (taken int, err error) {
	for !over.Load() {
		if s.conn == nil {
			if err := s.open(ctx); err != nil {
				return taken, err
			}
		}
		if err := s.send(); err != nil {
			_ = s.conn.Close()
			return taken, err
		}
		taken++
		if !s.load.kept || over.Load() {
			if err := s.close(); err != nil {
				return taken, err
			}
		}
	}
	if s.conn != nil {
		return taken, s.close()
	}
	return taken, nil
}

// open connects and greets.
func (s *session) open(ctx context.Context) error {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.from, 0))}
	conn, err := d.DialContext(ctx, "tcp4", s.load.to.String())
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	s.conn = conn
	if err := s.answer("220"); err != nil {
		return err
	}
	if s.load.secure {
		if err := s.secure(ctx); err != nil {
			return err
		}
	}
	return s.ask(ehlo, "250")
}

func (s *session) secure(ctx context.Context) error {
	if err := s.ask(ehlo, "250"); err != nil {
		return err
	}
	if err := s.ask(startTLS, "220"); err != nil {
		return err
	}
	conn := tls.Client(s.conn, s.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	s.conn = conn
	return nil
}

// send brings one message.
func (s *session) send() error {
	n := s.load.serial.Add(1)
	copy(s.number, blank)
	strconv.AppendUint(s.number[:0], n, 10)
	for _, step := range []struct {
		say  []byte
		want string
	}{{mailFrom, "250"}, {s.rcpt, "250"}, {data, "354"}, {s.letter, "250"}} {
		if err := s.ask(step.say, step.want); err != nil {
			return err
		}
	}
	return nil
}

// close says goodbye and waits until the server has hung up.
func (s *session) close() error {
	defer func() { s.conn = nil }()
	err := s.ask(quit, "221")
	return errors.Join(err, s.conn.Close())
}

func (s *session) ask(words []byte, want string) error {
	if _, err := s.conn.Write(words); err != nil {
		return err
	}
	return s.answer(want)
}

// answer reads a whole answer, of several lines even, which must have the code.
func (s *session) answer(want string) error {
	for n := 0; ; {
		m, err := s.conn.Read(s.in[n:])
		if n += m; isWhole(s.in[:n]) {
			if string(s.in[:3]) != want {
				return fmt.Errorf("want %s, got %q", want, s.in[:n])
			}
			return nil
		}
		if err == nil && n == len(s.in) {
			err = io.ErrShortBuffer
		}
		if err != nil {
			return fmt.Errorf("wait for %s: %w", want, err)
		}
	}
}

// isWhole tells whether an answer has had its last line, RFC 5321 section 4.2.1.
func isWhole(b []byte) bool {
	if len(b) < 5 || b[len(b)-1] != '\n' {
		return false
	}
	last := b[1+bytes.LastIndexByte(b[:len(b)-1], '\n'):]
	return len(last) > 4 && last[3] == ' '
}

// What a session says.
var (
	ehlo     = []byte("EHLO mail.sender.example\r\n")
	startTLS = []byte("STARTTLS\r\n")
	mailFrom = []byte("MAIL FROM:<offers@sender.example>\r\n")
	data     = []byte("DATA\r\n")
	quit     = []byte("QUIT\r\n")
	letter   = newLetter()
)

const (
	domain = "traps.example"
	blank  = "            " // for the number of a message
	size   = 4096           // of a message, its end included
)

// newLetter makes a message as spam is: a few lines that say where it was, a header, some text.
func newLetter() []byte {
	b := []byte("Received: from [203.0.113.9] (unknown [203.0.113.9])\r\n" +
		"\tby mail.sender.example (Postfix) with ESMTPSA id 4XyZ1w2vQ3z9s\r\n" +
		"\tfor <trap@" + domain + ">; Tue, 24 Nov 2026 09:12:44 +0000 (UTC)\r\n" +
		"From: Offers <offers@sender.example>\r\nTo: trap@" + domain + "\r\n" +
		"Subject: your invoice " + blank + "\r\nDate: Tue, 24 Nov 2026 09:12:43 +0000\r\n" +
		"Message-ID: <20261124091243.7c1d2@sender.example>\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n" +
		"X-Mailer: Mailer 3.1\r\nList-Unsubscribe: <https://sender.example/out>\r\n\r\n")
	const end = "\r\n.\r\n"
	line := strings.Repeat("buy it now, ", 6) + "\r\n"
	for len(b)+len(line)+len(end) <= size {
		b = append(b, line...)
	}
	b = append(b, strings.Repeat("x", size-len(b)-len(end))...)
	return append(b, end...)
}
