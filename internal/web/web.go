// Package web serves the public pages: the look-up, the causes, the policy, the
// zone's instructions and the disputes.
//
// In come requests of strangers; out go HTML pages and their JSON twins. The site
// holds no secret: what may be known of an address comes as a notice.Notice, what
// may be known of a dispute as a dispute.Public, and neither is added to here.
//
// It must never trust what a request says of where it comes from, unless the peer
// is one of trust_proxy; never keep anything for each of its visitors; and never
// let a page run a script or load anything from elsewhere. Pages work without
// JavaScript, which the policy of their content forbids.
package web

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/notice"
)

//go:embed page cause style.css icon.svg
var files embed.FS

// Lookup is what the public may know. Its methods are safe for use by many at once;
// an error means that there is no answer now, and says nothing that is fit to be shown.
type Lookup interface {
	// Look gives the notice of an address.
	Look(netip.Addr) (notice.Notice, error)
	// Within gives the listings that share an address with a network.
	Within(netip.Prefix) ([]notice.Listing, error)
	// Policy gives the rules of listing in force.
	Policy() (criteria.Policy, error)
	// Zone says how the publication stands.
	Zone() notice.Zone
}

var _ Lookup = (*notice.Office)(nil)

// Disputes hears who says that a listing is wrong. An error that is no
// dispute.RefusedError says nothing that is fit to be shown.
type Disputes interface {
	File(context.Context, dispute.Form) (dispute.Case, error)
	Prove(ctx context.Context, id string, peer netip.Addr) (dispute.Case, error)
	Remove(ctx context.Context, id string) (dispute.Case, error)
	Find(id string) (dispute.Case, bool)
	// Challenge gives the TXT record that proves control of a dispute's address.
	Challenge(id string) (dispute.Challenge, bool)
}

var _ Disputes = (*dispute.Clerk)(nil)

// Observer is told what went wrong; it must not block.
type Observer interface {
	// PageFailed: a request could not be answered, for a reason on our side.
	PageFailed(err error)
}

// Settings are what the configuration in force says of the pages.
type Settings struct {
	BaseURL     string         // without a final slash; "": not known
	TrustProxy  []netip.Prefix // peers whose X-Forwarded-For counts
	Contact     string         // the keeper's mail address
	Evidence    notice.Amount
	SelfRemoval bool
	KeepHits    time.Duration
	KeepHeads   time.Duration // of messages, as evidence
}

// Config is what a Site works with; all is required.
type Config struct {
	Lookup   Lookup
	Disputes Disputes
	Settings func() Settings // in force now
	Observer Observer
	Now      func() time.Time
	// Clean gives what everybody may read of an operator's words.
	Clean func(string) string
}

// Site answers requests. It is safe for use by many at once.
type Site struct {
	cfg     Config
	pages   pages
	statics map[string]static
	gate    *gate
}

// New makes a site. An error is a fault of the pages that the binary holds.
func New(c Config) (*Site, error) {
	s := &Site{cfg: c, statics: map[string]static{}, gate: newGate(c.Now)}
	var err error
	if s.pages, err = parsePages(); err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8",
		"icon.svg": "image/svg+xml"} {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		s.statics["/"+name] = static{kind, content}
	}
	return s, nil
}

// Handler is the whole site: who may ask, how much, and what the answers are.
func (s *Site) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.pattern, r.serve)
	}
	mux.HandleFunc(everything, s.elsewhere(mux))
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	return s.guarded(sameOrigin.Handler(mux))
}

// everything is the pattern of what has no route.
const everything = "/"

// route is one address of the site.
type route struct {
	pattern string
	serve   http.HandlerFunc
}

// routes lists every address of the site. GET serves HEAD as well.
func (s *Site) routes() []route {
	return []route{
		{"GET /{$}", s.home},
		{"POST /{$}", s.home},
		{"GET /ip/{address}", s.lookup},
		{"GET /api/v1/ip/{address}", s.lookupJSON},
		{"GET /network/{network...}", s.network},
		{"GET /api/v1/network/{network...}", s.networkJSON},
		{"GET /ip/{address}/dispute", s.disputeForm},
		{"POST /ip/{address}/dispute", s.file},
		{"GET /dispute/{id}", s.dispute},
		{"POST /dispute/{id}", s.prove},
		{"GET /causes", s.causes},
		{"GET /causes/{cause}", s.cause},
		{"GET /criteria", s.criteria},
		{"GET /status", s.status},
		{"GET /use", s.use},
		{"GET /about", s.about},
		{"GET /style.css", s.static},
		{"GET /icon.svg", s.static},
		{"GET /robots.txt", s.robots},
	}
}

// static is a file that never changes while the daemon runs.
type static struct {
	kind    string
	content []byte
}

func (s *Site) static(w http.ResponseWriter, r *http.Request) {
	f := s.statics[r.URL.Path]
	send(w, r, answer{status: http.StatusOK, kind: f.kind, body: f.content, fresh: 3600})
}

// robots keeps machines that read all links away from look-ups: each costs us more
// than a page of text.
func (s *Site) robots(w http.ResponseWriter, r *http.Request) {
	const text = "User-agent: *\nDisallow: /ip/\nDisallow: /network/\nDisallow: /dispute/\n" +
		"Disallow: /api/\n"
	send(w, r, answer{status: http.StatusOK, kind: "text/plain; charset=utf-8", body: []byte(text),
		fresh: 3600})
}
