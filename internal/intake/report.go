package intake

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

const (
	// clockSkew is how far ahead of our clock a date in a message may lie.
	clockSkew = 5 * time.Minute
	// oldestReport is how old reported mail may be.
	oldestReport = 48 * time.Hour
)

// reports makes a record of each message attached to a reporter's submission.
// Its source is read from its own Received lines, of which the topmost must be
// by one of the reporter's hosts; nothing the submission says about it counts.
func (i *Intake) reports(m *trap.Message) []*store.Record {
	desk := m.Recipients[0].Rule
	trust := deskTrust(desk.Hosts, desk.Relays)
	var records []*store.Record
	for _, message := range parser.Attached(m.Head) {
		trace := parser.Parse(message, parser.Connection{}, trust)
		records = append(records, i.report(m, desk.Name, message, trace))
	}
	if len(records) == 0 {
		r := newRecord(m, parser.Trace{})
		r.Kind, r.Time, r.Reason = criteria.Report, criteria.At(m.Time), "nothing-attached"
		r.Evidence = store.PackEvidence(evidenceOf(m.Head))
		records = append(records, i.fromDesk(r, desk.Name))
		i.observe.ReportRefused(r.Reason)
	}
	return records
}

func (i *Intake) report(
	m *trap.Message, desk string, message []byte, t parser.Trace,
) *store.Record {
	r := newRecord(m, t)
	r.Kind, r.Size, r.Time = criteria.Report, int64(len(message)), criteria.At(t.Time)
	r.Digest, r.Ingested = deliveryOf(message), true // dated by the message, like one from a file
	r.Evidence = store.PackEvidence(evidenceOf(message))
	if t.Source.IsValid() {
		if why := dateFault(t.Time, m.Time, oldestReport); why != "" {
			i.observe.ReportRefused(why)
			r.Reason = why
		} else {
			r.Traps = []string{desk}
		}
	}
	if t.Time.IsZero() {
		r.Time = criteria.At(m.Time)
	}
	return i.fromDesk(r, desk)
}

// deliveryOf tells one delivery of a message from another: by the line that the
// reporter's host wrote when it came, and what the sender wrote above the text.
// Bodies are left out: a report may hold a message twice, once without its body,
// and mail programs change what they pass on.
func deliveryOf(message []byte) (d criteria.Digest) {
	sum := sha256.New()
	for _, name := range []string{"Received", "Message-ID", "Date", "From", "Subject"} {
		if values := parser.Values(message, name); len(values) > 0 {
			fmt.Fprintln(sum, name, values[0])
		}
	}
	copy(d[:], sum.Sum(nil))
	return d
}

func (i *Intake) fromDesk(r *store.Record, desk string) *store.Record {
	r.Recipients = []store.Recipient{
		{Address: desk, Kind: "reporter", State: "active", Weight: criteria.One}}
	return r
}

// dateFault says why a date read from a message cannot be an event's time; ""
// if it can. A limit of 0 lets any age pass.
func dateFault(date, now time.Time, oldest time.Duration) string {
	switch {
	case date.Unix() <= 0:
		return "unreadable-date"
	case date.After(now.Add(clockSkew)):
		return "future-date"
	case oldest > 0 && now.Sub(date) > oldest:
		return "too-old"
	}
	return ""
}
