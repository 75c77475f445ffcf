package parser

import (
	"net/netip"
	"strings"
)

// unfold gives a field's value as one line: any run of white space and line ends is one blank,
// NULs are gone, nothing stands at either end.
func unfold(value []byte) string {
	var b strings.Builder
	b.Grow(len(value))
	unfoldTo(&b, value)
	return b.String()
}

// unfoldTo writes an unfolded value, whole runs of words at once.
func unfoldTo(b *strings.Builder, value []byte) {
	start, blank := b.Len(), false
	for len(value) > 0 {
		size := 1
		switch value[0] {
		case 0:
		case ' ', '\t', '\r', '\n', '\v', '\f':
			blank = true
		default:
			size = runLen(value)
			if blank && b.Len() > start {
				b.WriteByte(' ')
			}
			blank = false
			b.Write(value[:size])
		}
		value = value[size:]
	}
}

// runLen measures the words that a value begins with, as far as single blanks part them.
func runLen(s []byte) int {
	n := 1
	for n < len(s) && (s[n] > ' ' || s[n] == ' ' && n+1 < len(s) && s[n+1] > ' ') {
		n++
	}
	return n
}

// roll is a store of strings, written one behind the other so that the lines of a message need
// few allocations. What it gave stays as it is.
type roll struct{ b strings.Builder }

// rollSize is the room for new strings, in bytes: enough for an ordinary message.
const rollSize = 1 << 10

// unfold is the function of that name.
func (r *roll) unfold(value []byte) string {
	start := r.room(len(value))
	unfoldTo(&r.b, value)
	return r.b.String()[start:]
}

// text gives an address as netip writes it.
func (r *roll) text(ip netip.Addr) string {
	var buf [64]byte
	s := ip.AppendTo(buf[:0])
	start := r.room(len(s))
	r.b.Write(s)
	return r.b.String()[start:]
}

// room sees that the next n bytes fit, and tells where they begin.
func (r *roll) room(n int) (start int) {
	if r.b.Cap()-r.b.Len() < n {
		r.b = strings.Builder{}
		r.b.Grow(max(n, rollSize))
	}
	return r.b.Len()
}
