// Package mailbox reads mail that lies in files.
//
// In come an mbox, a Maildir, a file with one message, a folder of such, or a stream; out come the
// messages one by one, each with where it stood and the reverse path, where the file knows it. It
// never changes or moves a file, never keeps more than one message in memory, and never gives up
// on the rest because of one message: what is no mail or too large becomes an error that names it.
//
// # Where one message ends
//
// In an mbox a line like
//
//	From sender@example.net  Thu Jul  2 12:05:05 2020
//
// stands before each message and a blank line behind it (RFC 4155, appendix A). Whoever wrote the
// file put a `>` before such lines in a body, and here one is taken off again, of as many as there
// are (mboxrd; what mboxo quoted comes out right, too). Content-Length is not looked at: senders
// write that field as well, and it would hide messages or cut them.
//
// Where nobody quoted the body, its author could write such a line, a Received line below it, and
// so a whole message of somebody else. Therefore a Maildir's files, files called *.eml and what
// [ReadOne] reads are one message each, whatever their lines; a From_ line at the top is dropped,
// and says no more than the reverse path. Any other file or stream that begins with a From_ line
// is an mbox.
package mailbox

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
)

// MaxBytes is the longest message that is read, as in the mailbox and without its From_ line.
const MaxBytes = 10 << 20

// Message is one message of a mailbox.
type Message struct {
	Path     string // the file, or what the caller called the stream
	N        int    // its number in there, from 1; 0 where a file or folder could not be opened
	Bytes    []byte // without the From_ line and its quoting; the receiver's to keep
	MailFrom string // the reverse path: "<>" is the null one, "" not known
}

// NotMailError is a file, or a part of an mbox, that is no mail. Reading goes on behind it.
type NotMailError struct {
	Path string
	N    int
	Why  string
}

// Error names the file, the message in it, and what it is instead.
func (e *NotMailError) Error() string {
	return fmt.Sprintf("read %s: not mail: %s", place(e.Path, e.N), e.Why)
}

// TooLargeError is a message of more than [MaxBytes]. Reading goes on behind it.
type TooLargeError struct {
	Path string
	N    int
}

// Error names the file, the message in it, and the limit.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("read %s: over %d bytes", place(e.Path, e.N), MaxBytes)
}

func place(path string, n int) string {
	if n < 2 {
		return path
	}
	return fmt.Sprintf("%s: message %d", path, n)
}

// Read gives the messages of a stream, an mbox or a single message, under the name it is called
// by. Each message comes with a nil error, and each error ([NotMailError], [TooLargeError]) with a
// Message that only says where; an error of the stream itself comes last. What a delivery agent
// hands to a program may begin with a From_ line although its body is not quoted: see [ReadOne].
func Read(name string, r io.Reader) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		if _, isMbox := readFromLine(firstLine(in)); isMbox {
			readMbox(name, in, yield)
			return
		}
		yield(ReadOne(name, in))
	}
}

// ReadOne gives the one message of a stream. Its errors are those of [Read].
func ReadOne(name string, r io.Reader) (Message, error) {
	m := Message{Path: name, N: 1}
	// One byte more than fits, even behind the longest From_ line, tells that there is too much.
	data, err := io.ReadAll(io.LimitReader(r, maxFromLine+int64(len("\r\n"))+MaxBytes+1))
	if err != nil {
		return m, fmt.Errorf("read %s: %w", name, err)
	}
	sender, data := cutFromLine(data)
	return m.filled(data, sender)
}

// firstLine is the first line of a stream, or as much of it as could be a From_ line. It stays in
// the stream.
func firstLine(in *bufio.Reader) []byte {
	start, _ := in.Peek(maxFromLine) // an error comes up again when the bytes are read
	line, _, _ := bytes.Cut(start, []byte("\n"))
	return line
}

// filled is the message with its content, or what is wrong with that.
func (m Message) filled(data []byte, sender string) (Message, error) {
	if len(data) > MaxBytes {
		return m, &TooLargeError{m.Path, m.N}
	}
	if why := fault(data); why != "" {
		return m, &NotMailError{m.Path, m.N, why}
	}
	m.Bytes, m.MailFrom = data, reversePath(sender, data)
	return m, nil
}
