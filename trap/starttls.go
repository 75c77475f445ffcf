package trap

import (
	"crypto/tls"
	"errors"
	"io"
	"os"
	"strings"
)

// startTLS is RFC 3207 on our side of go-smtp: it answers, shakes hands and gives go-smtp the
// encrypted connection as a new one.
func (g *guard) startTLS() {
	switch {
	case g.cmd.rest != "":
		g.answer(replyTLSWords)
	case g.c.settings.TLS == nil:
		g.answer(replyNoTLS)
	case g.tls != nil:
		g.answer(replyTLSTwice)
	case g.waiting() > 0:
		// Sent in the clear, by whoever could, to be read as if it had been encrypted.
		g.c.abuse(abuseInjection)
		g.finish(endTLS, replyTLSWords)
	default:
		g.answer(replyStartTLS)
		g.shakeHands()
	}
}

func (g *guard) shakeHands() {
	if !g.flush() {
		return
	}
	g.over = true // for this guard, whatever comes
	limits, leash := g.c.settings.Limits, &g.c.leash
	if !leash.arm(limits.CommandTimeout) {
		g.c.end(leash.stopReason())
		return
	}
	leash.armReply(limits.CommandTimeout)
	conn := tls.Server(g.Conn, g.c.settings.TLS)
	if err := conn.Handshake(); err != nil {
		g.c.end(leash.stopReason()) // if it was not the peer's fault
		g.c.failTLS(err)
		return
	}
	leash.setBusy(false) // a transaction in the clear is forgotten with the rest
	next := newGuard(g.c, conn, g.handover)
	next.tls, next.swallow = conn, 1 // RFC 3207 section 4.2: there is no second greeting
	g.handed = true
	g.handover.hand(next)
}

// failTLS ends the session over a handshake, unless it has ended for a better reason.
func (c *connection) failTLS(err error) {
	if c.why == "" {
		c.server.config.Observer.TLSFailed(c.peer(), whyNoTLS(err))
		c.end(endTLS)
	}
}

// whyNoTLS sorts the reasons; their wording is partly the peer's.
func whyNoTLS(err error) string {
	var notTLS tls.RecordHeaderError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	case errors.As(err, &notTLS):
		return "not-tls"
	}
	return "handshake"
}

// tlsName renders version and cipher suite as an Envelope has them.
func tlsName(conn *tls.Conn) string {
	if conn == nil {
		return ""
	}
	state := conn.ConnectionState()
	version := strings.ReplaceAll(tls.VersionName(state.Version), " ", "")
	return version + " " + tls.CipherSuiteName(state.CipherSuite)
}
