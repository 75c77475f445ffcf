package intake

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

// File is a message that no session brought: from a mailbox or standard input.
type File struct {
	Message    []byte
	MailFrom   string // reverse path: "<>" is the null one, "" not known
	Recipients []trap.Recipient
	Again      bool // counts even though it was ingested before
}

// RefusedError says why a message from a file cannot be a hit.
type RefusedError struct{ Why string }

// Error names the reason and the mend.
func (e RefusedError) Error() string {
	mends := map[string]string{
		"unreadable-date": "the topmost Received line has no readable date",
		"future-date":     "the topmost Received line is dated ahead of the clock",
	}
	return fmt.Sprintf("%s: %s", e.Why, mends[e.Why])
}

// Ingest records a message from a file as trap mail and gives its trace. The
// event time is the date of the topmost Received line, which must be by a
// trusted host; a message whose date is unusable is refused with a
// RefusedError. Without a source the hit is recorded as unattributed.
func (i *Intake) Ingest(ctx context.Context, f File) (*store.Record, error) {
	from, null := f.MailFrom, f.MailFrom == "<>"
	if null {
		from = ""
	}
	trace := parser.Parse(f.Message, parser.Connection{MailFrom: from, NullSender: null}, i.trust())
	now := i.now()
	if trace.Source.IsValid() {
		if why := dateFault(trace.Time, now, 0); why != "" {
			return nil, RefusedError{why}
		}
	}
	m := &trap.Message{Size: int64(len(f.Message)), Digest: sha256.Sum256(f.Message)}
	m.MailFrom, m.Protocol = from, "FILE"
	r := newRecord(m, trace)
	r.Time, r.Ingested, r.Again = criteria.At(trace.Time), true, f.Again
	if dateFault(trace.Time, now, 0) != "" {
		r.Time = criteria.At(now) // of a hit without a source: it never counts
	}
	takeTraps(r, f.Recipients)
	r.Evidence = store.PackEvidence(evidenceOf(f.Message))
	if err := i.log.Append(ctx, r); err != nil {
		return nil, err
	}
	i.tell(r)
	return r, nil
}
