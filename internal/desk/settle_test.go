package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
)

var errOurs = errors.New("a disk with one@traps.example on it")

// TestSettle: what each form orders, and in whose name.
func TestSettle(t *testing.T) {
	for name, test := range map[string]struct {
		fields url.Values
		want   admin.DisputeOrder
	}{
		"answer": {url.Values{"act": {"answer"}, "reason": {" set the TXT "}},
			admin.DisputeOrder{Act: admin.AnswerDispute, Reason: "set the TXT"}},
		"reject heeds no remedy": {url.Values{"act": {"reject"}, "reason": {"no"}, "delist": {"on"}},
			admin.DisputeOrder{Act: admin.RejectDispute, Reason: "no"}},
		"remove": {url.Values{"act": {"accept"}, "reason": {"yes"}, "delist": {"on"}},
			admin.DisputeOrder{Act: admin.AcceptDispute, Reason: "yes", Remedy: dispute.Remedy{Delist: true}}},
		"some hits": {url.Values{"act": {"accept"}, "reason": {"yes"}, "hit": {"17", "18"}},
			admin.DisputeOrder{Act: admin.AcceptDispute, Reason: "yes", Remedy: dispute.Remedy{Uncount: []uint64{17, 18}}}},
		"all hits, and an exception": {url.Values{"act": {"accept"}, "reason": {"yes"}, "uncount_all": {"on"},
			"except": {"on"}, "days": {"7"}}, admin.DisputeOrder{Act: admin.AcceptDispute, Reason: "yes",
			Remedy: dispute.Remedy{UncountAll: true, Except: true, For: 7 * 86400}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			w := s.ask("POST", "/disputes/open", test.fields)
			test.want.ID = "open"
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/disputes/open" {
				t.Errorf("%d to %q\n%s", w.Code, w.Header().Get("Location"), w.Body)
			}
			if diff := cmp.Diff([]admin.DisputeOrder{test.want}, s.orders); diff != "" {
				t.Errorf("ordered (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"ops page from 127.0.0.1"}, s.authors); diff != "" {
				t.Errorf("by:\n%s", diff)
			}
		})
	}
}

// TestRefused: what is not done says why, and keeps what was filled in.
func TestRefused(t *testing.T) {
	accept := func(more url.Values) url.Values {
		fields := url.Values{"act": {"accept"}, "reason": {"since & so"}}
		for key, values := range more {
			fields[key] = values
		}
		return fields
	}
	for name, test := range map[string]struct {
		fields url.Values
		refuse error
		status int
		says   string
	}{
		"no act":     {url.Values{"reason": {"since & so"}}, nil, 400, "no order about a dispute"},
		"no reason":  {url.Values{"act": {"reject"}}, nil, 400, "the reason is empty"},
		"two lines":  {url.Values{"act": {"reject"}, "reason": {"a\nb"}}, nil, 400, "does not print"},
		"nothing":    {accept(nil), nil, 400, "nothing is chosen"},
		"no number":  {accept(url.Values{"hit": {"x"}}), nil, 400, "is no number of a hit"},
		"no days":    {accept(url.Values{"except": {"on"}, "days": {"-1"}}), nil, 400, "is no number of days"},
		"ages":       {accept(url.Values{"except": {"on"}, "days": {"3661"}}), nil, 400, "is no number of days"},
		"days alone": {accept(url.Values{"delist": {"on"}, "days": {"2"}}), nil, 400, "no exception"},
		"both":       {accept(url.Values{"uncount_all": {"on"}, "hit": {"1000"}}), nil, 400, "give one of the two"},
		"no proof": {accept(url.Values{"delist": {"on"}}), &admin.ProblemError{Message: "nobody has a TXT",
			Hint: "answer so", Status: http.StatusConflict}, 409, "nobody has a TXT.</strong> answer so."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			s.refuse = test.refuse
			w := s.ask("POST", "/disputes/open", test.fields)
			body := w.Body.String()
			if w.Code != test.status || !strings.Contains(body, test.says) || len(s.orders) > 0 {
				t.Errorf("%d, %v\n%s", w.Code, s.orders, body)
			}
			if test.fields.Get("act") == "accept" && !strings.Contains(body, `value="since &amp; so"`) {
				t.Errorf("the reason is lost:\n%s", body)
			}
			for _, field := range []string{"delist", "except", "uncount_all"} {
				if kept := strings.Contains(body, `name="`+field+`" checked`); kept != test.fields.Has(field) {
					t.Errorf("%s checked: %t", field, kept)
				}
			}
		})
	}
	s := newStand(t)
	both := s.ask("POST", "/disputes/open", accept(url.Values{"uncount_all": {"on"}, "hit": {"1000"}}))
	if !strings.Contains(both.Body.String(), `value="1000" checked`) {
		t.Error("the chosen hit is lost")
	}
	gone := s.ask("POST", "/disputes/none", url.Values{"act": {"shout"}, "reason": {"no"}})
	if gone.Code != http.StatusGone {
		t.Errorf("of no dispute: %d", gone.Code)
	}
	long := s.ask("POST", "/disputes/open", url.Values{"act": {"reject"}, "reason": {strings.Repeat("x", mostBody)}})
	if long.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long form: %d", long.Code)
	}
}

