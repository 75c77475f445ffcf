package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/dispute"
)

// TestRoutes: what each request is answered with.
func TestRoutes(t *testing.T) {
	const page, text = "text/html; charset=utf-8", "application/json"
	for _, test := range []struct {
		method, target string
		status         int
		kind           string
		location       string
	}{
		{"GET", "/", 200, page, ""},
		{"HEAD", "/", 200, page, ""},
		{"PUT", "/nowhere", 404, page, ""},
		{"GET", "/ip/198.51.100.7", 200, page, ""},
		{"GET", "/ip/::ffff:198.51.100.7", 308, page, "/ip/198.51.100.7"},
		{"GET", "/ip/2001:DB8:0::1", 308, page, "/ip/2001:db8::1"},
		{"GET", "/ip/2001:0db8:0000:0000:0000:0000:0000:0001", 308, page, "/ip/2001:db8::1"},
		{"GET", "/api/v1/ip/2001:DB8::1", 308, page, "/api/v1/ip/2001:db8::1"},
		{"GET", "/ip/2001:DB8::1/dispute", 308, page, "/ip/2001:db8::1/dispute"},
		{"GET", "/ip/198.051.100.007", 404, page, ""},
		{"GET", "/ip/fe80::1%25eth0", 404, page, ""},
		{"GET", "/ip/one.example", 404, page, ""},
		{"GET", "/ip/", 404, page, ""},
		{"GET", "/api/v1/ip/one.example", 404, text, ""},
		{"GET", "/network/198.51.100.0/24", 200, page, ""},
		{"GET", "/network/198.51.100.7/24", 308, page, "/network/198.51.100.0/24"},
		{"GET", "/network/198.51.0.0/16", 400, page, ""},
		{"GET", "/network/2001:db8::/47", 400, page, ""},
		{"GET", "/network/198.51.100.0", 404, page, ""},
		{"GET", "/network/::ffff:198.51.100.0/120", 404, page, ""},
		{"GET", "/api/v1/network/198.51.0.0/16", 400, text, ""},
		{"GET", "/causes/relay", 200, page, ""},
		{"GET", "/causes/../causes/relay", 307, page, "/causes/relay"},
		{"GET", "/causes/frame", 404, page, ""},
		{"GET", "/dispute/nonsense", 404, page, ""},
		{"GET", "/style.css", 200, "text/css; charset=utf-8", ""},
		{"GET", "/icon.svg", 200, "image/svg+xml", ""},
		{"GET", "/robots.txt", 200, "text/plain; charset=utf-8", ""},
		{"GET", "/web.go", 404, page, ""},
		{"GET", "/?q=198.51.100.7", 303, page, "/ip/198.51.100.7"},
	} {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			w := newStand(t).ask(test.method, test.target)
			if w.Code != test.status || w.Header().Get("Location") != test.location {
				t.Errorf("got %d to %q, want %d to %q", w.Code, w.Header().Get("Location"), test.status, test.location)
			}
			if kind := w.Header().Get("Content-Type"); w.Code != 308 && w.Code != 307 && w.Code != 303 && kind != test.kind {
				t.Errorf("got %q, want %q", kind, test.kind)
			}
			for name, value := range protection {
				if w.Header().Get(name) != value {
					t.Errorf("%s is %q", name, w.Header().Get(name))
				}
			}
			if test.method == "HEAD" && w.Body.Len() > 0 {
				t.Errorf("a HEAD has a body of %d bytes", w.Body.Len())
			}
		})
	}
}

// TestCaching: what has not changed is not sent again; another form has another tag.
func TestCaching(t *testing.T) {
	s := newStand(t)
	first := s.ask("GET", "/ip/198.51.100.7")
	tag := first.Header().Get("ETag")
	again := s.ask("GET", "/ip/198.51.100.7", header("If-None-Match", tag))
	if tag == "" || again.Code != http.StatusNotModified || again.Body.Len() > 0 ||
		first.Header().Get("Vary") != "Accept" || !strings.Contains(first.Header().Get("Cache-Control"), "max-age=60") {
		t.Errorf("%q, %d, %v", tag, again.Code, first.Header())
	}
	if twin := s.ask("GET", "/ip/198.51.100.7", header("Accept", "application/json")); twin.Header().Get("ETag") == tag {
		t.Error("page and JSON have one tag")
	}
	for _, private := range []string{"/dispute/open", "/ip/198.51.100.7/dispute", "/nowhere"} {
		if got := s.ask("GET", private).Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: %q", private, got)
		}
	}
}

