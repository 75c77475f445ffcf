package desk

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer/browser"
)

var (
	shots = flag.String("shots", "", "folder for pictures of every page")
	axe   = flag.String("axe", os.Getenv("AXE"), "axe.min.js of axe-core; else pages are not held to it")
)

// visitor is a browser on a stand.
type visitor struct {
	*browser.Browser
	stand *stand
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	s := newStand(t)
	return &visitor{browser.New(t, s.handler, browser.Options{Shots: *shots, Axe: *axe}), s}
}

// TestBrowser opens the pages wide and narrow, light and dark: nothing is wider than the window,
// nothing breaks the policy of content, and axe finds nothing.
func TestBrowser(t *testing.T) {
	b := newVisitor(t)
	for scheme, width := range map[string]int64{"dark": 320, "light": 1200} {
		b.Look(width, scheme)
		for name, target := range map[string]string{"list": "/disputes?all=true", "open": "/disputes/open",
			"filed": "/disputes/filed", "ended": "/disputes/ended", "none": "/disputes/none"} {
			b.Open(target)
			b.Examine(fmt.Sprintf("%s-%d-%s", name, width, scheme), width)
		}
	}
	if c := b.Complaints(); len(c) > 0 {
		t.Errorf("the browser complains: %q", c)
	}
}

// TestDecision goes the operator's way: from the list to a dispute, to its decision; and what a page
// of another origin tries does nothing.
func TestDecision(t *testing.T) {
	b := newVisitor(t)
	b.Do(chromedp.Navigate(b.Origin+"/disputes"), chromedp.Click("tbody tr:first-child a"),
		chromedp.WaitVisible("#accept-reason"), chromedp.Click("#uncount_all"),
		chromedp.SendKeys("#accept-reason", "a trap had been subscribed"),
		chromedp.Click("button[value=accept]"), chromedp.WaitNotPresent("#accept-reason"))
	orders := b.stand.ordered()
	if len(orders) != 1 || orders[0].Act != admin.AcceptDispute || !orders[0].Remedy.UncountAll ||
		orders[0].Reason != "a trap had been subscribed" {
		t.Fatalf("ordered: %+v", orders)
	}
	const forged = `<form id="f" method="post" action="%s/disputes/open"><input name="act" value="reject">` +
		`<input name="reason" value="no"><button>x</button></form>`
	other := httptest.NewServer(page(fmt.Sprintf(forged, b.Origin)))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	for _, origin := range []string{elsewhere, other.URL} { // another site, and another port of this one
		b.Do(chromedp.Navigate(origin), chromedp.Click("button"), chromedp.WaitVisible("main h1"))
		if text := b.Text("main h1"); text != "Sent from elsewhere" || len(b.stand.ordered()) != 1 {
			t.Errorf("%s: %q, %+v", origin, text, b.stand.ordered())
		}
	}
	rebound := strings.Replace(b.Origin, "127.0.0.1", "evil.localhost", 1) // Chromium knows it as loopback
	b.Do(chromedp.Navigate(rebound + "/disputes/open"))
	if text := b.Text("main h1"); text != "Another name" {
		t.Errorf("under another name: %q", text)
	}
}
