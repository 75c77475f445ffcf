// Package intake makes hits out of accepted mail.
//
// In comes one message with what the connection or the file knew of it; out go
// the records it means: a trap hit, a reporter's reports, or mail for the
// operator, in one transaction. Only when they are on disk does Accept return
// nil, and only then may the sender be told 250.
//
// The address that is blamed comes from the parser and nowhere else. A message
// without a source is recorded all the same: it is shown to the operator and
// lists nobody.
package intake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

// Log is where records go. Append returns when all of them are on disk, or an
// error and none is.
type Log interface {
	Append(ctx context.Context, records ...*store.Record) error
}

// Observer is told what became of a message; it must not block.
type Observer interface {
	// Recorded: a message became a record. kind: trap, report, inbox. source
	// is "" without one; reason and cause are the parser's words.
	Recorded(kind, source, reason, cause string)
	// ReportRefused: a reporter's submission, or one of its attachments, does
	// not count. why: nothing-attached, unreadable-date, future-date, too-old.
	ReportRefused(why string)
}

// Intake implements trap.Sink. It is safe for use by many sessions at once.
type Intake struct {
	log      Log
	trust    func() parser.Trust // as configured now
	observe  Observer
	now      func() time.Time
	sampler  *sampler
	mailroom *mailroom
}

// New makes an intake that writes to a log.
func New(l Log, trust func() parser.Trust, o Observer, now func() time.Time) *Intake {
	return &Intake{log: l, trust: trust, observe: o, now: now, sampler: newSampler(),
		mailroom: newMailroom()}
}

var _ trap.Sink = (*Intake)(nil)

// Accept takes one message that a session has read to its end.
func (i *Intake) Accept(ctx context.Context, m *trap.Message) error {
	records := i.recordsOf(m)
	if err := i.log.Append(ctx, records...); err != nil {
		return outcome(err)
	}
	for _, r := range records {
		i.tell(r)
	}
	return nil
}

// outcome says a storage error in the words of the trap.
func outcome(err error) error {
	if errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", trap.ErrFull, err)
	}
	return fmt.Errorf("%w: %w", trap.ErrBusy, err)
}

// Gate tells a session whether a message could be stored now.
func Gate(room func() error) func() error {
	return func() error {
		if err := room(); err != nil {
			return outcome(err)
		}
		return nil
	}
}

func (i *Intake) tell(r *store.Record) {
	kind, source := r.Kind.String(), ""
	if r.Inbox {
		kind = "inbox"
	}
	if r.Source.IsValid() {
		source = r.Source.String()
	}
	i.observe.Recorded(kind, source, r.Reason, r.Cause.String())
}

func (i *Intake) recordsOf(m *trap.Message) []*store.Record {
	switch m.Recipients[0].Class {
	case trap.Reporter:
		return i.reports(m)
	default:
		return []*store.Record{i.hit(m)}
	}
}

// hit makes the record of a message to traps, to the operator's mailboxes, or
// both: any trap among the recipients makes it a trap hit.
func (i *Intake) hit(m *trap.Message) *store.Record {
	trace := parser.Parse(m.Head, connectionOf(&m.Envelope), i.trust())
	r := newRecord(m, trace)
	r.Time = criteria.At(m.Time)
	takeTraps(r, m.Recipients)
	i.keepEvidence(r, m, trace)
	return r
}

func connectionOf(e *trap.Envelope) parser.Connection {
	return parser.Connection{Peer: e.Peer.Addr(), Helo: e.Helo, MailFrom: e.MailFrom,
		NullSender: e.MailFrom == ""}
}

// Bounds of what a stranger may make us keep of a word.
const (
	mostHelo     = 255
	mostMailFrom = 320 // RFC 5321 section 4.5.3.1: 64 + 1 + 255
)

func newRecord(m *trap.Message, t parser.Trace) *store.Record {
	r := &store.Record{
		Reason: t.Reason.String(), Peer: m.Peer, Helo: cut(m.Helo, mostHelo),
		MailFrom: cut(m.MailFrom, mostMailFrom), TLS: m.TLS, Protocol: m.Protocol, Size: m.Size,
	}
	r.Source, r.Cause, r.Weight = t.Source, t.Cause, criteria.One
	copy(r.Digest[:], m.Digest[:])
	return r
}

func cut(s string, most int) string { return s[:min(len(s), most)] }

// takeTraps freezes what the recipients are worth at this moment: the active
// traps count, the heaviest gives the weight.
func takeTraps(r *store.Record, recipients []trap.Recipient) {
	r.Inbox = true
	var heaviest criteria.Micro
	for _, to := range recipients {
		if to.Rule == nil {
			r.Recipients = append(r.Recipients, store.Recipient{Address: to.Address, Kind: "mailbox"})
			continue
		}
		r.Inbox = false
		state, weight := "watching", criteria.Micro(to.Rule.Weight)
		if to.Rule.State == trap.StateActive {
			state, heaviest = "active", max(heaviest, weight)
			r.Traps = append(r.Traps, to.Address)
		}
		r.Recipients = append(r.Recipients,
			store.Recipient{Address: to.Address, Kind: to.Rule.Kind, State: state, Weight: weight})
	}
	r.Weight = heaviest
}
