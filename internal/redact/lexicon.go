package redact

import (
	"slices"
	"sort"
)

// Lengths of words, in bytes once folded.
const (
	minWord = 3 // below it nothing is looked for: two letters are a word of some language
	// sureWord is the length from which a word is found inside others: the "eda" of edamame is no Eda.
	sureWord = 6
)

// lexicon is a set of words that are looked for in text, all at once. Its cost does not grow with
// the number of words but for a logarithm, and never exceeds the longest word for each byte.
type lexicon struct {
	words []string // sorted
	index map[[minWord]byte]span
}

// span is a part of the words.
type span struct{ from, to int }

// newLexicon takes folded words; too short ones are left out.
func newLexicon(words []string) *lexicon {
	words = slices.DeleteFunc(words, func(w string) bool { return len(w) < minWord })
	slices.Sort(words)
	words = slices.Clip(slices.Compact(words))
	l := &lexicon{words: words, index: make(map[[minWord]byte]span)}
	for i, w := range words {
		key := [minWord]byte([]byte(w[:minWord]))
		s, known := l.index[key]
		if !known {
			s.from = i
		}
		l.index[key] = span{s.from, i + 1}
	}
	return l
}

// longest is the length of the longest word that text begins with and that takes accepts by its
// length; 0 if there is none.
func (l *lexicon) longest(text []byte, accepts func(int) bool) (best int) {
	if len(text) < minWord || len(l.words) == 0 {
		return 0
	}
	s, known := l.index[[minWord]byte(text)]
	if !known {
		return 0
	}
	words := l.words[s.from:s.to] // those that agree with text in the first n bytes
	for n := minWord; len(words) > 0; n++ {
		if len(words[0]) == n {
			if accepts(n) {
				best = n
			}
			words = words[1:]
		}
		if n == len(text) {
			break
		}
		words = narrowed(words, n, text[n])
	}
	return best
}

// narrowed keeps the words that have c at place n; all are longer than n and equal before it.
func narrowed(words []string, n int, c byte) []string {
	from := sort.Search(len(words), func(i int) bool { return words[i][n] >= c })
	words = words[from:]
	return words[:sort.Search(len(words), func(i int) bool { return words[i][n] > c })]
}
