package trap

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"
)

// body reads the content of one message: up to the line that is a dot alone, which it consumes,
// with the dots of RFC 5321 section 4.5.2 taken off again.
//
// Only <CRLF>.<CRLF> ends it (section 4.1.1.4). Servers that also believe a bare LF or CR there
// can be made to see two messages where others see one; here the look-alike is content.
type body struct {
	in        *bufio.Reader
	most      int64 // bytes that may be taken from in, but for the last piece
	lineStart bool  // the last bytes were <CRLF>, or there were none
	last      byte  // the last byte
	read      int64 // bytes taken from in
	ends      lookout
}

// errTooMuch says that the content has no end within what the session may bring.
var errTooMuch = errors.New("content is beyond the bytes of the session")

func newBody(in *bufio.Reader, most int64) *body {
	return &body{in: in, most: most, lineStart: true, last: '\n', ends: lookout{step: afterLine}}
}

// next returns some more content, valid until the next call, or io.EOF behind the end. Any other
// error, io.ErrUnexpectedEOF among them, means that the message was not read to its end.
func (b *body) next() ([]byte, error) {
	// A piece is a line or, of a line longer than the buffer, as much as fits, so the three
	// bytes that end the content always come in one piece.
	piece, err := b.in.ReadSlice('\n')
	b.read += int64(len(piece))
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if b.lineStart && string(piece) == ".\r\n" {
		return nil, io.EOF
	}
	if b.read > b.most {
		return nil, errTooMuch
	}
	b.ends.watch(piece)
	if b.lineStart && piece[0] == '.' {
		b.last = '.'
		b.follow(piece[1:])
		return piece[1:], nil
	}
	b.follow(piece)
	return piece, nil
}

// follow remembers how the piece ended.
func (b *body) follow(piece []byte) {
	before := b.last
	if len(piece) > 1 {
		before = piece[len(piece)-2]
	}
	if len(piece) > 0 {
		b.last = piece[len(piece)-1]
	}
	b.lineStart = before == '\r' && b.last == '\n'
}

// collector keeps the head of a message and counts and hashes all of it, so that a slow body
// costs little memory however long it gets.
type collector struct {
	keep   int64 // how much of the head to keep
	memory *memory
	claim  claim           // of that memory, as much as head has room for
	ends   time.Time       // all content must be here by then
	cut    <-chan struct{} // ends when nothing is waited for any more
	head   []byte
	apart  apart // what head lies in once it is long
	size   int64
	starve bool // there was no more memory

	hash hash.Hash // of all of it, once the head is no longer all
}

func newCollector(keep int64, m *memory, limit int64, cut <-chan struct{}) *collector {
	return &collector{keep: keep, memory: m, cut: cut,
		claim: claim{most: min(keep, limit), limit: limit}}
}

// add takes the next piece of the message.
func (c *collector) add(piece []byte) {
	c.size += int64(len(piece))
	kept := min(int64(len(piece)), c.keep-int64(len(c.head)))
	c.store(piece[:kept])
	rest := piece[kept:]
	if len(rest) == 0 || c.starve {
		return
	}
	if c.hash == nil {
		c.hash = sha256.New()
		c.hash.Write(c.head)
	}
	c.hash.Write(rest)
}

// store keeps a piece that the head has room for.
func (c *collector) store(piece []byte) {
	if len(piece) == 0 || c.starve {
		return
	}
	if need := len(c.head) + len(piece); need > cap(c.head) && !c.grow(need) {
		c.starve = true
		c.free()
		return
	}
	c.head = append(c.head, piece...)
}

// grow makes room for need bytes, doubling. Only what was granted is ever allocated. Half of the
// time that is left may pass until it is: the other half is for reading the rest, so that the
// peer can be told how it ended.
func (c *collector) grow(need int) bool {
	size := min(max(2*cap(c.head), need, usualHead), max(int(c.keep), need))
	if !c.memory.take(&c.claim, int64(size-cap(c.head)), time.Until(c.ends)/2, c.cut) {
		return false
	}
	if size > headBytes && c.apart == nil {
		c.apart = newApart(c.keep)
		copy(c.apart, c.head)
	}
	if c.apart != nil {
		c.head = c.apart[:len(c.head):size]
		return true
	}
	c.head = append(c.memory.room(size), c.head...)
	return true
}

// free gives the memory back; nothing of the head may be used afterwards.
func (c *collector) free() {
	if c.apart == nil {
		c.memory.giveBack(c.head)
	}
	c.apart.giveBack()
	c.head, c.apart = nil, nil
	c.memory.release(&c.claim)
}

// digest returns the hash of the content.
func (c *collector) digest() (sum [32]byte) {
	if c.hash == nil {
		return sha256.Sum256(c.head)
	}
	c.hash.Sum(sum[:0])
	return sum
}
