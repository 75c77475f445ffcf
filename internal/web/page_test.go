package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/trapline/trapline/internal/dispute"
)

// everyPage is each page in each of its states, by the name of its golden file.
func everyPage() map[string]string {
	pages := map[string]string{"home": "/", "choices": "/?q=" + url.QueryEscape("from 192.0.2.1 to 192.0.2.2"),
		"nothing": "/?q=nothing", "listed": "/ip/198.51.100.7", "fresh": "/ip/2001:db8:7::1",
		"backscatter": "/ip/198.51.100.9", "operator": "/ip/198.51.100.70", "network-listed": "/ip/198.51.100.8",
		"excepted": "/ip/203.0.113.5", "special": "/ip/10.0.0.1", "unlisted": "/ip/192.0.2.8",
		"unseen": "/ip/192.0.2.9", "network": "/network/198.51.100.0/24", "causes": "/causes",
		"criteria": "/criteria", "status": "/status", "use": "/use", "about": "/about",
		"complaint": "/ip/198.51.100.7/dispute", "complaint-unlisted": "/ip/192.0.2.9/dispute",
		"not-found": "/nowhere"}
	for _, t := range topics {
		pages["cause-"+t.Name] = "/causes/" + t.Name
	}
	for id := range casesForTests() {
		pages["dispute-"+id] = "/dispute/" + id
	}
	return pages
}

// TestPages compares every page with what was looked at, and holds each to what a reader needs.
func TestPages(t *testing.T) {
	for name, target := range everyPage() {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			w := s.ask("GET", target)
			golden(t, name+".html", w.Body.Bytes())
			if len(s.diary.errs) > 0 {
				t.Errorf("failed: %v", s.diary.errs)
			}
			tree, err := html.Parse(strings.NewReader(w.Body.String()))
			if err != nil {
				t.Fatal(err)
			}
			inspect(t, tree)
		})
	}
}

// inspect holds a page to its outline: one h1, no level left out, one main, labels for fields,
// nothing that runs, and nothing from elsewhere.
func inspect(t *testing.T, root *html.Node) {
	t.Helper()
	level, counts, labels := 0, map[string]int{}, map[string]bool{}
	var fields []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		counts[n.Data]++
		switch n.Data {
		case "h1", "h2", "h3":
			if next := int(n.Data[1] - '0'); next > level+1 {
				t.Errorf("%s follows h%d", n.Data, level)
			} else {
				level = next
			}
		case "label":
			labels[attribute(n, "for")] = true
		case "input", "textarea":
			fields = append(fields, attribute(n, "id"))
		case "script", "iframe", "object", "style":
			t.Errorf("there is a <%s>", n.Data)
		}
		harmless(t, n)
	}
	if counts["h1"] != 1 || counts["main"] != 1 || counts["nav"] != 1 || counts["footer"] != 1 {
		t.Errorf("the page has %v", counts)
	}
	for _, id := range fields {
		if !labels[id] {
			t.Errorf("the field %q has no label", id)
		}
	}
}

// harmless holds one element to the policy of content.
func harmless(t *testing.T, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on") || a.Key == "style":
			t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
		case (a.Key == "src" || a.Key == "href" || a.Key == "action") &&
			!strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") &&
			!strings.HasPrefix(a.Val, "mailto:"):
			t.Errorf("<%s> leads to %q", n.Data, a.Val)
		}
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// TestLinks: every link of every page leads to a page, and every anchor to its place.
func TestLinks(t *testing.T) {
	checked := map[string]bool{}
	for name, target := range everyPage() {
		s := newStand(t)
		tree, err := html.Parse(s.ask("GET", target).Body)
		if err != nil {
			t.Fatal(err)
		}
		for n := range tree.Descendants() {
			link, anchor, _ := strings.Cut(attribute(n, "href"), "#")
			if !strings.HasPrefix(link, "/") || checked[link+"#"+anchor] {
				continue
			}
			checked[link+"#"+anchor] = true
			w := s.ask("GET", link)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), anchor) {
				t.Errorf("%s links to %s#%s: %d", name, link, anchor, w.Code)
			}
		}
	}
	if len(checked) < 30 {
		t.Errorf("only %d links were found", len(checked))
	}
}

// TestTwins: what a page says of an address, its JSON says, too.
func TestTwins(t *testing.T) {
	for _, target := range []string{"/ip/198.51.100.7", "/api/v1/ip/198.51.100.7", "/network/198.51.100.0/24",
		"/api/v1/network/198.51.100.0/24", "/status", "/dispute/open", "/api/v1/ip/nonsense", "/nowhere"} {
		w := newStand(t).ask("GET", target, header("Accept", "application/json"))
		var v map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Errorf("%s: %v: %s", target, err, w.Body)
		}
		if w.Code != http.StatusOK && (v["error"] == "" || v["hint"] == "") {
			t.Errorf("%s: %s", target, w.Body)
		}
		name := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return r
			}
			return '-'
		}, target[1:])
		golden(t, name+".json", w.Body.Bytes())
	}
}

// TestPrivate: nothing that a dispute's requester wrote, nor who decided, is on its page.
func TestPrivate(t *testing.T) {
	s := newStand(t)
	for id := range s.bureau.cases {
		for _, accept := range []string{"text/html", "application/json"} {
			body := s.ask("GET", "/dispute/"+id, header("Accept", accept)).Body.String()
			for _, secret := range []string{"SECRET", "corp.example", "192.0.2.0", "root", "uid", "one@"} {
				if strings.Contains(body, secret) {
					t.Errorf("%s as %s shows %q", id, accept, secret)
				}
			}
		}
	}
}

// TestRefusals: each refusal has its status and is said in the page, with what was filled in.
func TestRefusals(t *testing.T) {
	for why, want := range map[dispute.Refusal]int{dispute.BadForm: 422, dispute.NotListed: 422,
		dispute.NotADispute: 422, dispute.AlreadyOpen: 409, dispute.CoolingDown: 409, dispute.TooMany: 429,
		dispute.Busy: 429, dispute.Unknown: 404, dispute.Over: 409, dispute.NoProof: 422,
		dispute.NotOffered: 422} {
		t.Run(string(why), func(t *testing.T) {
			s := newStand(t)
			s.bureau.refuse = &dispute.RefusedError{Why: why, Message: "no, for a reason", Hint: "but do this",
				ID: theID, Until: at(9)}
			w := s.ask("POST", "/ip/198.51.100.7/dispute",
				form("claim=mail&statement=it+was+<asked>+for&relation=mine&contact=me@corp.example"))
			body := w.Body.String()
			for _, part := range []string{"no, for a reason", "but do this", "/dispute/" + theID, "21:00 UTC",
				"it was &lt;asked&gt; for", "me@corp.example"} {
				if !strings.Contains(body, part) {
					t.Errorf("the page lacks %q", part)
				}
			}
			if w.Code != want || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d, %q", w.Code, w.Header().Get("Cache-Control"))
			}
		})
	}
}
