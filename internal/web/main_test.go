package web

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/notice"
)

var update = flag.Bool("update", false, "write the golden pages")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// noon is when everything here happens.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(hours int) criteria.Second { return criteria.At(noon.Add(time.Duration(hours) * time.Hour)) }

// library is a Lookup that knows what it was told.
type library struct {
	notices map[string]notice.Notice
	within  []notice.Listing
	policy  criteria.Policy
	zone    notice.Zone
	err     error
}

func (l *library) Look(a netip.Addr) (notice.Notice, error) {
	if a.String() == "192.0.2.66" {
		panic("a fault in " + a.String())
	}
	n, known := l.notices[a.String()]
	if !known {
		n = notice.Notice{State: notice.Unseen, Scope: scopeOf(a.String()), AsOf: at(0)}
	}
	n.Address = a
	return n, l.err
}

func (l *library) Within(netip.Prefix) ([]notice.Listing, error) { return l.within, l.err }
func (l *library) Policy() (criteria.Policy, error)              { return l.policy, l.err }
func (l *library) Zone() notice.Zone                             { return l.zone }

func scopeOf(text string) criteria.Source {
	var s criteria.Source
	_ = s.UnmarshalText([]byte(text)) // of a constant
	return s
}

// bureau hears disputes and remembers the forms.
type bureau struct {
	mu     sync.Mutex
	cases  map[string]dispute.Case
	forms  []dispute.Form
	proofs []netip.Addr
	refuse error
}

const theID = "gezdgnbvgy3tqojq"

func (b *bureau) File(_ context.Context, f dispute.Form) (dispute.Case, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forms = append(b.forms, f)
	return dispute.Case{ID: theID}, b.refuse
}

func (b *bureau) Prove(_ context.Context, id string, peer netip.Addr) (dispute.Case, error) {
	b.proofs = append(b.proofs, peer)
	return dispute.Case{ID: id}, b.refuse
}

func (b *bureau) Remove(_ context.Context, id string) (dispute.Case, error) {
	return dispute.Case{ID: id}, b.refuse
}

func (b *bureau) Find(id string) (dispute.Case, bool) {
	c, ok := b.cases[id]
	return c, ok
}

func (b *bureau) Challenge(id string) (dispute.Challenge, bool) {
	c := b.cases[id]
	return dispute.Challenge{Name: "_trapline.7.100.51.198.in-addr.arpa.",
		Text: "trapline-proof=1795521600-abcdefgh", Until: at(24)}, c.State == dispute.Filed || c.State == dispute.Open
}

// diary notes what went wrong.
type diary struct {
	mu   sync.Mutex
	errs []error
}

func (d *diary) PageFailed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.errs = append(d.errs, err)
}

// stand is a site with what it stands on.
type stand struct {
	testing.TB
	library  *library
	bureau   *bureau
	diary    *diary
	settings Settings
	now      time.Time
	site     *Site
	handler  http.Handler
}

func newStand(t testing.TB) *stand {
	t.Helper()
	serial := uint32(1795521500)
	s := &stand{TB: t, now: noon, diary: &diary{}, bureau: &bureau{cases: casesForTests()},
		settings: Settings{BaseURL: "https://bl.example", Contact: "hostmaster@mx.example",
			Evidence: notice.Headers, SelfRemoval: true, KeepHits: 720 * time.Hour, KeepHeads: 168 * time.Hour}}
	s.library = &library{policy: criteria.DefaultPolicy(), notices: noticesForTests(&serial),
		zone: notice.Zone{Origin: "bl.mx.example", Serial: serial, Published: at(-1), Entries: 1234,
			TTL: 5 * time.Minute, MinInterval: 30 * time.Second, ValidFor: 48 * time.Hour},
		within: []notice.Listing{
			{Source: scopeOf("198.51.100.7"), Answer: criteria.Spam, Since: at(-30)},
			{Source: scopeOf("198.51.100.64/26"), Answer: criteria.Operator, Since: at(-300)}}}
	site, err := New(Config{Lookup: s.library, Disputes: s.bureau, Observer: s.diary,
		Settings: func() Settings { return s.settings }, Now: func() time.Time { return s.now },
		Clean: func(s string) string { return strings.ReplaceAll(s, "one@traps.example", "[removed]") }})
	if err != nil {
		t.Fatal(err)
	}
	s.site, s.handler = site, site.Handler()
	return s
}

// ask sends a request; each visitor has an address of its own, so that limits stand in nobody's
// way but of who tests them.
func (s *stand) ask(method, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, target, nil)
	r.Host = "bl.example"
	s.now = s.now.Add(time.Minute)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// form makes a request that of a form.
func form(fields string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Body = http.NoBody
		r.Body = readCloser{strings.NewReader(fields)}
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func from(peer string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = peer }
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

var errOurs = errors.New("a disk with one@traps.example on it")