// TestFaults: a fault of ours is answered plainly, is told to the log, and tells nothing else.
func TestFaults(t *testing.T) {
	s := newStand(t)
	s.library.err = errOurs
	for _, target := range []string{"/", "/ip/198.51.100.7", "/api/v1/ip/198.51.100.7", "/criteria",
		"/network/198.51.100.0/24", "/use", "/ip/198.51.100.7/dispute"} {
		w := s.ask("GET", target)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "one@") ||
			w.Header().Get("Connection") != "close" {
			t.Errorf("%s: %d %v %s", target, w.Code, w.Header(), w.Body)
		}
	}
	if n := len(s.diary.errs); n != 7 {
		t.Errorf("%d faults were told: %v", n, s.diary.errs)
	}
	w := s.ask("GET", "/ip/192.0.2.66")
	if last := s.diary.errs[len(s.diary.errs)-1]; w.Code != http.StatusInternalServerError ||
		strings.Contains(w.Body.String(), "fault in") || !strings.Contains(last.Error(), "fault in") {
		t.Errorf("a panic: %d %s; told: %v", w.Code, w.Body, last)
	}
	s.library.err, s.bureau.refuse = nil, errOurs
	w = s.ask("POST", "/ip/198.51.100.7/dispute", form("claim=mail"))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "one@") {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
}

// TestCrossSite: a form that another site sends is not taken.
func TestCrossSite(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"fetch metadata": header("Sec-Fetch-Site", "cross-site"), "origin": header("Origin", "https://evil.example"),
		"null origin": header("Origin", "null"),
	} {
		s := newStand(t)
		for _, target := range []string{"/ip/198.51.100.7/dispute", "/dispute/open", "/"} {
			if w := s.ask("POST", target, form("claim=mail&q=198.51.100.7"), change); w.Code != http.StatusForbidden {
				t.Errorf("%s: %s: %d", name, target, w.Code)
			}
		}
		if len(s.bureau.forms) > 0 {
			t.Errorf("%s: the form was filed", name)
		}
	}
	s := newStand(t)
	if w := s.ask("POST", "/ip/198.51.100.7/dispute", form("claim=mail"), header("Sec-Fetch-Site", "same-origin")); w.Code != 303 {
		t.Errorf("our own form: %d", w.Code)
	}
}

// TestForwarded: who a form comes from is what the nearest host says that is not ours, and what
// anybody else says is not believed.
func TestForwarded(t *testing.T) {
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", "203.0.113.9:4711", nil, "203.0.113.9"},
		{"stranger forges", "203.0.113.9:4711", []string{"198.51.100.7"}, "203.0.113.9"},
		{"proxy", "127.0.0.1:4711", []string{"203.0.113.9"}, "203.0.113.9"},
		{"forged before the proxy", "127.0.0.1:4711", []string{"198.51.100.7, 203.0.113.9"}, "203.0.113.9"},
		{"forged in a line of its own", "127.0.0.1:4711", []string{"198.51.100.7", "203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "127.0.0.1:4711", []string{"203.0.113.9, 10.0.0.5"}, "203.0.113.9"},
		{"proxies alone", "127.0.0.1:4711", []string{"10.0.0.5"}, "10.0.0.5"},
		{"port", "127.0.0.1:4711", []string{"203.0.113.9:80"}, "203.0.113.9"},
		{"IPv6", "[::1]:4711", []string{"[2001:db8::9]:80"}, "2001:db8::9"},
		{"mapped", "[::ffff:127.0.0.1]:4711", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"nonsense", "127.0.0.1:4711", []string{"198.51.100.7, unknown"}, "127.0.0.1"},
		{"empty", "127.0.0.1:4711", []string{""}, "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t)
			s.settings.TrustProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"),
				netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8")}
			s.ask("POST", "/ip/198.51.100.7/dispute", from(test.peer), form("claim=mail"), func(r *http.Request) {
				for _, f := range test.forwarded {
					r.Header.Add("X-Forwarded-For", f)
				}
				r.Header.Set("X-Real-Ip", "198.51.100.7")
				r.Header.Set("Forwarded", "for=198.51.100.7")
			})
			if len(s.bureau.forms) != 1 || s.bureau.forms[0].Peer.String() != test.want {
				t.Errorf("filed: %+v, want %s", s.bureau.forms, test.want)
			}
		})
	}
}

