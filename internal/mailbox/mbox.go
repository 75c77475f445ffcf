package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// mbox is a stream of messages that is being read, past the From_ line of the next one.
type mbox struct {
	path   string
	in     *bufio.Reader
	n      int    // messages read
	sender string // from the From_ line of the next one
	done   bool   // there is no next one
}

// draft is a message of which more lines may come.
type draft struct {
	bytes  []byte
	over   bool // too large: the rest is not kept
	inBody bool
	blank  bool // the last line is blank, and the next byte begins another
}

// readMbox reads a stream that begins with a From_ line.
func readMbox(path string, in *bufio.Reader, yield func(Message, error) bool) {
	b := &mbox{path: path, in: in}
	line, _ := b.line() // an error comes up again below
	b.sender, _ = readFromLine(line)
	for !b.done && yield(b.next()) {
	}
}

// next reads a message up to its end and the From_ line behind that.
func (b *mbox) next() (Message, error) {
	b.n++
	m, sender := Message{Path: b.path, N: b.n}, b.sender
	var d draft
	err := b.fill(&d)
	switch {
	case err != nil: // what there is of the message could pass for all of it
		return m, fmt.Errorf("read %s: %w", place(m.Path, m.N), err)
	case d.over:
		return m, &TooLargeError{m.Path, m.N}
	}
	return m.filled(d.content(), sender)
}

// fill reads lines into the draft until its message ends.
func (b *mbox) fill(d *draft) error {
	for starts := true; ; {
		line, err := b.line()
		if d.blank {
			if sender, ok := readFromLine(line); ok {
				b.sender = sender
				return nil
			}
		}
		d.add(line, starts)
		if err != nil {
			b.done = true
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		starts = line[len(line)-1] == '\n'
	}
}

// line reads a line with its end, or a piece of a long one. It lives until the next call. An error
// comes with what there was before it.
func (b *mbox) line() ([]byte, error) {
	line, err := b.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return line, err
}

// add takes a line, or a piece of one: starts tells whether it is the first.
func (d *draft) add(line []byte, starts bool) {
	if len(line) == 0 { // at the end of the stream
		return
	}
	if starts && d.inBody {
		line = unquoted(line)
	}
	d.blank = starts && (string(line) == "\n" || string(line) == "\r\n")
	d.inBody = d.inBody || d.blank
	const separator = len("\r\n") // is cut off in the end
	if d.over = d.over || len(d.bytes)+len(line) > MaxBytes+separator; d.over {
		d.bytes = nil
		return
	}
	d.bytes = append(d.bytes, line...)
}

// content is the message without the blank line that the mbox has put behind it.
func (d *draft) content() []byte {
	if !d.blank {
		return d.bytes
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(d.bytes, []byte("\n")), []byte("\r"))
}

// unquoted takes one `>` off a line of `>`s and `From `.
func unquoted(line []byte) []byte {
	if line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), fromSpace) {
		return line[1:]
	}
	return line
}
