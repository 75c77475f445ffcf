package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escaper writes JSON on, with the characters escaped that are not printed but do something to a
// terminal or to the order of a text: DEL, C1 controls, format characters such as those that turn
// the direction of writing, and blanks that are none of ASCII's. They stand in strings only, so
// what is written means the same. The writer gets whole characters at a time, as json.Encoder
// writes them.
type escaper struct{ to io.Writer }

// Write passes text on, escaped; it tells how much of what it was given is written.
func (e escaper) Write(text []byte) (int, error) {
	if !bytes.ContainsFunc(text, isUnseen) {
		return e.to.Write(text)
	}
	escaped := make([]byte, 0, 2*len(text))
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if isUnseen(r) {
			escaped = appendEscape(escaped, r)
		} else {
			escaped = append(escaped, text[at:at+size]...)
		}
		at += size
	}
	if _, err := e.to.Write(escaped); err != nil {
		return 0, err
	}
	return len(text), nil
}

// isUnseen knows what is neither printed nor JSON's own line end.
func isUnseen(r rune) bool { return r != '\n' && !strconv.IsPrint(r) }

// appendEscape adds a character's escape, as two of them beyond the first plane (RFC 8259,
// section 7).
func appendEscape(b []byte, r rune) []byte {
	for _, unit := range utf16.Encode([]rune{r}) {
		b = fmt.Appendf(b, "\\u%04x", unit)
	}
	return b
}
