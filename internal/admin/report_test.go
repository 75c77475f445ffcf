package admin

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// spammed is a message of a source to a trap, its header kept.
func spammed(source, to string, at time.Time) *store.Record {
	r := &store.Record{MailFrom: "offers@shop.example", Peer: netip.MustParseAddrPort(source + ":40001"),
		Reason:     parser.UntrustedPeer.String(),
		Recipients: []store.Recipient{{Address: to, Kind: "pristine", State: "active", Weight: criteria.One}},
		Evidence:   store.PackEvidence([]byte("Subject: Cheap pills\r\nTo: " + to + "\r\n\r\nBuy.\r\n"))}
	r.Source, r.Time, r.Traps = netip.MustParseAddr(source), criteria.At(at), []string{to}
	r.Weight, r.Cause = criteria.One, parser.Direct
	return r
}

func (o *office) append(records ...*store.Record) {
	o.Helper()
	if err := o.Store.Append(o.Context(), records...); err != nil {
		o.Fatal(err)
	}
}

// reportable is a desk with three hits of 198.51.100.7 that are old enough, and others.
func reportable(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	secrets := redact.New(redact.Secrets{Domains: []string{"traps.example"}})
	o.Redactor = func() *redact.Redactor { return secrets }
	for n := range 3 {
		o.append(spammed("198.51.100.7", fmt.Sprintf("heron%d@traps.example", n), o.now()))
		o.seconds.Add(60)
	}
	inbox := spammed("198.51.100.7", "postmaster@traps.example", o.now())
	inbox.Inbox, inbox.Traps = true, nil
	reported := spammed("198.51.100.7", "noc", o.now())
	reported.Kind = criteria.Report
	o.append(inbox, reported, spammed("198.51.100.8", "heron1@traps.example", o.now()))
	o.seconds.Add(7 * 3600)
	bare := spammed("198.51.100.9", "heron1@traps.example", o.now())
	bare.Evidence = nil
	o.append(spammed("198.51.100.7", "heron4@traps.example", o.now()), bare)
	return o
}

func reportOn(source string) ReportOrder {
	return ReportOrder{Source: netip.MustParseAddr(source), Format: ARF, Limit: 100,
		From: "abuse@bl.example", Organization: "Blocklist", Agent: "Trapline/1.0"}
}

