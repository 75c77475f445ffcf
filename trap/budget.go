package trap

import (
	"net/netip"
	"sync"
	"time"

	"github.com/trapline/trapline/internal/rate"
)

// What a network begins; each is counted apart.
const (
	beginConnection = 'c'
	beginMessage    = 'm'
)

// Budget counts what all servers of a process hold together: connections, how often networks
// come, and the memory of messages in flight. The limits themselves come with each session's
// Settings.
type Budget struct {
	memory memory
	made   time.Time

	mu          sync.Mutex // guards all below
	connections int
	held        map[netip.Prefix]int // connections, by address and by network
	rates       *rate.Sketch
}

// NewBudget returns a Budget with nothing taken from it.
func NewBudget() *Budget {
	return &Budget{made: time.Now(), held: make(map[netip.Prefix]int), rates: rate.New()}
}

// Connections returns how many connections are open.
func (b *Budget) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connections
}

// Memory returns how many bytes of messages are held.
func (b *Budget) Memory() int64 { return b.memory.inUse() }

// Waiting returns how many messages wait for memory.
func (b *Budget) Waiting() int { return b.memory.queued() }

// connect takes a place among all connections; false, and nothing taken, if all are in use.
func (b *Budget) connect(limit int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.connections >= limit {
		return false
	}
	b.connections++
	return true
}

func (b *Budget) disconnect() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connections--
}

// enter takes a place among the connections of one peer and of its network, at now. It returns
// why there is none, or "".
func (b *Budget) enter(peer netip.Addr, limits Limits, now time.Time) (why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	host, network, at := neighbours(peer), networkOf(peer), now.Sub(b.made)
	switch {
	case b.held[host] >= limits.ConnectionsPerIP:
		return whyPerIP
	case b.held[network] >= limits.ConnectionsPerNetwork:
		return whyPerNetwork
	case !b.rates.Take(at, host, beginConnection, limits.ConnectionsPerMinute):
		return whyRate
	case !b.rates.Take(at, network, beginConnection, limits.ConnectionsPerMinutePerNetwork):
		return whyNetworkRate
	}
	b.held[host]++
	b.held[network]++
	return ""
}

func (b *Budget) leave(peer netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range []netip.Prefix{neighbours(peer), networkOf(peer)} {
		if b.held[key]--; b.held[key] <= 0 {
			delete(b.held, key)
		}
	}
}

// begin counts a message that one peer begins at now; false if it has begun too many.
func (b *Budget) begin(peer netip.Addr, limits Limits, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := now.Sub(b.made)
	return b.rates.Take(at, neighbours(peer), beginMessage, limits.MessagesPerMinute)
}

// neighbours returns what counts as one peer: an IPv4 address, or the IPv6 /64 in which every
// host may pick addresses as it likes.
func neighbours(a netip.Addr) netip.Prefix { return widened(a, 32, 64) }

// networkOf returns the network that a peer can be expected to have more of: what the smallest
// IPv4 assignment is routed as, or an IPv6 site.
func networkOf(a netip.Addr) netip.Prefix { return widened(a, 24, 48) }

func widened(a netip.Addr, bits4, bits6 int) netip.Prefix {
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	p, _ := a.Prefix(bits) // a is unmapped and valid, so bits fit
	return p
}
