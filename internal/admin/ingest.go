package admin

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// bringing notes in the ledger who brings messages from files: a hit does not say it, and
// such hits may list somebody.
type bringing struct {
	store *store.Store

	mu   sync.Mutex
	last map[string]criteria.Second // when somebody brought a message
}

// pause is how long nobody brings a message between two runs: a run is one decision.
const pause criteria.Second = 60

// note has the ledger say who brings the hits that follow, once for a run of them. An error
// is the store's: the message must not be recorded then.
func (b *bringing) note(ctx context.Context, who string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.store.Mark().At
	if last, known := b.last[who]; !known || now-last >= pause {
		err := b.store.Decide(ctx, criteria.Decision{Act: criteria.ActIngest, Who: who,
			Reason: "messages from files"})
		if err != nil {
			return err
		}
	}
	if b.last == nil {
		b.last = map[string]criteria.Second{}
	}
	b.last[who] = now
	return nil
}

// ingest reads a message from a request, and has it recorded.
func (o Orders) ingest(b *bringing) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		message, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
		if err != nil {
			return nil, err
		}
		if len(message) > mostBody {
			return nil, badRequest("message is larger than 32 MiB", "leave it out")
		}
		if err := b.note(r.Context(), whoIn(r.Context())); err != nil {
			return nil, err
		}
		q := r.URL.Query()
		return o.Ingest(r.Context(), message, q.Get("from"), q.Get("trap"), q.Get("again") == "true")
	}
}
