package parser

import (
	"runtime"
	"strings"
	"testing"
)

// filler is what a hostile header is made of: a start, and a piece again and again.
type filler struct {
	name, start, piece string
}

// message is a header full of it, with a size in bytes.
func (f *filler) message(size int) []byte {
	n := max(0, size-len(f.start)-len("\n\n")) / len(f.piece)
	return []byte(f.start + strings.Repeat(f.piece, n) + "\n\n")
}

// walked is a line that is walked past where everything is trusted.
var walked = postfixLine("192.0.2.20", "mx.example")

const lineStart = "Received: from h.example (r.example [192.0.2.20]) "

var fillers = []filler{
	{"words", lineStart, "w "},
	{"one word", lineStart, "w"},
	{"comments", lineStart, "(c) "},
	{"open comments", lineStart, "("},
	{"nested comments", lineStart, "((((((((()))))))))"},
	{"closed comments", lineStart, ")"},
	{"quotes", lineStart, `"q" `},
	{"an open quote", lineStart + `"`, `\"`},
	{"brackets", lineStart + "(", "[]"},
	{"bys", lineStart, "by a "},
	{"semicolons", lineStart + "by mx.example", ";"},
	{"commas in the date", lineStart + "by mx.example (Postfix);", ","},
	{"folds", lineStart, "\r\n "},
	{"NULs", lineStart, "\x00"},
	{"walked lines", "", walked},
	{"walked lines of 16 kB", "", strings.Replace(walked, "id ", "id "+strings.Repeat("i", 16000), 1)},
	{"unread lines", "Received: x\n", "Received: by\n"},
	{"fields", "", "A: b\n"},
	{"empty names", "", ":\n"},
	{"no fields", "", "x\n"},
	{"returns", "A: ", "\r"},
	{"blanks", "A: ", " \n"},
	{"marks of a report", "Content-Type: multipart/report; boundary=b\n", "X-Autoreply: x\n"},
}

// TestMemoryIsLinear counts the bytes that a header costs, at one size and at twice the size:
// whatever it is full of, the cost is a small multiple of the size, and grows no faster.
func TestMemoryIsLinear(t *testing.T) {
	const (
		size  = maxHeader / 2
		times = 6       // bytes for a byte of header
		fixed = 8 << 10 // bytes for any header
	)
	for _, s := range fillers {
		t.Run(s.name, func(t *testing.T) {
			once, twice := costOf(s.message(size)), costOf(s.message(2*size))
			if once > fixed+times*size {
				t.Errorf("%d bytes for a header of %d, want %d times that at most", once, size, times)
			}
			if twice > fixed+2*once {
				t.Errorf("%d bytes, but %d for twice the size", once, twice)
			}
		})
	}
}

// TestMemoryIsBounded: what lies beyond the bound of a header costs nothing, as header or as body.
func TestMemoryIsBounded(t *testing.T) {
	for _, s := range append(fillers, filler{"a body", walked + "\n", "x\n"}) {
		t.Run(s.name, func(t *testing.T) {
			atBound, beyond := costOf(s.message(maxHeader)), costOf(s.message(16*maxHeader))
			if beyond > atBound+maxText+8<<10 { // a body's start is searched
				t.Errorf("%d bytes at the bound, %d beyond it", atBound, beyond)
			}
		})
	}
}

// TestLinesNeedNoAllocation: a line costs its share of the hops and of their text, and nothing of
// its own.
func TestLinesNeedNoAllocation(t *testing.T) {
	var l line
	if !l.lex(strings.TrimSpace(walked[len("Received:"):])) {
		t.Fatal("the line is not read")
	}
	text := l.text
	if n := testing.AllocsPerRun(100, func() {
		if l.lex(text) {
			l.read()
			parseDate(l.date())
		}
	}); n != 0 {
		t.Errorf("%v allocations to read a line, want none", n)
	}
	c, trust := Connection{Peer: peer}, trustAll()
	allocs := func(lines int) float64 {
		message := []byte(strings.Repeat(walked, lines) + "\n")
		return testing.AllocsPerRun(100, func() { Parse(message, c, trust) })
	}
	if few, more := allocs(2), allocs(6); more > few+1 {
		t.Errorf("%v allocations for two lines, %v for six", few, more)
	}
}

// costOf is how many bytes Parse allocates, with all lines trusted and with a null sender.
func costOf(message []byte) int {
	c, trust := Connection{Peer: peer, NullSender: true}, trustAll()
	least := -1
	for range 3 { // the runtime allocates as well, now and then
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		Parse(message, c, trust)
		runtime.ReadMemStats(&after)
		if cost := int(after.TotalAlloc - before.TotalAlloc); least < 0 || cost < least {
			least = cost
		}
	}
	return least
}
