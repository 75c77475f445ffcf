package trap

import (
	"net/netip"
	"sync"
	"time"
)

// Limits bound what one peer and all peers together can take from us. A field that is zero or
// negative has the value that DefaultLimits gives it: there is no unlimited.
type Limits struct {
	Connections      int           // at once, all listeners of one Budget together
	ConnectionsPerIP int           // at once from one IPv4 address or IPv6 /64
	MessageBytes     int64         // a message of exactly this size is still taken
	Recipients       int           // in one transaction
	SessionTimeout   time.Duration // from accept to close, whatever happens
	CommandTimeout   time.Duration // for one command line, one handshake, one reply
	DataTimeout      time.Duration // for the content of one message
	MemoryBytes      int64         // of message content held at once, all sessions together
}

// DefaultLimits returns limits that are safe on the open internet.
func DefaultLimits() Limits {
	return Limits{
		Connections:      2000,
		ConnectionsPerIP: 20,
		MessageBytes:     10 << 20,
		Recipients:       100,
		SessionTimeout:   10 * time.Minute,
		CommandTimeout:   time.Minute,
		DataTimeout:      5 * time.Minute,
		MemoryBytes:      256 << 20,
	}
}

func (l Limits) orDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		Connections:      positive(l.Connections, d.Connections),
		ConnectionsPerIP: positive(l.ConnectionsPerIP, d.ConnectionsPerIP),
		MessageBytes:     positive(l.MessageBytes, d.MessageBytes),
		Recipients:       positive(l.Recipients, d.Recipients),
		SessionTimeout:   positive(l.SessionTimeout, d.SessionTimeout),
		CommandTimeout:   positive(l.CommandTimeout, d.CommandTimeout),
		DataTimeout:      positive(l.DataTimeout, d.DataTimeout),
		MemoryBytes:      positive(l.MemoryBytes, d.MemoryBytes),
	}
}

func positive[N ~int | ~int64](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// Fixed bounds that no operator needs to turn.
const (
	headBytes     = 256 << 10 // kept of a message; a reporter's is kept whole
	lineBytes     = 2048      // of a command line; RFC 5321 section 4.5.3.1.4 asks for 512
	proxyTimeout  = 10 * time.Second
	parting       = time.Second // for the last reply of a session that is cut or at its end
	patience      = 10_000      // what a session may cost us between two messages taken
	costOfError   = 500         // a command that is none of ours: twenty of them end the session
	costOfCommand = 10          // any other answer: a thousand without a message end it
	costOfRefusal = 1           // of a recipient
)

// Budget counts what all servers of a process hold together: connections, and bytes of messages
// in flight. The limits themselves come with each session's Settings.
type Budget struct {
	mu          sync.Mutex // guards all below
	connections int
	perPeer     map[netip.Prefix]int
	memory      int64
}

// NewBudget returns a Budget with nothing taken from it.
func NewBudget() *Budget {
	return &Budget{perPeer: make(map[netip.Prefix]int)}
}

// Connections returns how many connections are open.
func (b *Budget) Connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connections
}

// Memory returns how many bytes of messages are held.
func (b *Budget) Memory() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.memory
}

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

// enter takes a place among the connections of one peer.
func (b *Budget) enter(peer netip.Addr, limit int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := neighbours(peer)
	if b.perPeer[key] >= limit {
		return false
	}
	b.perPeer[key]++
	return true
}

func (b *Budget) leave(peer netip.Addr) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := neighbours(peer)
	if b.perPeer[key]--; b.perPeer[key] <= 0 {
		delete(b.perPeer, key)
	}
}

// reserve takes n bytes of message memory; false, and nothing taken, if they are not there.
func (b *Budget) reserve(n, limit int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.memory+n > limit {
		return false
	}
	b.memory += n
	return true
}

func (b *Budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.memory -= n
}

// neighbours returns what counts as one peer: an IPv4 address, or the IPv6 /64 in which every
// host may pick addresses as it likes.
func neighbours(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // a is unmapped and valid, so bits fit
	return p
}
