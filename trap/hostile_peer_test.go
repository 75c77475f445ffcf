package trap

import (
	"io"
	"strings"
	"testing"
	"time"
)

// greeted is a script of other tests without the greeting, which every case has behind it.
func greeted(script string) string { return strings.TrimPrefix(script, hi) }

const (
	ok         = "< 250 2.0.0 OK\n"
	taken      = "> x\n> .\n" + ok
	foreign    = "< 421 4.7.0 Service not available\n."
	timedOut   = "< 421 4.4.2 Timeout\n."
	endClose   = "session ended: closed"
	endOfQuit  = "session ended: quit"
	endOfTime  = "session ended: timeout"
	endForeign = "session ended: protocol"
)

// leaves plays a script and hangs up.
func leaves(t *testing.T, a *arena, script string) {
	if script != "" {
		a.play(t, script)
	}
	_ = a.Close()
}

func slowCases() []hostile {
	const whole = "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<x@traps.example>\r\nDATA\r\nx\r\n.\r\n"
	return []hostile{
		{name: "connects and closes without a word", what: "counted as a session that did nothing",
			talk:   func(t *testing.T, a *arena) { leaves(t, a, "") },
			events: []string{endClose, "session had: 0 commands, 0 messages, 0 bytes"}, ways: inClear},
		{name: "says QUIT and nothing else", what: "221, counted",
			script: quit, events: []string{endOfQuit}},
		{name: "says HELO and goes", what: "counted as a session without mail",
			talk: func(t *testing.T, a *arena) { leaves(t, a, greeted(helo)) }, events: []string{endClose}},
		{name: "tries a recipient and goes", what: "answered truly; nothing is recorded",
			talk: func(t *testing.T, a *arena) { leaves(t, a, greeted(rcpt)) }, events: []string{endClose}},
		{name: "resets the connection", what: "counted apart from a close",
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(helo))
				a.reset()
			}, events: []string{"session ended: reset"}},
		{name: "resets the connection within content", what: "no message, counted as broken",
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(data))
				a.send(t, "half of it\r\n")
				a.reset()
			}, events: []string{"message not taken: broken", "session ended: reset"}},
		{name: "closes its half behind a whole dialogue", what: "every answer is given, the message taken",
			talk: func(t *testing.T, a *arena) {
				a.send(t, whole)
				a.halfClose(t)
				a.play(t, "< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n< 250 2.1.5 Recipient OK\n"+
					"< 354 Start mail input; end with <CRLF>.<CRLF>\n"+ok+".")
			}, taken: 1, events: []string{endClose}},
		{name: "closes its half within content", what: "no message, even behind a lone dot",
			talk: func(t *testing.T, a *arena) {
				a.play(t, greeted(data))
				a.send(t, "x\r\n.\r")
				a.halfClose(t)
				a.play(t, ".")
			}, events: []string{"message not taken: broken", endClose}},
		{name: "is silent", what: "421 4.4.2 when the time for a command is over",
			change: soon, script: timedOut, events: []string{endOfTime}},
		{name: "sends half a command", what: "421 4.4.2; more bytes give no more time",
			change: soon, script: "! HEL\n" + timedOut, events: []string{endOfTime}},
		{name: "stops in the middle of content", what: "421 4.4.2; no message",
			change: soon, script: greeted(data) + "! half a line\n" + timedOut,
			events: []string{"message not taken: timeout", endOfTime}},
		{name: "stays beyond the end of the session", what: "421 4.4.2, whatever it does",
			change: func(s *Settings) { s.Limits.SessionTimeout = time.Second }, script: greeted(data) + timedOut,
			events: []string{"message not taken: timeout", endOfTime}},
		{name: "never reads its answers", what: "the session ends when an answer has waited too long",
			change: soon, ways: inClear | viaProxy, raw: true, talk: neverReads,
			events: []string{endOfTime}},
		{name: "talks before the greeting", what: "seen and counted, its mail taken",
			ways: inClear | viaProxy, raw: true, taken: 1, events: []string{"abuse: early", endOfQuit},
			talk: func(t *testing.T, a *arena) {
				said := "HELO x\r\n" // nothing behind it: that would be seen as well
				if a.way == viaProxy {
					said = proxyHeader + said
				}
				a.later(t, said).play(t, hi+"< 250 mx.traps.example\n"+
					strings.TrimPrefix(data, helo)+taken+quit)
			}},
		{name: "says all in one packet, content included", what: "seen and counted, its mail taken",
			taken: 1, events: []string{"abuse: early", endClose}, talk: func(t *testing.T, a *arena) {
				a.send(t, whole)
				a.play(t, "< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n< 250 2.1.5 Recipient OK\n"+
					"< 354 Start mail input; end with <CRLF>.<CRLF>\n"+ok)
			}},
		{name: "sends every byte in a packet of its own", what: "its mail is taken",
			taken: 1, events: []string{endClose}, talk: func(t *testing.T, a *arena) {
				a.trickle(t, whole)
				a.play(t, "< 250 mx.traps.example\n< 250 2.1.0 Sender OK\n< 250 2.1.5 Recipient OK\n"+
					"< 354 Start mail input; end with <CRLF>.<CRLF>\n"+ok)
			}},
	}
}

