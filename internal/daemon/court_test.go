package daemon

import (
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rs/zerolog"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/testpeer"
)

// court is a daemon with all doors at which a dispute is heard: the public pages behind a proxy, the
// operator's pages, the admin socket, and a name server that it asks.
type court struct {
	*stand
	log       *book
	port      int    // of the public pages
	web, desk string // where the pages are
	names     *names
	client    *admin.Client
}

// courtText is its configuration.
const courtText = `
hostname = "mx.traps.example"
data_dir = %q
[limits]
free_bytes = 0
[[listen]]
address = "127.0.0.1:0"
tls = "off"
[[trap]]
domain = "traps.example"
[[trust.relay]]
network = "127.0.0.1/32"
by = ["backup.traps.example"]
[zone]
min_interval = "1s"
[web]
address = "127.0.0.1:%d"
trust_proxy = ["127.0.0.1/32"]
[ops]
address = "127.0.0.1:0"
disputes = %q
`

func newCourt(t testing.TB, disputes string) *court {
	t.Helper()
	c := &court{stand: &stand{TB: t, clock: new(clock), dir: t.TempDir()}, log: &book{}, names: newNames(t),
		port: testpeer.Port(t)}
	c.forward(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC).Sub(time.Unix(0, 0)))
	c.web = fmt.Sprintf("http://127.0.0.1:%d", c.port)
	c.configure(disputes)
	conf, err := config.Load(filepath.Join(c.dir, "trapline.toml"))
	if err != nil {
		t.Fatal(err)
	}
	c.events = ops.New(zerolog.New(c.log))
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan [2]string, 1), make(chan error, 1)
	go func() {
		ended <- Run(ctx, conf, Options{Events: c.events, Now: c.now, TXT: c.names.resolver().LookupTXT, Drain: patience,
			Ready: func(l map[string]string, metrics string) { ready <- [2]string{l["mail 1"], metrics} }})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	select {
	case at := <-ready:
		c.mail, c.desk = at[0], "http://"+at[1]
	case err := <-ended:
		ended <- nil
		t.Fatalf("run: %v", err)
	}
	c.client = admin.NewClient(filepath.Join(c.dir, "admin.sock"))
	t.Cleanup(c.client.Close)
	return c
}

// configure writes the configuration anew.
func (c *court) configure(disputes string) {
	c.Helper()
	text := fmt.Appendf(nil, courtText, c.dir, c.port, disputes)
	if err := os.WriteFile(filepath.Join(c.dir, "trapline.toml"), text, 0o600); err != nil {
		c.Fatal(err)
	}
}

// names is a name server with TXT records.
type names struct {
	address string
	mu      sync.Mutex
	records []dns.RR // under mu
}

func newNames(t testing.TB) *names {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{address: socket.LocalAddr().String()}
	server, ended := &dns.Server{PacketConn: socket, Handler: n}, make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe() // until its socket is closed
	}()
	t.Cleanup(func() {
		_ = socket.Close() // ends the server also where it has not begun
		<-ended
	})
	return n
}

// ServeDNS answers with the records of a name; without any there is no such name.
func (n *names) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	n.mu.Lock()
	defer n.mu.Unlock()
	reply := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
	for _, rr := range n.records {
		if h := rr.Header(); strings.EqualFold(h.Name, q.Question[0].Name) && h.Rrtype == q.Question[0].Qtype {
			reply.Rcode, reply.Answer = dns.RcodeSuccess, append(reply.Answer, rr)
		}
	}
	_ = w.WriteMsg(reply) // whoever asked asks again
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", n.address)
	}}
}

// set adds a record in the form of a zone.
func (n *names) set(t testing.TB, line string) {
	t.Helper()
	rr, err := dns.NewRR(line)
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records = append(n.records, rr)
}

// ask sends a request, a form where there are fields. Redirections are not followed.
func (c *court) ask(target string, fields url.Values, change ...func(*http.Request)) (*http.Response, string) {
	c.Helper()
	method := http.MethodGet
	if fields != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(c.Context(), method, target, strings.NewReader(fields.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	if fields != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", target[:strings.Index(target[8:], "/")+8])
	}
	for _, f := range change {
		f(r)
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	defer client.CloseIdleConnections()
	w, err := client.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }() // only read
	body, err := io.ReadAll(w.Body)
	if err != nil {
		c.Fatal(err)
	}
	return w, html.UnescapeString(string(body))
}

// from is what the proxy says of a visitor.
func from(visitor string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("X-Forwarded-For", visitor) }
}

// want holds an answer to its status and to what it says.
func (c *court) want(w *http.Response, body string, status int, says ...string) {
	c.Helper()
	for _, part := range says {
		if !strings.Contains(body, part) {
			c.Errorf("%s lacks %q:\n%s", w.Request.URL, part, body)
		}
	}
	if w.StatusCode != status {
		c.Fatalf("%s %s: %s, want %d:\n%s", w.Request.Method, w.Request.URL, w.Status, status, body)
	}
}

