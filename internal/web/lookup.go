package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/notice"
)

// address reads the address of a request. Another spelling of one is sent to its own
// page; what is none is answered kindly. ok is false where an answer was given.
func (s *Site) address(w http.ResponseWriter, r *http.Request) (a netip.Addr, ok bool) {
	text := r.PathValue("address")
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		s.fail(w, r, problem{http.StatusNotFound, "No address",
			"That is not an IP address.",
			"Write it as 192.0.2.1, without leading zeros, or as 2001:db8::1."})
		return a, false
	}
	a = a.Unmap()
	if a.String() != text {
		to := strings.Replace(r.URL.Path, "/"+text, "/"+a.String(), 1)
		http.Redirect(w, r, to, http.StatusPermanentRedirect)
		return a, false
	}
	return a, true
}

// lookedUp is the page of an address.
type lookedUp struct {
	notice.Notice
	Chart       *chart // nil: nothing came in 30 days, or nobody knows
	Policy      criteria.Policy
	Follow      string
	Zone        notice.Zone
	SelfRemoval bool
	Evidence    bool // parts of messages are shown
}

func (s *Site) lookup(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		s.lookupJSON(w, r)
		return
	}
	a, ok := s.address(w, r)
	if !ok {
		return
	}
	n, err := s.cfg.Lookup.Look(a)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	policy, err := s.cfg.Lookup.Policy()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	zone, settings := s.cfg.Lookup.Zone(), s.cfg.Settings()
	s.show(w, r, view{page: "lookup", title: a.String(), data: lookedUp{Notice: n,
		Chart: chartOf(n.Days), Policy: policy, Follow: span(zone.Follow()), Zone: zone,
		SelfRemoval: settings.SelfRemoval,
		Evidence:    settings.Evidence == notice.Subject || settings.Evidence == notice.Headers}})
}

func (s *Site) lookupJSON(w http.ResponseWriter, r *http.Request) {
	a, ok := s.address(w, r)
	if !ok {
		return
	}
	n, err := s.cfg.Lookup.Look(a)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.json(w, r, http.StatusOK, n)
}

// The widest networks that anybody may ask for at once.
const (
	widest4 = 24
	widest6 = 48
)

// within reads the network of a request; ok is false where an answer was given.
func (s *Site) within(w http.ResponseWriter, r *http.Request) (n netip.Prefix, ok bool) {
	text := r.PathValue("network")
	n, err := netip.ParsePrefix(text)
	switch {
	case err != nil || n.Addr().Is4In6():
		s.fail(w, r, problem{http.StatusNotFound, "No network", "That is not a network.",
			"Write it as 192.0.2.0/24 or 2001:db8:1::/48."})
	case n.Addr().Is4() && n.Bits() < widest4, n.Addr().Is6() && n.Bits() < widest6:
		s.fail(w, r, problem{http.StatusBadRequest, "Too wide",
			"Networks of /24 and longer, in IPv6 of /48 and longer, can be looked up.",
			"For more at once, copy the zone: see /use."})
	case n.Masked().String() != text:
		to := strings.Replace(r.URL.Path, text, n.Masked().String(), 1)
		http.Redirect(w, r, to, http.StatusPermanentRedirect)
	default:
		return n, true
	}
	return n, false
}

// inNetwork is the listings of a network.
type inNetwork struct {
	Network  netip.Prefix     `json:"network"`
	Listings []notice.Listing `json:"listings"`
}

func (s *Site) network(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		s.networkJSON(w, r)
		return
	}
	if found, ok := s.listed(w, r); ok {
		s.show(w, r, view{page: "network", title: found.Network.String(), data: found})
	}
}

func (s *Site) networkJSON(w http.ResponseWriter, r *http.Request) {
	if found, ok := s.listed(w, r); ok {
		s.json(w, r, http.StatusOK, found)
	}
}

func (s *Site) listed(w http.ResponseWriter, r *http.Request) (found inNetwork, ok bool) {
	n, ok := s.within(w, r)
	if !ok {
		return found, false
	}
	listings, err := s.cfg.Lookup.Within(n)
	if err != nil {
		s.failed(w, r, fmt.Errorf("look up a network: %w", err))
		return found, false
	}
	return inNetwork{n, listings}, true
}
