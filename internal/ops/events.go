// Package ops says what happened: one method an event, each a log line with
// fixed keys and a counter.
//
// In come outcomes from every other package, as plain values; out go log lines
// (zerolog) and metrics (Prometheus, on a registry of its own), and the small
// HTTP server that shows them. Whatever a stranger typed is cut and quoted, and
// never becomes a label. No method blocks, and none takes a trap address, a
// reporter or a secret.
package ops

import (
	"net/netip"
	"time"

	"github.com/rs/zerolog"
)

// Events is the vocabulary. Its methods are safe for use by any goroutine.
type Events struct {
	log zerolog.Logger
	m   *metrics
}

// New makes the vocabulary over a logger.
func New(log zerolog.Logger) *Events { return &Events{log: log, m: newMetrics()} }

// Started: the daemon serves.
func (e *Events) Started(version, config string, listeners []string) {
	e.log.Info().Str("event", "started").Str("version", version).Str("config", config).
		Strs("listeners", listeners).Send()
}

// Stopping: the daemon was told to stop.
func (e *Events) Stopping(why string) { e.log.Info().Str("event", "stopping").Str("why", why).Send() }

// Stopped: everything has ended; err is what did not end well.
func (e *Events) Stopped(err error) { e.outcome("stopped", err) }

// Reloaded: a new configuration is in force. Its policy has this version, and so
// many listings began, ended or got another answer.
func (e *Events) Reloaded(policy uint64, begun, ended, changed int) {
	e.log.Info().Str("event", "reloaded").Uint64("policy", policy).Int("listed", begun).
		Int("delisted", ended).Int("changed", changed).Send()
}

// ReloadFailed: the old configuration stays, or the list cannot follow the new
// one.
func (e *Events) ReloadFailed(err error) { e.outcome("reloaded", err) }

func (e *Events) outcome(event string, err error) {
	if err != nil {
		e.log.Error().Str("event", event).Err(err).Send()
		return
	}
	e.log.Info().Str("event", event).Send()
}

// Connection, session and message: what trap.Observer asks for.

// ConnectionRefused: a connection ended before its greeting.
func (e *Events) ConnectionRefused(peer netip.Addr, why string) {
	e.m.refused.WithLabelValues(why).Inc()
	e.log.Debug().Str("event", "connection-refused").Stringer("peer", peer).Str("why", why).Send()
}

// SessionEnded: a session is over.
func (e *Events) SessionEnded(peer netip.Addr, why string, commands, messages int, bytes int64,
	lasted time.Duration) {
	e.m.sessions.WithLabelValues(why, sessionDid(commands, messages)).Inc()
	e.m.bytes.Add(float64(bytes))
	e.log.Debug().Str("event", "session-ended").Stringer("peer", peer).Str("why", why).
		Int("commands", commands).Int("messages", messages).Int64("bytes", bytes).
		Dur("lasted_ms", lasted).Send()
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
	e.m.recipients.WithLabelValues(why).Inc()
	e.log.Debug().Str("event", "recipient-refused").Stringer("peer", peer).Str("why", why).Send()
}

// MessageTaken: a message is on disk.
func (e *Events) MessageTaken(peer netip.Addr, class string, recipients int, size int64,
	took time.Duration) {
	e.m.taken.WithLabelValues(class).Inc()
	e.m.commit.Observe(took.Seconds())
	e.log.Debug().Str("event", "message-taken").Stringer("peer", peer).Str("class", class).
		Int("recipients", recipients).Int64("size", size).Send()
}

// MessageNotTaken: the sender keeps the message. What we could not take is a
// warning, what the sender spoilt is not: it may do that as often as it likes.
func (e *Events) MessageNotTaken(peer netip.Addr, why string) {
	e.m.notTaken.WithLabelValues(why).Inc()
	level := zerolog.WarnLevel
	switch why {
	case "rate", "bytes", "timeout", "broken":
		level = zerolog.DebugLevel
	}
	e.log.WithLevel(level).Str("event", "message-not-taken").Stringer("peer", peer).
		Str("why", why).Send()
}

// TLSFailed: a handshake came to nothing.
func (e *Events) TLSFailed(peer netip.Addr, why string) {
	e.m.abuse.WithLabelValues("tls-" + why).Inc()
	e.log.Debug().Str("event", "tls-failed").Stringer("peer", peer).Str("why", why).Send()
}

// ProtocolAbuse: a peer did what no mail server does.
func (e *Events) ProtocolAbuse(peer netip.Addr, kind string) {
	e.m.abuse.WithLabelValues(kind).Inc()
	e.log.Debug().Str("event", "protocol-abuse").Stringer("peer", peer).Str("kind", kind).Send()
}

