// Package desk serves the operator's pages about disputes, on the listener for metrics.
//
// In come requests from this machine; out go pages with all that is known of a dispute,
// what its requester wrote for the operator alone included, and orders for the ledger.
//
// That listener has no login. So the pages must never be served unless the configuration
// says so, nor decide anything unless it says that, too; never heed a form that another
// site sent; and never answer a browser that was led here by a name which somebody made
// point to this machine (DNS rebinding). Whoever decides is nobody with a name: the
// ledger says that it was this page, and from which address.
package desk

import (
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/web"
)

//go:embed page
var files embed.FS

// Disputes is whom the pages ask, and tell what was decided. Its methods are safe for use
// by many at once; an error that is an admin.ProblemError is fit to be shown.
type Disputes interface {
	Cases(admin.DisputeFilter) ([]dispute.Case, error)
	Case(id string) (dispute.Case, error)
	// SettleDispute returns when the list has followed.
	SettleDispute(ctx context.Context, who string, o admin.DisputeOrder) (admin.DisputeDone, error)
	// Lookup gives the verdict about an address, with the hits that count.
	Lookup(netip.Addr) (admin.Lookup, error)
}

var _ Disputes = (*admin.Desk)(nil)

// Observer is told what went wrong; it must not block.
type Observer interface {
	// PageFailed: a request could not be answered, for a reason on our side.
	PageFailed(err error)
}

// Settings are what the configuration in force says of the pages.
type Settings struct {
	Read   bool   // disputes are shown
	Write  bool   // and decided
	Origin string // the name of the list
	Public string // where the public pages are, without a final slash; "": not known
}

// Config is what a Site works with; all is required.
type Config struct {
	Disputes Disputes
	Settings func() Settings // in force now
	Observer Observer
	Now      func() time.Time
}

// Site answers requests. It is safe for use by many at once.
type Site struct {
	cfg   Config
	pages map[string]*template.Template
	style []byte
}

// New makes a site. An error is a fault of the pages that the binary holds.
func New(c Config) (*Site, error) {
	s := &Site{cfg: c, pages: map[string]*template.Template{}}
	common, err := template.New("").Funcs(web.Words()).ParseFS(files, "page/frame.html")
	if err != nil {
		return nil, fmt.Errorf("parse frame: %w", err)
	}
	for _, name := range []string{"list", "case", "problem"} {
		page := template.Must(common.Clone())
		if s.pages[name], err = page.ParseFS(files, "page/"+name+".html"); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
	}
	if s.style, err = web.Stylesheet(); err != nil {
		return nil, fmt.Errorf("read stylesheet: %w", err)
	}
	return s, nil
}

// Handler serves everything at and below /disputes.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /disputes", s.list)
	mux.HandleFunc("GET /disputes/style.css", s.stylesheet)
	mux.HandleFunc("GET /disputes/{id}", s.dispute)
	mux.HandleFunc("POST /disputes/{id}", s.settle)
	mux.HandleFunc("/", s.notFound)
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	return s.guarded(sameOrigin.Handler(mux))
}

// mostBody bounds a form, in bytes.
const mostBody = 64 << 10

// guarded is the way to every handler.
func (s *Site) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.Protect(w.Header())
		defer s.recovered(w, r)
		switch set := s.cfg.Settings(); {
		case !web.HostOf(r.Host).IsLoopback():
			s.fail(w, problem{http.StatusMisdirectedRequest, "Another name",
				"These pages answer to localhost and to loopback addresses alone, so that no name on the " +
					"internet can be made to lead a browser here.",
				"Come by http://127.0.0.1, or have the server before this one send such a Host."})
		case !set.Read:
			s.fail(w, problem{http.StatusNotFound, "Off", "The disputes are not served here.",
				"Say [ops] disputes = \"read\" or \"write\" in the configuration, or use trapline dispute."})
		case r.Method == http.MethodPost && !set.Write:
			s.fail(w, problem{http.StatusForbidden, "Only to be read", "Nothing is decided here.",
				"Say [ops] disputes = \"write\" in the configuration, or use trapline dispute."})
		default:
			r.Body = http.MaxBytesReader(w, r.Body, mostBody)
			next.ServeHTTP(w, r)
		}
	})
}

// recovered answers where a handler panicked. Nothing was sent by then: pages are made
// whole before.
func (s *Site) recovered(w http.ResponseWriter, r *http.Request) {
	if p := recover(); p != nil {
		s.cfg.Observer.PageFailed(fmt.Errorf("serve %s: panic: %v\n%s", r.Pattern, p, debug.Stack()))
		s.fail(w, broken)
	}
}

func (s *Site) crossOrigin(w http.ResponseWriter, _ *http.Request) {
	s.fail(w, problem{http.StatusForbidden, "Sent from elsewhere",
		"This form came from another site, so it was not taken.",
		"Open the page here and fill it in again."})
}

func (s *Site) notFound(w http.ResponseWriter, _ *http.Request) {
	s.fail(w, problem{http.StatusNotFound, "No such page", "There is no page here.",
		"The list of disputes leads to all that there are."})
}
