package criteria

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

// lived is the state of an engine with hits, exceptions and listings.
func lived(t testing.TB) []byte {
	t.Helper()
	h := newHistory(nil, 3, varied(3))
	for now := start; now < start+60; now++ {
		h.engine.Advance(now)
		if h.IntN(3) == 0 {
			h.take(h.hit(now))
		}
	}
	for _, d := range []Decision{
		{Act: ActExcept, Network: netip.MustParsePrefix("198.51.100.0/28"), Origin: FromConfig},
		{Act: ActList, Network: netip.MustParsePrefix("203.0.113.0/24"), Until: start + 99},
		{Act: ActDelist, Network: netip.MustParsePrefix("2001:db8:0:2::/64"), Until: start + 99},
		{Act: ActPoints, Name: "mirror", Points: h.somePoints(start)},
	} {
		d.At = start + 60
		if _, err := h.engine.Decide(d); err != nil {
			t.Fatal(err)
		}
	}
	b, err := h.engine.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSnapshotThatIsCutOrForeignIsRefused(t *testing.T) {
	whole := lived(t)
	if _, err := RestoreEngine(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := RestoreEngine(whole[:n]); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d of %d: %v", n, len(whole), err)
		}
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "garbage": bytes.Repeat([]byte("x"), 1000), "overlong": append(bytes.Clone(whole), 0),
		"later version": append([]byte{snapshotVersion + 1}, whole[1:]...), "zeros": make([]byte, 1000),
	} {
		if _, err := RestoreEngine(b); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What RestoreEngine takes can be worked with, whatever it is: the store's
// checksum is the only thing that tells damage from truth.
func FuzzRestoreEngine(f *testing.F) {
	f.Add(lived(f))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := RestoreEngine(b)
		if err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Errorf("%v", err)
			}
			return
		}
		e.Listings()
		for s := range e.roll.all() {
			e.Lookup(s.unit.addr())
		}
		if _, err := e.MarshalBinary(); err != nil {
			t.Logf("packs no more: %v", err)
		}
	})
}
