package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// answer is what goes out, made whole before a byte of it is sent.
type answer struct {
	status int
	kind   string // of the content
	body   []byte
	fresh  int  // seconds for which it may be kept; 0: not at all
	varies bool // the same address has another form
}

// send sends an answer, or that the visitor has it already.
func send(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	if a.varies {
		h.Set("Vary", "Accept")
	}
	h.Set("Cache-Control", "no-store")
	if a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable {
		h.Set("Connection", "close") // whoever is to come later makes room for others
	}
	if a.fresh > 0 && a.status == http.StatusOK {
		sum := sha256.Sum256(a.body)
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", a.fresh))
		h.Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // who has gone misses it
	}
}

// made is an answer that nobody has been sent yet.
type made struct {
	header http.Header // of the request's own ResponseWriter
	status int
	body   *bytes.Buffer
}

var _ http.ResponseWriter = (*made)(nil)

func newMade(h http.Header) *made {
	return &made{header: h, status: http.StatusOK, body: new(bytes.Buffer)}
}

func (m *made) Header() http.Header { return m.header }

func (m *made) WriteHeader(status int) { m.status = status }

func (m *made) Write(p []byte) (int, error) { return m.body.Write(p) }

func (m *made) sendTo(w http.ResponseWriter) {
	w.WriteHeader(m.status)
	_, _ = m.body.WriteTo(w) // who has gone misses it
}

// problem is an answer that is not what was asked for, in kind words.
type problem struct {
	status             int
	Title, Error, Mend string
}

var broken = problem{http.StatusInternalServerError, "Something is broken here",
	"This page could not be made. It is our fault, and the operator's log has the reason.",
	"Try again later."}

// fail answers with a problem, as JSON where that was asked for.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, p problem) {
	if strings.HasPrefix(r.URL.Path, "/api/") || wantsJSON(r) {
		s.json(w, r, p.status, map[string]string{"error": p.Error, "hint": p.Mend})
		return
	}
	s.show(w, r, view{page: "problem", title: p.Title, status: p.status, data: p})
}

// failed answers where a look-up had no answer.
func (s *Site) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.cfg.Observer.PageFailed(fmt.Errorf("serve %s: %w", r.Pattern, err))
	w.Header().Set("Retry-After", "60")
	s.fail(w, r, problem{http.StatusServiceUnavailable, "Not ready",
		"The list is being read, or cannot be read now. The published zone is not touched by that.",
		"Try again in a minute."})
}

// elsewhere answers what has no route: which methods have one there, RFC 9110 section 15.5.6, or
// that nothing is there.
func (s *Site) elsewhere(routes *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			other := *r
			other.Method = method
			if _, pattern := routes.Handler(&other); pattern != everything {
				allowed = append(allowed, method)
			}
		}
		if allowed == nil {
			s.notFound(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, problem{http.StatusMethodNotAllowed, "Not that way",
			"This page is not there to be asked in that way.", "Open it in a browser."})
	}
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem{http.StatusNotFound, "No such page", "There is no page here.",
		"Start at the search: it takes an address, a network or the text of a bounce."})
}

// wantsJSON tells whether the visitor is a program: it takes JSON and no pages.
func wantsJSON(r *http.Request) bool {
	accept := strings.ToLower(r.Header.Get("Accept"))
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

func (s *Site) json(w http.ResponseWriter, r *http.Request, status int, v any) {
	send(w, r, s.twin(status, v))
}

// twin makes an answer for programs.
func (s *Site) twin(status int, v any) answer {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		s.cfg.Observer.PageFailed(fmt.Errorf("write JSON: %w", err))
		status = http.StatusInternalServerError
		body = []byte(`{"error":"no answer","hint":"try again later"}`)
	}
	return answer{status: status, kind: "application/json", body: append(body, '\n'), fresh: fresh,
		varies: true}
}

// fresh is for how long, in seconds, what changes may be kept by who asked for it.
const fresh = 60

// view is one page to be shown.
type view struct {
	page   string // its file
	title  string
	status int  // 0: 200
	secret bool // for nobody's cache
	data   any
}

// frame is what every page is shown in.
type frame struct {
	Title, Origin, Page string
	Data                any
}

// show makes a page and sends it.
func (s *Site) show(w http.ResponseWriter, r *http.Request, v view) {
	var body bytes.Buffer
	origin := s.cfg.Lookup.Zone().Origin
	err := s.pages[v.page].ExecuteTemplate(&body, "frame.html", frame{v.title, origin, v.page, v.data})
	if err != nil {
		s.cfg.Observer.PageFailed(fmt.Errorf("make page %s: %w", v.page, err))
		send(w, r, answer{status: http.StatusInternalServerError, kind: "text/plain; charset=utf-8",
			body: []byte(broken.Error + "\n")})
		return
	}
	a := answer{status: v.status, kind: "text/html; charset=utf-8", body: body.Bytes(), fresh: fresh,
		varies: true}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if v.secret {
		a.fresh = 0
	}
	send(w, r, a)
}

// pages are the templates by their names, each with the frame.
type pages map[string]*template.Template

func parsePages() (pages, error) {
	common, err := template.New("").Funcs(words).ParseFS(files, "page/frame.html", "page/part.html")
	if err != nil {
		return nil, err
	}
	all := pages{}
	for _, folder := range []string{"page", "cause"} {
		names, err := fs.Glob(files, folder+"/*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			t := template.Must(common.Clone())
			if t, err = t.ParseFS(files, name); err != nil {
				return nil, err
			}
			all[strings.TrimSuffix(strings.TrimPrefix(name, "page/"), ".html")] = t
		}
	}
	return all, nil
}