func TestReport(t *testing.T) {
	o := reportable(t)
	door := o.door()
	r, err := door.Report(t.Context(), reportOn("198.51.100.7"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Hits != 3 || r.Young != 1 || r.WithHeader != 3 || r.Unavailable != 0 || r.Truncated ||
		r.First != criteria.At(began) || r.Last != r.First || r.Causes["direct"] != 3 {
		t.Errorf("reported %+v", r)
	}
	if !strings.Contains(r.Text, "Subject: Cheap pills\r\n") || strings.Contains(r.Text, "heron") ||
		strings.Contains(r.Text, "traps.example") || !strings.Contains(r.Text, "Feedback-Type: abuse") {
		t.Errorf("the report is\n%s", r.Text)
	}
	exact := reportOn("198.51.100.7")
	exact.Exact, exact.Format, exact.Limit = true, XARF, 2
	if r, err = door.Report(t.Context(), exact); err != nil {
		t.Fatal(err)
	}
	if r.Hits != 2 || !r.Truncated || !strings.Contains(r.Text, `"source_port": 40001`) ||
		strings.Contains(r.Text, "heron") {
		t.Errorf("the exact report is\n%s", r.Text)
	}
	since := reportOn("198.51.100.7")
	since.Since = criteria.At(began.Add(90 * time.Second))
	if r, err = door.Report(t.Context(), since); err != nil || r.Hits != 1 {
		t.Errorf("since then: %+v, %v", r, err)
	}
}

// What may have been wanted is not complained of.
func TestReportLeavesDoubtsOut(t *testing.T) {
	o := reportable(t)
	hits := func(want int) {
		t.Helper()
		r, err := o.Report(t.Context(), reportOn("198.51.100.7"))
		if err != nil && !IsNone(err) || r.Hits != want {
			t.Errorf("%d hits, %v; want %d", r.Hits, err, want)
		}
	}
	watched := spammed("198.51.100.7", "heron5@traps.example", began)
	watched.Traps = nil
	o.append(watched)
	hits(3)
	o.settle(criteria.Decision{Act: criteria.ActBurn, Who: "t", Trap: "heron2@traps.example"})
	hits(2)
	o.settle(criteria.Decision{Act: criteria.ActUncount, Who: "t", Hits: []uint64{1, 2}})
	hits(0)
	o.settle(criteria.Decision{Act: criteria.ActRecount, Who: "t", Hits: []uint64{2}},
		criteria.Decision{Act: criteria.ActUnburn, Who: "t", Trap: "heron2@traps.example"})
	hits(2)
	o.settle(criteria.Decision{Act: criteria.ActBurn, Who: "t", Trap: "heron1@traps.example",
		Since: criteria.At(began) + 61}) // its hit came before
	hits(2)
}

func TestReportWithoutEvidence(t *testing.T) {
	o := reportable(t)
	order := reportOn("198.51.100.9")
	order.Exact = true
	r, err := o.Report(t.Context(), order)
	if err != nil || r.Hits != 1 || r.WithHeader != 0 || r.Unavailable != 1 ||
		!strings.Contains(r.Text, "The headers of the messages were not kept.") {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestReportOfNothing(t *testing.T) {
	o := reportable(t)
	for source, want := range map[string]string{
		"198.51.100.1": "no hits of 198.51.100.1 at traps are in the log",
		"198.51.100.9": "all 1 hits of 198.51.100.9 are younger than 6 hours",
	} {
		if _, err := o.Report(t.Context(), reportOn(source)); !IsNone(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestReportOrdersAreChecked(t *testing.T) {
	o := reportable(t)
	for _, c := range []struct {
		name   string
		change func(*ReportOrder)
	}{
		{"no source", func(r *ReportOrder) { r.Source = netip.Addr{} }},
		{"no format", func(r *ReportOrder) { r.Format = "" }},
		{"no hits", func(r *ReportOrder) { r.Limit = 0 }},
		{"all hits", func(r *ReportOrder) { r.Limit = MostReported + 1 }},
		{"no address", func(r *ReportOrder) { r.From = "abuse" }},
		{"two lines", func(r *ReportOrder) { r.From = "abuse@bl.example\r\nBcc: x@y.example" }},
		{"a name of two lines", func(r *ReportOrder) { r.Organization = "a\r\nBcc: x@y.example" }},
		{"a long name", func(r *ReportOrder) { r.Organization = strings.Repeat("x", 201) }},
		{"from a trap", func(r *ReportOrder) { r.From = "abuse@mx.traps.example" }},
		{"named like a trap", func(r *ReportOrder) { r.Organization = "The traps.example people" }},
	} {
		order := reportOn("198.51.100.7")
		c.change(&order)
		if _, err := o.Report(t.Context(), order); !IsMisuse(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// BenchmarkReport is the dearest one: of as many hits as there may be, with long headers.
func BenchmarkReport(b *testing.B) {
	o := newOffice(b)
	header := "Subject: Cheap pills\r\n" + strings.Repeat("X-Filler: some words of no meaning at all\r\n", 700)
	for n := range MostReported {
		r := spammed("198.51.100.7", fmt.Sprintf("heron%d@traps.example", n), o.now())
		r.Evidence = store.PackEvidence([]byte(header))
		o.append(r)
	}
	o.seconds.Add(7 * 3600)
	o.settle(criteria.Decision{Act: criteria.ActUnexcept, Who: "test", Origin: "nobody's",
		Network: netip.MustParsePrefix("192.0.2.1/32")})
	order := reportOn("198.51.100.7")
	order.Limit = MostReported
	for b.Loop() {
		if _, err := o.Report(b.Context(), order); err != nil {
			b.Fatal(err)
		}
	}
}
