package desk

import (
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
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

	"github.com/trapline/trapline/internal/admin"
)

var (
	shots = flag.String("shots", "", "folder for pictures of every page")
	axe   = flag.String("axe", os.Getenv("AXE"), "axe.min.js of axe-core; else pages are not held to it")
)

// browser is Chromium with one tab, on a stand that listens on loopback.
type browser struct {
	*testing.T
	*stand
	ctx    context.Context
	origin string

	mu         sync.Mutex
	complaints []string // of the console; under mu
}

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
	err = chromedp.Listen(b.ctx, func(event any) {
		e, ok := event.(*log.EventEntryAdded)
		if !ok || strings.Contains(e.Entry.Text, "status of 4") {
			return // an answer that is meant to be a fault
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, e.Entry.Text)
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
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

// TestBrowser opens the pages wide and narrow, light and dark: nothing is wider than the window,
// nothing breaks the policy of content, and axe finds nothing.
func TestBrowser(t *testing.T) {
	b := newBrowser(t)
	for scheme, width := range map[string]int64{"dark": 320, "light": 1200} {
		b.run(chromedp.EmulateViewport(width, 900))
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			t.Fatal(err)
		}
		for name, target := range map[string]string{"list": "/disputes?all=true", "open": "/disputes/open",
			"filed": "/disputes/filed", "ended": "/disputes/ended", "none": "/disputes/none"} {
			b.run(chromedp.Navigate(b.origin + target))
			name = fmt.Sprintf("%s-%d-%s", name, width, scheme)
			if wide := see(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
				t.Errorf("%s is %d wide", name, wide)
			}
			b.examine(name)
			if *shots != "" {
				png := see(b, chromedp.FullScreenshot(100))
				if err := os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.complaints) > 0 {
		t.Errorf("the browser complains: %q", b.complaints)
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
	const ask = `axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html)).join("; "))`
	b.run(chromedp.Evaluate[chromedp.Void](string(script) + ";0"))
	if faults := see(b, chromedp.Evaluate[string](ask, chromedp.EvalAwaitPromise)); faults != "" {
		b.T.Errorf("%s: %s", name, faults)
	}
}

// TestDecision goes the operator's way: from the list to a dispute, to its decision; and what a page
// of another origin tries does nothing.
func TestDecision(t *testing.T) {
	b := newBrowser(t)
	b.run(chromedp.Navigate(b.origin+"/disputes"), chromedp.Click("tbody tr:first-child a"),
		chromedp.WaitVisible("#accept-reason"), chromedp.Click("#uncount_all"),
		chromedp.SendKeys("#accept-reason", "a trap had been subscribed"),
		chromedp.Click("button[value=accept]"), chromedp.WaitNotPresent("#accept-reason"))
	orders := b.ordered()
	if len(orders) != 1 || orders[0].Act != admin.AcceptDispute || !orders[0].Remedy.UncountAll ||
		orders[0].Reason != "a trap had been subscribed" {
		t.Fatalf("ordered: %+v", orders)
	}
	const forged = `<form id="f" method="post" action="%s/disputes/open"><input name="act" value="reject">` +
		`<input name="reason" value="no"><button>x</button></form>`
	other := httptest.NewServer(page(fmt.Sprintf(forged, b.origin)))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	for _, origin := range []string{elsewhere, other.URL} { // another site, and another port of this one
		b.run(chromedp.Navigate(origin), chromedp.Click("button"), chromedp.WaitVisible("main h1"))
		if text := see(b, chromedp.Text("main h1")); text != "Sent from elsewhere" || len(b.ordered()) != 1 {
			t.Errorf("%s: %q, %+v", origin, text, b.ordered())
		}
	}
	rebound := strings.Replace(b.origin, "127.0.0.1", "evil.localhost", 1) // Chromium knows it as loopback
	b.run(chromedp.Navigate(rebound + "/disputes/open"))
	if text := see(b, chromedp.Text("main h1")); text != "Another name" {
		t.Errorf("under another name: %q", text)
	}
}