// TestFlood: a network that asks too much is told so and nobody else suffers; bodies are bounded.
func TestFlood(t *testing.T) {
	s := newStand(t)
	now := s.now
	ask := func(peer string) int {
		s.now = now // no time passes
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/about", nil)
		r.RemoteAddr = peer
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests &&
			(w.Header().Get("Retry-After") == "" || w.Header().Get("Connection") != "close") {
			t.Errorf("it is not said when to come again, or the connection is kept: %v", w.Header())
		}
		return w.Code
	}
	count := func(name string, most int, peer func(i int) string) {
		t.Helper()
		taken := 0
		for i := range 2 * most {
			if ask(peer(i)) == http.StatusOK {
				taken++
			}
		}
		if taken != most {
			t.Errorf("%s: %d were answered, want %d", name, taken, most)
		}
	}
	count("one address", perMinute, func(int) string { return "203.0.113.9:1" })
	count("one /64", perMinute, func(i int) string { return fmt.Sprintf("[2001:db8:1::%x]:1", i) })
	count("one /24", perMinuteNetwork, func(i int) string { return fmt.Sprintf("198.51.100.%d:1", i%200) })
	count("one /48", perMinuteNetwork, func(i int) string { return fmt.Sprintf("[2001:db8:2:%x::1]:1", i) })
	if ask("192.0.2.1:1") != http.StatusOK {
		t.Error("another network is refused")
	}
	for i := range postsPerMinute + 1 {
		s.now = now
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/ip/198.51.100.7/dispute", strings.NewReader("claim=mail"))
		r.Host, r.RemoteAddr, r.Header = "bl.example", "192.0.2.200:1", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if want := map[bool]int{true: 303, false: 429}[i < postsPerMinute]; w.Code != want {
			t.Errorf("form %d: %d", i+1, w.Code)
		}
	}
	for _, target := range []string{"/", "/ip/198.51.100.7/dispute", "/dispute/open"} {
		w := s.ask("POST", target, from("192.0.2.201:1"), form("q="+strings.Repeat("x", mostBody)))
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s takes 16 KiB and more: %d", target, w.Code)
		}
	}
}

// TestBusy: only so many are answered at once, and the others at once, too.
func TestBusy(t *testing.T) {
	s := newStand(t)
	enter, leave := make(chan struct{}), make(chan struct{})
	site := &Site{cfg: Config{Lookup: s.library, Disputes: s.bureau, Observer: s.diary, Now: time.Now,
		Settings: func() Settings { return s.settings }}, gate: newGate(time.Now)}
	site.pages, _ = parsePages() // New would have told
	handler := site.guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		enter <- struct{}{}
		<-leave
	}))
	serve := func(n int) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = fmt.Sprintf("203.0.%d.1:1", n)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	done := make(chan struct{})
	for n := range atOnce {
		go func() { serve(n); done <- struct{}{} }()
		<-enter
	}
	if w := serve(200); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" ||
		w.Header().Get("Connection") != "close" {
		t.Errorf("one more: %d %v", w.Code, w.Header())
	}
	close(leave)
	for range atOnce {
		<-done
	}
}

// hostile is what strangers write where it might be shown.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `javascript:alert(1)`,
	`'; DROP TABLE hits; --`, "\x00\x1b[2J\u202e\ufeff", `{{.Form}}`, `</textarea><svg onload=alert(1)>`,
	"\xff\xfe\xfd", strings.Repeat("x", 5000)}

// TestHostile: what is typed into any field, or stands in any part of a notice, stays text.
func TestHostile(t *testing.T) {
	for i, text := range hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s := newStand(t)
			n := s.library.notices["198.51.100.7"]
			n.Hits[0].Evidence[0].Value, n.Hits[0].Evidence[0].Name = text, text
			n.Hits[0].Trace.Stopped, n.Hits[0].Trace.Direct = text, false
			s.library.notices["198.51.100.7"] = n
			m := s.library.notices["198.51.100.70"]
			m.Reason = text
			s.library.notices["198.51.100.70"] = m
			c := s.bureau.cases["open"]
			c.Answer, c.Reason = text, text
			s.bureau.cases["open"] = c
			s.bureau.refuse = &dispute.RefusedError{Why: dispute.BadForm, Message: "no"}
			fields := url.Values{"claim": {text}, "statement": {text}, "relation": {text}, "contact": {text}, "want": {text}}
			for _, w := range []*httptest.ResponseRecorder{s.ask("GET", "/ip/198.51.100.7"),
				s.ask("GET", "/ip/198.51.100.70"), s.ask("GET", "/dispute/open"),
				s.ask("GET", "/?q="+url.QueryEscape(text)), s.ask("GET", "/ip/"+url.PathEscape(text)),
				s.ask("POST", "/ip/198.51.100.7/dispute", form(fields.Encode())),
				s.ask("POST", "/dispute/open", form(fields.Encode()))} {
				stays(t, w.Body.String(), text)
			}
		})
	}
}

