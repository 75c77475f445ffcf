package criteria

import (
	"fmt"
	"net/netip"
	"testing"
)

// hitOn is a hit as the tests of attacks need it: its number makes it unlike
// every other.
func hitOn(n int, source string, traps ...string) Hit {
	h := Hit{LSN: uint64(n), Stamp: start + Second(n), Time: start + Second(n), Weight: One,
		Source: netip.MustParseAddr(source), Traps: traps}
	h.Digest[0], h.Digest[1], h.Digest[2] = 1, byte(n), byte(n>>8)
	return h
}

// A recipient's bytes must not make one trap look like two.
func TestNamesAreNotTakenApart(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	for n := range 2 {
		e.Hit(hitOn(n+1, "198.51.100.7", "\"a\x00b\"@traps.example"))
	}
	if v := e.Lookup(netip.MustParseAddr("198.51.100.7")); v.Traps != 1 || v.Listed {
		t.Errorf("%d traps, listed %v: %s", v.Traps, v.Listed, v.Why)
	}
}

// An exception inside a listed /64 frees the host it is for, in look-ups too.
func TestExceptedHostInAListedUnit(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	e.Hit(hitOn(1, "2001:db8::5", "a@traps.example"))
	e.Hit(hitOn(2, "2001:db8::5", "b@traps.example"))
	_, err := e.Decide(Decision{Seq: 1, After: 2, At: start + 3, Act: ActExcept, Origin: FromConfig,
		Network: netip.MustParsePrefix("2001:db8::1/128"), Reason: "ours"})
	if err != nil {
		t.Fatal(err)
	}
	for host, listed := range map[string]bool{"2001:db8::1": false, "2001:db8::5": true, "2001:db8::9": true} {
		v := e.Lookup(netip.MustParseAddr(host))
		if v.Listed != listed || (v.Answer == Unlisted) == listed {
			t.Errorf("%s: listed %v, answer %v: %s", host, v.Listed, v.Answer, v.Why)
		}
	}
}

// A flood from an excepted host must not push its neighbours' hits out.
func TestExceptedFloodHidesNobody(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	_, err := e.Decide(Decision{Seq: 1, At: start, Act: ActExcept, Origin: FromConfig,
		Network: netip.MustParsePrefix("2001:db8::1/128"), Reason: "ours"})
	if err != nil {
		t.Fatal(err)
	}
	e.Hit(hitOn(1, "2001:db8::5", "a@traps.example"))
	e.Hit(hitOn(2, "2001:db8::5", "b@traps.example"))
	day := Second(26 * 3600)
	for n := range 300 {
		h := hitOn(n+3, "2001:db8::1", "a@traps.example", "b@traps.example")
		h.Stamp, h.Time = start+day+Second(n), start+day+Second(n)
		e.Hit(h)
	}
	if v := e.Lookup(netip.MustParseAddr("2001:db8::5")); v.Reports != 2 {
		t.Errorf("%d reports are left: %s", v.Reports, v.Why)
	}
}

// What was ingested again on purpose is still the message that it is.
func TestIngestedPlainlyAfterAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		again [2]bool
		want  int
	}{
		{"twice", [2]bool{false, false}, 1},
		{"again on purpose", [2]bool{false, true}, 2},
		{"on purpose first", [2]bool{true, false}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var hits []Hit
			for n, again := range c.again {
				h := hitOn(1, "198.51.100.7", "a@traps.example")
				h.LSN, h.Ingested, h.Again = uint64(n+1), true, again
				hits = append(hits, h)
			}
			if v := Score(DefaultPolicy(), hits, start+10, 0); v.Reports != c.want {
				t.Errorf("%d reports, want %d", v.Reports, c.want)
			}
		})
	}
}

// Strangers choose recipients: what is remembered of them is small.
func TestManyLongRecipientsTakeLittle(t *testing.T) {
	e := NewEngine(DefaultPolicy(), Corrections{})
	var names []string
	for n := range 100 {
		names = append(names, fmt.Sprintf("%064d@traps.example", n))
	}
	e.Hit(hitOn(1, "198.51.100.7", names...))
	b, err := e.MarshalBinary()
	if err != nil || len(b) > 4<<10 {
		t.Errorf("a hit on 100 traps packs to %d bytes, %v", len(b), err)
	}
}