// Fault: the program itself misbehaved. The detail of a panic may hold anything
// that a message or an address held, so it is for the debug level alone.
func (e *Events) Fault(where, detail string) {
	e.m.faults.WithLabelValues(where).Inc()
	e.log.Error().Str("event", "fault").Str("where", where).Str("detail", "see level debug").Send()
	e.log.Debug().Str("event", "fault").Str("where", where).Str("detail", cut(detail)).Send()
}

// Records and reports: what intake.Observer asks for.

// Recorded: a message became a record of the log.
func (e *Events) Recorded(kind, source, reason, cause string) {
	e.m.recorded.WithLabelValues(kind, reason).Inc()
	e.m.causes.WithLabelValues(cause).Inc()
	e.log.Info().Str("event", "recorded").Str("kind", kind).Str("source", source).
		Str("reason", reason).Str("cause", cause).Send()
}

// ReportRefused: a reporter's submission does not count.
func (e *Events) ReportRefused(why string) {
	e.m.reports.WithLabelValues(why).Inc()
	e.log.Warn().Str("event", "report-refused").Str("why", why).Send()
}

// HitsMissing: hits that were recorded are in no file of the store: a day was lost,
// and the list is made without them.
func (e *Events) HitsMissing(first, last uint64) {
	e.log.Warn().Str("event", "hits-missing").Uint64("first", first).Uint64("last", last).Send()
}

// The list: what judge.Observer asks for.

// SnapshotUnusable: the start has to read the whole log.
func (e *Events) SnapshotUnusable(err error) {
	e.log.Warn().Str("event", "snapshot-unusable").Err(err).Send()
}

// CaughtUp: the log has been read to its end.
func (e *Events) CaughtUp(records uint64, sources, listed int) {
	e.log.Info().Str("event", "caught-up").Uint64("records", records).Int("sources", sources).
		Int("listed", listed).Send()
}

// ListChanged: a source's answer became another one.
func (e *Events) ListChanged(source, from, to, trigger string) {
	event := "listed"
	switch {
	case to == "":
		event = "delisted"
	case from != "":
		event = "relisted"
	}
	e.m.changes.WithLabelValues(event, trigger).Inc()
	e.log.Info().Str("event", event).Str("source", source).Str("answer", to).
		Str("trigger", trigger).Send()
}

// JudgeStopped: the log or the ledger is damaged. Mail is still taken, nothing is
// published any more.
func (e *Events) JudgeStopped(err error) {
	e.m.faults.WithLabelValues("judge").Inc()
	e.log.Error().Str("event", "judge-stopped").Err(err).Send()
}

// Rewritten: another policy is in force, or hits of the past count for less or
// more than they did.
func (e *Events) Rewritten(decision uint64, act, who string, listed, delisted, changed int) {
	e.log.Info().Str("event", "rewritten").Uint64("decision", decision).Str("act", act).
		Str("who", who).Int("listed", listed).Int("delisted", delisted).Int("changed", changed).Send()
}

// The zone.

// ZonePublished: another zone is in place.
func (e *Events) ZonePublished(serial uint32, entries, added, removed int) {
	e.m.published.Inc()
	e.log.Info().Str("event", "zone-published").Uint32("serial", serial).
		Int("entries", entries).Int("added", added).Int("removed", removed).Send()
}

// ZoneHeld: the publish guard holds back other changes than before, or none.
func (e *Events) ZoneHeld(additions, removals int) {
	e.log.Warn().Str("event", "zone-held").Int("additions", additions).
		Int("removals", removals).Send()
}

// ZoneOrdered: by the operator's decision another thing stands in the zone: what
// was published with a serial (rollback), nobody (retire), or the list again ("").
func (e *Events) ZoneOrdered(act string, serial uint32, decision uint64, who string) {
	if act == "" {
		e.log.Info().Str("event", "zone-resumed").Send()
		return
	}
	e.log.Warn().Str("event", "zone-ordered").Str("act", act).Uint32("to", serial).
		Uint64("decision", decision).Str("who", who).Send()
}

// ZoneFaults: listings that cannot be published, or what was wrong with the
// files that were replaced.
func (e *Events) ZoneFaults(faults string) {
	e.log.Warn().Str("event", "zone-faults").Str("faults", cut(faults)).Send()
}

// ZoneFailed: the zone could not be written; the last good one stays.
func (e *Events) ZoneFailed(err error) {
	e.m.faults.WithLabelValues("zone").Inc()
	e.log.Error().Str("event", "zone-failed").Err(err).Send()
}

// mostForeign bounds what is logged of words that others chose.
const mostForeign = 2000

func cut(s string) string { return s[:min(len(s), mostForeign)] }
