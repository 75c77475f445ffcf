package admin

import (
	"cmp"
	"maps"
	"slices"
)

// frequent finds the words that come most often, in bounded memory however many
// there are: strangers choose them. Of n words, each that comes more often than
// n/most times is found. Misra and Gries, Finding repeated elements (1982).
type frequent struct {
	most  int
	count map[string]int // at most twice most; less than the true one at most by n/most
}

func newFrequent(most int) *frequent { return &frequent{most, map[string]int{}} }

func (f *frequent) add(word string) {
	f.count[word]++
	if len(f.count) < 2*f.most {
		return
	}
	// What the most-th has is taken off all: at least most words had it.
	counts := slices.Sorted(maps.Values(f.count))
	off := counts[f.most-1]
	for word, n := range f.count {
		if n <= off {
			delete(f.count, word)
		} else {
			f.count[word] = n - off
		}
	}
}

// words gives what was found, the most frequent first.
func (f *frequent) words() []string {
	return slices.SortedFunc(maps.Keys(f.count), func(a, b string) int {
		return cmp.Or(f.count[b]-f.count[a], cmp.Compare(a, b))
	})
}
