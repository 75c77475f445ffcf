// Package browser shows pages to tests as Chromium does.
//
// In comes a handler; out come what is seen of its pages, what the console and
// axe-core say against them, and pictures. It is for tests alone, and skips those that
// want it where Chromium is not installed or time is short.
package browser

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// Options say what a run is for.
type Options struct {
	Shots string // folder for pictures; "": none are kept
	Axe   string // axe.min.js of axe-core; "": pages are not held to it
}

// Browser is Chromium with one tab.
type Browser struct {
	*testing.T
	Origin string // of the handler's pages, on loopback

	options Options
	ctx     context.Context

	mu         sync.Mutex
	complaints []string // of the console; under mu
}

// New starts Chromium, and a server for the handler. The test's cleanup ends both.
func New(t *testing.T, handler http.Handler, o Options) *Browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil || testing.Short() {
		t.Skip("needs chromium, and time: apt install chromium")
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	b := &Browser{T: t, Origin: server.URL, options: o}
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
func (b *Browser) listen() {
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
		b.Fatal(err)
	}
}

// patience is how long an action may take on a busy machine.
const patience = time.Minute

// Do does something in the tab.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// See gives what an action finds on the page.
func See[T any](b *Browser, action chromedp.Action[T]) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return found
}

// Open shows a page of the handler.
func (b *Browser) Open(target string) {
	b.Helper()
	b.Do(chromedp.Navigate(b.Origin + target))
}

// Follow clicks on what leads to another page, and waits for that, though it may look
// the same.
func (b *Browser) Follow(selector string) {
	b.Helper()
	b.Do(chromedp.Evaluate[chromedp.Void](`document.body.id = "left"; 0`), chromedp.Click(selector),
		chromedp.WaitNotPresent("#left"), chromedp.WaitVisible("h1"))
}

// Text is what a reader sees in an element.
func (b *Browser) Text(selector string) string {
	b.Helper()
	return See(b, chromedp.Text(selector))
}

// Look chooses the width of the window, in CSS pixels, and a scheme of colours: light or
// dark.
func (b *Browser) Look(width int64, scheme string) {
	b.Helper()
	b.Do(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.Fatal(err)
	}
}

// Examine holds the page that is shown to what each must be: no wider than the window,
// and without faults that keep people out. It keeps a picture of it.
func (b *Browser) Examine(name string, width int64) {
	b.Helper()
	if wide := See(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); wide > width {
		b.Errorf("%s is %d wide", name, wide)
	}
	b.askAxe(name)
	if b.options.Shots != "" {
		png := See(b, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(b.options.Shots, name+".png"), png, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

func (b *Browser) askAxe(name string) {
	b.Helper()
	if b.options.Axe == "" {
		return
	}
	script, err := os.ReadFile(b.options.Axe)
	if err != nil {
		b.Fatal(err)
	}
	const ask = `axe.run().then(r => JSON.stringify(r.violations.map(v =>
		({id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)}))))`
	b.Do(chromedp.Evaluate[chromedp.Void](string(script) + ";0"))
	found := See(b, chromedp.Evaluate[string](ask, chromedp.EvalAwaitPromise))
	var faults []struct {
		ID, Impact string
		Nodes      []string
	}
	if err := json.Unmarshal([]byte(found), &faults); err != nil {
		b.Fatal(err)
	}
	for _, f := range faults {
		b.Errorf("%s: %s, %s: %q", name, cmp.Or(f.Impact, "no impact"), f.ID, f.Nodes[:min(2, len(f.Nodes))])
	}
}

// Complaints are what the console has said so far.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}