// blame brings so much mail of a source that it is listed.
func (c *court) blame(source string) {
	c.Helper()
	c.bring(source, "one@traps.example")
	c.bring(source, "two@traps.example")
	testpeer.Eventually(c, patience, source+" to be listed", func() bool { return c.listed(source) })
}

func (c *court) listed(source string) bool {
	return slices.ContainsFunc(c.listings(), func(l admin.Listing) bool { return l.Source.String() == source })
}

// file fills in the form about a source, as a visitor does who comes from somewhere, and gives the
// dispute's id.
func (c *court) file(source, visitor string) string {
	c.Helper()
	w, body := c.ask(c.web+"/ip/"+source+"/dispute", url.Values{"claim": {"mail"}, "statement": {"c4n4ry: we asked <for> it"},
		"relation": {"c4n4ry, owner"}, "contact": {"c4n4ry@victim.example"}}, from(visitor))
	c.want(w, body, http.StatusSeeOther)
	return strings.TrimPrefix(w.Header.Get("Location"), "/dispute/")
}

// record is the TXT record that a dispute's page asks for.
var record = regexp.MustCompile(`<code>(_trapline\S+ 300 IN TXT "trapline-proof=\S+")</code>`)

// TestDisputeByTXT goes the whole way over HTTP: a form from elsewhere, a look for the record before
// it is there, the record, the operator's page with all of it, forms that must not count, the
// decision, and the page that tells the requester.
func TestDisputeByTXT(t *testing.T) {
	const source, elsewhere = "198.51.100.7", "203.0.113.9"
	c := newCourt(t, "write")
	c.blame(source)
	id := c.file(source, elsewhere)
	public, desk := c.web+"/dispute/"+id, c.desk+"/disputes/"+id
	w, body := c.ask(public, nil, from(elsewhere))
	c.want(w, body, http.StatusOK, "It waits for proof")
	line := record.FindStringSubmatch(body)
	if line == nil {
		t.Fatalf("no record is asked for:\n%s", body)
	}
	w, body = c.ask(public, url.Values{"want": {"proof"}}, from(elsewhere))
	c.want(w, body, http.StatusUnprocessableEntity)
	w, body = c.ask(desk, nil)
	c.want(w, body, http.StatusOK, "Nobody has proven control", "c4n4ry@victim.example")

	c.names.set(t, line[1])
	c.forward(time.Minute + time.Second) // one look a minute
	w, body = c.ask(public, url.Values{"want": {"proof"}}, from(elsewhere))
	c.want(w, body, http.StatusSeeOther)
	w, body = c.ask(public, nil, from(elsewhere))
	c.want(w, body, http.StatusOK, "It is open", "a TXT record")

	w, body = c.ask(c.desk+"/disputes", nil)
	c.want(w, body, http.StatusOK, "1 dispute to decide.", `href="/disputes/`+id+`"`, "answer due")
	w, body = c.ask(desk, nil)
	c.want(w, body, http.StatusOK, "we asked <for> it", "c4n4ry, owner", "203.0.113.0/24", `name="delist"`)
	accept := url.Values{"act": {"accept"}, "reason": {"a trap had been subscribed"}, "delist": {"on"}}
	w, body = c.ask(desk, accept, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	c.want(w, body, http.StatusForbidden)
	w, body = c.ask(desk, accept, func(r *http.Request) { r.Host = "evil.example" })
	c.want(w, body, http.StatusMisdirectedRequest)
	if !c.listed(source) {
		t.Fatal("a form of another site removed the listing")
	}
	w, body = c.ask(desk, accept)
	c.want(w, body, http.StatusSeeOther)
	if c.listed(source) {
		t.Error("it is listed still")
	}
	w, body = c.ask(public, nil, from(elsewhere))
	c.want(w, body, http.StatusOK, "It was accepted", "a trap had been subscribed")
	w, body = c.ask(desk, accept)
	c.want(w, body, http.StatusGone, "was accepted already")
	if strings.Contains(body, "<form") {
		t.Error("there is something to decide")
	}
	c.decided("delist of 198.51.100.7/32 by ops page from 127.0.0.1: dispute "+id+": a trap had been subscribed",
		"dispute of 198.51.100.7/32 by ops page from 127.0.0.1: a trap had been subscribed")
	c.quiet()
}

// decided holds the audit to what the operator's page did, oldest first.
func (c *court) decided(want ...string) {
	c.Helper()
	var got []string
	for d, err := range c.client.Audit(admin.AuditFilter{OldestFirst: true}) {
		if err != nil {
			c.Fatal(err)
		}
		if strings.HasPrefix(d.Who, "ops page") {
			got = append(got, fmt.Sprintf("%s of %s by %s: %s", d.Act, d.Network, d.Who, d.Reason))
		}
	}
	if !slices.Equal(got, want) {
		c.Errorf("the audit has %q, want %q", got, want)
	}
}

// quiet holds that what the requester wrote is in no log, metric or public page.
func (c *court) quiet() {
	c.Helper()
	_, metrics := c.ask(c.desk+"/metrics", nil)
	texts := map[string]string{"log": c.log.String(), "metrics": metrics}
	for _, page := range []string{"/", "/ip/198.51.100.7", "/api/v1/ip/198.51.100.7", "/network/198.51.100.0/24"} {
		_, texts[page] = c.ask(c.web+page, nil)
	}
	for name, text := range texts {
		if strings.Contains(text, "c4n4ry") {
			c.Errorf("%s has what the requester wrote", name)
		}
	}
	if !strings.Contains(texts["log"], `"event":"dispute"`) {
		c.Error("the log tells nothing of disputes")
	}
}

// TestDisputeFromTheAddress: from the address itself it is open at once, but takes no removal; once
// rejected it is not opened so again for a week.
func TestDisputeFromTheAddress(t *testing.T) {
	const source = "198.51.100.8"
	c := newCourt(t, "write")
	c.blame(source)
	id := c.file(source, source)
	public, desk := c.web+"/dispute/"+id, c.desk+"/disputes/"+id
	w, body := c.ask(public, nil, from(source))
	c.want(w, body, http.StatusOK, "It is open", "the form came from the address")
	w, body = c.ask(desk, url.Values{"act": {"accept"}, "reason": {"yes"}, "delist": {"on"}})
	c.want(w, body, http.StatusConflict, "nobody has proven control of 198.51.100.8 by TXT", `name="delist" checked`)
	w, body = c.ask(desk, url.Values{"act": {"answer"}, "reason": {"please set the TXT record"}})
	c.want(w, body, http.StatusSeeOther)
	w, body = c.ask(public, nil, from(source))
	c.want(w, body, http.StatusOK, "please set the TXT record")
	w, body = c.ask(desk, url.Values{"act": {"reject"}, "reason": {"it came from your mail server"}})
	c.want(w, body, http.StatusSeeOther)
	w, body = c.ask(public, nil, from(source))
	c.want(w, body, http.StatusOK, "It was rejected", "it came from your mail server")
	if !c.listed(source) {
		t.Error("the listing is gone")
	}
	again := c.web + "/dispute/" + c.file(source, source)
	w, body = c.ask(again, nil, from(source))
	c.want(w, body, http.StatusOK, "It waits for proof")
	w, body = c.ask(again, url.Values{"want": {"proof"}}, from(source))
	c.want(w, body, http.StatusConflict, "was rejected a short while ago", "/dispute/"+id)
	c.decided("dispute of 198.51.100.8/32 by ops page from 127.0.0.1: please set the TXT record",
		"dispute of 198.51.100.8/32 by ops page from 127.0.0.1: it came from your mail server")
	c.quiet()
}

// TestUncountOnThePage: without a TXT the operator can un-count hits, which the page shows by number.
func TestUncountOnThePage(t *testing.T) {
	const source = "198.51.100.9"
	c := newCourt(t, "write")
	c.blame(source)
	desk := c.desk + "/disputes/" + c.file(source, source)
	_, body := c.ask(desk, nil)
	var hits []string
	for _, m := range regexp.MustCompile(`name="hit" value="(\d+)"`).FindAllStringSubmatch(body, -1) {
		hits = append(hits, m[1])
	}
	if len(hits) != 2 {
		t.Fatalf("hits %v:\n%s", hits, body)
	}
	w, body := c.ask(desk, url.Values{"act": {"accept"}, "reason": {"not theirs"}, "hit": hits[:1]})
	c.want(w, body, http.StatusSeeOther)
	if c.listed(source) {
		t.Error("one hit lists it")
	}
	for d, err := range c.client.Audit(admin.AuditFilter{Act: criteria.ActUncount}) {
		if err != nil || fmt.Sprint(d.Hits) != "["+hits[0]+"]" || d.Who != "ops page from 127.0.0.1" {
			t.Errorf("un-counted: %+v, %v", d, err)
		}
	}
}

// TestDisputesAreOffAtFirst: the pages come and go with the configuration, and so do their forms.
func TestDisputesAreOffAtFirst(t *testing.T) {
	c := newCourt(t, "off")
	for _, step := range []struct {
		disputes  string
		get, post int
	}{{"off", 404, 404}, {"read", 200, 403}, {"write", 200, 410}, {"off", 404, 404}} {
		c.configure(step.disputes)
		if _, err := c.client.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		w, body := c.ask(c.desk+"/disputes", nil)
		c.want(w, body, step.get)
		w, body = c.ask(c.desk+"/disputes/aaaaaaaaaaaaaaaa", url.Values{"act": {"reject"}, "reason": {"no"}})
		c.want(w, body, step.post)
		w, body = c.ask(c.desk+"/readyz", nil, func(r *http.Request) { r.Host = "mx.example" })
		c.want(w, body, http.StatusOK)
	}
}
