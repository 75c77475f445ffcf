package desk

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
)

var update = flag.Bool("update", false, "write the golden pages")

// noon is when everything here happens.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(hours int) criteria.Second { return criteria.At(noon.Add(time.Duration(hours) * time.Hour)) }

// registry is a Disputes that knows what it was told, and remembers what was ordered.
type registry struct {
	refuse error
	list   error
	lookup admin.Lookup

	mu      sync.Mutex // guards what follows: browsers ask at once
	cases   []dispute.Case
	orders  []admin.DisputeOrder
	authors []string
}

func (g *registry) ordered() []admin.DisputeOrder {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.orders)
}

func (g *registry) Cases(f admin.DisputeFilter) ([]dispute.Case, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var chosen []dispute.Case
	for _, k := range g.cases {
		if f.All || k.Ended == 0 {
			chosen = append(chosen, k)
		}
	}
	return chosen, g.list
}

func (g *registry) Case(id string) (dispute.Case, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.cases {
		if k.ID == id {
			return k, nil
		}
	}
	if id == "panic" {
		panic("a fault of ours")
	}
	return dispute.Case{}, &admin.ProblemError{Message: "there is no dispute " + id,
		Hint: "see trapline dispute list --all", Status: http.StatusGone}
}

func (g *registry) SettleDispute(_ context.Context, who string, o admin.DisputeOrder) (admin.DisputeDone, error) {
	if err := errors.Join(o.Check(), g.refuse); err != nil {
		return admin.DisputeDone{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.orders, g.authors = append(g.orders, o), append(g.authors, who)
	for i, k := range g.cases {
		if k.ID == o.ID && o.Act != admin.AnswerDispute {
			g.cases[i].State, g.cases[i].Ended, g.cases[i].Reason = dispute.Rejected, at(0), o.Reason
		}
	}
	return admin.DisputeDone{}, nil
}

func (g *registry) Lookup(netip.Addr) (admin.Lookup, error) { return g.lookup, g.list }

// diary notes what went wrong.
type diary struct{ errs []error }

func (d *diary) PageFailed(err error) { d.errs = append(d.errs, err) }

// stand is a site with what it stands on.
type stand struct {
	testing.TB
	*registry
	*diary
	settings Settings
	handler  http.Handler
}

func newStand(t testing.TB) *stand {
	t.Helper()
	s := &stand{TB: t, registry: &registry{cases: casesForTests(), lookup: lookupForTests()}, diary: new(diary),
		settings: Settings{Read: true, Write: true, Origin: "bl.mx.example", Public: "https://bl.example"}}
	site, err := New(Config{Disputes: s.registry, Settings: func() Settings { return s.settings },
		Observer: s.diary, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = site.Handler()
	return s
}

// ask sends a request as a browser on this machine does.
func (s *stand) ask(method, target string, fields url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, target, strings.NewReader(fields.Encode()))
	r.Host, r.RemoteAddr = "127.0.0.1:9090", "127.0.0.1:4711"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func subject(text string) (s criteria.Source) {
	_ = s.UnmarshalText([]byte(text)) // of a constant
	return s
}

// casesForTests are disputes in their states, in the order of a clerk.
func casesForTests() []dispute.Case {
	private := &dispute.Private{Statement: "That mail is not ours.\nSee <b>the log</b>.", Relation: "administrator",
		Contact: "hostmaster@victim.example", Network: netip.MustParsePrefix("192.0.2.0/24")}
	open := dispute.Case{ID: "open", State: dispute.Open, Address: netip.MustParseAddr("198.51.100.7"),
		Subject: subject("198.51.100.7"), Claim: dispute.Technical, Filed: at(-60), Opened: at(-50),
		Proofs: []dispute.Proof{dispute.ByAddress, dispute.ByTXT}, AnswerDue: at(-2), DecisionDue: at(118),
		Reread: &dispute.Reread{Read: 3, Wrong: []uint64{5, 6}}, Private: private}
	late := open
	late.ID, late.Proofs, late.Claim, late.Reread = "late", []dispute.Proof{dispute.ByAddress}, dispute.Mail, nil
	late.Answer, late.AnswerDue, late.DecisionDue = "we look at it", 0, at(-1)
	filed := dispute.Case{ID: "filed", State: dispute.Filed, Address: netip.MustParseAddr("2001:db8:1:2::25"),
		Subject: subject("2001:db8:1:2::/64"), Claim: dispute.Technical, Filed: at(-1), Private: private}
	ended := open
	ended.ID, ended.State, ended.AnswerDue, ended.DecisionDue = "ended", dispute.Accepted, 0, 0
	ended.Ended, ended.By, ended.Reason, ended.Private = at(-1), "uid 0 (root)", "a parser was wrong", nil
	ended.Reread = &dispute.Reread{Read: 1}
	return []dispute.Case{open, late, filed, ended}
}

// lookupForTests is a listing of three hits.
func lookupForTests() admin.Lookup {
	l := admin.Lookup{}
	l.Listed, l.Answer, l.Until = true, criteria.Spam, at(18)
	for i := range 3 {
		l.Terms = append(l.Terms, admin.Term{ID: uint64(1000 - i), Time: at(-3)})
	}
	return l
}

// golden compares an answer with a file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; -update writes it anew:\n%s", path, diff)
	}
}

// page answers everything with a text.
func page(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(text)) // to a browser of ours
	})
}
