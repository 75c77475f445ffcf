package desk

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/trapline/trapline/internal/admin"
)

// problem is an answer that is not what was asked for.
type problem struct {
	status             int
	Title, Error, Mend string
}

var broken = problem{http.StatusInternalServerError, "Something is broken here",
	"This page could not be made.", "The log has the reason."}

func (s *Site) fail(w http.ResponseWriter, p problem) {
	s.show(w, view{page: "problem", title: p.Title, status: p.status, data: p})
}

// failed answers where an answer of ours is an error.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, err error) {
	p := s.problemOf(r, err)
	s.fail(w, problem{p.Status, "It could not be done", p.Message + ".", p.Hint})
}

// problemOf gives what may be shown of an error; the rest of it goes to the log.
func (s *Site) problemOf(r *http.Request, err error) *admin.ProblemError {
	var p *admin.ProblemError
	if errors.As(err, &p) {
		return p
	}
	s.cfg.Observer.PageFailed(fmt.Errorf("serve %s: %w", r.Pattern, err))
	return &admin.ProblemError{Message: "the list or the ledger gives no answer now",
		Hint: "the log has the reason, and /readyz", Status: http.StatusServiceUnavailable}
}

// view is one page to be shown.
type view struct {
	page   string // its file
	title  string
	status int
	data   any
}

// frame is what every page is shown in.
type frame struct {
	Title, Origin, Page string
	Data                any
}

// show makes a page whole and sends it, for nobody's cache.
func (s *Site) show(w http.ResponseWriter, v view) {
	var body bytes.Buffer
	kind := "text/html; charset=utf-8"
	err := s.pages[v.page].ExecuteTemplate(&body, "frame.html",
		frame{v.title, s.cfg.Settings().Origin, v.page, v.data})
	if err != nil {
		s.cfg.Observer.PageFailed(fmt.Errorf("make page %s: %w", v.page, err))
		body.Reset()
		body.WriteString(broken.Error + "\n")
		kind, v.status = "text/plain; charset=utf-8", http.StatusInternalServerError
	}
	send(w, v.status, kind, body.Bytes())
}

func send(w http.ResponseWriter, status int, kind string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone misses it
}

func (s *Site) stylesheet(w http.ResponseWriter, _ *http.Request) {
	send(w, http.StatusOK, "text/css; charset=utf-8", s.style)
}
