package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/testpeer"
)

// visitor reads the public pages of a daemon, behind a proxy that says who he is.
type visitor struct {
	testing.TB
	base string
	from string // X-Forwarded-For
}

// ask gives status and body of an answer; redirections are not followed.
func (v *visitor) ask(method, target, accept string, fields url.Values) (*http.Response, string) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.base+target, strings.NewReader(fields.Encode()))
	if err != nil {
		v.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("X-Forwarded-For", v.from)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	defer client.CloseIdleConnections()
	w, err := client.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }() // only read
	body, err := io.ReadAll(w.Body)
	if err != nil {
		v.Fatal(err)
	}
	return w, string(body)
}

// page gives a page that must be there.
func (v *visitor) page(target string) string {
	v.Helper()
	w, body := v.ask(http.MethodGet, target, "text/html", nil)
	if w.StatusCode != http.StatusOK {
		v.Fatalf("%s: %s\n%s", target, w.Status, body)
	}
	return body
}

// testPublicPages: from mail to the page of its source, to a dispute, and back; no page names a
// trap, a whole second or who complained.
func testPublicPages(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	address := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(t))
	s.reconfigure("[web]\naddress = \"\"", fmt.Sprintf(
		"[web]\naddress = %q\nbase_url = \"https://bl.example\"\nevidence = \"headers\"\ntrust_proxy = [\"127.0.0.1/32\"]", address))
	d := s.serve()
	s.awaitEngine()
	v := &visitor{TB: t, base: "http://" + address, from: "203.0.113.9"}
	if body := v.page("/ip/198.51.100.7"); !strings.Contains(body, "198.51.100.7 is not listed") {
		t.Errorf("before any mail:\n%s", body)
	}
	d.blame("198.51.100.7")
	testpeer.Eventually(s, patience, "the page to say that it is listed", func() bool {
		_, body := v.ask(http.MethodGet, "/api/v1/ip/198.51.100.7", "", nil)
		return strings.Contains(body, `"state": "listed"`)
	})
	v.search()
	v.from = "198.51.100.7"
	filed := v.dispute()
	v.from = "203.0.113.9"
	v.leaks("/", "/ip/198.51.100.7", "/api/v1/ip/198.51.100.7", "/network/198.51.100.0/24", "/status", "/about", filed)
	s.tell("dispute", "reject", strings.TrimPrefix(filed, "/dispute/"), "--reason", "it is spam, sent to one@traps.example")
	if body := v.page(filed); !strings.Contains(body, "It was rejected") {
		t.Errorf("after the decision:\n%s", body)
	}
	v.leaks(filed)
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
}

// search pastes a bounce.
func (v *visitor) search() {
	v.Helper()
	w, _ := v.ask(http.MethodPost, "/", "text/html", url.Values{"q": {"host mx.example[192.0.2.9] said: " +
		"554 5.7.1 Client host blocked; Listed, see https://bl.example/ip/198.51.100.7 (in reply to RCPT TO)"}})
	if w.StatusCode != http.StatusSeeOther || w.Header.Get("Location") != "/ip/198.51.100.7" {
		v.Errorf("a bounce leads to %s %q", w.Status, w.Header.Get("Location"))
	}
}

// dispute files one from the address itself, and gives its page.
func (v *visitor) dispute() string {
	v.Helper()
	w, body := v.ask(http.MethodPost, "/ip/198.51.100.7/dispute", "text/html", url.Values{"claim": {"mail"},
		"statement": {"SECRET statement"}, "relation": {"SECRET relation"}, "contact": {"secret@corp.example"}})
	page := w.Header.Get("Location")
	if w.StatusCode != http.StatusSeeOther || !strings.HasPrefix(page, "/dispute/") {
		v.Fatalf("filing: %s\n%s", w.Status, body)
	}
	var public struct{ State string }
	_, body = v.ask(http.MethodGet, page, "application/json", nil)
	if err := json.Unmarshal([]byte(body), &public); err != nil || public.State != "open" {
		v.Errorf("filed from the address itself: %v, %s", err, body)
	}
	return page
}

// secret is what no page may have.
var secret = regexp.MustCompile(`(?i)one@|two@|traps\.example[^.\w]*@|@traps|sender\.example|secret|blame-|\d:\d\d:[0-5][1-9]Z`)

func (v *visitor) leaks(pages ...string) {
	v.Helper()
	for _, page := range pages {
		if body := v.page(page); secret.MatchString(body) {
			v.Errorf("%s has %q:\n%s", page, secret.FindString(body), body)
		}
	}
}
