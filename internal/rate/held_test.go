package rate

import (
	"net/netip"
	"testing"
)

// TestHeld: each network holds so many and no more, and nothing is kept of those that hold none.
func TestHeld(t *testing.T) {
	var h Held
	one, other := netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/48")
	for i, want := range []bool{true, true, false, false} {
		if h.Take(one, 2) != want {
			t.Errorf("taking number %d is not %t", i+1, want)
		}
	}
	if !h.Take(other, 2) {
		t.Error("another network may take nothing")
	}
	h.Give(one)
	if !h.Take(one, 2) || h.Take(one, 2) {
		t.Error("one given back is not one more to take")
	}
	h.Give(one)
	h.Give(one)
	h.Give(other)
	if len(h.held) > 0 {
		t.Errorf("kept: %v", h.held)
	}
}
