package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/internal/admin"
)

type reportCmd struct {
	jsonFlag
	IP           string `arg:"" help:"The source: an IPv4 or IPv6 address."`
	Format       string `required:"" enum:"arf,xarf" help:"arf (RFC 5965, a message) or xarf (version 4, JSON)."`
	Output       string `short:"o" placeholder:"FILE" help:"Write to a file instead of stdout."`
	Since        string `placeholder:"TIME" help:"Only hits received at or after it."`
	Limit        int    `default:"100" help:"Of so many hits, the newest; 500 at most."`
	From         string `placeholder:"ADDRESS" help:"Who complains; the zone's contact unless given."`
	Organization string `placeholder:"NAME" help:"The name of who complains; the domain of --from unless given."`
	Exact        bool   `help:"Exact times, port, sender and header: whoever reads it may find your traps."`
}

// Help is shown by report --help.
func (reportCmd) Help() string {
	return `Example: trapline report 198.51.100.7 --format arf -o report.eml

Writes an abuse report for whoever runs the network of a source. Nothing is sent:
look at it, add a recipient, send it yourself. Networks pass reports on to their
customers, so a report says by the hour when there was mail, nothing of mail that
is younger than six hours, and of headers what three messages to three traps have
in common: ordinary words, and no name, address, link or code. With --exact it has
the time, the port, the sender and the redacted header of the newest message. That
can betray your traps: who marks each message can tell which address he hit, and
who wrote many names into one sees which of them are missing.
Exit 3 when the log has no hits of the source that may be told of.`
}

// Run prints an abuse report or writes it to a file.
func (c *reportCmd) Run(a *app) error {
	addr, err := addressOf(c.IP)
	if err != nil {
		return err
	}
	conf, err := a.load()
	if err != nil {
		return err
	}
	o := admin.ReportOrder{Source: addr.Unmap(), Format: c.Format, Limit: c.Limit, Exact: c.Exact,
		From: c.From, Organization: c.Organization, Agent: "Trapline/" + version}
	if o.From == "" {
		o.From = admin.ContactOf(conf.Zone.Contact)
	}
	if o.Organization == "" {
		_, o.Organization, _ = strings.Cut(o.From, "@")
	}
	if o.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return usage("%w", err)
	}
	r, err := a.reportOf(o)
	if err != nil {
		return err
	}
	return c.print(a, r)
}

func (a *app) reportOf(o admin.ReportOrder) (r admin.Report, err error) {
	err = a.ask(func(q answers) (err error) {
		r, err = q.Report(context.Background(), o)
		return err
	})
	switch {
	case admin.IsNone(err):
		return r, &exitError{exitNo, err}
	case admin.IsMisuse(err):
		return r, usage("%w", err)
	}
	return r, err
}

// print says beside the report what is not in it.
func (c *reportCmd) print(a *app, r admin.Report) error {
	if c.Output != "" {
		err := a.writeTo(c.Output, func(w io.Writer) error {
			_, err := io.WriteString(w, r.Text)
			return err
		})
		if err != nil {
			return err
		}
		r.File, r.Text = c.Output, ""
	}
	if c.JSON {
		return a.printJSON(r)
	}
	if c.Output != "" {
		fmt.Fprintf(a.stdout, "%s: %s of %s, %s to %s\n", printable(c.Output), number(r.Hits, "hit"),
			r.Source, r.First, r.Last)
	} else {
		fmt.Fprint(a.stdout, r.Text)
	}
	for _, left := range notesOn(r) {
		a.say(left)
	}
	return nil
}

// notesOn says what a report could have had.
func notesOn(r admin.Report) (notes []string) {
	if r.Truncated {
		notes = append(notes, "there are more hits: give a higher --limit, or --since")
	}
	if r.Young > 0 {
		notes = append(notes, number(r.Young, "hit")+" younger than six hours left out")
	}
	if r.WithHeader == 0 {
		notes = append(notes, "no header is kept of these hits: evidence goes after retention.evidence")
	}
	return notes
}
