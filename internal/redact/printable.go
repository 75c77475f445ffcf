package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// printable gives text in UTF-8 of one spelling, without characters that cannot be seen. Bytes that
// are no UTF-8 are taken for Latin-1. Of control characters only the line end stays.
func printable(s string) string {
	if isPrintable(s) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			r = rune(s[i])
		}
		if r = visible(r); r >= 0 {
			out.WriteRune(r)
		}
		i += size
	}
	if norm.NFKC.IsNormalString(out.String()) {
		return out.String()
	}
	t := strings.Map(visible, norm.NFKC.String(out.String()))
	if len(t) > 2*len(s)+256 {
		return Marker // a page of ligatures, each of which is a sentence: work without end
	}
	return t
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '\n' && (c < ' ' || c >= 0x7f) {
			return false
		}
	}
	return true
}

// visible is the character that is shown, negative for none.
func visible(r rune) rune {
	switch {
	case r == '\n' || unicode.IsPrint(r):
		return r
	case unicode.IsSpace(r) && r != '\r':
		return ' '
	}
	return -1
}
