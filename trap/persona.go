package trap

import (
	"time"
)

// Persona is the mail server whose voice a listener has. A trap that speaks like no other server
// is a marked trap, so it speaks like one of the common ones: the words, the order of what EHLO
// offers and the shape of queue ids are theirs. What is taken and what is refused is the same
// with all.
type Persona string

// The personas.
const (
	Postfix Persona = "postfix" // 3.7; also when none is named
	Exim    Persona = "exim"    // 4.96
	Plain   Persona = "plain"   // short sentences that are nobody's in particular
)

// line is how a persona words a reply. In the text, %h stands for our host name, %p for the
// peer's address, %q for the queue id of the message just taken and %d for the date. Nothing that
// the peer said can stand in it.
type line struct {
	code     int
	enhanced string // RFC 3463; empty in greetings, in 354 and in the answer to HELO
	text     string
}

// voice is all that a persona has to say.
type voice struct {
	lines   [replyEnd]line
	offers  []string // what EHLO offers, in this order; the last is always offered
	queueID func(s *spool, process int, now time.Time) string
}

// voice never returns nil: an unknown persona is the usual one.
func (p Persona) voice() *voice {
	switch p {
	case Exim:
		return &eximVoice
	case Plain:
		return &plainVoice
	}
	return &postfixVoice
}

// fill appends a text with its gaps filled.
func (c *connection) fill(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			b = append(b, text[i])
			continue
		}
		i++
		switch text[i] {
		case 'h':
			b = append(b, c.settings.Hostname...)
		case 'p':
			b = c.appendPeer(b)
		case 'q':
			b = append(b, c.queueID...)
		case 'd':
			b = c.server.config.Now().AppendFormat(b, time.RFC1123Z)
		}
	}
	return b
}

// appendPeer names the peer as it knows itself.
func (c *connection) appendPeer(b []byte) []byte {
	if peer := c.peer(); peer.IsValid() {
		return peer.AppendTo(b)
	}
	return append(b, "unknown"...)
}

// plainVoice belongs to nobody.
var plainVoice = voice{
	offers: []string{"PIPELINING", "SIZE", "STARTTLS", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN",
		"SMTPUTF8"},
	lines: [replyEnd]line{
		replyGreeting:     {220, "", "%h ESMTP"},
		replyGreetingLMTP: {220, "", "%h LMTP"},
		replyHello:        {250, "", "%h"},
		replySenderOK:     {250, "2.1.0", "Sender OK"},
		replyRecipientOK:  {250, "2.1.5", "Recipient OK"},
		replyStart:        {354, "", "Start mail input; end with <CRLF>.<CRLF>"},
		replyQueued:       {250, "2.0.0", "OK"},
		replyReset:        {250, "2.0.0", "OK"},
		replyOK:           {250, "2.0.0", "OK"},
		replyNoVerify:     {252, "2.0.0", "Cannot verify, send mail to find out"},
		replyStartTLS:     {220, "2.0.0", "Ready to start TLS"},
		replyBye:          {221, "2.0.0", "Closing connection"},

		replyStranger: {550, "5.1.1", "No such user here"},
		replyTooMany:  {452, "4.5.3", "Too many recipients"},
		replyMemory:   {451, "4.3.1", "Mail system full"},
		replyBusy:     {451, "4.3.0", "Local error in processing"},
		replyFull:     {452, "4.3.1", "Insufficient system storage"},
		replyOversize: {552, "5.3.4", "Message too big"},

		replyUnknown:        {500, "5.5.2", "Command unrecognized"},
		replyEmpty:          {500, "5.5.2", "Command unrecognized"},
		replyNotImplemented: {502, "5.5.1", "Command not implemented"},
		replyNoChunks:       {502, "5.5.1", "Command not implemented"},
		replyNoTurn:         {502, "5.5.1", "Command not implemented"},
		replyNoAuth:         {502, "5.5.1", "Command not implemented"},
		replyLongLine:       {500, "5.5.2", "Line too long"},
		replyNoPath:         {501, "5.5.4", "Syntax error in parameters"},
		replyTLSWords:       {501, "5.5.4", "Syntax error in parameters"},
		replyNoTLS:          {502, "5.5.1", "Command not implemented"},
		replyTLSTwice:       {503, "5.5.1", "Bad sequence of commands"},
		replyNested:         {503, "5.5.1", "Bad sequence of commands"},
		replyNoSender:       {503, "5.5.1", "Bad sequence of commands"},
		replyNoRecipient:    {503, "5.5.1", "Bad sequence of commands"},
		replyNoneValid:      {503, "5.5.1", "Bad sequence of commands"},
		replySequence:       {503, "5.5.1", "Bad sequence of commands"},

		replyConnections: {421, "4.7.0", "Too many connections"},
		replyRate:        {421, "4.7.0", "Too much mail"},
		replyNotServed:   {421, "4.7.0", "Service not available"},
		replyForeign:     {421, "4.7.0", "Service not available"},
		replyErrors:      {421, "4.7.0", "Too many errors"},
		replyTimeout:     {421, "4.4.2", "Timeout"},
		replyStopping:    {421, "4.3.2", "Service shutting down"},
		replyFault:       {421, "4.3.0", "Local error in processing"},
	},
}
