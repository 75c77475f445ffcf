package notice

import (
	"net/netip"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// hitOf is a hit of the n-th source, stamped and dated at an instant.
func hitOf(n int, at criteria.Second) *criteria.Hit {
	return &criteria.Hit{LSN: 1, Stamp: at, Time: at, Traps: []string{"one@traps.example"},
		Source: netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)})}
}

// kept counts the cells that there really are.
func (h *history) kept() (n int) {
	for _, cells := range h.days {
		n += len(cells)
	}
	for _, hour := range h.hours {
		n += len(hour.cells)
	}
	return n
}

func unitOf(n int) netip.Prefix { return netip.PrefixFrom(hitOf(n, 0).Source, 32) }

// TestHistoryIsBounded: what came in the last hours is counted like what is older, and the oldest
// days go, in the end the present one.
func TestHistoryIsBounded(t *testing.T) {
	const begin = 10000 * 24 * hour
	h := newHistory()
	h.bits, h.most = 64, 100
	check := func(what string, want int) {
		t.Helper()
		if h.cells != h.kept() || h.cells != want {
			t.Errorf("%s: %d cells are counted, %d are there, want %d", what, h.cells, h.kept(), want)
		}
	}
	for i := range 60 { // yesterday
		h.take(hitOf(i%30, begin-12*hour))
	}
	h.take(hitOf(0, begin-13*hour)) // its date is earlier: the day is the same
	for i := range 60 {
		h.take(hitOf(i, begin+hour))
	}
	h.take(hitOf(0, begin+2*hour)) // a source and a day once more, in another hour
	h.pass(store.Mark{At: begin + 2*hour})
	check("two days", 91)
	if days, _ := h.of(unitOf(0), begin+3*hour); len(days) != 30 || days[0].Spam != 2 || days[1].Spam != 3 {
		t.Fatalf("the days are %v", days)
	}
	for i := range 20 {
		h.take(hitOf(60+i, begin+3*hour))
	}
	check("yesterday is gone", 81)
	if days, _ := h.of(unitOf(0), begin+4*hour); len(days) != 1 || days[0].Spam != 2 {
		t.Errorf("the days are %v", days)
	}
	for i := range 1000 {
		h.take(hitOf(1000+i, begin+4*hour))
		if h.kept() > 100 {
			t.Fatalf("%d cells are kept", h.kept())
		}
	}
	check("a day with more than there is room for", 0)
	if days, several := h.of(unitOf(0), begin+5*hour); len(days) != 0 || several {
		t.Errorf("a part of a day is told: %v", days)
	}
	h.take(hitOf(1, begin+25*hour))
	h.take(hitOf(1, begin+26*hour))
	h.pass(store.Mark{At: begin + 40*hour})
	check("the next day, its hours put together", 1)
	if days, _ := h.of(unitOf(1), begin+40*hour); len(days) != 1 || days[0].Spam != 2 {
		t.Errorf("the days are %v", days)
	}
}
