package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/address"
)

// home is the search. It takes an address, a network, or the text of a bounce.
func (s *Site) home(w http.ResponseWriter, r *http.Request) {
	query, ok := s.query(w, r)
	if !ok {
		return
	}
	policy, err := s.cfg.Lookup.Policy()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	zone := s.cfg.Lookup.Zone()
	found := search{query, s.cfg.Settings().BaseURL, zone.Origin}.run()
	if found.page != "" {
		http.Redirect(w, r, found.page, http.StatusSeeOther)
		return
	}
	s.show(w, r, view{page: "home", title: "Search", secret: query != "", data: struct {
		Asked  bool
		Found  []netip.Addr
		Zone   any
		Policy any
	}{query != "", found.addresses, zone, policy}})
}

// query gives what is searched for; ok is false where an answer was given.
func (s *Site) query(w http.ResponseWriter, r *http.Request) (text string, ok bool) {
	if err := r.ParseForm(); err != nil {
		s.tooLong(w, r)
		return "", false
	}
	return strings.TrimSpace(r.Form.Get("q")), true
}

func (s *Site) tooLong(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, problem{http.StatusRequestEntityTooLarge, "Too long",
		"That is more than the 16 KiB that are read here, or no form.",
		"Paste the lines around the refusal."})
}

// search looks for what a text is about.
type search struct {
	text, base, origin string
}

// finding is the page that is meant, or else addresses that may be.
type finding struct {
	page      string
	addresses []netip.Addr
}

// mostFound bounds how many addresses are offered.
const mostFound = 20

// run finds the page that a text names: an address or a network that is all of it; in
// a longer text the address in a link of ours or in a name of our zone, else the only
// address there is.
func (q search) run() finding {
	if n, err := netip.ParsePrefix(q.text); err == nil && !n.IsSingleIP() {
		return finding{page: "/network/" + n.Masked().String()}
	}
	for _, named := range []func() (netip.Addr, bool){q.alone, q.linked, q.reversed} {
		if a, ok := named(); ok {
			return finding{page: "/ip/" + a.String()}
		}
	}
	found := q.addresses()
	if len(found) == 1 {
		return finding{page: "/ip/" + found[0].String()}
	}
	return finding{addresses: found}
}

func (q search) alone() (netip.Addr, bool) {
	text := strings.Trim(q.text, "[]")
	text = strings.TrimSuffix(strings.TrimSuffix(text, "/32"), "/128")
	return plainAddr(text)
}

func plainAddr(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return address.Unwrap(a), err == nil && a.Zone() == ""
}

// linked finds the link that our zone puts into refusals.
func (q search) linked() (netip.Addr, bool) {
	for _, mark := range []string{q.base + "/ip/", "/ip/"} {
		_, rest, found := strings.Cut(q.text, mark)
		if !found {
			continue
		}
		end := strings.IndexFunc(rest, func(c rune) bool { return !isOfAddress(c) })
		if end >= 0 {
			rest = rest[:end]
		}
		if unescaped, err := url.PathUnescape(rest); err == nil {
			rest = unescaped
		}
		if a, ok := plainAddr(strings.TrimRight(rest, ".:")); ok {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// isOfAddress tells what an address is made of, in a path.
func isOfAddress(c rune) bool { return strings.ContainsRune("0123456789abcdefABCDEF.:%", c) }

// reversed finds a name of our zone, as mail servers ask for it.
func (q search) reversed() (netip.Addr, bool) {
	before, _, found := strings.Cut(strings.ToLower(q.text), "."+q.origin)
	if !found {
		return netip.Addr{}, false
	}
	start := 1 + strings.LastIndexFunc(before, func(c rune) bool {
		return !strings.ContainsRune("0123456789abcdef.", c)
	})
	labels := strings.Split(before[start:], ".")
	slices.Reverse(labels)
	const nibbles = 32
	if len(labels) == nibbles {
		var b strings.Builder
		for i, digit := range labels {
			if b.WriteString(digit); i%4 == 3 && i < nibbles-1 {
				b.WriteByte(':')
			}
		}
		return plainAddr(b.String())
	}
	return plainAddr(strings.Join(labels, "."))
}

// addresses gives the addresses in a text that could be listed, each once.
func (q search) addresses() []netip.Addr {
	text := strings.ReplaceAll(strings.ReplaceAll(q.text, "IPv6:", " "), "ipv6:", " ")
	var found []netip.Addr
	between := func(c rune) bool { return !isOfAddress(c) || c == '%' }
	for _, word := range strings.FieldsFunc(text, between) {
		a, ok := plainAddr(strings.Trim(word, ".:"))
		if !ok {
			a, ok = plainAddr(strings.TrimRight(word, ".")) // it may end in ::
		}
		if ok && !address.Special(a) && !slices.Contains(found, a) {
			found = append(found, a)
		}
		if len(found) == mostFound {
			break
		}
	}
	return found
}
