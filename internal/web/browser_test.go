package web

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"

	"github.com/trapline/trapline/internal/dispute"
)

var (
	shots = flag.String("shots", "", "folder for pictures of every page")
	only  = flag.String("pages", "", "only pages whose names have it")
	axe   = flag.String("axe", os.Getenv("AXE"), "axe.min.js of axe-core; else pages are not held to it")
)

// browser is Chromium with one tab.
type browser struct {
	*testing.T
	*stand
	ctx    context.Context
	origin string

	mu         sync.Mutex
	complaints []string // of the console; under mu
}

// newBrowser starts Chromium on a stand, which listens on loopback. Tests that want it are
// skipped where it is not installed.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil || testing.Short() {
		t.Skip("needs chromium, and time: apt install chromium")
	}
	b := &browser{T: t, stand: newStand(t)}
	server := httptest.NewServer(b.handler)
	t.Cleanup(server.Close)
	b.origin = server.URL
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	allocator, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stopAll)
	b.ctx, _ = chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(b.ctx); err != nil {
			t.Error(err)
		}
	})
	b.listen()
	return b
}

// listen notes what the console says, but for answers that are meant to be faults.
func (b *browser) listen() {
	err := chromedp.Listen(b.ctx, func(event any) {
		e, ok := event.(*log.EventEntryAdded)
		if !ok || strings.Contains(e.Entry.Text, "status of 4") {
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, e.Entry.Text)
	})
	if err != nil {
		b.T.Fatal(err)
	}
}

func (b *browser) run(actions ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.T.Fatal(err)
	}
}

// see gives what an action finds on the page.
func see[T any](b *browser, action chromedp.Action[T]) T {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	found, err := chromedp.Run(ctx, action)
	if err != nil {
		b.T.Fatal(err)
	}
	return found
}

// open shows a page. The clock moves, so that no limit stands in the way.
func (b *browser) open(target string) {
	b.T.Helper()
	b.now = b.now.Add(time.Minute)
	b.run(chromedp.Navigate(b.origin + target))
}

// text is what a reader sees.
func (b *browser) text() string {
	b.T.Helper()
	return see(b, chromedp.Text("main"))
}

// look chooses a width and a scheme of colours.
func (b *browser) look(width int64, scheme string) {
	b.T.Helper()
	b.run(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.T.Fatal(err)
	}
}

// picture keeps how the page looks, if that is wanted.
func (b *browser) picture(name string) {
	b.T.Helper()
	if *shots == "" {
		return
	}
	png := see(b, chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
		b.T.Fatal(err)
	}
}

// TestBrowser opens every page wide and narrow, light and dark: nothing is wider than the window,
// nothing breaks the policy of content, and axe finds nothing serious.
func TestBrowser(t *testing.T) {
	b := newBrowser(t)
	b.all(320, "dark")
	b.all(1200, "light")
	if *shots != "" {
		b.all(320, "light")
		b.all(1200, "dark")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains: %q", b.complaints)
	}
}

// all opens every page in one of the ways to look at it.
func (b *browser) all(width int64, scheme string) {
	b.T.Helper()
	b.look(width, scheme)
	for name, target := range everyPage() {
		if !strings.Contains(name, *only) {
			continue
		}
		name = fmt.Sprintf("%s-%d-%s", name, width, scheme)
		b.open(target)
		wide := see(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
		if wide > width {
			b.T.Errorf("%s is %d wide", name, wide)
		}
		b.examine(name)
		b.picture(name)
	}
}

// examine asks axe-core for faults that keep people out.
func (b *browser) examine(name string) {
	b.T.Helper()
	if *axe == "" {
		return
	}
	script, err := os.ReadFile(*axe)
	if err != nil {
		b.T.Fatal(err)
	}
	const ask = `axe.run().then(r => JSON.stringify(r.violations.map(v =>
		({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)}))))`
	b.run(chromedp.Evaluate[chromedp.Void](string(script) + ";0"))
	found := see(b, chromedp.Evaluate[string](ask, chromedp.EvalAwaitPromise))
	var faults []struct {
		ID, Impact string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(found), &faults); err != nil {
		b.T.Fatal(err)
	}
	for _, f := range faults {
		b.T.Errorf("%s: %s, %s: %q", name, f.Impact, f.ID, f.Nodes[:min(2, len(f.Nodes))])
	}
}

// TestVisit goes the way of somebody whose mail was refused: from the bounce to the look-up, its
// cause, the dispute and its page.
func TestVisit(t *testing.T) {
	b := newBrowser(t)
	b.open("/")
	b.run(chromedp.SendKeys("#q", "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using "+
		"bl.mx.example; Listed, see https://bl.example/ip/198.51.100.7 (in reply to RCPT TO)"),
		chromedp.Click("main button"), chromedp.WaitVisible("h1.bad"))
	if text := b.text(); !strings.Contains(text, "198.51.100.7 is listed") {
		t.Errorf("the search shows %q", text)
	}
	b.run(chromedp.Click("main ol a"), chromedp.WaitVisible("pre"))
	b.open("/ip/198.51.100.7")
	b.now = b.now.Add(time.Minute)
	b.run(chromedp.Click("main .button"), chromedp.WaitVisible("#statement"),
		chromedp.Click("#technical"), chromedp.SendKeys("#statement", "It is a printer."),
		chromedp.SendKeys("#relation", "mine"), chromedp.SendKeys("#contact", "me@corp.example"),
		chromedp.Click("main button"), chromedp.WaitVisible("main a[href='/']"))
	want := dispute.Form{Address: netip.MustParseAddr("198.51.100.7"), Peer: netip.MustParseAddr("127.0.0.1"),
		Claim: dispute.Technical, Statement: "It is a printer.", Relation: "mine", Contact: "me@corp.example"}
	if len(b.bureau.forms) != 1 || b.bureau.forms[0] != want {
		t.Errorf("filed: %+v", b.bureau.forms)
	}
	b.open("/dispute/filed")
	if text := b.text(); !strings.Contains(text, "_trapline.7.100.51.198.in-addr.arpa.") {
		t.Errorf("the page of the dispute shows %q", text)
	}
	b.run(chromedp.Click("button[value=proof]"), chromedp.WaitVisible("h1"))
	if len(b.bureau.proofs) != 1 {
		t.Errorf("%d proofs were looked for", len(b.bureau.proofs))
	}
}
