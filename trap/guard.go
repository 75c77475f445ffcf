package trap

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// guard is the net.Conn that go-smtp talks to, and stands between it and the peer.
//
// Inwards it passes one command at a time, and of that only what cannot be misread: a verb that
// go-smtp knows, with an argument of ours. What the peer really said waits in cmd for the
// session. Outwards it reads nothing but the code of what go-smtp says, puts our own words in
// its place, and sends each answer in one write when go-smtp asks for the next command. The
// content of a message does not pass at all: the session reads it from here (see body), and
// go-smtp is shown an empty one.
//
// After STARTTLS a second guard takes over the connection, so that RFC 3207's duty to forget all
// that was said in the clear needs no code.
type guard struct {
	net.Conn // for the addresses; reading, writing and closing are ours
	c        *connection
	handover *handover     // gives go-smtp the next guard
	tls      *tls.Conn     // nil in the clear
	in       *bufio.Reader // from Conn
	small    *bufio.Reader // what in was, while a large one is borrowed

	cmd        command  // the one being followed
	hello      command  // the last one of HELO, EHLO, LHLO that was answered 250
	introduced bool     // go-smtp has had a HELO, be it one of ours
	inward     string   // what go-smtp has yet to read
	out        []byte   // what the peer has yet to be told
	swallow    int      // how many of the next answers the peer did not ask for
	verdict    reply    // the session's, in place of whatever go-smtp makes of it
	session    *session // of go-smtp; nil before HELO
	over       bool     // nothing more is read
	handed     bool     // the next guard owns the connection
	closed     bool
}

func newGuard(c *connection, conn net.Conn, h *handover) *guard {
	// The buffer is as long as the longest command line, RFC 5321 section 4.5.3.1.4.
	return &guard{Conn: conn, c: c, handover: h, in: bufio.NewReaderSize(conn, lineBytes),
		cmd: command{verb: "connect"}}
}

// Read gives go-smtp its next command, once the answer to the last one is on its way. All ends
// look alike to it: io.EOF.
func (g *guard) Read(p []byte) (n int, err error) {
	defer g.survive(&n, &err)
	for g.inward == "" {
		if !g.flush() || g.over {
			return 0, io.EOF
		}
		text, tooLong, err := g.readLine()
		if err != nil {
			g.broken(err)
			continue
		}
		g.follow(text, tooLong)
	}
	n = copy(p, g.inward)
	g.inward = g.inward[n:]
	return n, nil
}

// survive ends the session that panicked, and no other: go-smtp catches only what happens while it
// acts on a command, not while it reads one.
func (g *guard) survive(n *int, err *error) {
	if fault := recover(); fault != nil {
		g.c.server.config.Observer.Fault("session", fmt.Sprint(fault))
		g.c.end(endFault)
		g.stop()
		*n, *err = 0, io.EOF
	}
}

// Write takes a line of go-smtp's answer. Only the last of several counts.
func (g *guard) Write(p []byte) (int, error) {
	if len(p) < 4 || p[3] == '-' || g.over {
		return len(p), nil
	}
	if g.swallow > 0 {
		g.swallow--
		return len(p), nil
	}
	code := int(p[0]-'0')*100 + int(p[1]-'0')*10 + int(p[2]-'0')
	g.deliver(code)
	return len(p), nil
}

// Close sends what is left to say and closes the connection, unless another guard has it.
func (g *guard) Close() error {
	if g.closed || g.handed {
		return nil
	}
	g.closed = true
	g.flush()
	g.stop()
	g.c.end(endClosed)
	g.handover.hangUp()
	return g.Conn.Close()
}

// deliver answers the peer: the session's verdict if there is one, else our words for the code.
func (g *guard) deliver(code int) {
	switch {
	case g.verdict != replyNone && g.c.code(g.verdict) == code:
		g.answer(g.verdict)
	case g.cmd.verb == "connect":
		g.greet()
	case code == 250 && isHello(g.cmd.verb):
		g.welcome()
	default:
		g.c.endWith(code)
		g.answer(g.translate(code))
	}
}

// greet says the first line of a session.
func (g *guard) greet() {
	line := replyGreeting
	if g.c.settings.LMTP {
		line = replyGreetingLMTP
	}
	g.out = g.c.say(g.out, line)
}

// welcome answers HELO, EHLO and LHLO. The peer's name is not repeated.
func (g *guard) welcome() {
	g.hello, g.introduced = g.cmd, true
	if g.cmd.verb == "HELO" {
		g.answer(replyHello)
		return
	}
	g.out = g.c.sayOffers(g.out, g.tls != nil)
	g.charge(replyOK)
}

// answer queues a reply. A 421 is the last one.
func (g *guard) answer(r reply) {
	g.out = g.c.say(g.out, r)
	if g.c.code(r) == 421 {
		g.stop()
		return
	}
	g.charge(r)
}

func (g *guard) charge(r reply) {
	if !g.c.tolerate(r) {
		g.finish(endErrors, replyErrors)
	}
}

// finish ends the session for a reason, with a last reply.
func (g *guard) finish(why string, last reply) {
	g.c.end(why)
	g.out = g.c.say(g.out, last)
	g.stop()
}

// stop: go-smtp gets nothing more to read, and what it says is no longer heard.
func (g *guard) stop() {
	g.over = true
	g.inward = ""
}

// flush sends what is queued in one write.
func (g *guard) flush() bool {
	if len(g.out) == 0 {
		return true
	}
	g.c.leash.armReply(g.c.settings.Limits.CommandTimeout)
	_, err := g.Conn.Write(g.out)
	g.out = g.out[:0]
	if err != nil {
		g.stop()
		g.c.end(g.whyGone(err))
		// A TLS connection would take its time to say good-bye to a peer that does not read.
		_ = g.c.leash.raw.Close()
	}
	return err == nil
}

// readLine reads one command, whatever ends its line: strictness is for the content alone. Of a
// line that is too long only the beginning is returned.
func (g *guard) readLine() (text string, tooLong bool, err error) {
	if !g.c.leash.arm(g.c.settings.Limits.CommandTimeout) {
		return "", false, os.ErrDeadlineExceeded
	}
	g.giveBack()
	if first, err := g.in.Peek(1); err != nil || first[0] == handshakeByte {
		return string(first), false, err
	}
	piece, err := g.in.ReadSlice('\n')
	text = string(piece)
	g.c.bytes += int64(len(piece))
	for errors.Is(err, bufio.ErrBufferFull) && !g.c.hasHadEnough() {
		tooLong = true
		piece, err = g.in.ReadSlice('\n')
		g.c.bytes += int64(len(piece))
	}
	if g.c.hasHadEnough() {
		err = errTooMuch
	}
	return strings.TrimRight(text, "\r\n"), tooLong, err
}

// broken ends the session that has nothing more to read: told to stop, too slow, or gone.
func (g *guard) broken(err error) {
	g.stop()
	switch why := g.c.leash.stopReason(); {
	case why != "":
		g.finish(why, replyStopping)
	case errors.Is(err, os.ErrDeadlineExceeded):
		g.finish(endTimeout, replyTimeout)
	case errors.Is(err, errTooMuch):
		g.finish(endBytes, replyErrors)
	default:
		g.c.end(g.whyGone(err))
	}
}

// whyGone says how a connection ended that can no longer be read or written.
func (g *guard) whyGone(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return endTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return endReset
	case g.tls == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return endClosed
	}
	return endTLS // broken records, or an alert
}
