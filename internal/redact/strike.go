package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// skeleton is a text's letters and digits in lower case. Blanks, dots, quotes and whatever else
// is put into an address to hide it are not there, and every spelling is the same one. A Marker is
// a zero byte, which no word has.
type skeleton struct {
	text []byte
	at   []int // the place of each byte's character in the source
}

func skeletonOf(s string) skeleton {
	k := skeleton{make([]byte, 0, len(s)), make([]int, 0, len(s))}
	for i := 0; i < len(s); {
		if s[i] == Marker[0] && strings.HasPrefix(s[i:], Marker) {
			k.text, k.at = append(k.text, 0), append(k.at, i)
			i += len(Marker)
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		k.add(r, i)
		i += size
	}
	return k
}

func (k *skeleton) add(r rune, at int) {
	if !isLetter(r) {
		return
	}
	k.text = utf8.AppendRune(k.text, unicode.ToLower(r))
	for len(k.at) < len(k.text) {
		k.at = append(k.at, at)
	}
}

func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// strike puts Marker where a secret stands, and takes with it the word around it: what hangs on
// a secret is its local part, its tag or its token.
func (r *Redactor) strike(s string) string {
	k := skeletonOf(s)
	var out strings.Builder
	done := 0
	for i := range k.text {
		n := r.found(s, k, i)
		if n == 0 || k.end(s, i+n) <= done {
			continue
		}
		// One that begins in a word that is gone may reach beyond it.
		if from := wordStart(s, done, max(done, k.at[i])); from > done || done == 0 {
			out.WriteString(s[done:from])
			out.WriteString(Marker)
		}
		done = wordEnd(s, k.end(s, i+n))
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// found is the length of the secret that the skeleton has at i, 0 if there is none.
func (r *Redactor) found(s string, k skeleton, i int) int {
	if k.text[i] == 0 {
		return 0
	}
	accepts := func(n int) bool { return n >= sureWord || k.isWord(s, i, i+n) }
	return max(r.always.longest(k.text[i:], accepts), r.ours.longest(k.text[i:], accepts))
}

// end is the place in the source behind the skeleton's first n bytes.
func (k skeleton) end(s string, n int) int {
	at := k.at[n-1]
	_, size := utf8.DecodeRuneInString(s[at:])
	return at + size
}

// isWord says whether the source has no letter before from and none behind to.
func (k skeleton) isWord(s string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:k.at[from]])
	after, _ := utf8.DecodeRuneInString(s[k.end(s, to):])
	return !isLetter(before) && !isLetter(after)
}

// wordStart is where the word around at begins, not before floor. Of a link the host may stay.
func wordStart(s string, floor, at int) int {
	start := floor
	if i := strings.LastIndexFunc(s[floor:at], isBreak); i >= 0 {
		start += i + 1
	}
	if i := strings.Index(s[start:at], "://"); i >= 0 {
		i += start + len("://")
		if n := strings.IndexAny(s[i:at], `/?#\`); n >= 0 {
			return min(i+n+1, at)
		}
	}
	return start
}

// wordEnd is where the word around at ends.
func wordEnd(s string, at int) int {
	if i := strings.IndexFunc(s[at:], isBreak); i >= 0 {
		return at + i
	}
	return len(s)
}

// isBreak says whether a character is never inside a word that is removed or kept as one.
func isBreak(r rune) bool {
	return r < utf8.RuneSelf && strings.IndexByte(" \n<>()[]{}\"',;|", byte(r)) >= 0
}
