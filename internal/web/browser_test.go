package web

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/testpeer/browser"
)

var (
	shots = flag.String("shots", "", "folder for pictures of every page")
	only  = flag.String("pages", "", "only pages whose names have it")
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

// open shows a page. The clock moves, so that no limit stands in the way.
func (v *visitor) open(target string) {
	v.Helper()
	v.stand.now = v.stand.now.Add(time.Minute)
	v.Open(target)
}

// TestBrowser opens every page wide and narrow, light and dark: nothing is wider than the window,
// nothing breaks the policy of content, and axe finds nothing serious.
func TestBrowser(t *testing.T) {
	v := newVisitor(t)
	v.all(320, "dark")
	v.all(1200, "light")
	if *shots != "" {
		v.all(320, "light")
		v.all(1200, "dark")
	}
	if c := v.Complaints(); len(c) > 0 {
		t.Errorf("the browser complains: %q", c)
	}
}

// all opens every page in one of the ways to look at it.
func (v *visitor) all(width int64, scheme string) {
	v.Helper()
	v.Look(width, scheme)
	for name, target := range everyPage() {
		if strings.Contains(name, *only) {
			v.open(target)
			v.Examine(fmt.Sprintf("%s-%d-%s", name, width, scheme), width)
		}
	}
}

// TestVisit goes the way of somebody whose mail was refused: from the bounce to the look-up, its
// cause, the dispute and its page.
func TestVisit(t *testing.T) {
	v := newVisitor(t)
	v.open("/")
	v.Do(chromedp.SendKeys("#q", "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using "+
		"bl.mx.example; Listed, see https://bl.example/ip/198.51.100.7 (in reply to RCPT TO)"),
		chromedp.Click("main button"), chromedp.WaitVisible("h1.bad"))
	if text := v.Text("main"); !strings.Contains(text, "198.51.100.7 is listed") {
		t.Errorf("the search shows %q", text)
	}
	v.Do(chromedp.Click("main ol a"), chromedp.WaitVisible("pre"))
	v.open("/ip/198.51.100.7")
	v.stand.now = v.stand.now.Add(time.Minute)
	v.Do(chromedp.Click("main .button"), chromedp.WaitVisible("#statement"),
		chromedp.Click("#technical"), chromedp.SendKeys("#statement", "It is a printer."),
		chromedp.SendKeys("#relation", "mine"), chromedp.SendKeys("#contact", "me@corp.example"),
		chromedp.Click("main button"), chromedp.WaitVisible("main a[href='/']"))
	want := dispute.Form{Address: netip.MustParseAddr("198.51.100.7"), Peer: netip.MustParseAddr("127.0.0.1"),
		Claim: dispute.Technical, Statement: "It is a printer.", Relation: "mine", Contact: "me@corp.example"}
	if len(v.stand.bureau.forms) != 1 || v.stand.bureau.forms[0] != want {
		t.Errorf("filed: %+v", v.stand.bureau.forms)
	}
	v.open("/dispute/filed")
	if text := v.Text("main"); !strings.Contains(text, "_trapline.7.100.51.198.in-addr.arpa.") {
		t.Errorf("the page of the dispute shows %q", text)
	}
	v.Follow("button[value=proof]")
	if len(v.stand.bureau.proofs) != 1 {
		t.Errorf("%d proofs were looked for", len(v.stand.bureau.proofs))
	}
}
