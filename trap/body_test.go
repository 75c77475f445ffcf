package trap

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestBody: only <CRLF>.<CRLF> ends the content, and dots come off after <CRLF> alone.
func TestBody(t *testing.T) {
	for _, test := range []struct {
		name, sent, want, left string
		lookAlike              bool
	}{
		{name: "empty", sent: ".\r\n", want: ""},
		{name: "one line", sent: "a\r\n.\r\nQUIT\r\n", want: "a\r\n", left: "QUIT\r\n"},
		{name: "stuffed", sent: "..a\r\n.b\r\n...\r\n.\r\n", want: ".a\r\nb\r\n..\r\n"},
		{name: "a stuffed dot alone", sent: "..\r\n.\r\n", want: ".\r\n"},
		{name: "dot and CR", sent: ".\rx\r\n.\r\n", want: "\rx\r\n", lookAlike: true},
		{name: "LF.LF", sent: "a\n.\nb\r\n.\r\n", want: "a\n.\nb\r\n", lookAlike: true},
		{name: "LF.CRLF", sent: "a\n.\r\nb\r\n.\r\n", want: "a\n.\r\nb\r\n", lookAlike: true},
		{name: "CRLF.LF", sent: "a\r\n.\nb\r\n.\r\n", want: "a\r\n\nb\r\n", lookAlike: true},
		{name: "CR.CR", sent: "a\r.\rb\r\n.\r\n", want: "a\r.\rb\r\n", lookAlike: true},
		{name: "CR.CRLF", sent: "a\r.\r\nb\r\n.\r\n", want: "a\r.\r\nb\r\n", lookAlike: true},
		{name: "LF..CRLF", sent: "a\n..\r\n.\r\n", want: "a\n..\r\n"},
		{name: "CRCRLF lines", sent: "a\r\r\n.\r\n", want: "a\r\r\n"},
		{name: "CRCRLF end", sent: "a\r\r\n.\r\r\nb\r\n.\r\n", want: "a\r\r\n\r\r\nb\r\n",
			lookAlike: true},
		{name: "bare LF", sent: "a\nb\r\n.\r\n", want: "a\nb\r\n"},
		{name: "NUL", sent: "\x00\r\n.\r\n", want: "\x00\r\n"},
		{name: "long line", sent: strings.Repeat("x", 100_000) + "\r\n.\r\n",
			want: strings.Repeat("x", 100_000) + "\r\n"},
		{name: "long line of dots", sent: strings.Repeat(".", 100_000) + "\r\n.\r\n",
			want: strings.Repeat(".", 99_999) + "\r\n"},
		{name: "CR at the end of the buffer", sent: strings.Repeat("x", 63) + "\r\n.\r\n",
			want: strings.Repeat("x", 63) + "\r\n"},
		{name: "LF at the end of the buffer", sent: strings.Repeat("x", 62) + "\r\n.\r\n",
			want: strings.Repeat("x", 62) + "\r\n"},
		{name: "LF behind the buffer", sent: strings.Repeat("x", 64) + "\n.\r\n.\r\n.\r\n",
			want: strings.Repeat("x", 64) + "\n.\r\n", left: ".\r\n", lookAlike: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			readers := map[string]io.Reader{
				"at once":      strings.NewReader(test.sent),
				"byte by byte": iotest.OneByteReader(strings.NewReader(test.sent)),
			}
			for how, reader := range readers {
				in := bufio.NewReaderSize(reader, 64)
				b := newBody(in, 1<<20)
				got, err := readBody(b)
				if err != nil || got != test.want {
					t.Errorf("%s: got %.80q, %v, want %.80q", how, got, err, test.want)
				}
				if left, _ := io.ReadAll(in); string(left) != test.left {
					t.Errorf("%s: left %q, want %q", how, left, test.left)
				}
				if b.ends.seen != test.lookAlike {
					t.Errorf("%s: look-alike %v", how, b.ends.seen)
				}
				if want := int64(len(test.sent) - len(test.left)); b.read != want {
					t.Errorf("%s: read %d bytes, want %d", how, b.read, want)
				}
			}
		})
	}
}

// readBody copies the content to its end.
func readBody(b *body) (string, error) {
	var got strings.Builder
	for {
		piece, err := b.next()
		if errors.Is(err, io.EOF) {
			return got.String(), nil
		}
		if err != nil {
			return got.String(), err
		}
		got.Write(piece)
	}
}

func TestBodyCutOff(t *testing.T) {
	for _, sent := range []string{"", "a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\n.\n"} {
		b := newBody(bufio.NewReader(strings.NewReader(sent)), 1<<20)
		if _, err := readBody(b); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v, want an unexpected end", sent, err)
		}
	}
}

// TestCollector: however a message comes in pieces, its head, size and digest are the same.
func TestCollector(t *testing.T) {
	for _, test := range []struct{ name, content string }{
		{"header and body", "A: b\r\n\r\nfirst\r\n\r\nsecond\r\n"},
		{"bare line feeds", "A: b\n\nbody\n"},
		{"no body", "A: b\r\n\r\n"},
		{"no line end", "A: b"},
		{"nothing", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.content)+1; size++ {
				c := newCollector(8, &memory{}, 1<<20, nil)
				for piece := range chunks([]byte(test.content), size) {
					c.add(piece)
				}
				if c.digest() != sha256.Sum256([]byte(test.content)) {
					t.Errorf("pieces of %d: not the digest of %q", size, test.content)
				}
				if want := test.content[:min(8, len(test.content))]; string(c.head) != want {
					t.Errorf("pieces of %d: head %q, want %q", size, c.head, want)
				}
				if c.size != int64(len(test.content)) {
					t.Errorf("pieces of %d: size %d", size, c.size)
				}
			}
		})
	}
}

func chunks(b []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := min(size, len(b))
			if !yield(b[:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// TestCollectorMemory: what is allocated is what was granted, and all of it is given back.
func TestCollectorMemory(t *testing.T) {
	m := &memory{}
	c := newCollector(100_000, m, 1<<20, nil)
	line := bytes.Repeat([]byte("x"), 1000)
	for range 300 {
		c.add(line)
		if m.inUse() != int64(cap(c.head)) {
			t.Fatalf("granted %d, allocated %d", m.inUse(), cap(c.head))
		}
	}
	if len(c.head) != 100_000 || cap(c.head) != 100_000 || c.size != 300_000 {
		t.Errorf("head %d of %d, size %d", len(c.head), cap(c.head), c.size)
	}
	c.free()
	if m.inUse() != 0 {
		t.Errorf("%d bytes not given back", m.inUse())
	}
}

func TestCollectorStarves(t *testing.T) {
	m := &memory{}
	c := newCollector(100_000, m, 20_000, nil)
	for range 100 {
		c.add(bytes.Repeat([]byte("x"), 1000))
	}
	if !c.starve || c.head != nil || m.inUse() != 0 {
		t.Errorf("starve %v, head %d, granted %d", c.starve, len(c.head), m.inUse())
	}
	if c.size != 100_000 {
		t.Errorf("size %d: a message is read to its end all the same", c.size)
	}
}
