package web

import (
	"net/netip"
	"net/url"
	"strings"
)

// Host is what a request calls the server that it is sent to. The zero Host is what nobody can
// be called by.
//
// A browser sends what it is shown under a name to whatever address that name has now. So
// somebody can make it send his forms here as the forms of this very site, by a name of his own
// (DNS rebinding): a form counts only if it was sent to a name that nobody else has.
type Host struct {
	name    string     // in lower case, without a final dot
	address netip.Addr // where the name is one
}

// HostOf reads a Host header, RFC 9110 section 7.2, or the authority of a URL. Its port is left
// out: tunnels and proxies have their own.
func HostOf(text string) Host {
	u, err := url.Parse("http://" + text)
	if err != nil || u.Host != text {
		return Host{}
	}
	h := Host{name: strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")}
	if a, err := netip.ParseAddr(h.name); err == nil {
		h.address = a.Unmap()
	}
	return h
}

// IsLoopback tells whether only this machine is called so.
func (h Host) IsLoopback() bool { return h.name == "localhost" || h.address.IsLoopback() }

// isOurs tells whether a form that was sent to a host is for us: to where others reach the
// pages, or to no name at all.
func (s *Site) isOurs(h Host) bool {
	if h.IsLoopback() || h.address.IsValid() {
		return true
	}
	base, err := url.Parse(s.cfg.Settings().BaseURL)
	return err == nil && h != Host{} && h == HostOf(base.Host)
}
