package intake

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

const (
	// bodyKept is how much of a body is kept as evidence beside the header:
	// enough to see the structure of a bounce.
	bodyKept = 8 << 10
	// headKept bounds header and body together. A session gives no more, but a
	// file or a report may begin with megabytes of header.
	headKept = 256 << 10
)

// keepEvidence keeps the head of a message where a header was read to find its
// source, since only there can the parser have been wrong; where the peer of
// the connection decided, a sample.
func (i *Intake) keepEvidence(r *store.Record, m *trap.Message, t parser.Trace) {
	fromPeer := m.Peer.IsValid() && len(t.Hops) < 2
	if fromPeer && !r.Inbox && !i.sampler.wants(m.Peer.Addr(), m.Time) {
		return
	}
	r.Evidence = store.PackEvidence(evidenceOf(m.Head))
}

// evidenceOf is the header and the beginning of the body.
func evidenceOf(head []byte) []byte {
	head = head[:min(len(head), headKept)]
	end := bytes.Index(head, []byte("\n\r\n"))
	if lf := bytes.Index(head, []byte("\n\n")); lf >= 0 && (end < 0 || lf < end) {
		end = lf
	}
	if end < 0 {
		return head
	}
	return head[:min(len(head), end+bodyKept)]
}

// sampler picks one message a peer and hour. It remembers a bounded number of
// peers and then begins anew, which keeps a few samples more.
type sampler struct {
	mu   sync.Mutex
	seen map[netip.Addr]time.Time
}

const (
	sampleEvery   = time.Hour
	samplerMemory = 100_000
)

func newSampler() *sampler { return &sampler{seen: map[netip.Addr]time.Time{}} }

func (s *sampler) wants(peer netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.seen[peer]; ok && now.Sub(last) < sampleEvery {
		return false
	}
	if len(s.seen) >= samplerMemory {
		clear(s.seen)
	}
	s.seen[peer] = now
	return true
}
