package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequests: whatever a program says on the socket gets an answer of ours, in JSON where it says
// that it is, and never one that is our own fault.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, path, query, body string }{
		{"GET", "/v1/lookup", "ip=198.51.100.7", ""},
		{"GET", "/v1/lookup", "ip=fe80::1%25eth0", ""},
		{"GET", "/v1/listings", "cidr=198.51.100.0/24&cause=direct&since=1", ""},
		{"GET", "/v1/hits", "cidr=::/0&limit=-1&show_traps=true", ""},
		{"GET", "/v1/hits", "limit=99999999999999999999", ""},
		{"GET", "/v1/exceptions", "cidr=0.0.0.0/0", ""},
		{"GET", "/v1/audit", "limit=1&since=x", ""},
		{"GET", "/v1/reputation", "ip=198.51.100.7", ""},
		{"GET", "/v1/traps/stats", "top=-1&since=99999999999", ""},
		{"GET", "/v1/backup", "", ""},
		{"POST", "/v1/check", "", "{}"},
		{"POST", "/v1/decide", "", `{"act":"list","network":"198.51.100.7/32","reason":"x","for":60}`},
		{"POST", "/v1/decide", "", `{"act":"policy","policy":{}}`},
		{"POST", "/v1/traps", "", `{"act":"burn","trap":"one@traps.example","since":1,"reason":"x"}`},
		{"POST", "/v1/import", "", `{"source":"a","reason":"b","networks":[{"network":"192.0.2.0/24"}]}`},
		{"POST", "/v1/simulate", "", `{"policies":[{}],"from":0,"to":1}`},
		{"POST", "/v1/reputation", "name=a", "\x00\x01"},
		{"POST", "/v1/ingest", "trap=one@traps.example&from=a", "Subject: x\r\n\r\ny"},
		{"POST", "/v1/reload", "", ""},
		{"DELETE", "/v1/hits", "", ""},
		{"GET", "/../etc/passwd", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, []byte(seed.body))
	}
	o := newOffice(f)
	o.blame("198.51.100.7")
	handler := Handler(o.Desk, Orders{
		Ingest: func(context.Context, []byte, string, string, bool) (Ingested, error) {
			return Ingested{}, badRequest("takes no mail", "bring it to a daemon")
		},
		Reload: func(context.Context, string) (Settled, error) { return Settled{}, nil },
	})
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://trapline/",
			bytes.NewReader(body))
		if err != nil {
			t.Skip("no request")
		}
		r.URL = &url.URL{Path: path, RawQuery: query}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %q?%q %q: %d %s", method, path, query, body, w.Code, w.Body)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			return // a backup, or what the standard library says of a path
		}
		for lines := json.NewDecoder(w.Body); lines.More(); {
			var any json.RawMessage
			if err := lines.Decode(&any); err != nil {
				t.Fatalf("%s %q?%q %q: %v", method, path, query, body, err)
			}
		}
	})
}

// TestLimits: a limit that is no number is refused, not taken for none.
func TestLimits(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	handler := Handler(o.Desk, Orders{})
	for _, path := range []string{"/v1/hits", "/v1/audit"} {
		for limit, want := range map[string]int{"": 200, "0": 200, "1": 200, "abc": 400, "-1": 400, "1.5": 400,
			"99999999999999999999": 400} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("GET", path+"?limit="+limit, nil))
			if w.Code != want {
				t.Errorf("%s limit %q: %d %s", path, limit, w.Code, w.Body)
			}
		}
	}
}
