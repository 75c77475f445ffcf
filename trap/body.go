package trap

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// body reads the content of one message: up to the line that is a dot alone, which it consumes,
// with the dots of RFC 5321 section 4.5.2 taken off again.
//
// Only <CRLF>.<CRLF> ends it (section 4.1.1.4). Servers that also believe a bare LF or CR there
// can be made to see two messages where others see one; here the look-alike is content.
type body struct {
	in        *bufio.Reader
	lineStart bool  // the last bytes were <CRLF>, or there were none
	last      byte  // the last byte
	read      int64 // bytes taken from in
	lookAlike bool  // an end was seen that is none
}

func newBody(in *bufio.Reader) *body {
	return &body{in: in, lineStart: true, last: '\n'}
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
	b.lookAlike = b.lookAlike || b.looksLikeEnd(piece)
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

// looksLikeEnd tells LF.LF, LF.CRLF, CRLF.LF, CR.CRLF and CR.CR.
func (b *body) looksLikeEnd(piece []byte) bool {
	if b.last == '\n' && (string(piece) == ".\n" || string(piece) == ".\r\n") {
		return true
	}
	return bytes.HasSuffix(piece, []byte("\r.\r\n")) || bytes.Contains(piece, []byte("\r.\r"))
}

// collector keeps the head of a message and counts and hashes all of it, so that a slow body
// costs little memory however long it gets.
type collector struct {
	keep   int64 // how much of the head to keep
	budget *Budget
	limit  int64 // of the budget
	head   []byte
	size   int64
	starve bool // the budget had no more memory

	hash hash.Hash // of all of it
}

func newCollector(keep int64, budget *Budget, limit int64) *collector {
	return &collector{keep: keep, budget: budget, limit: limit, hash: sha256.New()}
}

// add takes the next piece of the message.
func (c *collector) add(piece []byte) {
	c.size += int64(len(piece))
	c.hash.Write(piece)
	c.store(piece)
}

// store keeps as much of the piece as the head has room for.
func (c *collector) store(piece []byte) {
	piece = piece[:min(int64(len(piece)), c.keep-int64(len(c.head)))]
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

// grow makes room for need bytes, doubling. Only what the budget grants is ever allocated.
func (c *collector) grow(need int) bool {
	size := min(max(2*cap(c.head), need, 8<<10), max(int(c.keep), need))
	if !c.budget.reserve(int64(size-cap(c.head)), c.limit) {
		return false
	}
	head := make([]byte, len(c.head), size)
	copy(head, c.head)
	c.head = head
	return true
}

// free gives the memory back; nothing of the head may be used afterwards.
func (c *collector) free() {
	c.budget.release(int64(cap(c.head)))
	c.head = nil
}

// digest returns the hash of the content.
func (c *collector) digest() (sum [32]byte) {
	c.hash.Sum(sum[:0])
	return sum
}
