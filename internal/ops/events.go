// Package ops says what happened: one method an event, each a log line with
// fixed keys and a counter.
//
// In come outcomes from every other package, as plain values; out go log lines
// (zerolog) and metrics (Prometheus, on a registry of its own), and the small
// HTTP server that shows them. Whatever a stranger typed is cut and quoted, and
// never becomes a label. Of each kind of line only so many are written in ten
// seconds. No method blocks, and none takes a trap address, a reporter or a
// secret.
package ops

import (
	"sync/atomic"

	"github.com/rs/zerolog"
)

// Events is the vocabulary. Its methods are safe for use by any goroutine.
type Events struct {
	log   atomic.Pointer[zerolog.Logger] // another one after a reload
	m     *metrics
	quota *quota
}

// New makes the vocabulary over a logger.
func New(log zerolog.Logger) *Events {
	e := &Events{m: newMetrics()}
	e.log.Store(&log)
	e.quota = newQuota(e.leftOut)
	return e
}

// beginner is what of a logger begins a line. zerologlint, which follows a logger's own
// lines, does not see one leave the function that began it; a test has each one sent.
type beginner interface {
	WithLevel(level zerolog.Level) *zerolog.Event
}

var _ beginner = (*zerolog.Logger)(nil)

// line begins a line, nil where it is not to be written. Lines of one level, event
// and word count together.
func (e *Events) line(l zerolog.Level, event, word string) *zerolog.Event {
	log := e.log.Load()
	if l < log.GetLevel() || !e.quota.take(kind{l, event, word}) {
		return nil
	}
	return beginner(log).WithLevel(l).Str("event", event)
}

// leftOut tells how many lines a flood kept out of the log.
func (e *Events) leftOut(left map[kind]int) {
	for k, n := range left {
		e.m.leftOut.add(float64(n))
		e.log.Load().WithLevel(k.level).Str("event", "left-out").Str("of", k.event).Str("why", k.word).
			Int("lines", n).Send()
	}
}

// The daemon.

// Started: the daemon serves mail, and metrics at an address, "" for nowhere.
func (e *Events) Started(version, config string, listeners []string, metrics string) {
	e.m.built(version)
	e.line(zerolog.InfoLevel, "started", "").Str("version", clean(version)).
		Str("config", clean(config)).Strs("listeners", cleanAll(listeners)).
		Str("ops", clean(metrics)).Send()
}

// Stopping: the daemon was told to stop.
func (e *Events) Stopping(why string) {
	e.line(zerolog.InfoLevel, "stopping", "").Str("why", clean(why)).Send()
}

// Stopped: everything has ended; err is what did not end well.
func (e *Events) Stopped(err error) {
	e.quota.end()
	e.outcome("stopped", err)
}

// Reloaded: a new configuration is in force. Its policy has this version, and so
// many listings began, ended or got another answer.
func (e *Events) Reloaded(policy uint64, begun, ended, changed int) {
	e.line(zerolog.InfoLevel, "reloaded", "").Uint64("policy", policy).Int("listed", begun).
		Int("delisted", ended).Int("changed", changed).Send()
}

// ReloadFailed: the old configuration stays, or the list cannot follow the new
// one.
func (e *Events) ReloadFailed(err error) { e.outcome("reloaded", err) }

// ConfigChanged: a reload brought another part of the configuration into force. So
// many tables of it were added and removed and so many keys changed; their names
// are words of ours, values are not told.
func (e *Events) ConfigChanged(area string, added, removed, changed int, keys []string) {
	e.line(zerolog.InfoLevel, "config-changed", area).Str("area", clean(area)).Int("added", added).
		Int("removed", removed).Int("changed", changed).Strs("keys", cleanAll(keys)).Send()
}

// LogTo has what happens from now on told to another logger.
func (e *Events) LogTo(log zerolog.Logger) { e.log.Store(&log) }

func (e *Events) outcome(event string, err error) {
	if err != nil {
		e.line(zerolog.ErrorLevel, event, "").Str("error", clean(err.Error())).Send()
		return
	}
	e.line(zerolog.InfoLevel, event, "").Send()
}

