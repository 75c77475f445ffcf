package trap

import (
	"strconv"
	"strings"

	"github.com/emersion/go-smtp"
)

// reply is one answer of ours: a code of RFC 5321 section 4.2, an enhanced code of RFC 3463 and
// words. All our sentences are in this file. They are short and taken from nobody in particular,
// since a trap that can be told by its voice is a marked trap; the same goes for the server
// library's well-known sentences, of which only the codes are read. No reply names an address
// or repeats what the peer said.
type reply struct {
	code     int
	enhanced string // empty in greetings, in 354 and in the answer to HELO
	text     string
}

// What a session says when things go well.
var (
	replyOK          = reply{250, "2.0.0", "OK"}
	replySenderOK    = reply{250, "2.1.0", "Sender OK"}
	replyRecipientOK = reply{250, "2.1.5", "Recipient OK"}
	replyStart       = reply{354, "", "Start mail input; end with <CRLF>.<CRLF>"}
	replyStartTLS    = reply{220, "2.0.0", "Ready to start TLS"}
	replyNoVerify    = reply{252, "2.0.0", "Cannot verify, send mail to find out"}
	replyBye         = reply{221, "2.0.0", "Closing connection"}
)

// What a session says of a message or a recipient that it does not take, contract by contract.
var (
	replyStranger = reply{550, "5.1.1", "No such user here"}
	replyTooMany  = reply{452, "4.5.3", "Too many recipients"}
	replyMemory   = reply{451, "4.3.1", "Mail system full"}
	replyBusy     = reply{451, "4.3.0", "Local error in processing"}
	replyFull     = reply{452, "4.3.1", "Insufficient system storage"}
	replyOversize = reply{552, "5.3.4", "Message too big"}
)

// What a session says of a command that it does not follow.
var (
	replyUnknown        = reply{500, "5.5.2", "Command unrecognized"}
	replyLongLine       = reply{500, "5.5.2", "Line too long"}
	replyParameters     = reply{501, "5.5.4", "Syntax error in parameters"}
	replyNotImplemented = reply{502, "5.5.1", "Command not implemented"}
	replySequence       = reply{503, "5.5.1", "Bad sequence of commands"}
)

// What a session says before it ends the connection.
var (
	replyConnections = reply{421, "4.7.0", "Too many connections"}
	replyNotServed   = reply{421, "4.7.0", "Service not available"}
	replyErrors      = reply{421, "4.7.0", "Too many errors"}
	replyTimeout     = reply{421, "4.4.2", "Timeout"}
	replyStopping    = reply{421, "4.3.2", "Service shutting down"}
	replyFault       = reply{421, "4.3.0", "Local error in processing"}
)

// append renders the reply as it goes over the wire.
func (r reply) append(b []byte) []byte {
	b = strconv.AppendInt(b, int64(r.code), 10)
	b = append(b, ' ')
	if r.enhanced != "" {
		b = append(b, r.enhanced...)
		b = append(b, ' ')
	}
	b = append(b, r.text...)
	return append(b, "\r\n"...)
}

// cost is what a reply takes from the session's patience. A refused recipient costs little: a
// long list with one trap in it must not be cut off before it comes to the trap, nor one with
// more traps than a transaction may have before it comes to DATA. Commands in bad sequence are no
// errors either: whoever pipelines sends them behind each MAIL or RCPT that was refused.
func (r reply) cost() int {
	switch {
	case r == replyStranger || r == replyTooMany:
		return costOfRefusal
	case r.code >= 500 && r.code <= 502:
		return costOfError
	}
	return costOfCommand
}

// refusal is what the session returns to go-smtp, which needs to know no more than the code.
func (r reply) refusal() error {
	return &smtp.SMTPError{Code: r.code, Message: "refused"}
}

// greeting is the first line of a session.
func greeting(s *Settings) reply {
	if s.LMTP {
		return reply{220, "", s.Hostname + " LMTP"}
	}
	return reply{220, "", s.Hostname + " ESMTP"}
}

// extensions renders the answer to EHLO and LHLO: all that is offered and nothing else.
func extensions(b []byte, s *Settings, secure bool) []byte {
	offers := []string{s.Hostname, "PIPELINING",
		"SIZE " + strconv.FormatInt(s.Limits.MessageBytes, 10)}
	if s.TLS != nil && !secure {
		offers = append(offers, "STARTTLS")
	}
	offers = append(offers, "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8")
	last := len(offers) - 1
	b = append(b, "250-"...)
	b = append(b, strings.Join(offers[:last], "\r\n250-")...)
	return append(b, "\r\n250 "+offers[last]+"\r\n"...)
}

// translate returns our words for a code of go-smtp's own. It gets only commands that the guard
// has made plain, so what it can object to is their order.
func translate(verb string, code int) reply {
	switch code {
	case 250:
		return success(verb)
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
	return replySequence
}

func success(verb string) reply {
	switch verb {
	case "MAIL":
		return replySenderOK
	case "RCPT":
		return replyRecipientOK
	}
	return replyOK
}
