package notice

import (
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// mostHits bounds how many messages a notice shows, and reads.
const mostHits = 20

// kept is a record with what is left of its message.
type kept struct {
	store.Record
	head []byte // nil: not kept, or no longer
}

// hitsOf gives the counted hits that are old enough to be shown, newest first.
func (o *Office) hitsOf(v *view) ([]Hit, error) {
	old, err := o.firstOf(v.hour - quiet)
	if err != nil {
		return nil, err
	}
	var messages []kept
	for _, t := range v.then.Verdict.Terms {
		if t.LSN >= old || t.Time > v.hour-quiet {
			continue
		}
		k, found, err := o.read(t.LSN)
		if err != nil {
			return nil, err
		}
		if found {
			messages = append(messages, k)
		}
		if len(messages) == mostHits {
			break
		}
	}
	rules := o.cfg.Rules()
	shared, hits := sharedOf(messages, rules), make([]Hit, 0, len(messages))
	for i := range messages {
		m := &messages[i]
		hits = append(hits, Hit{Hour: down(m.Time), Class: classOf(m.Kind, m.Cause), Cause: m.Cause,
			Trace: traceOf(m, rules.Trust), Evidence: shared.of(m)})
	}
	return hits, nil
}

// read gives one record and its message; false where it is kept no longer.
func (o *Office) read(lsn uint64) (k kept, found bool, err error) {
	for r, err := range o.cfg.Store.Records(lsn, lsn) {
		if err != nil {
			return k, false, fmt.Errorf("read a hit: %w", err)
		}
		k.Record, found = r, true
	}
	if found {
		if k.head, err = o.cfg.Store.Evidence(lsn); err != nil {
			return k, false, fmt.Errorf("read evidence: %w", err)
		}
	}
	return k, found, nil
}

// traceOf tells how a record's source was found. The Received lines are counted by
// reading what was kept once more, as far as that finds the same source.
func traceOf(m *kept, trust parser.Trust) Trace {
	t := Trace{Direct: m.Peer.IsValid() && m.Peer.Addr().Unmap() == m.Source, Stopped: m.Reason}
	if m.head == nil || m.Kind == criteria.Report {
		return t
	}
	again := parser.Parse(m.head, parser.Connection{Peer: m.Peer.Addr(), Helo: m.Helo,
		MailFrom: m.MailFrom, NullSender: m.MailFrom == ""}, trust)
	if again.Source == m.Source {
		t.Ignored = &again.Ignored
	}
	return t
}
