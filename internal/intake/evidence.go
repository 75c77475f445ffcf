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
// the connection decided, a sample. Mail for the operator is kept whole, as far
// as a session gives it and the day allows.
func (i *Intake) keepEvidence(r *store.Record, m *trap.Message, t parser.Trace) {
	fromPeer := m.Peer.IsValid() && len(t.Hops) < 2
	head := evidenceOf(m.Head)
	switch {
	case r.Inbox:
		head = m.Head[:min(len(m.Head), letterKept)]
		from := r.Source
		if !from.IsValid() {
			from = m.Peer.Addr()
		}
		if !i.mailroom.affords(from, m.Time, len(head)) {
			return
		}
	case fromPeer && !i.sampler.wants(m.Peer.Addr(), m.Time, len(head)):
		return
	}
	r.Evidence = store.PackEvidence(head)
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

// sampler picks one message a peer and hour, as long as the samples of the hour
// are not too many in all: strangers must not fill the disk with them. It
// remembers a bounded number of peers and then begins anew, which keeps a few
// samples more.
type sampler struct {
	mu   sync.Mutex
	seen map[netip.Addr]time.Time
	hour time.Time // that the bytes were kept in
	kept int
}

const (
	sampleEvery   = time.Hour
	samplerMemory = 100_000
	sampledBytes  = 64 << 20 // in an hour, before compression
)

func newSampler() *sampler { return &sampler{seen: map[netip.Addr]time.Time{}} }

func (s *sampler) wants(peer netip.Addr, now time.Time, size int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	peer = neighbours(peer)
	if last, ok := s.seen[peer]; ok && now.Sub(last) < sampleEvery || !s.take(now, size) {
		return false
	}
	if len(s.seen) >= samplerMemory {
		clear(s.seen)
	}
	s.seen[peer] = now
	return true
}

func (s *sampler) take(now time.Time, size int) bool {
	if hour := now.Truncate(time.Hour); !hour.Equal(s.hour) {
		s.hour, s.kept = hour, 0
	}
	if s.kept+size > sampledBytes {
		return false
	}
	s.kept += size
	return true
}

// neighbours stands for all addresses that one customer has.
func neighbours(a netip.Addr) netip.Addr {
	const network = 64
	if a.Is6() && !a.Is4In6() {
		a = netip.PrefixFrom(a.WithZone(""), network).Masked().Addr()
	}
	return a
}
