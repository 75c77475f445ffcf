package desk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/trapline/trapline/internal/dispute"
)

// TestRoutes: what each request is answered with, by how the pages are set.
func TestRoutes(t *testing.T) {
	const page = "text/html; charset=utf-8"
	off, read, write := Settings{}, Settings{Read: true}, Settings{Read: true, Write: true}
	for _, test := range []struct {
		set            Settings
		method, target string
		status         int
		kind           string
	}{
		{write, "GET", "/disputes", 200, page},
		{write, "GET", "/disputes?all=true", 200, page},
		{write, "GET", "/disputes/open", 200, page},
		{write, "GET", "/disputes/filed", 200, page},
		{write, "GET", "/disputes/style.css", 200, "text/css; charset=utf-8"},
		{write, "GET", "/disputes/none", 410, page},
		{write, "GET", "/disputes/panic", 500, page},
		{write, "GET", "/disputes/", 404, page},
		{write, "GET", "/disputes/open/more", 404, page},
		{write, "PUT", "/disputes/open", 404, page},
		{write, "DELETE", "/disputes/open", 404, page},
		{write, "POST", "/disputes", 404, page},
		{read, "GET", "/disputes", 200, page},
		{read, "GET", "/disputes/open", 200, page},
		{read, "POST", "/disputes/open", 403, page},
		{off, "GET", "/disputes", 404, page},
		{off, "GET", "/disputes/open", 404, page},
		{off, "POST", "/disputes/open", 404, page},
		{off, "GET", "/disputes/style.css", 404, page},
	} {
		t.Run(fmt.Sprintf("%s %s %+v", test.method, test.target, test.set), func(t *testing.T) {
			s := newStand(t)
			s.settings = test.set
			w := s.ask(test.method, test.target, url.Values{"act": {"reject"}, "reason": {"no"}})
			if w.Code != test.status || w.Header().Get("Content-Type") != test.kind {
				t.Errorf("got %d, %q", w.Code, w.Header().Get("Content-Type"))
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" ||
				!strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'; ") {
				t.Errorf("unprotected: %v", w.Header())
			}
			if test.status != 200 && strings.Contains(w.Body.String(), "hostmaster@") {
				t.Error("what is private is shown")
			}
			if len(s.orders) > 0 {
				t.Errorf("something was decided: %+v", s.orders)
			}
		})
	}
}

// TestPages compares every page with what was looked at, and holds it to its outline.
func TestPages(t *testing.T) {
	write := Settings{Read: true, Write: true, Origin: "bl.mx.example", Public: "https://bl.example"}
	read := Settings{Read: true, Origin: "bl.mx.example"}
	for name, test := range map[string]struct {
		set    Settings
		target string
		change func(*stand)
	}{
		"list":        {write, "/disputes", nil},
		"list-all":    {write, "/disputes?all=true", nil},
		"list-empty":  {write, "/disputes", func(s *stand) { s.cases = nil }},
		"open":        {write, "/disputes/open", nil},
		"late":        {write, "/disputes/late", nil},
		"to-read":     {read, "/disputes/open", nil},
		"filed":       {write, "/disputes/filed", func(s *stand) { s.lookup.Terms = nil }},
		"ended":       {write, "/disputes/ended", func(s *stand) { s.lookup.Listed, s.lookup.Terms = false, nil }},
		"none":        {write, "/disputes/none", nil},
		"off":         {Settings{Origin: "bl.mx.example"}, "/disputes", nil},
		"list-behind": {write, "/disputes/late", func(s *stand) { s.list = errOurs }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			s.settings = test.set
			if test.change != nil {
				test.change(s)
			}
			body := s.ask("GET", test.target, nil).Body
			golden(t, name+".html", body.Bytes())
			tree, err := html.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			inspect(t, tree)
			if name != "list-behind" && len(s.errs) > 0 {
				t.Errorf("failed: %v", s.errs)
			}
		})
	}
}

