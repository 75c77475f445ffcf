package judge

import (
	"iter"
	"net/netip"

	"github.com/trapline/trapline/store"
)

// lookahead is how many events an engine is told of before it takes them.
const lookahead = 64

// foretold gives the events of a log as they are, but a few at a time, after
// expect was told whose hits are among them. No event is awaited for that: the
// log up to a mark is there.
func foretold(
	events iter.Seq2[store.Event, error], expect func(sources []netip.Addr),
) iter.Seq2[store.Event, error] {
	return func(yield func(store.Event, error) bool) {
		next := make([]store.Event, 0, lookahead)
		sources := make([]netip.Addr, 0, lookahead)
		pass := func() bool {
			expect(sources)
			for _, e := range next {
				if !yield(e, nil) {
					return false
				}
			}
			next, sources = next[:0], sources[:0]
			return true
		}
		for e, err := range events {
			if err != nil {
				if pass() {
					yield(e, err)
				}
				return
			}
			if next = append(next, e); e.Hit != nil && e.Hit.Source.IsValid() {
				sources = append(sources, e.Hit.Source)
			}
			if len(next) == lookahead && !pass() {
				return
			}
		}
		pass()
	}
}
