package trap

import (
	"net"
	"sync"
	"time"
)

// leash lets Shutdown reach a session that waits for its peer. Every wait is armed here first,
// so that an order to stop is either seen before it or interrupts it, never lost in between.
//
// A deadline that only moves on is noted, and the socket keeps the one before: see socket.
type leash struct {
	raw  net.Conn
	ends time.Time // of the session, whatever it does

	mu       sync.Mutex // guards all below
	busy     bool       // a transaction is open
	draining bool       // stop as soon as it is not
	isCut    bool       // stop now
	reading  deadline   // of the next read
	writing  deadline   // of the next write
}

// arm sets the deadline of the next read. It returns false if there must be no next read.
func (l *leash) arm(timeout time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped() {
		return false
	}
	l.reading.move(l.earlier(timeout), l.raw.SetReadDeadline)
	return true
}

// armReply sets the deadline of the next write. The last words of a session that was cut have a
// second: its peer may long have stopped to read.
func (l *leash) armReply(timeout time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	// The end of the session may have passed while a message was stored: its 250 is owed.
	if end := l.earlier(timeout); !l.isCut && end.After(at) {
		at = end
	}
	l.writing.move(at.Add(parting), l.raw.SetWriteDeadline)
}

// earlier returns the instant timeout from now, or the end of the session before it.
func (l *leash) earlier(timeout time.Duration) time.Time {
	at := time.Now().Add(timeout)
	if at.After(l.ends) {
		return l.ends
	}
	return at
}

func (l *leash) stopped() bool { return l.isCut || (l.draining && !l.busy) }

// stopReason returns why there must be no next read, or "".
func (l *leash) stopReason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.isCut:
		return endCut
	case l.stopped():
		return endShutdown
	}
	return ""
}

// setBusy tells whether a transaction is open that a drain should wait for.
func (l *leash) setBusy(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = busy
}

// drain asks the session to end once no transaction is open.
func (l *leash) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draining = true
	if l.stopped() {
		l.wake()
	}
}

// cut ends the session now, whatever it does. What its sink is storing is still answered.
func (l *leash) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	l.wake()
	l.writing.set(time.Now().Add(parting), l.raw.SetWriteDeadline)
}

// wake interrupts the read that the session may be in.
func (l *leash) wake() {
	l.reading.set(time.Unix(1, 0), l.raw.SetReadDeadline) // long past
}