// stays tells whether a text became part of a page's structure.
func stays(t *testing.T, page, text string) {
	t.Helper()
	for _, mark := range []string{"<script", "<img", "<svg onload", `href="javascript:`, "onerror=alert(1)>"} {
		if strings.Contains(page, mark) {
			t.Errorf("%q brings %q into\n%s", text, mark, page)
		}
	}
}

// FuzzSearch: whatever is pasted, the answer is a page of an address, a network, or a choice.
func FuzzSearch(f *testing.F) {
	for _, text := range []string{"198.51.100.7", "[2001:db8::1]", "198.51.100.0/24", "see https://bl.example/ip/198.51.100.7)",
		"7.100.51.198.bl.mx.example", "a 192.0.2.1 b 192.0.2.2", "IPv6:2001:db8::1", "%31", "/ip/%zz", ".bl.mx.example"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := search{text, "https://bl.example", "bl.mx.example"}.run()
		kind, rest, _ := strings.Cut(strings.TrimPrefix(found.page, "/"), "/")
		a, notAddr := netip.ParseAddr(rest)
		n, notNetwork := netip.ParsePrefix(rest)
		switch {
		case found.page == "" && len(found.addresses) <= mostFound:
		case kind == "ip" && notAddr == nil && a.String() == rest && a.Zone() == "":
		case kind == "network" && notNetwork == nil && n.Masked().String() == rest:
		default:
			t.Errorf("%q leads to %+v", text, found)
		}
	})
}

// FuzzPath: no path breaks a page.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/ip/198.51.100.7", "/network/2001:db8::/48", "/dispute/x", "/causes/relay", "/api/v1/ip/x", "//x/..%2f"} {
		f.Add(path)
	}
	s := newStand(f)
	f.Fuzz(func(t *testing.T, path string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || strings.Contains(path, "192.0.2.66") {
			t.Skip()
		}
		r := &http.Request{Method: "GET", URL: u, Header: http.Header{}, RemoteAddr: "203.0.113.9:1", Body: http.NoBody}
		s.now = s.now.Add(time.Minute)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= 500 {
			t.Errorf("%q: %d", path, w.Code)
		}
	})
}

// TestSearch: what is meant by a text.
func TestSearch(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"198.51.100.7", "/ip/198.51.100.7"}, {"[198.51.100.7]", "/ip/198.51.100.7"},
		{"198.51.100.7/32", "/ip/198.51.100.7"}, {"2001:DB8::1", "/ip/2001:db8::1"},
		{"198.51.100.9/24", "/network/198.51.100.0/24"}, {"::ffff:198.51.100.7", "/ip/198.51.100.7"},
		{"550 5.7.1 from 192.0.2.1: Listed, see https://bl.example/ip/198.51.100.7 (in reply", "/ip/198.51.100.7"},
		{"Listed, see https://other.example/ip/198.51.100.7.", "/ip/198.51.100.7"},
		{"https://bl.example/ip/2001:0db8:0000:0000:0000:0000:0000:0001", "/ip/2001:db8::1"},
		{"from 192.0.2.1: 7.100.51.198.bl.mx.example listed", "/ip/198.51.100.7"},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.mx.example", "/ip/2001:db8::1"},
		{"Client host [198.51.100.7] blocked, from 127.0.0.1, 10.2.3.4", "/ip/198.51.100.7"},
		{"[IPv6:2001:db8::1] refused", "/ip/2001:db8::1"},
		{"Version 1.2.3, 999.1.1.1, 2026-11-24 09:00:00", ""}, {"", ""},
	} {
		if got := (search{test.text, "https://bl.example", "bl.mx.example"}).run(); got.page != test.want {
			t.Errorf("%q leads to %+v, want %q", test.text, got, test.want)
		}
	}
}
