package intake

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of the text that is kept of mail to postmaster and abuse, before compression. Anybody may
// write there: no network takes more than its share of a day, and no hour more than a quarter of
// what the day has left, so that whoever floods the mailbox neither pushes out what is there nor
// keeps out what comes tomorrow. Of the rest there is the record without its text.
const (
	lettersOfNetwork = 20 // in a day, of a /24 or /48
	bytesOfNetwork   = 1 << 20
	lettersOfDay     = 4000
	bytesOfDay       = 64 << 20
	hourShare        = 4 // of what is left of the day
	letterKept       = 256 << 10
)

// allowance is what was kept.
type allowance struct{ letters, bytes int }

func (a *allowance) take(size int) {
	a.letters++
	a.bytes += size
}

// has tells whether one more fits.
func (a allowance) has(size, letters, bytes int) bool {
	return a.letters < letters && a.bytes+size <= bytes
}

// mailroom counts the text that is kept of mail for the operator. A restart begins a new day.
type mailroom struct {
	mu       sync.Mutex
	day      time.Time
	hour     time.Time
	ofDay    allowance
	before   allowance // of the day, up to the hour
	networks map[netip.Prefix]*allowance
}

func newMailroom() *mailroom { return &mailroom{networks: map[netip.Prefix]*allowance{}} }

// affords takes a letter's bytes if they are within the bounds. Who is not known, as behind a unix
// socket, has no share of his own. The networks of a day are no more than its letters.
func (m *mailroom) affords(from netip.Addr, now time.Time, size int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	left := allowance{lettersOfDay - m.before.letters, bytesOfDay - m.before.bytes}
	ofHour := allowance{m.ofDay.letters - m.before.letters, m.ofDay.bytes - m.before.bytes}
	if !ofHour.has(size, left.letters/hourShare, left.bytes/hourShare) {
		return false
	}
	if network := networkOf(from); network.IsValid() {
		used := m.networks[network]
		switch {
		case used == nil:
			used = &allowance{}
			m.networks[network] = used
		case !used.has(size, lettersOfNetwork, bytesOfNetwork):
			return false
		}
		used.take(size)
	}
	m.ofDay.take(size)
	return true
}

// turn begins a new day, or a new hour.
func (m *mailroom) turn(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(m.day) {
		m.day, m.ofDay = day, allowance{}
		clear(m.networks)
	}
	if hour := now.UTC().Truncate(time.Hour); !hour.Equal(m.hour) {
		m.hour, m.before = hour, m.ofDay
	}
}

// networkOf is the /24 or /48 of an address, as one customer may have it; none of none.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() && !a.Is4In6() {
		bits = 48
	}
	n, err := a.Unmap().WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return n
}
