package ops

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// mostForeign bounds what is logged of words that others chose, in bytes.
const mostForeign = 2000

// clean makes a text of anything that others chose: cut, and what is not printed written as its
// escape. Ends of lines stay, for the encoder of the line escapes them: errors of a configuration
// have several.
func clean(s string) string {
	var b strings.Builder
	for len(s) > 0 && b.Len() < mostForeign {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:])
		case r == '\n' || strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	if len(s) > 0 {
		b.WriteString("~")
	}
	return b.String()
}

func cleanAll(all []string) []string {
	var out []string
	for _, s := range all {
		out = append(out, clean(s))
	}
	return out
}
