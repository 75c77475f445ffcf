package ops

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Health is how the daemon stands.
type Health struct {
	Alive   bool     // false: only a restart can help
	Reasons []string // why it is not fully at work, each after the part that says so
	Notes   []string // what an operator should know all the same
}

// report is what /healthz and /readyz answer in JSON.
type report struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons"`
	Notes   []string `json:"notes"`
}

// Handler serves /metrics, /healthz (does the process live) and /readyz (is it
// fully at work): 200 or 503, and why, a reason a line or as JSON.
func (e *Events) Handler(health func() Health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		h := health()
		alive := report{OK: h.Alive}
		if !h.Alive {
			alive.Reasons = h.Reasons
		}
		alive.write(w, r, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		h := health()
		report{len(h.Reasons) == 0, h.Reasons, h.Notes}.write(w, r, "ready")
	})
	return mux
}

// write answers in JSON where the request asks for it, else with the word that
// says yes, or the reasons, and then the notes.
func (p report) write(w http.ResponseWriter, r *http.Request, well string) {
	code := http.StatusOK
	if !p.OK {
		code = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		p.Reasons, p.Notes = append([]string{}, p.Reasons...), append([]string{}, p.Notes...)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(p) // the asker may be gone
		return
	}
	lines := append([]string{}, p.Reasons...)
	if p.OK {
		lines = []string{well}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(strings.Join(append(lines, p.Notes...), "\n") + "\n"))
}

// NewServer gives a handler the timeouts that every HTTP listener here has.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}
