package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/mailbox"
)

type ingestCmd struct {
	jsonFlag
	Trap  string   `placeholder:"ADDRESS" help:"The trap it was sent to; else the message's own recipients decide."`
	Again bool     `help:"Count what was ingested before."`
	Mbox  bool     `help:"Standard input is an mbox; else it is one message, whatever its lines."`
	Path  []string `arg:"" help:"Files or folders: .eml, mbox, Maildir; - for standard input."`
}

// Help is shown by ingest --help.
func (ingestCmd) Help() string {
	return "Example: trapline ingest --trap old.sales@corp.example ~/Maildir/.spam\n\n" +
		"Line 0 of each message must be by one of trust.hosts for it to have a source."
}

// ingestLine is what --json prints for a message.
type ingestLine struct {
	File string `json:"file"`
	N    int    `json:"n"`
	admin.Ingested
}

// Run hands every message to the daemon. What is no mail, or cannot be a hit, is
// named and skipped; the rest goes in, and the exit code is 1.
func (c *ingestCmd) Run(a *app) error {
	return a.tell(func(client *admin.Client) error {
		var taken, attributed, skipped int
		for _, path := range c.Path {
			for m, err := range c.messages(a, path) {
				var done admin.Ingested
				if err == nil {
					done, err = c.ingest(client, m)
				}
				switch {
				case stopsIngest(err):
					return err
				case err != nil:
					skipped++
					fmt.Fprintln(a.stderr, "trapline: skipped:", err)
					continue
				}
				taken++
				if done.Source != nil {
					attributed++
				}
				if err := c.print(a, m, done); err != nil {
					return err
				}
			}
		}
		if !c.JSON {
			fmt.Fprintf(a.stdout, "%d messages recorded, %d of them with a source; %d skipped\n",
				taken, attributed, skipped)
		}
		if skipped > 0 {
			return fmt.Errorf("%d messages were skipped, each named above", skipped)
		}
		return nil
	})
}

// messages reads a file, a folder or, as "-", standard input. What a mail server
// pipes into a program has a From_ line above and a body that nobody quoted: a
// second From_ line in it is the sender's, and so would be the message below it.
func (c *ingestCmd) messages(a *app, path string) iter.Seq2[mailbox.Message, error] {
	switch {
	case path == "-" && c.Mbox:
		return mailbox.Read("-", a.stdin)
	case path == "-":
		return func(yield func(mailbox.Message, error) bool) { yield(mailbox.ReadOne("-", a.stdin)) }
	}
	return mailbox.Open(path)
}

func (c *ingestCmd) ingest(client *admin.Client, m mailbox.Message) (admin.Ingested, error) {
	done, err := client.Ingest(context.Background(), m.Bytes, m.MailFrom, c.Trap, c.Again)
	if err != nil {
		err = fmt.Errorf("%s, message %d: %w", m.Path, m.N, err)
	}
	return done, err
}

// stopsIngest tells an error that the next message would meet as well from one
// that is the message's own.
func stopsIngest(err error) bool {
	var refused *admin.ProblemError
	var odd *mailbox.NotMailError
	var large *mailbox.TooLargeError
	return err != nil && !errors.As(err, &odd) && !errors.As(err, &large) &&
		(!errors.As(err, &refused) || refused.Status >= 500)
}

func (c *ingestCmd) print(a *app, m mailbox.Message, done admin.Ingested) error {
	if !c.JSON {
		return nil
	}
	return a.printJSON(ingestLine{m.Path, m.N, done})
}
