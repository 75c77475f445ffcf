package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trapline/trapline/internal/rate"
)

// Bounds of what visitors may ask, so that no flood of them takes from the mail, nor from
// other visitors.
const (
	perMinute        = 60  // requests of an address, or in IPv6 of a /64
	perMinuteNetwork = 240 // of a /24 or /48
	postsPerMinute   = 10  // of an address or /64
	atOnce           = 32  // requests that are worked on at the same time
	atOnceNetwork    = 8   // of a /24 or /48: read, worked on and answered
	mostBody         = 16 << 10
	bodyTime         = 2 * time.Second // for a body to come
)

// What a network begins; each is counted apart.
const (
	beginRequest = 'r'
	beginPost    = 'p'
)

// gate says who may ask now.
type gate struct {
	now      func() time.Time
	made     time.Time
	bodyTime time.Duration // by the system's clock, as sockets have it
	slots    chan struct{}
	networks rate.Held // requests

	mu    sync.Mutex // guards rates
	rates *rate.Sketch
}

func newGate(now func() time.Time) *gate {
	return &gate{now: now, made: now(), bodyTime: bodyTime, slots: make(chan struct{}, atOnce),
		rates: rate.New()}
}

// admits counts a request; false where its network asked too often.
func (g *gate) admits(client netip.Addr, post bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, host, network := g.now().Sub(g.made), within(client, 32, 64), networkOf(client)
	return g.rates.Take(at, host, beginRequest, perMinute) &&
		g.rates.Take(at, network, beginRequest, perMinuteNetwork) &&
		(!post || g.rates.Take(at, host, beginPost, postsPerMinute))
}

// networkOf is what one visitor can be expected to have more of.
func networkOf(a netip.Addr) netip.Prefix { return within(a, 24, 48) }

func within(a netip.Addr, bits4, bits6 int) netip.Prefix {
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	p, _ := a.Prefix(bits) // no client, no network: they are counted together
	return p
}

// read takes the whole body of a request, before it has a slot: whoever sends slowly keeps
// nobody waiting.
func (g *gate) read(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(g.bodyTime)) // without a socket nothing is slow
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		return err // the deadline stays, for the rest that the server reads
	}
	_ = control.SetReadDeadline(time.Time{}) // else it ends the work
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// guarded is the way to every handler: headers that all answers have, limits, and an
// answer even where a handler panics. In a slot there is work and nothing else: the request
// was read before, and the answer is sent after.
func (s *Site) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Protect(w.Header())
		client, post := s.client(r), r.Method == http.MethodPost
		if !s.gate.admits(client, post) || !s.gate.networks.Take(networkOf(client), atOnceNetwork) {
			s.turnAway(w, r, tooMany)
			return
		}
		defer s.gate.networks.Give(networkOf(client))
		if post && !s.isOurs(HostOf(r.Host)) {
			s.turnAway(w, r, misdirected)
			return
		}
		var tooLong *http.MaxBytesError
		switch err := s.gate.read(w, r); {
		case errors.As(err, &tooLong):
			s.tooLong(w, r)
		case err != nil:
			s.turnAway(w, r, tooSlow)
		default:
			if made, ok := s.work(next, w.Header(), r); ok {
				made.sendTo(w)
			} else {
				s.turnAway(w, r, busy)
			}
		}
	})
}

// work has an answer made in a slot; ok is false where all are taken.
func (s *Site) work(next http.Handler, h http.Header, r *http.Request) (made *made, ok bool) {
	select {
	case s.gate.slots <- struct{}{}:
		defer func() { <-s.gate.slots }()
	default:
		return nil, false
	}
	made, ok = newMade(h), true
	defer s.recovered(made, r)
	next.ServeHTTP(made, r)
	return made, ok
}

// What is answered to those who are not let in.
var (
	tooMany = problem{http.StatusTooManyRequests, "Too many requests",
		"Your network asks faster than this page can answer all others as well.",
		"Wait a minute. For many addresses, copy the zone: see /use."}
	busy = problem{http.StatusServiceUnavailable, "Busy",
		"Too many ask at the same time.", "Try again in a few seconds."}
	tooSlow = problem{http.StatusRequestTimeout, "Too slow",
		"What you sent did not come whole within 2 seconds.", "Try again, with less text."}
	misdirected = problem{http.StatusMisdirectedRequest, "Another name",
		"Your browser came by a name that is not known to be ours, so the form was not taken.",
		"Open this site by its own name, as the list's refusals give it, and fill the form in again. " +
			"Whoever runs the site: [web] base_url says its name."}
)

// turnAway answers whoever is not let in, and closes the connection: what else was sent on it
// is not read, and it is there for others.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, p problem) {
	w.Header().Set("Connection", "close")
	switch p.status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "10")
	}
	s.fail(w, r, p)
}

// protection is what tells a browser to trust a page with nothing.
var protection = map[string]string{
	"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "interest-cohort=(), camera=(), microphone=(), geolocation=()",
	"Referrer-Policy":              "same-origin", // a form without an origin is refused
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// recovered answers where a handler panicked, in place of what it had begun.
func (s *Site) recovered(m *made, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	s.cfg.Observer.PageFailed(fmt.Errorf("serve %s: panic: %v\n%s", r.Pattern, p, debug.Stack()))
	*m = *newMade(m.header)
	s.fail(m, r, broken)
}

// crossOrigin answers a form that another site sent.
func (s *Site) crossOrigin(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem{http.StatusForbidden, "Sent from elsewhere",
		"This form came from another site, so it was not taken.",
		"Open the page here and fill it in again."})
}

// client is who asks. What the request says of it counts only from a trusted proxy,
// and then only the last address that none of ours wrote down for another of ours.
func (s *Site) client(r *http.Request) netip.Addr {
	peer := addrOf(r.RemoteAddr)
	proxies := s.cfg.Settings().TrustProxy
	if !contains(proxies, peer) {
		return peer
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(forwarded) {
		a := addrOf(strings.TrimSpace(text))
		if !a.IsValid() {
			return peer // a proxy that does not say who asks
		}
		if peer = a; !contains(proxies, a) {
			return a
		}
	}
	return peer
}

// addrOf reads an address with or without a port, zero if there is none.
func addrOf(text string) netip.Addr {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr().WithZone("").Unmap()
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.WithZone("").Unmap()
}

func contains(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}
