package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/complaint"
	"github.com/trapline/trapline/store"
)

// Formats of reports.
const (
	ARF  = "arf"  // RFC 5965
	XARF = "xarf" // version 4 of xarf.org
)

// Bounds of a report.
const (
	MostReported     = 500 // hits that it speaks of
	mostOrganization = 200 // bytes
)

// ReportOrder asks for an abuse report about a source.
type ReportOrder struct {
	Source       netip.Addr      `json:"source"`
	Format       string          `json:"format"`
	Since        criteria.Second `json:"since"` // only hits received at or after it; null: all
	Limit        int             `json:"limit"` // of the newest hits; 1 to MostReported
	Exact        bool            `json:"exact"` // exact times, port and whole header
	From         string          `json:"from"`  // address of who complains
	Organization string          `json:"organization"`
	Agent        string          `json:"agent"` // product and version
}

// Report is an abuse report that was written, and what it is made of.
type Report struct {
	Source      netip.Addr      `json:"source"`
	Format      string          `json:"format"`
	Exact       bool            `json:"exact"`
	Hits        int             `json:"hits"`             // that it speaks of
	Young       int             `json:"young"`            // hits left out: younger than six hours
	WithHeader  int             `json:"with_header"`      // of the hits: those whose evidence is kept
	Unavailable int             `json:"no_header"`        // of the hits: those whose evidence is not
	Truncated   bool            `json:"truncated"`        // there are more hits than the limit
	First       criteria.Second `json:"first"`            // as the report tells it
	Last        criteria.Second `json:"last"`             // likewise
	Causes      map[string]int  `json:"causes"`           // cause to hits
	File        string          `json:"file,omitempty"`   // that it was written to
	Text        string          `json:"report,omitempty"` // the report itself
}

var (
	mailboxForm  = regexp.MustCompile(`^[0-9A-Za-z._+-]{1,64}@[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)+$`)
	printableRun = regexp.MustCompile(`^[\pL\pN\pP\pS\pM ]*$`)
)

// Check tells what is wrong with an order by itself.
func (o ReportOrder) Check() error {
	switch {
	case !o.Source.IsValid():
		return badRequest("no source is named", "give an IPv4 or IPv6 address")
	case o.Format != ARF && o.Format != XARF:
		return badRequest(fmt.Sprintf("%q is no format", o.Format), "give arf or xarf")
	case o.Limit < 1 || o.Limit > MostReported:
		return badRequest(fmt.Sprintf("a report about %d hits", o.Limit),
			fmt.Sprintf("give 1 to %d", MostReported))
	case !mailboxForm.MatchString(o.From):
		return badRequest(fmt.Sprintf("%q is no address to complain from", o.From),
			"give it as abuse@example.net")
	case len(o.Organization) > mostOrganization || !printableRun.MatchString(o.Organization):
		return badRequest("the organization's name is too long or does not print",
			fmt.Sprintf("write at most %d bytes of plain text", mostOrganization))
	}
	return nil
}

// Report writes an abuse report from a source's hits at traps that count. What users reported is
// not in it: that is their mail. A ProblemError says why there is none.
func (d *Desk) Report(ctx context.Context, o ReportOrder) (Report, error) {
	if err := o.Check(); err != nil {
		return Report{}, err
	}
	redactor := d.redactorFor()
	for _, words := range []string{o.From, o.Organization} {
		if redactor.Words(words) != words {
			return Report{}, badRequest("the one who complains has a trap's or a reporter's domain",
				"give another --from and --organization")
		}
	}
	messages, truncated, err := d.reported(ctx, o)
	if err != nil {
		return Report{}, err
	}
	c := complaint.Complaint{At: d.Store.Mark().At.Time(), Agent: o.Agent, From: o.From,
		Organization: o.Organization, Source: o.Source, Messages: messages, Exact: o.Exact}
	rand.Read(c.ID[:]) // never fails: crypto/rand
	s := complaint.Of(c, redactor)
	switch {
	case len(messages) == 0:
		return Report{}, none(fmt.Sprintf("no hits of %s at traps are in the log", o.Source),
			"see trapline hits "+o.Source.String())
	case s.Messages == 0:
		return Report{}, none(fmt.Sprintf("all %d hits of %s are younger than %d hours",
			s.Young, o.Source, complaint.Rest/time.Hour), "wait, or give --exact")
	}
	return o.written(s, truncated), nil
}

