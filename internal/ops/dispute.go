package ops

import "github.com/rs/zerolog"

// Disputes: what dispute.Observer asks for. Nobody's contact or words are among it.

// DisputeStep: something happened to a dispute of a source: a step of the ledger, and
// by whom.
func (e *Events) DisputeStep(id, source, step, who string) {
	e.m.disputes.inc(step)
	e.line(zerolog.InfoLevel, "dispute", step).Str("id", clean(id)).Str("source", clean(source)).
		Str("step", clean(step)).Str("who", clean(who)).Send()
}

// DisputeFailed: what was to be done for disputes could not be; it is tried again within
// a minute.
func (e *Events) DisputeFailed(err error) {
	e.line(zerolog.WarnLevel, "dispute-failed", "").Str("error", clean(err.Error())).Send()
}
