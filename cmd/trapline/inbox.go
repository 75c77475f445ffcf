package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/internal/admin"
)

type inboxCmd struct {
	List inboxListCmd `cmd:"" default:"withargs" help:"The letters that nobody has dealt with, newest first."`
	Show inboxShowCmd `cmd:"" help:"Read one. Exit 3 when there is none of that number."`
	Rm   inboxRmCmd   `cmd:"" help:"List letters no more. Exit 3 when one is not there."`
}

type inboxListCmd struct {
	jsonFlag
	Limit     int    `default:"50" help:"At most so many; 0 for all."`
	Since     string `placeholder:"TIME" help:"Only those received at or after it."`
	ShowTraps bool   `help:"Print whole recipients instead of postmaster and abuse alone."`
}

// Help is shown by inbox list --help.
func (inboxListCmd) Help() string {
	return `Example: trapline inbox list --since 7d

Mail to postmaster and abuse at the domains of traps is taken and never counted. Its
text is kept as long as retention.evidence says, of each network and day within bounds.`
}

// Run prints letters, newest first.
func (c *inboxListCmd) Run(a *app) error {
	f := admin.LetterFilter{Limit: c.Limit, ShowTraps: c.ShowTraps}
	var err error
	if f.Since, err = a.secondOf("since", c.Since); err != nil {
		return err
	}
	if c.Limit < 0 {
		return usage("--limit %d is less than 0: give 0 for all", c.Limit)
	}
	return a.ask(func(q answers) error { return printAll(a, c.JSON, q.Inbox(f), printLetter) })
}

func printLetter(w io.Writer, l admin.Letter) {
	subject := foreign(l.Subject)
	if !l.Kept {
		subject = "(text not kept)"
	}
	fmt.Fprintf(w, "%d\t%s\t%s\tto %s\tfrom %s\t%s\n", l.ID, instant(l.Time), letterSource(l),
		foreign(strings.Join(l.To, " ")), foreign(l.From), subject)
}

func letterSource(l admin.Letter) string {
	switch {
	case l.Source != nil:
		return l.Source.String()
	case l.Peer != nil:
		return "by " + l.Peer.String()
	}
	return "-"
}

type inboxShowCmd struct {
	jsonFlag
	Raw bool   `help:"As it came. To a terminal control characters are still escaped."`
	ID  uint64 `arg:"" name:"id" help:"Its number in the list."`
}

// Help is shown by inbox show --help.
func (inboxShowCmd) Help() string {
	return `Example: trapline inbox show 4711

Shows the header and what is text below it, without trap domains and without what could
be made for one recipient: so much can be passed on. With --raw all is shown.`
}

// Run prints one letter.
func (c *inboxShowCmd) Run(a *app) error {
	var l admin.LetterText
	err := a.ask(func(q answers) (err error) {
		l, err = q.Letter(context.Background(), c.ID, c.Raw)
		return err
	})
	switch {
	case admin.IsNone(err):
		return &exitError{exitNo, err}
	case err != nil:
		return err
	}
	return c.print(a, l)
}

func (c *inboxShowCmd) print(a *app, l admin.LetterText) error {
	switch {
	case c.JSON:
		return a.printJSON(l)
	case !l.Kept:
		return fmt.Errorf("the text of letter %d is not kept: its network or its day had too much of it, "+
			"or retention.evidence has passed", c.ID)
	case c.Raw && a.screen.columns == 0:
		_, err := a.stdout.Write(l.Raw)
		return err
	case c.Raw:
		l.Text = string(l.Raw)
	default:
		fmt.Fprintf(a.stdout, "letter %d of %s, %s, %d bytes\n\n", l.ID, instant(l.Time),
			letterSource(l.Letter), l.Size)
	}
	for line := range strings.Lines(l.Text) {
		fmt.Fprintln(a.stdout, printable(strings.TrimRight(line, "\r\n")))
	}
	return nil
}

type inboxRmCmd struct {
	jsonFlag
	Reason string   `default:"dealt with" placeholder:"R" help:"Why; it is kept in the ledger."`
	ID     []uint64 `arg:"" name:"id" help:"Their numbers in the list."`
}

// Help is shown by inbox rm --help.
func (inboxRmCmd) Help() string {
	return `Example: trapline inbox rm 4711 4712 --reason "answered by phone"

The letters are listed no more; inbox show still finds them. Their text goes with
retention.evidence, as that of all mail: the log itself is never changed.`
}

// Run has the daemon list letters no more.
func (c *inboxRmCmd) Run(a *app) error {
	o := admin.Discard{IDs: c.ID, Reason: c.Reason}
	err := give(a, c.jsonFlag, func(client *admin.Client) (admin.Discarded, error) {
		return client.Discard(context.Background(), o)
	}, func(d admin.Discarded) {
		fmt.Fprintf(a.stdout, "%s listed no more; decision %d, by %s\n", number(len(d.IDs), "letter"),
			d.Seq, d.Who)
	})
	if admin.IsMisuse(err) {
		return usage("%w", err)
	}
	return err
}