// neverReads has refusals pile up until nothing more can be sent.
func neverReads(t *testing.T, a *arena) {
	_ = a.Close()
	waitFor(t, a.stand, 0)
	c := a.narrow(t)
	if a.way == viaProxy {
		c.send(t, proxyHeader)
	}
	c.play(t, hi) // else it may be the one before that is still there
	c.send(t, "HELO x\r\nMAIL FROM:<>\r\n")
	waitFor(t, a.stand, 1)
	// The server stops reading when it cannot answer, so not all of this will be taken.
	_, _ = io.WriteString(c, strings.Repeat("RCPT TO:<nobody@elsewhere.example>\r\n", 9000))
	waitFor(t, a.stand, 0)
}

func foreignCases() []hostile {
	http := func(request string) string { return "> " + request + "\n" + foreign }
	return []hostile{
		{name: "HTTP GET instead of HELO", what: "421 4.7.0 and closed", script: http("GET / HTTP/1.1"),
			events: []string{"abuse: http", endForeign}},
		{name: "HTTP POST with commands in its body", what: "421 4.7.0 and closed before the body",
			script: "! POST / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nHELO x\\r\\nMAIL FROM:<>\\r\\n\n" + foreign,
			events: []string{"abuse: http", endForeign}},
		{name: "HTTP CONNECT", what: "421 4.7.0 and closed", script: http("CONNECT x:25 HTTP/1.0"),
			events: []string{"abuse: http"}},
		{name: "HTTP/2 preface", what: "421 4.7.0 and closed", script: http("PRI * HTTP/2.0"),
			events: []string{"abuse: http"}},
		{name: "HTTP behind EHLO", what: "421 4.7.0 and closed, at whatever point it comes",
			script: greeted(rcpt) + http("GET / HTTP/1.1"), events: []string{"abuse: http", endForeign}},
		{name: "ClientHello instead of HELO", what: "421 4.7.0 at its first byte, and closed",
			talk: clientHello(""), events: []string{"abuse: tls", endForeign}},
		{name: "ClientHello behind EHLO, without STARTTLS", what: "421 4.7.0 at its first byte, and closed",
			talk: clientHello(greeted(helo)), events: []string{"abuse: tls", endForeign}},
		{name: "SSH", what: "500, and goes on; twenty of them end the session",
			script: "> SSH-2.0-x\n< 500 5.5.2 Command unrecognized\n" + quit, events: []string{endOfQuit}},
		{name: "binary without an end of line, as SOCKS and RDP send",
			what: "421 4.4.2 when the time for a command is over", change: soon,
			script: "! \\0\\03\\0\\t\n" + timedOut, events: []string{endOfTime}},
		{name: "a PROXY header though it is no proxy", what: "500; the peer stays who it is",
			ways: inClear | inTLS, taken: 1, events: []string{"abuse: proxy", endOfQuit},
			script: "> PROXY TCP4 192.0.2.99 192.0.2.1 1 25\n< 500 5.5.2 Command unrecognized\n" +
				greeted(data) + taken + quit},
		{name: "AUTH, to try a password", what: "502; nothing is decoded, nothing kept",
			script: "> AUTH PLAIN AGEAYg==\n< 502 5.5.1 Command not implemented\n" +
				"> AUTH LOGIN\n< 502 5.5.1 Command not implemented\n" + quit,
			events: []string{"abuse: auth"}},
	}
}

// clientHello begins a handshake where none was agreed, and holds no line feed.
func clientHello(before string) func(*testing.T, *arena) {
	return func(t *testing.T, a *arena) {
		if before != "" {
			a.play(t, before)
		}
		a.send(t, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\xa5", 32))
		a.play(t, foreign)
	}
}
