package trap

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// memory shares out the bytes that messages in flight may hold. A message that needs more than
// there is waits until others are done with theirs: its peer is not read from meanwhile, so the
// pressure goes back to where it comes from.
//
// Messages hold some memory while they wait for more, so they could wait for each other. Each
// says at its beginning how much it may need at most, and memory is granted only where all could
// still come to their ends one after the other, with each leaving behind what it held: that is
// Dijkstra's banker (EWD 623). A message that holds something may be granted more before those
// that came earlier, for they may be waiting for it; one that holds nothing waits its turn.
type memory struct {
	mu      sync.Mutex // guards all below, and the claims
	used    int64
	holding []*claim // all that hold something, those that lack least first
	waiting []*claim // in the order in which they came

	heads sync.Pool // of *[usualHead]byte
}

// claim is the part of one message. The zero claim holds nothing.
type claim struct {
	held  int64
	most  int64 // it never asks for more in all
	limit int64 // of the memory altogether; not below most

	wants   int64         // more, while waiting
	granted chan struct{} // closed when it has it
}

// lacks returns what the claim may yet ask for.
func (c *claim) lacks() int64 { return c.most - c.held }

func (m *memory) inUse() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

func (m *memory) queued() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting)
}

// crowded: with so many waiting already, another message had better come later.
func (m *memory) crowded() bool { return m.queued() >= mostWaiting }

// take gives c n bytes more. While they are not there it waits, for patience at most, and not
// beyond the end of done. It returns false, and has taken nothing, if they did not come free, or
// if they are more than c said.
func (m *memory) take(c *claim, n int64, patience time.Duration, done <-chan struct{}) bool {
	granted, wait := m.ask(c, n)
	if !wait {
		return granted
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.granted:
	case <-timer.C:
	case <-done:
	}
	return m.stopWaiting(c)
}

// ask grants n bytes at once, or says that it is worth waiting for them, and has c wait.
func (m *memory) ask(c *claim, n int64) (granted, wait bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n > c.lacks() {
		return false, false
	}
	if (c.held > 0 || len(m.waiting) == 0) && m.canGrant(c, n) {
		m.grant(c, n)
		return true, false
	}
	c.wants, c.granted = n, make(chan struct{})
	m.waiting = append(m.waiting, c)
	return false, true
}

// stopWaiting returns whether c has got what it waited for; if not, it no longer does.
func (m *memory) stopWaiting(c *claim) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.Index(m.waiting, c)
	if i < 0 {
		return true
	}
	m.waiting = slices.Delete(m.waiting, i, i+1)
	m.wake() // those that it stood before
	return false
}

// release gives back all that c holds.
func (m *memory) release(c *claim) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.held == 0 {
		return
	}
	m.leave(c)
	m.used -= c.held
	c.held = 0
	m.wake()
}

// wake grants what can be granted now. One pass will do: a grant never makes another possible.
func (m *memory) wake() {
	still := m.waiting[:0]
	for _, c := range m.waiting {
		if c.wants > c.limit-m.used { // most of a crowd: see canGrant
			still = append(still, c)
			continue
		}
		if (c.held > 0 || len(still) == 0) && m.canGrant(c, c.wants) {
			m.grant(c, c.wants)
			close(c.granted)
			continue
		}
		still = append(still, c)
	}
	clear(m.waiting[len(still):])
	m.waiting = still
}

func (m *memory) grant(c *claim, n int64) {
	if c.held > 0 {
		m.leave(c)
	}
	c.held += n
	m.used += n
	m.holding = slices.Insert(m.holding, m.rank(c), c)
}

// leave takes c out of holding.
func (m *memory) leave(c *claim) {
	first := m.rank(c)
	place := first + slices.Index(m.holding[first:], c)
	m.holding = slices.Delete(m.holding, place, place+1)
}

// rank returns where in holding those begin that lack as much as c.
func (m *memory) rank(c *claim) int {
	place, _ := slices.BinarySearchFunc(m.holding, c.lacks(), func(o *claim, lacks int64) int {
		return cmp.Compare(o.lacks(), lacks)
	})
	return place
}

// canGrant says whether n bytes for c are there and leave all others a way to their ends. If c
// itself can then come to its end, it does as it will and leaves more than there was before; so
// the others come to theirs, the one that lacks least first, until c is among those that can. The
// rest could before c asked, and c leaves them no less.
func (m *memory) canGrant(c *claim, n int64) bool {
	free, lacks := c.limit-m.used-n, c.lacks()-n
	if free < 0 {
		return false
	}
	for _, o := range m.holding {
		if lacks <= free || o.lacks() > free {
			break
		}
		if o != c {
			free += o.held
		}
	}
	return lacks <= free
}
