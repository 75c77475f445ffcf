package trap

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// counting tells how often its deadlines are set.
type counting struct {
	net.Conn
	reads, writes int
}

func (c *counting) SetReadDeadline(at time.Time) error {
	c.reads++
	return c.Conn.SetReadDeadline(at)
}

func (c *counting) SetWriteDeadline(at time.Time) error {
	c.writes++
	return c.Conn.SetWriteDeadline(at)
}

// newSocket is one end of a connection in memory, whose session may last an hour.
func newSocket(t *testing.T) (*socket, *counting, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	c := &counting{Conn: ours}
	return &socket{c, &leash{raw: c, ends: time.Now().Add(time.Hour)}}, c, theirs
}

// TestSocketReads: a read ends when it is due, to the second, however often that was put off, and
// the system is told twice in all: at first, and when that time has come too early.
func TestSocketReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, told, peer := newSocket(t)
		go func() {
			for range 9 {
				<-time.After(5 * time.Second)
				_, _ = peer.Write([]byte("NOOP"))
			}
		}()
		var err error
		for range 10 {
			if !s.leash.arm(time.Minute) {
				t.Fatal("stopped")
			}
			_, err = s.Read(make([]byte, 8))
		}
		begun := 45 * time.Second
		if got := time.Until(s.leash.ends); !errors.Is(err, os.ErrDeadlineExceeded) ||
			got != time.Hour-begun-time.Minute {
			t.Errorf("ended %v before the session must, with %v", got, err)
		}
		if told.reads != 2 {
			t.Errorf("the deadline was set %d times, want 2", told.reads)
		}
	})
}

// TestSocketEarlier: a deadline that comes before the one the system knows is told at once.
func TestSocketEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newSocket(t)
		begin := time.Now()
		s.leash.arm(5 * time.Minute)
		s.leash.arm(time.Minute)
		_, err := s.Read(make([]byte, 1))
		if got := time.Since(begin); got != time.Minute || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ended after %v with %v", got, err)
		}
	})
}

// TestSocketWrites: a reply that is half read when an old deadline comes is written on from there.
func TestSocketWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, told, peer := newSocket(t)
		s.leash.armReply(time.Minute)
		<-time.After(50 * time.Second)
		s.leash.armReply(time.Minute)
		got := make(chan []byte)
		go func() {
			var text []byte
			for range 6 {
				piece := make([]byte, 2)
				_, _ = io.ReadFull(peer, piece)
				text = append(text, piece...)
				<-time.After(9 * time.Second)
			}
			got <- text
		}()
		n, err := s.Write([]byte("250 OK, fine"))
		if n != 12 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		if text := <-got; !bytes.Equal(text, []byte("250 OK, fine")) || told.writes != 2 {
			t.Errorf("the peer read %q, the deadline was set %d times", text, told.writes)
		}
		begin := time.Now()
		s.leash.armReply(time.Second)
		if _, err := s.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) ||
			time.Since(begin) != time.Second+parting {
			t.Errorf("unread: %v after %v", err, time.Since(begin))
		}
	})
}

// TestSocketCut: an order to stop is obeyed by a read that has time left, and by the one that a
// deadline has just interrupted.
func TestSocketCut(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "later": 70 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, peer := newSocket(t)
				begin := time.Now()
				s.leash.arm(time.Minute)
				if after > 0 {
					go func() { _, _ = peer.Write([]byte("x")) }()
					<-time.After(50 * time.Second)
					_, _ = s.Read(make([]byte, 1))
					s.leash.arm(time.Minute)
				}
				go func() {
					<-time.After(after - time.Since(begin))
					s.leash.cut()
				}()
				_, err := s.Read(make([]byte, 1))
				if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != after {
					t.Errorf("ended after %v with %v", time.Since(begin), err)
				}
			})
		})
	}
}

// TestSocketGoodBye: TLS bounds its last words by a deadline of its own, and that one holds.
func TestSocketGoodBye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := newSocket(t)
		begin := time.Now()
		s.leash.armReply(time.Minute)
		if err := s.SetWriteDeadline(begin.Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Write([]byte("good-bye"))
		if got := time.Since(begin); got != 5*time.Second || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ended after %v with %v", got, err)
		}
	})
}

// TestSocketOwedReply: a message that was stored at the end of the session is answered all the
// same, and one that was cut has its second.
func TestSocketOwedReply(t *testing.T) {
	for name, cut := range map[string]bool{"the session's time is over": false, "cut": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, peer := newSocket(t)
				<-time.After(2 * time.Hour)
				s.leash.isCut = cut
				s.leash.armReply(time.Minute)
				go func() { _, _ = io.ReadFull(peer, make([]byte, 3)) }()
				if _, err := s.Write([]byte("250")); err != nil {
					t.Errorf("the reply was not sent: %v", err)
				}
			})
		})
	}
}
