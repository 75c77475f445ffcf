package trap

import (
	"strings"
)

// handshakeByte begins a TLS record of handshake type, RFC 8446 section 5.1, and no SMTP line. The
// record need not hold a line feed, so it is known by this byte alone.
const handshakeByte = 0x16

// follow acts on one command: it answers it, or passes go-smtp a plain form of it.
func (g *guard) follow(text string, tooLong bool) {
	g.c.commands++
	g.cmd, g.verdict = splitCommand(text), replyNone
	if tooLong && !g.mayBeLong() {
		return
	}
	switch verb := g.cmd.verb; verb {
	case "HELO", "EHLO", "LHLO":
		g.mustWait()
		g.pass(verb + " peer")
	case "MAIL":
		g.introduce()
		g.pass("MAIL FROM:<>")
	case "RCPT":
		g.recipient()
	case "DATA":
		g.mustWait()
		g.pass(verb)
	case "RSET", "NOOP", "VRFY", "QUIT":
		g.pass(verb)
	case "STARTTLS":
		g.startTLS()
	default:
		if !g.isForeign(text) {
			g.refuse(verb)
		}
	}
}

// pass gives go-smtp a command.
func (g *guard) pass(plain string) { g.inward += plain + "\r\n" }

// introduce says HELO for a peer that came to MAIL without it. RFC 5321 section 4.1.4 forbids
// that; a spammer who is too lazy to greet is no less a spammer.
func (g *guard) introduce() {
	if g.introduced {
		return
	}
	g.introduced = true
	g.swallow++
	if g.c.settings.LMTP {
		g.pass("LHLO peer")
		return
	}
	g.pass("HELO peer")
}

// recipient passes RCPT under a name that go-smtp reads easily; the session reads the real one.
func (g *guard) recipient() {
	if g.cmd.rest == "" {
		g.answer(replyNoPath)
		return
	}
	g.pass("RCPT TO:<to@peer>")
}

// refuse answers what we do not do: 502 if it is a command of SMTP at all. The chunk behind a
// BDAT is read as commands, since nobody was offered CHUNKING: to skip as many bytes as it says
// would be to let a peer that only asks wait for ever.
func (g *guard) refuse(verb string) {
	switch verb {
	case "AUTH":
		g.c.abuse(abuseAuth)
		g.answer(replyNoAuth)
	case "BDAT":
		g.answer(replyNoChunks)
	case "ETRN":
		g.answer(replyNoTurn)
	case "EXPN", "HELP", "TURN", "ATRN", "SEND", "SOML", "SAML":
		g.answer(replyNotImplemented)
	case "":
		g.answer(replyEmpty)
	case "PROXY":
		g.c.abuse(abuseProxy)
		g.answer(replyUnknown)
	default:
		g.answer(replyUnknown)
	}
}

// mayBeLong: a name or a reverse path may be as long as it likes, only its beginning is kept. A
// recipient must close within that, what follows it is not looked at. Anything else that long is
// no command.
func (g *guard) mayBeLong() bool {
	g.c.abuse(abuseLongLine)
	whole := g.cmd.verb == "RCPT" && strings.Contains(g.cmd.rest, ">")
	if isHello(g.cmd.verb) || g.cmd.verb == "MAIL" || whole {
		return true
	}
	g.answer(replyLongLine)
	return false
}

// mustWait notices who does not: RFC 2920 section 3.1 lets nothing be sent behind these commands
// before their answer is there.
func (g *guard) mustWait() {
	if g.waiting() > 0 {
		g.c.abuse(abuseEarly)
	}
}

// isForeign ends the session of a peer that speaks another protocol.
func (g *guard) isForeign(text string) bool {
	switch {
	case isHTTP(text):
		g.c.abuse(abuseHTTP)
	case text != "" && text[0] == handshakeByte:
		g.c.abuse(abuseTLS)
	default:
		return false
	}
	g.finish(endProtocol, replyForeign)
	return true
}

func isHello(verb string) bool { return verb == "HELO" || verb == "EHLO" || verb == "LHLO" }
