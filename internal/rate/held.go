package rate

import (
	"net/netip"
	"sync"
)

// Held counts what networks hold at once. It keeps no more than is held, so whoever uses it bounds
// that. The zero Held is ready for use, by many at once.
type Held struct {
	mu   sync.Mutex // guards held
	held map[netip.Prefix]int
}

// Take takes one for a network; false, and nothing taken, if it holds as many as it may.
func (h *Held) Take(network netip.Prefix, most int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[network] >= most {
		return false
	}
	if h.held == nil {
		h.held = map[netip.Prefix]int{}
	}
	h.held[network]++
	return true
}

// Give gives back what was taken.
func (h *Held) Give(network netip.Prefix) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held[network]--; h.held[network] <= 0 {
		delete(h.held, network)
	}
}