// TestCrossSite: a form that another site sends is not taken, nor one of another port of this
// machine.
func TestCrossSite(t *testing.T) {
	for name, change := range map[string]func(http.Header){
		"another site": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"another port": func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"old browser": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "https://evil.example")
		},
		"old browser, another port": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "http://127.0.0.1:8080")
		},
		"sandbox": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "null")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			w := s.ask("POST", "/disputes/open", url.Values{"act": {"reject"}, "reason": {"no"}},
				func(r *http.Request) { change(r.Header) })
			if w.Code != http.StatusForbidden || len(s.orders) > 0 {
				t.Errorf("%d, %v", w.Code, s.orders)
			}
		})
	}
}

// TestRebinding: a browser that was led here by another name reads and decides nothing, though
// to it all comes from one site.
func TestRebinding(t *testing.T) {
	for host, ours := range map[string]bool{"127.0.0.1:9090": true, "127.0.0.1": true, "127.9.9.9:1": true,
		"[::1]:9090": true, "[::1]": true, "[::ffff:127.0.0.1]:9090": true, "localhost:9191": true, "LocalHost": true,
		"": false, "evil.example": false, "evil.example:9090": false, "127.0.0.1.evil.example:9090": false,
		"localhost.evil.example": false, "192.0.2.1:9090": false, "0.0.0.0:9090": false, "[::]:9090": false,
		"2130706433:9090": false, "127.1:9090": false, "127.0.0.1:9090@evil.example": false} {
		t.Run(host, func(t *testing.T) {
			s := newStand(t)
			named := func(r *http.Request) { r.Host = host }
			w := s.ask("GET", "/disputes/open", nil, named)
			if (w.Code == http.StatusOK) != ours || strings.Contains(w.Body.String(), "hostmaster@") != ours {
				t.Errorf("reading: %d", w.Code)
			}
			w = s.ask("POST", "/disputes/open", url.Values{"act": {"reject"}, "reason": {"no"}}, named)
			if (w.Code == http.StatusSeeOther) != ours || (len(s.orders) == 1) != ours {
				t.Errorf("deciding: %d, %v", w.Code, s.orders)
			}
		})
	}
}

// TestWho: the author is the page, and the address that its connection comes from; what a request
// says of itself is not heard.
func TestWho(t *testing.T) {
	for peer, want := range map[string]string{"127.0.0.1:1": "ops page from 127.0.0.1", "[::1]:1": "ops page from ::1",
		"[::ffff:127.0.0.1]:1": "ops page from 127.0.0.1", "@": "ops page"} {
		s := newStand(t)
		s.ask("POST", "/disputes/open", url.Values{"act": {"reject"}, "reason": {"no"}}, func(r *http.Request) {
			r.RemoteAddr = peer
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
			r.Header.Set("X-Remote-User", "root")
		})
		if diff := cmp.Diff([]string{want}, s.authors); diff != "" {
			t.Errorf("%s: by %s", peer, diff)
		}
	}
}

// FuzzForm: whatever a form says, the order that comes of it is one that the ledger may have, or
// none; and the page stays a page.
func FuzzForm(f *testing.F) {
	for _, form := range []string{"act=reject&reason=no", "act=accept&reason=yes&delist=on&hit=1&days=9", "act=accept&hit=-1",
		"%zz", "act=accept&except=&days=99999999999999999999&reason=%00", "hit=1;hit=2"} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		s := newStand(t)
		fields, err := url.ParseQuery(form)
		if err != nil {
			t.Skip()
		}
		w := s.ask("POST", "/disputes/open", fields)
		for _, o := range s.orders {
			if err := o.Check(); err != nil || o.ID != "open" || o.Remedy.For < 0 {
				t.Errorf("%q orders %+v: %v", form, o, err)
			}
		}
		if w.Code >= 500 || (w.Code == http.StatusSeeOther) != (len(s.orders) == 1) || strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%q: %d\n%s", form, w.Code, w.Body)
		}
	})
}
