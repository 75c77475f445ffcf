package ops

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func get(h http.Handler, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestHealth: both questions answer with a code, and say why, to people and to programs.
func TestHealth(t *testing.T) {
	const asJSON, asText = "application/json", "*/*"
	well := Health{Alive: true}
	noted := Health{Alive: true, Notes: []string{"the zone is retired"}}
	behind := Health{Alive: true, Reasons: []string{"list: still reading the log", "mail: no room"},
		Notes: []string{"the zone is retired"}}
	dead := Health{Reasons: []string{"mail: storage failed"}}
	for _, c := range []struct {
		path, accept string
		health       Health
		code         int
		want         string
	}{
		{"/healthz", asText, well, 200, "ok\n"},
		{"/healthz", asText, behind, 200, "ok\n"},
		{"/healthz", asText, dead, 503, "mail: storage failed\n"},
		{"/healthz", asJSON, well, 200, `{"ok":true,"reasons":[],"notes":[]}` + "\n"},
		{"/healthz", asJSON, dead, 503, `{"ok":false,"reasons":["mail: storage failed"],"notes":[]}` + "\n"},
		{"/readyz", asText, well, 200, "ready\n"},
		{"/readyz", asText, noted, 200, "ready\nthe zone is retired\n"},
		{"/readyz", asText, behind, 503,
			"list: still reading the log\nmail: no room\nthe zone is retired\n"},
		{"/readyz", asJSON, noted, 200, `{"ok":true,"reasons":[],"notes":["the zone is retired"]}` + "\n"},
		{"/readyz", asJSON, behind, 503, `{"ok":false,"reasons":["list: still reading the log",` +
			`"mail: no room"],"notes":["the zone is retired"]}` + "\n"},
	} {
		h := New(zerolog.Nop()).Handler(func() Health { return c.health })
		w := get(h, c.path, c.accept)
		if w.Code != c.code || w.Body.String() != c.want {
			t.Errorf("%s of %+v: %d %q, want %d %q", c.path, c.health, w.Code, w.Body, c.code, c.want)
		}
	}
	h := New(zerolog.Nop()).Handler(func() Health { return well })
	if w := get(h, "/", asText); w.Code != http.StatusNotFound {
		t.Errorf("/: %d", w.Code)
	}
	r := httptest.NewRecorder()
	h.ServeHTTP(r, httptest.NewRequest("POST", "/readyz", nil))
	if r.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.Code)
	}
}

// TestGauges: each has its value at the moment of asking; none is shown that nobody knows.
func TestGauges(t *testing.T) {
	e, n := New(zerolog.Nop()), 6
	e.Watch(Gauge{Name: "one", Help: "One.", Values: One(func() int { n++; return n })},
		Gauge{Name: "truth", Help: "Truth.", Values: Truth(func() bool { return n > 7 })},
		Gauge{Name: "some", Help: "Some.", Label: "of", Values: func() map[string]float64 {
			return map[string]float64{"hits": 3, "a\xff\"\n": 4}
		}},
		Gauge{Name: "none", Help: "None.", Values: func() map[string]float64 { return nil }})
	h := e.Handler(func() Health { return Health{} })
	for _, want := range []string{"7", "8"} {
		text := get(h, "/metrics", "").Body.String()
		for _, line := range []string{"trapline_one " + want, `trapline_some{of="hits"} 3`,
			`trapline_some{of="a?\"\n"} 4`} {
			if !strings.Contains(text, "\n"+line+"\n") {
				t.Errorf("no line %q", line)
			}
		}
		if strings.Contains(text, "trapline_none") {
			t.Error("a value that nobody knows")
		}
	}
	if text := get(h, "/metrics", "").Body.String(); !strings.Contains(text, "\ntrapline_truth 1\n") {
		t.Error("no truth")
	}
}
