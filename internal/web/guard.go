package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/trapline/trapline/internal/rate"
)

// Bounds of what visitors may ask, so that no flood of them takes from the mail.
const (
	perMinute        = 60  // requests of an address, or in IPv6 of a /64
	perMinuteNetwork = 240 // of a /24 or /48
	postsPerMinute   = 10  // of an address or /64
	atOnce           = 32  // requests that are answered at the same time
	mostBody         = 16 << 10
)

// What a network begins; each is counted apart.
const (
	beginRequest = 'r'
	beginPost    = 'p'
)

// gate says who may ask now.
type gate struct {
	now   func() time.Time
	made  time.Time
	slots chan struct{}

	mu    sync.Mutex // guards rates
	rates *rate.Sketch
}

func newGate(now func() time.Time) *gate {
	return &gate{now: now, made: now(), slots: make(chan struct{}, atOnce), rates: rate.New()}
}

// admits counts a request; false where its network asked too often.
func (g *gate) admits(client netip.Addr, post bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, host, network := g.now().Sub(g.made), within(client, 32, 64), within(client, 24, 48)
	return g.rates.Take(at, host, beginRequest, perMinute) &&
		g.rates.Take(at, network, beginRequest, perMinuteNetwork) &&
		(!post || g.rates.Take(at, host, beginPost, postsPerMinute))
}

func within(a netip.Addr, bits4, bits6 int) netip.Prefix {
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	p, _ := a.Prefix(bits) // no client, no network: they are counted together
	return p
}

// guarded is the way to every handler: headers that all answers have, limits, and an
// answer even where a handler panics.
func (s *Site) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Protect(w.Header())
		defer s.recovered(w, r)
		if !s.gate.admits(s.client(r), r.Method == http.MethodPost) {
			w.Header().Set("Retry-After", "60")
			s.fail(w, r, problem{http.StatusTooManyRequests, "Too many requests",
				"Your network asks faster than this page can answer all others as well.",
				"Wait a minute. For many addresses, copy the zone: see /use."})
			return
		}
		select {
		case s.gate.slots <- struct{}{}:
			defer func() { <-s.gate.slots }()
		default:
			w.Header().Set("Retry-After", "10")
			s.fail(w, r, problem{http.StatusServiceUnavailable, "Busy",
				"Too many ask at the same time.", "Try again in a few seconds."})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		next.ServeHTTP(w, r)
	})
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

// recovered answers where a handler panicked. Nothing was sent by then: pages are
// made whole before.
func (s *Site) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	s.cfg.Observer.PageFailed(fmt.Errorf("serve %s: panic: %v\n%s", r.Pattern, p, debug.Stack()))
	s.fail(w, r, broken)
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
