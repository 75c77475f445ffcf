package ops

import (
	"net/netip"
	"time"

	"github.com/rs/zerolog"
)

// Connection, session and message: what trap.Observer asks for.

// ConnectionRefused: a connection ended before its greeting.
func (e *Events) ConnectionRefused(peer netip.Addr, why string) {
	e.m.refused.inc(why)
	e.line(zerolog.DebugLevel, "connection-refused", whyRefused.words.of(why)).Stringer("peer", peer).
		Str("why", clean(why)).Send()
}

// SessionEnded: a session is over.
func (e *Events) SessionEnded(peer netip.Addr, why string, commands, messages int, bytes int64,
	lasted time.Duration) {
	e.m.sessions.inc(why, sessionDid(commands, messages))
	e.m.bytes.add(float64(bytes))
	e.line(zerolog.DebugLevel, "session-ended", whyEnded.words.of(why)).Stringer("peer", peer).
		Str("why", clean(why)).Int("commands", commands).Int("messages", messages).
		Int64("bytes", bytes).Dur("lasted_ms", lasted).Send()
}

// sessionDid sorts sessions by how far they came, so that probes stand apart.
func sessionDid(commands, messages int) string {
	switch {
	case messages > 0:
		return "mail"
	case commands > 0:
		return "talk"
	}
	return "nothing"
}

// RecipientRefused: a recipient was not taken.
func (e *Events) RecipientRefused(peer netip.Addr, why string) {
	e.m.recipients.inc(why)
	e.line(zerolog.DebugLevel, "recipient-refused", whyRecipient.words.of(why)).
		Stringer("peer", peer).Str("why", clean(why)).Send()
}

// MessageTaken: a message is on disk.
func (e *Events) MessageTaken(peer netip.Addr, class string, recipients int, size int64,
	took time.Duration) {
	e.m.taken.inc(class)
	e.m.commit.Observe(took.Seconds())
	e.line(zerolog.DebugLevel, "message-taken", "").Stringer("peer", peer).
		Str("class", clean(class)).Int("recipients", recipients).Int64("size", size).Send()
}

// MessageNotTaken: the sender keeps the message. What we could not take is a
// warning, what the sender spoilt is not: it may do that as often as it likes.
func (e *Events) MessageNotTaken(peer netip.Addr, why string) {
	e.m.notTaken.inc(why)
	level := zerolog.WarnLevel
	switch why {
	case "rate", "bytes", "timeout", "broken":
		level = zerolog.DebugLevel
	}
	e.line(level, "message-not-taken", whyNotTaken.words.of(why)).Stringer("peer", peer).
		Str("why", clean(why)).Send()
}

// TLSFailed: a handshake came to nothing.
func (e *Events) TLSFailed(peer netip.Addr, why string) {
	e.m.tls.inc(why)
	e.line(zerolog.DebugLevel, "tls-failed", whyTLS.words.of(why)).Stringer("peer", peer).
		Str("why", clean(why)).Send()
}

// ProtocolAbuse: a peer did what no mail server does.
func (e *Events) ProtocolAbuse(peer netip.Addr, kind string) {
	e.m.abuse.inc(kind)
	e.line(zerolog.DebugLevel, "protocol-abuse", abuseKind.words.of(kind)).Stringer("peer", peer).
		Str("kind", clean(kind)).Send()
}

// Fault: the program itself misbehaved. The detail of a panic may hold anything
// that a message or an address held, so it is for the debug level alone.
func (e *Events) Fault(at, detail string) {
	e.m.faults.inc(at)
	word := where.words.of(at)
	e.line(zerolog.ErrorLevel, "fault", word).Str("where", clean(at)).
		Str("detail", "see level debug").Send()
	e.line(zerolog.DebugLevel, "fault", word).Str("where", clean(at)).
		Str("detail", clean(detail)).Send()
}

// Records and reports: what intake.Observer asks for.

// Recorded: a message became a record of the log. kind is trap, report or inbox;
// the source is "" where nobody can be blamed.
func (e *Events) Recorded(kind, source, reason, cause string) {
	blamed := yes
	if source == "" {
		blamed = no
	}
	switch {
	case kind == "inbox":
		e.m.inbox.inc()
	case source == "":
		e.m.nobody.inc(reason)
		fallthrough
	default:
		e.m.hits.inc(kind, cause, blamed)
	}
	e.line(zerolog.InfoLevel, "recorded", "").Str("kind", clean(kind)).Str("source", clean(source)).
		Str("reason", clean(reason)).Str("cause", clean(cause)).Send()
}

// ReportRefused: a reporter's submission does not count.
func (e *Events) ReportRefused(why string) {
	e.m.reports.inc(why)
	e.line(zerolog.WarnLevel, "report-refused", whyReport.words.of(why)).Str("why", clean(why)).Send()
}
