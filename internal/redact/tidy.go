package redact

import "strings"

// names says what is done with the local parts of addresses that stay.
type names uint8

const (
	hideNames names = iota // remove them all
	showNames              // keep plain ones: the sender's own address is evidence
)

// tidy takes the words of a text one by one, and removes what could be a secret by its form: paths
// of links, local parts of addresses, what looks made by a machine.
func tidy(s string, n names) string {
	var out tidied
	for s != "" {
		end := wordEnd(s, 0)
		if strings.Contains(s[:end], "://") {
			end = linkEnd(s)
		}
		switch {
		case end > 0:
			out.word(s[:end], n)
		case strings.HasPrefix(s, Marker):
			end = len(Marker)
			out.write(Marker)
		case isBlank(s[0]):
			end = len(s) - len(strings.TrimLeft(s, " \n"))
			out.gap = s[:end]
		default:
			end = 1
			out.write(s[:1])
		}
		s = s[end:]
	}
	return out.b.String() + out.gap
}

// linkEnd is where a link ends: it may hold what breaks other words, and Markers.
func linkEnd(s string) int {
	end := lengthUntil(s, func(r rune) bool { return strings.ContainsRune(" \n<>\"", r) })
	return len(strings.TrimRight(s[:end], ")'.,;"))
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' }

// tidied is text being put together. Of Markers in a row it keeps the first.
type tidied struct {
	b       strings.Builder
	gap     string // blanks that have not been written
	removed bool   // what was written ends with a Marker
	encoded bool   // the last word was of an encoded text, whose last line may be a short one
}

func (t *tidied) write(s string) {
	if more, again := strings.CutPrefix(s, Marker); again && t.removed {
		t.gap = ""
		t.b.WriteString(more)
		t.removed = more == "" || strings.HasSuffix(more, Marker)
		return
	}
	t.b.WriteString(t.gap)
	t.b.WriteString(s)
	t.gap, t.removed = "", strings.HasSuffix(s, Marker)
}

// fullLine is a length that lines of encoded text reach, and words hardly ever.
const fullLine = 40

func (t *tidied) word(w string, n names) {
	isDigits := strings.Trim(w, base64Digits) == ""
	shown := shownWord(w, n)
	if t.encoded && isDigits && strings.Count(t.gap, "\n") == 1 {
		shown = Marker
	}
	t.encoded = shown == Marker && isDigits && len(w) >= fullLine
	t.write(shown)
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="