// HitsMissing: hits that were recorded are in no file of the store: a day was lost,
// and the list is made without them.
func (e *Events) HitsMissing(first, last uint64) {
	e.m.missing.add(float64(last - first + 1))
	e.line(zerolog.WarnLevel, "hits-missing", "").Uint64("first", first).Uint64("last", last).Send()
}

// The list: what judge.Observer asks for.

// SnapshotUnusable: the start has to read the whole log.
func (e *Events) SnapshotUnusable(err error) {
	e.line(zerolog.WarnLevel, "snapshot-unusable", "").Str("error", clean(err.Error())).Send()
}

// CaughtUp: the log has been read to its end.
func (e *Events) CaughtUp(records uint64, sources, listed int) {
	e.line(zerolog.InfoLevel, "caught-up", "").Uint64("records", records).Int("sources", sources).
		Int("listed", listed).Send()
}

// ListChanged: a source's answer became another one.
func (e *Events) ListChanged(source, from, to, by string) {
	event := "listed"
	switch {
	case to == "":
		event = "delisted"
	case from != "":
		event = "relisted"
	}
	e.m.changes.inc(event, by)
	e.line(zerolog.InfoLevel, event, "").Str("source", clean(source)).Str("answer", clean(to)).
		Str("trigger", clean(by)).Send()
}

// JudgeStopped: the log or the ledger is damaged. Mail is still taken, nothing is
// published any more.
func (e *Events) JudgeStopped(err error) {
	e.m.faults.inc("judge")
	e.line(zerolog.ErrorLevel, "judge-stopped", "").Str("error", clean(err.Error())).Send()
}

// CertificateStays: files of a certificate have changed and cannot be read, so the one
// before stays in use.
func (e *Events) CertificateStays(file string, why error) {
	e.line(zerolog.WarnLevel, "certificate-stays", "").Str("file", clean(file)).
		Str("error", clean(why.Error())).Send()
}

// Stalled: the store's writer or the judge stands still. The service manager is not told that
// the daemon is alive, and ends it unless that passes.
func (e *Events) Stalled(who string) {
	e.m.faults.inc(who)
	e.line(zerolog.ErrorLevel, "stalled", who).Str("who", clean(who)).Send()
}

// Rewritten: another policy is in force, or hits of the past count for less or
// more than they did.
func (e *Events) Rewritten(decision uint64, act, who string, listed, delisted, changed int) {
	e.line(zerolog.InfoLevel, "rewritten", "").Uint64("decision", decision).Str("act", clean(act)).
		Str("who", clean(who)).Int("listed", listed).Int("delisted", delisted).
		Int("changed", changed).Send()
}

// The zone.

// ZonePublished: another zone is in place.
func (e *Events) ZonePublished(serial uint32, entries, added, removed int) {
	e.m.published.inc()
	e.line(zerolog.InfoLevel, "zone-published", "").Uint32("serial", serial).
		Int("entries", entries).Int("added", added).Int("removed", removed).Send()
}

// ZoneHeld: the publish guard holds back other changes than before, or none.
func (e *Events) ZoneHeld(additions, removals int) {
	e.line(zerolog.WarnLevel, "zone-held", "").Int("additions", additions).
		Int("removals", removals).Send()
}

// ZoneOrdered: by the operator's decision another thing stands in the zone: what
// was published with a serial (rollback), nobody (retire), or the list again ("").
func (e *Events) ZoneOrdered(act string, serial uint32, decision uint64, who string) {
	if act == "" {
		e.line(zerolog.InfoLevel, "zone-resumed", "").Send()
		return
	}
	e.line(zerolog.WarnLevel, "zone-ordered", "").Str("act", clean(act)).Uint32("to", serial).
		Uint64("decision", decision).Str("who", clean(who)).Send()
}

// ZoneFaults: listings that cannot be published, or what was wrong with the
// files that were replaced.
func (e *Events) ZoneFaults(faults string) {
	e.line(zerolog.WarnLevel, "zone-faults", "").Str("faults", clean(faults)).Send()
}

// ZoneFailed: the zone could not be written; the last good one stays.
func (e *Events) ZoneFailed(err error) {
	e.m.faults.inc("zone")
	e.line(zerolog.ErrorLevel, "zone-failed", "").Str("error", clean(err.Error())).Send()
}
