package trap

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

// session is go-smtp's back end: it decides on each step of a transaction. What the peer said it
// reads from the guard, and what it decides it leaves there as the verdict; the arguments and
// errors of go-smtp carry nothing but the fact.
type session struct {
	guard *guard
	c     *connection

	open       bool // MAIL was taken
	mailFrom   string
	utf8       bool
	declared   int64 // SIZE
	recipients []Recipient
	taken      int // RCPTs answered 250: of the same address several
}

func newSession(conn *smtp.Conn) (smtp.Session, error) {
	g := conn.Conn().(*guard) // handover accepts nothing else
	g.session = &session{guard: g, c: g.c}
	return g.session, nil
}

// Mail opens a transaction, whatever the reverse path. RFC 5321 section 4.1.1.2 wants 503 for a
// second MAIL; go-smtp would keep the recipients of the first.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.open {
		return s.refuse(replyNested)
	}
	if s.c.nameless {
		s.c.end(endNoClient)
		return s.refuse(replyNotServed)
	}
	if !s.c.mayBegin() {
		s.notTaken(keptRate)
		s.c.end(endRate)
		return s.refuse(replyRate)
	}
	if s.c.server.budget.memory.crowded() {
		s.notTaken(keptMemory)
		return s.refuse(replyMemory)
	}
	if err := s.c.server.config.Gate(); err != nil {
		return s.refuse(s.keptBy(err))
	}
	path, parameters := s.guard.cmd.path("FROM")
	s.open, s.mailFrom, s.declared = true, path, declaredSize(parameters)
	_, s.utf8 = parameter(parameters, "SMTPUTF8")
	s.c.leash.setBusy(true)
	return nil
}

// Rcpt takes traps, mailboxes and reporters.
func (s *session) Rcpt(string, *smtp.RcptOptions) error {
	path, _ := s.guard.cmd.path("TO")
	now := s.c.server.config.Now()
	to := s.c.settings.Directory.Match(path, s.c.peer(), now)
	if why, r := s.judge(to); why != "" {
		s.c.server.config.Observer.RecipientRefused(s.c.peer(), why)
		return s.refuse(r)
	}
	s.taken++
	if !slices.ContainsFunc(s.recipients, to.same) {
		s.recipients = append(s.recipients, to)
	}
	return nil
}

// judge says why a recipient is refused and with which words, or "".
func (s *session) judge(to Recipient) (why string, r reply) {
	switch {
	case to.Class == Resting:
		return refusedResting, replyStranger
	case to.Class == Stranger:
		return refusedStranger, replyStranger
	case !s.fits(to):
		return refusedMixed, replyTooMany
	case s.taken >= s.c.settings.Limits.Recipients:
		return refusedTooMany, replyTooMany
	}
	return "", replyNone
}

// fits: a reporter has a transaction to itself, so that what it says is never counted as what
// was done to a trap. The sender brings the odd recipient in a transaction of its own.
func (s *session) fits(to Recipient) bool {
	for _, r := range s.recipients {
		if !r.same(to) && (r.Class == Reporter || to.Class == Reporter) {
			return false
		}
	}
	return true
}

func (r Recipient) same(other Recipient) bool { return r.Address == other.Address }

// Data reads the content from the guard and hands the message to the sink. go-smtp's reader is
// left alone: it finds the empty message that the guard shows it afterwards.
func (s *session) Data(io.Reader) error {
	message, content := s.message(), s.collector()
	defer content.free()
	if err := s.guard.readContent(content); err != nil {
		s.notTaken(s.c.cause(err))
		s.guard.broken(err)
		return s.refuse(replyTimeout) // to go-smtp only: the guard is past all words
	}
	if content.starve {
		s.notTaken(keptMemory)
		return s.refuse(replyMemory)
	}
	message.Time = s.c.server.config.Now()
	message.Head, message.Size, message.Digest = content.head, content.size, content.digest()
	limit := s.c.settings.Limits.MessageBytes
	message.Oversize = message.Size > limit || s.declared > limit
	return s.hand(message)
}

// hand gives the message to the sink and words its answer. 250 means: on disk.
func (s *session) hand(m *Message) error {
	begin := time.Now()
	if err := s.c.server.config.Sink.Accept(s.c.server.ctx, m); err != nil {
		return s.refuse(s.keptBy(err))
	}
	s.c.messages++
	s.c.patience = patience
	s.c.server.config.Observer.MessageTaken(s.c.peer(), m.class().String(), len(m.Recipients),
		m.Size, time.Since(begin))
	if m.Oversize {
		return s.refuse(replyOversize)
	}
	s.c.queue()
	s.guard.verdict = replyQueued
	return nil
}

