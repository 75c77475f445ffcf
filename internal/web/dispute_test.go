package web

import (
	"net/http"
	"testing"
)

// TestDisputesAreKeptByNobody: in no form, by no cache between us and who asked.
func TestDisputesAreKeptByNobody(t *testing.T) {
	for _, kind := range []string{"text/html", "application/json"} {
		w := newStand(t).ask("GET", "/dispute/open", header("Accept", kind))
		if got := w.Header().Get("Cache-Control"); w.Code != http.StatusOK || got != "no-store" ||
			w.Header().Get("ETag") != "" {
			t.Errorf("%s: %d, %v", kind, w.Code, w.Header())
		}
	}
}