func (o ReportOrder) written(s *complaint.Sighting, truncated bool) Report {
	r := Report{Source: o.Source, Format: o.Format, Exact: o.Exact, Hits: s.Messages,
		Young: s.Young, WithHeader: s.WithHeader, Unavailable: s.Messages - s.WithHeader,
		Truncated: truncated, First: criteria.At(s.First), Last: criteria.At(s.Last),
		Causes: s.Causes, Text: string(s.ARF())}
	if o.Format == XARF {
		r.Text = string(s.XARF())
	}
	return r
}

// reported gives what the log has of a source's messages to traps, newest first, and tells
// whether there are more.
func (d *Desk) reported(ctx context.Context, o ReportOrder) (
	messages []complaint.Message, more bool, err error,
) {
	doubted := d.doubted()
	for r, err := range d.Store.Newest(d.Store.Mark().LSN) {
		switch {
		case err != nil:
			return nil, false, err
		case ctx.Err() != nil:
			return nil, false, ctx.Err()
		case o.Since > 0 && r.Stamp+clockSkew < o.Since:
			return messages, false, nil
		case !o.isAbout(&r) || doubted.has(&r):
			continue
		case len(messages) == o.Limit:
			return messages, true, nil
		}
		m, err := d.messageOf(&r)
		if err != nil {
			return nil, false, err
		}
		messages = append(messages, m)
	}
	return messages, false, nil
}

func (o ReportOrder) isAbout(r *store.Record) bool {
	return r.Source == o.Source && r.Kind == criteria.TrapHit && !r.Inbox && r.Time >= o.Since
}

// doubts are what people decided about hits of the past.
type doubts struct {
	burnt     map[string]criteria.Second // traps, and since when
	uncounted map[uint64]bool
}

// doubted collects the doubts in force.
func (d *Desk) doubted() doubts {
	all := doubts{map[string]criteria.Second{}, map[uint64]bool{}}
	for _, c := range d.corrected() {
		if c.Burnt != nil {
			all.burnt[c.Address] = c.Burnt.Since
		}
	}
	for _, dec := range d.Store.Decisions(0, d.Store.Mark().Decision) {
		if dec.Act == criteria.ActUncount || dec.Act == criteria.ActRecount {
			for _, id := range dec.Hits {
				all.uncounted[id] = dec.Act == criteria.ActUncount
			}
		}
	}
	return all
}

// has tells whether a hit may have been mail that somebody wanted: it came to traps that are only
// watched or are burnt, or it was un-counted. Nobody is accused of that.
func (d doubts) has(r *store.Record) bool {
	return d.uncounted[r.LSN] || !slices.ContainsFunc(r.Traps, func(trap string) bool {
		since, burnt := d.burnt[trap]
		return !burnt || r.Time < since
	})
}

func (d *Desk) messageOf(r *store.Record) (m complaint.Message, err error) {
	m = complaint.Message{At: r.Time.Time(), Cause: r.Cause.String(), MailFrom: r.MailFrom}
	if r.Peer.Addr() == r.Source { // else the port is that of a relay
		m.Port = r.Peer.Port()
	}
	for _, to := range r.Recipients {
		m.Traps = append(m.Traps, to.Address)
	}
	head, err := d.Store.Evidence(r.LSN)
	m.Header = slices.Clone(head[:min(len(head), complaint.MostHeader)])
	return m, err
}

// routeEvidence serves what is made of the messages themselves.
func routeEvidence(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("POST /v1/report", answer(ordered(func(ctx context.Context, _ string, o ReportOrder) (
		Report, error) {
		return d.Report(ctx, o)
	})))
}

// Report asks for an abuse report.
func (c *Client) Report(ctx context.Context, o ReportOrder) (r Report, err error) {
	return r, c.order(ctx, "report", o, &r)
}

// ContactOf is the mailbox that a zone's SOA record names (RFC 1035 section 3.3.13).
func ContactOf(contact string) string { return strings.Replace(contact, ".", "@", 1) }