// message begins a Message with what is known before its content.
func (s *session) message() *Message {
	m := &Message{Envelope: s.c.envelope}
	m.Helo = s.guard.hello.rest
	m.Protocol = s.guard.protocol(s.utf8)
	m.TLS = tlsName(s.guard.tls)
	m.MailFrom = s.mailFrom
	m.Recipients = slices.Clone(s.recipients)
	return m
}

// collector keeps as much of the content as the recipients call for: a report must be whole.
func (s *session) collector() *collector {
	limits := s.c.settings.Limits
	keep := min(headBytes, limits.MessageBytes)
	if s.recipients[0].Class == Reporter {
		keep = limits.MessageBytes
	}
	server := s.c.server
	return newCollector(keep, &server.budget.memory, limits.MemoryBytes, server.ctx.Done())
}

// Reset forgets the transaction.
func (s *session) Reset() {
	*s = session{guard: s.guard, c: s.c}
	s.c.leash.setBusy(false)
}

// Logout has nothing to do: after STARTTLS the connection goes on without this session, else the
// guard closes it.
func (s *session) Logout() error { return nil }

// refuse leaves the verdict with the guard and tells go-smtp no.
func (s *session) refuse(r reply) error {
	s.guard.verdict = r
	return s.c.refusal(r)
}

// keptBy words an error of sink or gate, which is all the sender learns of it.
func (s *session) keptBy(err error) reply {
	switch {
	case errors.Is(err, ErrFull):
		s.notTaken(keptFull)
		return replyFull
	case errors.Is(err, ErrBusy):
		s.notTaken(keptBusy)
	default:
		s.notTaken(keptFault)
	}
	return replyBusy
}

func (s *session) notTaken(why string) {
	s.c.server.config.Observer.MessageNotTaken(s.c.peer(), why)
}

// cause says why a message was not read to its end.
func (c *connection) cause(err error) string {
	switch {
	case c.leash.stopReason() != "":
		return keptCut
	case errors.Is(err, os.ErrDeadlineExceeded):
		return keptTimeout
	case errors.Is(err, errTooMuch):
		return keptBytes
	}
	return keptBroken
}

// readContent reads a message to its end. It sends the 354 first, and its deadline covers the
// whole: a peer that sends a byte a minute holds a place, but not for long.
func (g *guard) readContent(to *collector) error {
	if !g.flush() {
		return io.ErrUnexpectedEOF
	}
	timeout := g.c.settings.Limits.DataTimeout
	if !g.c.leash.arm(timeout) {
		return os.ErrDeadlineExceeded
	}
	g.c.leash.armReply(timeout) // TLS may have to write, to change keys
	to.ends = g.c.leash.earlier(timeout)
	g.borrow()
	content := newBody(g.in, g.c.mayRead())
	err := content.copyTo(to)
	g.c.bytes += content.read
	if content.ends.seen {
		g.c.abuse(abuseSmuggling)
	}
	if err != nil {
		return err
	}
	g.inward = ".\r\n"
	return nil
}

func (b *body) copyTo(to *collector) error {
	for {
		piece, err := b.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		to.add(piece)
	}
}

// mayRead returns how much content the session may bring now: what is left of its bytes, but
// always a message of the size that we offer, each of its dots sent twice.
func (c *connection) mayRead() int64 {
	limits := &c.settings.Limits
	return max(limits.SessionBytes-c.bytes, 2*limits.MessageBytes)
}

// protocol names how the message came, RFC 3848 and RFC 6531 section 4.3.
func (g *guard) protocol(utf8 bool) string {
	name := "SMTP"
	switch {
	case g.c.settings.LMTP:
		name = "LMTP"
	case utf8:
	case g.hello.verb == "EHLO" || g.tls != nil:
		name = "ESMTP"
	}
	if utf8 {
		name = "UTF8" + name
	}
	if g.tls != nil {
		name += "S"
	}
	return name
}

// mayBegin: the peer has not begun too many messages of late. One on a unix socket is our own.
func (c *connection) mayBegin() bool {
	peer := c.peer()
	return !peer.IsValid() || c.server.budget.begin(peer, c.settings.Limits, time.Now())
}

var _ smtp.Session = (*session)(nil)
