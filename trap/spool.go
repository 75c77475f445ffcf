package trap

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
)

// spool makes queue ids. A real server makes them of the time, the process and the file that a
// message lies in; we have no such file, so what is not time is drawn by lot, in the range and
// with the habits of a real one. Nothing in an id tells of a message, a trap or of us, and
// listeners draw for themselves, so that an id cannot tell that two of them are one machine.
type spool struct {
	inode uint64 // of the first file in the folder

	mu      sync.Mutex // guards all below
	process int        // the last one that was started
}

const (
	firstProcess = 300       // below are those of the system
	lastProcess  = 4_194_303 // pid_max of Linux with 64 bits, less one
	mostInodes   = 1 << 21   // of a file system of some 32 GiB
	queueFiles   = 40        // files that come and go use the same few inodes
)

func newSpool() *spool {
	return &spool{inode: 1<<17 + rand.Uint64N(mostInodes), process: firstProcess + rand.IntN(40_000)}
}

// start returns the number of a new process: higher than the last, as other programs start some
// in between, and from the beginning again when they are used up.
func (s *spool) start() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process += 1 + rand.IntN(20)
	if s.process > lastProcess {
		s.process = firstProcess + rand.IntN(1000)
	}
	return s.process
}

// queue gives the message just taken its id.
func (c *connection) queue() {
	if c.voice.queueID != nil {
		c.queueID = c.voice.queueID(c.spool, c.process, c.server.config.Now())
	}
}

// postfixID is a short queue id: the microseconds of the second and the inode, in hexadecimal.
func (s *spool) postfixID(_ int, _ time.Time) string {
	const digits = "0123456789ABCDEF"
	id := make([]byte, 5, 16)
	micros := rand.IntN(1_000_000) // nobody outside can know what ours were
	for i := range id {
		id[len(id)-1-i] = digits[micros&15]
		micros >>= 4
	}
	for _, c := range strconv.AppendUint(nil, s.inode+rand.Uint64N(queueFiles), 16) {
		if c >= 'a' {
			c -= 'a' - 'A'
		}
		id = append(id, c)
	}
	return string(id)
}

// eximID is the second, the process and the half milliseconds of the second, to the base of 62.
func (s *spool) eximID(process int, now time.Time) string {
	id := make([]byte, 0, 16)
	id = appendBase62(id, now.Unix(), 6)
	id = append(id, '-')
	id = appendBase62(id, int64(process), 6)
	id = append(id, '-')
	return string(appendBase62(id, int64(now.Nanosecond()/500_000), 2))
}

// appendBase62 appends the last width digits of n.
func appendBase62(b []byte, n int64, width int) []byte {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	begin := len(b)
	b = append(b, "000000000000"[:width]...)
	for i := begin + width - 1; i >= begin; i-- {
		b[i] = digits[n%62]
		n /= 62
	}
	return b
}
