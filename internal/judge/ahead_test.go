package judge

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// logOf is events of so many hits, every tenth without a source, with a decision
// after every seventh, and an error at the end if there is one.
func logOf(hits int, err error) iter.Seq2[store.Event, error] {
	return func(yield func(store.Event, error) bool) {
		for n := range hits {
			h := &criteria.Hit{LSN: uint64(n + 1)}
			if n%10 > 0 {
				h.Source = netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)})
			}
			if !yield(store.Event{Hit: h}, nil) ||
				n%7 == 6 && !yield(store.Event{Decision: &criteria.Decision{Seq: uint64(n)}}, nil) {
				return
			}
		}
		if err != nil {
			yield(store.Event{}, err)
		}
	}
}

func TestForetoldIsTheSameLog(t *testing.T) {
	broken := errors.New("broken")
	for _, hits := range []int{0, 1, lookahead - 1, lookahead, 5*lookahead + 3} {
		for _, end := range []error{nil, broken} {
			var got, want []string
			var told, sources []netip.Addr
			note := func(e store.Event, err error) string { return fmt.Sprint(e.Hit, e.Decision, err) }
			for e, err := range logOf(hits, end) {
				want = append(want, note(e, err))
			}
			for e, err := range foretold(logOf(hits, end), func(s []netip.Addr) { told = append(told, s...) }) {
				got = append(got, note(e, err))
				if e.Hit != nil && e.Hit.Source.IsValid() {
					sources = append(sources, e.Hit.Source)
					if len(told) < len(sources) {
						t.Fatalf("hit %d of %d comes before it was foretold", e.Hit.LSN, hits)
					}
				}
			}
			if !slices.Equal(got, want) || !slices.Equal(told, sources) {
				t.Errorf("%d hits, %v: %d events, want %d; %d foretold, want %d", hits, end,
					len(got), len(want), len(told), len(sources))
			}
		}
	}
}

func TestForetoldMayBeLeft(t *testing.T) {
	for stop := range 2 * lookahead {
		seen := 0
		for _, err := range foretold(logOf(3*lookahead, nil), func([]netip.Addr) {}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen > stop {
				break
			}
		}
		if seen != stop+1 {
			t.Errorf("left after %d events, but %d came", stop+1, seen)
		}
	}
}