// inspect holds a page to what a reader and a browser need: one h1, a label for each field, ids
// that are one thing's, nothing that runs or is loaded from elsewhere.
func inspect(t *testing.T, root *html.Node) {
	t.Helper()
	counts, ids, fields, labels := map[string]int{}, []string{}, []string{}, []string{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		counts[n.Data]++
		for _, a := range n.Attr {
			switch {
			case a.Key == "id" && slices.Contains(ids, a.Val):
				t.Errorf("two elements are %q", a.Val)
			case a.Key == "id":
				ids = append(ids, a.Val)
				if n.Data == "input" {
					fields = append(fields, a.Val)
				}
			case a.Key == "for":
				labels = append(labels, a.Val)
			case strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src":
				t.Errorf("<%s> has %s", n.Data, a.Key)
			case n.Data == "link" && a.Key == "href" && a.Val != "/disputes/style.css":
				t.Errorf("%s is loaded", a.Val)
			}
		}
	}
	slices.Sort(fields)
	slices.Sort(labels)
	if counts["h1"] != 1 || counts["main"] != 1 || counts["script"] > 0 || !slices.Equal(fields, labels) ||
		counts["input"] != len(fields) {
		t.Errorf("%v; fields %v, labels %v", counts, fields, labels)
	}
}

// TestTheListIsInOrder: the page keeps the clerk's order, and counts what is late.
func TestTheListIsInOrder(t *testing.T) {
	body := newStand(t).ask("GET", "/disputes?all=true", nil).Body.String()
	last := 0
	for _, id := range []string{"open", "late", "filed", "ended"} {
		place := strings.Index(body, `href="/disputes/`+id+`"`)
		if place < last {
			t.Errorf("%s stands at %d, after %d", id, place, last)
		}
		last = place
	}
	if !strings.Contains(body, "2 disputes to decide, of which you are late with 2.") {
		t.Errorf("the clock is not told:\n%s", body)
	}
}

// TestManyHits: a page shows the newest hits, and says where the others are.
func TestManyHits(t *testing.T) {
	s := newStand(t)
	s.lookup.Terms = slices.Repeat(s.lookup.Terms[:1], mostShown+2)
	body := s.ask("GET", "/disputes/late", nil).Body.String()
	if n := strings.Count(body, `name="hit"`); n != mostShown || !strings.Contains(body, "2 older hits more") {
		t.Errorf("%d hits are shown of %d", n, len(s.lookup.Terms))
	}
}

// TestHostileText: whatever a requester wrote is text.
func TestHostileText(t *testing.T) {
	for _, text := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onfocus='alert(1)",
		"</pre><svg onload=alert(1)>", "javascript:alert(1)", "{{.Private}}", "]]>\x00\u202e"} {
		s := newStand(t)
		for i := range s.cases {
			k := &s.cases[i]
			k.Private = &dispute.Private{Statement: text, Relation: text, Contact: text}
			k.Answer, k.Reason, k.By = text, text, text
		}
		fields := url.Values{"act": {"accept"}, "reason": {text + "\n"}, "days": {text}, "hit": {text}, "except": {text}}
		for _, body := range []string{s.ask("GET", "/disputes/open", nil).Body.String(),
			s.ask("GET", "/disputes/ended", nil).Body.String(), s.ask("GET", "/disputes/"+url.PathEscape(text), nil).Body.String(),
			s.ask("POST", "/disputes/open", fields).Body.String()} {
			for _, mark := range []string{"<script", "<img", "<svg", `href="javascript:`, "onerror=alert(1)>", `' onfocus='`} {
				if strings.Contains(body, mark) {
					t.Errorf("%q brings %q into\n%s", text, mark, body)
				}
			}
		}
	}
}

// TestFaults: a fault of ours is answered plainly, is told to the log, and tells nothing else.
func TestFaults(t *testing.T) {
	s := newStand(t)
	s.list, s.refuse = errOurs, errOurs
	for i, w := range []int{s.ask("GET", "/disputes", nil).Code,
		s.ask("POST", "/disputes/open", url.Values{"act": {"reject"}, "reason": {"no"}}).Code} {
		if w != http.StatusServiceUnavailable {
			t.Errorf("%d: %d", i, w)
		}
	}
	if len(s.errs) != 3 { // the list, the order, and the hits of the page that says so
		t.Errorf("told: %v", s.errs)
	}
	if body := s.ask("GET", "/disputes", nil).Body.String(); strings.Contains(body, "one@traps.example") {
		t.Errorf("the fault is shown:\n%s", body)
	}
}
