package trap

import (
	"errors"
	"net"
	"os"
	"time"
)

// socket is the connection as a session reads and writes it. Each command moves two deadlines on,
// and to tell the system costs more than to note it; so it is told when a deadline comes earlier
// than the one before, or when that one has passed, and a wait that was interrupted is taken up
// again.
type socket struct {
	net.Conn
	leash *leash
}

// Read reads until the deadline that the leash was last armed with.
func (s *socket) Read(p []byte) (int, error) {
	for {
		n, err := s.Conn.Read(p)
		if n > 0 || err == nil || !s.leash.mayRead(err) {
			return n, err
		}
	}
}

// Write writes until the deadline that the leash was last armed with for replies.
func (s *socket) Write(p []byte) (written int, err error) {
	for {
		n, err := s.Conn.Write(p[written:])
		written += n
		if err == nil || !s.leash.mayWrite(err) {
			return written, err
		}
	}
}

// SetWriteDeadline is for TLS, which bounds its good-bye itself.
func (s *socket) SetWriteDeadline(at time.Time) error {
	s.leash.mu.Lock()
	defer s.leash.mu.Unlock()
	s.leash.writing.set(at, s.leash.raw.SetWriteDeadline)
	return nil
}

// mayRead says whether a read that failed was interrupted before its time; then the socket knows
// better now.
func (l *leash) mayRead(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reading.isEarly(err, l.raw.SetReadDeadline)
}

func (l *leash) mayWrite(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.writing.isEarly(err, l.raw.SetWriteDeadline)
}

// deadline is when a wait must end, and when the socket will end it: never later.
type deadline struct {
	due   time.Time
	armed time.Time // zero: never
}

// move is for the next wait.
func (d *deadline) move(due time.Time, tell func(time.Time) error) {
	if d.due = due; d.armed.IsZero() || due.Before(d.armed) {
		d.set(due, tell)
	}
}

// set is for the wait that goes on as well.
func (d *deadline) set(due time.Time, tell func(time.Time) error) {
	d.due, d.armed = due, due
	_ = tell(due) // fails on a closed socket, as does what waits for it
}

// isEarly says whether a wait was ended before it was due.
func (d *deadline) isEarly(err error, tell func(time.Time) error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(d.due) {
		return false
	}
	d.set(d.due, tell)
	return true
}
