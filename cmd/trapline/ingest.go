package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

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
		"Line 0 of each message must be by one of trust.hosts for it to have a source. What was ingested\n" +
		"before is recorded again, but counts once unless --again is given."
}

// ingestLine is what --json prints for a message.
type ingestLine struct {
	File string `json:"file"`
	N    int    `json:"n"`
	admin.Ingested
}

// Run hands every message to the daemon. What cannot be read, is no mail, or
// cannot be a hit, is named and skipped; the rest goes in, and the exit code is 1.
func (c *ingestCmd) Run(a *app) error {
	t := ingestTally{meter: a.meter()}
	err := a.tell(func(client *admin.Client) error {
		for _, path := range c.Path {
			if err := c.ingestPath(a, client, path, &t); err != nil {
				return err
			}
		}
		return nil
	})
	t.meter.clear()
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(a.stdout, "%s recorded, %d with a source; %d skipped\n",
			number(t.taken, "message"), t.attributed, t.skipped)
	}
	if t.skipped > 0 {
		return fmt.Errorf("%s skipped, named above", number(t.skipped, "message"))
	}
	return nil
}

// ingestTally counts what became of the messages.
type ingestTally struct {
	taken, attributed, skipped int
	meter                      *meter
}

// ingestPath hands over the messages of one path. Only an error that the next
// message would meet as well ends it.
func (c *ingestCmd) ingestPath(a *app, client *admin.Client, path string, t *ingestTally) error {
	for m, err := range c.messages(a, path) {
		var done admin.Ingested
		stops := false
		if err == nil {
			done, err = c.ingest(client, m)
			stops = err != nil && !isRefusal(err)
		}
		switch {
		case stops:
			return err
		case err != nil:
			t.skipped++
			t.meter.clear()
			a.say("skipped: " + err.Error())
			continue
		}
		t.taken++
		if !c.JSON { // else they are seen themselves
			t.meter.count(t.taken, "message")
		}
		if done.Source != nil {
			t.attributed++
		}
		if err := c.print(a, m, done); err != nil {
			return err
		}
	}
	return nil
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

// isRefusal tells an error that is the message's own from one of the daemon.
func isRefusal(err error) bool {
	var p *admin.ProblemError
	return errors.As(err, &p) && p.Status < http.StatusInternalServerError
}

func (c *ingestCmd) print(a *app, m mailbox.Message, done admin.Ingested) error {
	if !c.JSON {
		return nil
	}
	return a.printJSON(ingestLine{m.Path, m.N, done})
}
