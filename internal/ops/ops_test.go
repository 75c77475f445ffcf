package ops

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// TestSpoilt: what a sender spoils as often as it likes does not fill the log; what we could not
// take does.
func TestSpoilt(t *testing.T) {
	for why, want := range map[string]bool{"busy": true, "full": true, "fault": true, "memory": true,
		"cut": true, "rate": false, "bytes": false, "timeout": false, "broken": false} {
		var out bytes.Buffer
		e := New(zerolog.New(&out).Level(zerolog.InfoLevel))
		e.MessageNotTaken(netip.MustParseAddr("198.51.100.7"), why)
		if got := out.Len() > 0; got != want {
			t.Errorf("%s: in the log %v, want %v", why, got, want)
		}
	}
}

// TestProbes: sessions are told apart by how far they came.
func TestProbes(t *testing.T) {
	for want, session := range map[string][2]int{"nothing": {0, 0}, "talk": {2, 0}, "mail": {5, 1}} {
		if got := sessionDid(session[0], session[1]); got != want {
			t.Errorf("%d commands, %d messages: %s, want %s", session[0], session[1], got, want)
		}
	}
}

// TestFaultHidesItsDetail: what a panic says may hold a trap's address.
func TestFaultHidesItsDetail(t *testing.T) {
	var out bytes.Buffer
	New(zerolog.New(&out).Level(zerolog.InfoLevel)).Fault("session", "panic: secret@traps.example")
	if strings.Contains(out.String(), "secret") {
		t.Errorf("the log says %s", out.String())
	}
}
