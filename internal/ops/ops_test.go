package ops

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestEveryEvent: each event is one line of JSON with the key "event", at the
// info level nothing that a stranger chose passes uncut.
func TestEveryEvent(t *testing.T) {
	peer := netip.MustParseAddr("198.51.100.7")
	for _, c := range []struct {
		event string
		tell  func(*Events)
	}{
		{"started", func(e *Events) { e.Started("1", "trapline.toml", []string{":25"}) }},
		{"stopping", func(e *Events) { e.Stopping("asked to") }},
		{"stopped", func(e *Events) { e.Stopped(nil) }},
		{"stopped", func(e *Events) { e.Stopped(errors.New("x")) }},
		{"reloaded", func(e *Events) { e.Reloaded(7, 1, 2, 3) }},
		{"reloaded", func(e *Events) { e.ReloadFailed(errors.New("x")) }},
		{"connection-refused", func(e *Events) { e.ConnectionRefused(peer, "connections") }},
		{"session-ended", func(e *Events) { e.SessionEnded(peer, "quit", 5, 1, 100, time.Second) }},
		{"recipient-refused", func(e *Events) { e.RecipientRefused(peer, "stranger") }},
		{"message-taken", func(e *Events) { e.MessageTaken(peer, "trap", 1, 100, time.Millisecond) }},
		{"message-not-taken", func(e *Events) { e.MessageNotTaken(peer, "busy") }},
		{"tls-failed", func(e *Events) { e.TLSFailed(peer, "handshake") }},
		{"protocol-abuse", func(e *Events) { e.ProtocolAbuse(peer, "http") }},
		{"recorded", func(e *Events) { e.Recorded("trap", "198.51.100.7", "untrusted-peer", "direct") }},
		{"report-refused", func(e *Events) { e.ReportRefused("too-old") }},
		{"hits-missing", func(e *Events) { e.HitsMissing(6, 10) }},
		{"snapshot-unusable", func(e *Events) { e.SnapshotUnusable(errors.New("x")) }},
		{"caught-up", func(e *Events) { e.CaughtUp(1, 2, 3) }},
		{"listed", func(e *Events) { e.ListChanged("198.51.100.7", "", "127.0.0.2", "hit") }},
		{"delisted", func(e *Events) { e.ListChanged("198.51.100.7", "127.0.0.2", "", "time") }},
		{"relisted", func(e *Events) { e.ListChanged("198.51.100.7", "127.0.0.2", "127.0.0.3", "time") }},
		{"judge-stopped", func(e *Events) { e.JudgeStopped(errors.New("x")) }},
		{"rewritten", func(e *Events) { e.Rewritten(2, "policy", "config", 1, 2, 3) }},
		{"zone-published", func(e *Events) { e.ZonePublished(1, 2, 1, 0) }},
		{"zone-held", func(e *Events) { e.ZoneHeld(5, 1) }},
		{"zone-ordered", func(e *Events) { e.ZoneOrdered("rollback", 1, 2, "root") }},
		{"zone-resumed", func(e *Events) { e.ZoneOrdered("", 0, 0, "") }},
		{"zone-faults", func(e *Events) { e.ZoneFaults("10.0.0.0/8: too wide") }},
		{"zone-failed", func(e *Events) { e.ZoneFailed(errors.New("x")) }},
	} {
		var out bytes.Buffer
		c.tell(New(zerolog.New(&out)))
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"event":"`+c.event+`"`) {
			t.Errorf("%s: %q", c.event, got)
		}
	}
}

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

func TestHandler(t *testing.T) {
	events := New(zerolog.Nop())
	events.ProtocolAbuse(netip.MustParseAddr("198.51.100.7"), "http")
	seven := func() float64 { return 7 }
	events.Watch(Gauge{Name: "connections", Help: "Open.", Value: seven},
		Gauge{Name: "store_bytes", Help: "Size.", Of: "hits", Value: seven})
	var notReady error
	h := events.Handler(func() error { return notReady }, func() string { return "a note" })
	for _, c := range []struct {
		path  string
		ready error
		code  int
		want  string
	}{
		{"/healthz", errors.New("behind"), http.StatusOK, "ok"},
		{"/readyz", nil, http.StatusOK, "ready\na note\n"},
		{"/readyz", errors.New("still reading the log"), http.StatusServiceUnavailable, "still reading the log"},
		{"/metrics", nil, http.StatusOK, `trapline_protocol_abuse_total{kind="http"} 1`},
		{"/metrics", nil, http.StatusOK, "trapline_connections 7"},
		{"/metrics", nil, http.StatusOK, `trapline_store_bytes{of="hits"} 7`},
		{"/", nil, http.StatusNotFound, ""},
	} {
		notReady = c.ready
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", c.path, nil))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %q, want %d %q", c.path, w.Code, w.Body, c.code, c.want)
		}
	}
}
