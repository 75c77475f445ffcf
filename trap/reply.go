package trap

import (
	"strconv"

	"github.com/emersion/go-smtp"
)

// reply is one thing that a session has to say. What it means, and so what it costs, is the same
// whoever is imitated; its code and its words are its persona's.
type reply int

// What a session says when things go well.
const (
	replyNone         reply = iota // nothing was decided
	replyGreeting                  // the first line of a session
	replyGreetingLMTP              // the same, RFC 2033 section 4.1
	replyHello                     // to HELO, and the first line to EHLO and LHLO
	replySenderOK
	replyRecipientOK
	replyStart // send the message
	replyQueued
	replyReset
	replyOK
	replyNoVerify
	replyStartTLS
	replyBye

	// Of a message or a recipient that it does not take, contract by contract.
	replyStranger
	replyTooMany // recipients
	replyMemory
	replyBusy
	replyFull
	replyOversize

	// Of a command that it does not follow.
	replyUnknown
	replyEmpty          // a line without a word
	replyNotImplemented // a command of SMTP that few servers follow
	replyNoChunks       // BDAT
	replyNoTurn         // ETRN
	replyNoAuth
	replyLongLine
	replyNoPath      // RCPT without any
	replyTLSWords    // STARTTLS with more behind it
	replyNoTLS       // STARTTLS where it is not offered
	replyTLSTwice    // STARTTLS within TLS
	replyNested      // MAIL in a transaction
	replyNoSender    // RCPT before MAIL
	replyNoRecipient // DATA before MAIL
	replyNoneValid   // DATA in a transaction without a recipient
	replySequence    // any other command that comes at the wrong time

	// Before it ends the connection.
	replyConnections // too many of them
	replyRate        // too many messages
	replyNotServed   // nobody to blame, or nobody we know
	replyForeign     // it speaks another protocol
	replyErrors
	replyTimeout
	replyStopping
	replyFault

	replyEnd // none: how many there are
)

// cost is what a reply takes from the session's patience. A refused recipient costs little: a
// long list with one trap in it must not be cut off before it comes to the trap, nor one with
// more traps than a transaction may have before it comes to DATA. Commands in bad sequence are no
// errors either: whoever pipelines sends them behind each MAIL or RCPT that was refused.
func (r reply) cost() int {
	switch r {
	case replyStranger, replyTooMany:
		return costOfRefusal
	case replyUnknown, replyEmpty, replyNotImplemented, replyNoChunks, replyNoTurn, replyNoAuth,
		replyLongLine, replyNoPath, replyTLSWords, replyNoTLS:
		return costOfError
	}
	return costOfCommand
}

// code is the one of RFC 5321 section 4.2 that goes before the reply.
func (c *connection) code(r reply) int { return c.voice.lines[r].code }

// refusal is what the session returns to go-smtp, which needs to know no more than the code.
func (c *connection) refusal(r reply) error {
	return &smtp.SMTPError{Code: c.code(r), Message: "refused"}
}

// say renders a reply as it goes over the wire.
func (c *connection) say(b []byte, r reply) []byte {
	l := &c.voice.lines[r]
	b = strconv.AppendInt(b, int64(l.code), 10)
	b = append(b, ' ')
	if l.enhanced != "" {
		b = append(b, l.enhanced...)
		b = append(b, ' ')
	}
	return append(c.fill(b, l.text), "\r\n"...)
}

// sayOffers renders the answer to EHLO and LHLO: all that is offered and nothing else.
func (c *connection) sayOffers(b []byte, secure bool) []byte {
	b = append(b, "250-"...)
	b = c.fill(b, c.voice.lines[replyHello].text)
	last := len(c.voice.offers) - 1
	for i, offer := range c.voice.offers {
		switch {
		case offer == "STARTTLS" && (secure || c.settings.TLS == nil):
			continue
		case i == last:
			b = append(b, "\r\n250 "...)
		default:
			b = append(b, "\r\n250-"...)
		}
		b = append(b, offer...)
		if offer == "SIZE" {
			b = append(b, ' ')
			b = strconv.AppendInt(b, c.settings.Limits.MessageBytes, 10)
		}
	}
	return append(b, "\r\n"...)
}

// translate returns what a code of go-smtp's own means. It gets only commands that the guard has
// made plain, so what it can object to is their order.
func (g *guard) translate(code int) reply {
	switch code {
	case 250:
		return success(g.cmd.verb)
	case 221:
		return replyBye
	case 252:
		return replyNoVerify
	case 354:
		return replyStart
	case 421:
		return replyFault
	case 500:
		return replyUnknown
	}
	return g.outOfOrder()
}

func success(verb string) reply {
	switch verb {
	case "MAIL":
		return replySenderOK
	case "RCPT":
		return replyRecipientOK
	case "RSET":
		return replyReset
	}
	return replyOK
}

func (g *guard) outOfOrder() reply {
	switch {
	case g.cmd.verb == "RCPT":
		return replyNoSender
	case g.cmd.verb == "DATA" && g.session != nil && g.session.open:
		return replyNoneValid
	case g.cmd.verb == "DATA":
		return replyNoRecipient
	}
	return replySequence
}
