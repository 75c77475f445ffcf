package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
)

type disputeCmd struct {
	List   disputeListCmd   `cmd:"" help:"Disputes that have not ended."`
	Show   disputeShowCmd   `cmd:"" help:"All that is known of a dispute. Exit 3 when there is none."`
	Answer disputeAnswerCmd `cmd:"" help:"Say something to the requester, and decide later."`
	Accept disputeAcceptCmd `cmd:"" help:"The listing was wrong: mend it, and say why."`
	Reject disputeRejectCmd `cmd:"" help:"The listing stays: say why."`
}

type disputeListCmd struct {
	jsonFlag
	Open bool `xor:"which" help:"Only those that wait for a decision."`
	All  bool `xor:"which" help:"Also those that have ended."`
}

// Help is shown by dispute list --help.
func (disputeListCmd) Help() string {
	return "Example: trapline dispute list --open\n\n" +
		"First come those with a TXT proof, then those filed from the address itself, each by age;\n" +
		"last the forms that nobody has proven, which are forgotten after a week."
}

// Run prints disputes.
func (c *disputeListCmd) Run(a *app) error {
	return a.ask(func(q answers) error {
		cases, err := q.Cases(admin.DisputeFilter{Open: c.Open, All: c.All})
		if err != nil {
			return err
		}
		now := criteria.At(a.now())
		return printAll(a, c.JSON, each(cases), func(w io.Writer, k dispute.Case) {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\tfiled %s\t%s\n", k.ID, k.State, k.Subject, k.Claim,
				proofsText(k.Proofs), instant(k.Filed), dueText(k, now))
		})
	})
}

func proofsText(proofs []dispute.Proof) string {
	if len(proofs) == 0 {
		return "no proof"
	}
	var words []string
	for _, p := range proofs {
		words = append(words, string(p))
	}
	return strings.Join(words, "+")
}

// dueText says what the operator owes the requester, or how it ended.
func dueText(k dispute.Case, now criteria.Second) string {
	answer, decision := k.Overdue(now)
	switch {
	case k.Ended > 0:
		return "ended " + instant(k.Ended)
	case decision:
		return "decision OVERDUE since " + instant(k.DecisionDue)
	case answer:
		return "answer OVERDUE since " + instant(k.AnswerDue)
	case k.AnswerDue > 0:
		return "answer due " + instant(k.AnswerDue)
	case k.DecisionDue > 0:
		return "decision due " + instant(k.DecisionDue)
	}
	return "-"
}

type disputeShowCmd struct {
	jsonFlag
	ID string `arg:"" help:"The dispute's id."`
}

// Help is shown by dispute show --help.
func (disputeShowCmd) Help() string {
	return "Example: trapline dispute show k7wq3mzd5xw2ahrt\n\n" +
		"Statement, relation and contact are for you alone: no page, log or backup holds them, and\n" +
		"they are forgotten 90 days after the end. trapline sends nothing to the contact."
}

// Run prints a dispute.
func (c *disputeShowCmd) Run(a *app) error {
	return a.ask(func(q answers) error {
		k, err := q.Case(c.ID)
		switch {
		case admin.IsNone(err):
			return &exitError{exitNo, err}
		case err != nil:
			return err
		case c.JSON:
			return a.printJSON(k)
		}
		return a.table(func(w io.Writer) { printCase(w, k, criteria.At(a.now())) })
	})
}

func printCase(w io.Writer, k dispute.Case, now criteria.Second) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("dispute", "%s, %s, %s", k.ID, k.State, dueText(k, now))
	row("subject", "%s, filed for %s", k.Subject, k.Address)
	row("claim", "%s", k.Claim)
	row("proof", "%s", proofsText(k.Proofs))
	row("filed", "%s, open since %s", instant(k.Filed), instant(k.Opened))
	if r := k.Reread; r != nil {
		row("re-read", "%s could be read again, %s", number(r.Read, "hit"), wrongText(r.Wrong))
	}
	if k.Answer != "" {
		row("answer", "%s", printable(k.Answer))
	}
	if k.Ended > 0 {
		row("end", "%s, by %s: %s", instant(k.Ended), k.By, printable(k.Reason))
	}
	if p := k.Private; p != nil {
		row("contact", "%s", printable(p.Contact))
		row("relation", "%s", printable(p.Relation))
		row("from", "%s", p.Network)
		for i, line := range strings.Split(p.Statement, "\n") {
			row([]string{"statement", ""}[min(i, 1)], "%s", printable(line))
		}
	} else {
		row("statement", "forgotten")
	}
}

func wrongText(hits []uint64) string {
	if len(hits) == 0 {
		return "none is wrong"
	}
	return fmt.Sprintf("wrong and counting no more: %v", hits)
}

type disputeAnswerCmd struct {
	jsonFlag
	Reason string `required:"" placeholder:"R" help:"What to say; the dispute's page shows it."`
	ID     string `arg:"" help:"The dispute's id."`
}

// Help is shown by dispute answer --help.
func (disputeAnswerCmd) Help() string {
	return "Example: trapline dispute answer k7wq3mzd5xw2ahrt --reason \"please set the TXT record\""
}

// Run has the daemon answer a dispute.
func (c *disputeAnswerCmd) Run(a *app) error {
	return a.settleDispute(c.jsonFlag, admin.DisputeOrder{Act: admin.AnswerDispute, ID: c.ID,
		Reason: c.Reason})
}

type disputeAcceptCmd struct {
	jsonFlag
	Reason     string   `required:"" placeholder:"R" help:"Why; the dispute's page shows it."`
	Uncount    []uint64 `placeholder:"LSN,…" help:"Counted hits of the address that never count again."`
	UncountAll bool     `help:"All of them."`
	Delist     bool     `help:"No hit so far counts again. Needs a TXT proof. It is what happens without any other of these flags."`
	Except     bool     `help:"It is never listed again. Likewise."`
	For        string   `placeholder:"D" help:"Of --except: how long, as 24h or 7d; else for good."`
	ID         string   `arg:"" help:"The dispute's id."`
}

// Help is shown by dispute accept --help.
func (disputeAcceptCmd) Help() string {
	return "Example: trapline dispute accept k7wq3mzd5xw2ahrt --uncount 17,18 " +
		"--reason \"a trap had been subscribed\"\n\n" +
		"A removal takes a TXT proof, since whoever shares the address can file from it. Without one,\n" +
		"un-count what should not have been counted, or use delist on your own account."
}

// Run has the daemon accept a dispute.
func (c *disputeAcceptCmd) Run(a *app) error {
	o := admin.DisputeOrder{Act: admin.AcceptDispute, ID: c.ID, Reason: c.Reason,
		Remedy: dispute.Remedy{Uncount: c.Uncount, UncountAll: c.UncountAll, Delist: c.Delist,
			Except: c.Except}}
	var err error
	if o.Remedy.For, err = lastingOf(c.For); err != nil {
		return err
	}
	return a.settleDispute(c.jsonFlag, o)
}

type disputeRejectCmd struct {
	jsonFlag
	Reason string `required:"" placeholder:"R" help:"Why; the dispute's page shows it."`
	ID     string `arg:"" help:"The dispute's id."`
}

// Help is shown by dispute reject --help.
func (disputeRejectCmd) Help() string {
	return "Example: trapline dispute reject k7wq3mzd5xw2ahrt --reason \"the host still sends to traps\"\n\n" +
		"For a week nobody can dispute the listing again with the same proof."
}

// Run has the daemon reject a dispute.
func (c *disputeRejectCmd) Run(a *app) error {
	return a.settleDispute(c.jsonFlag, admin.DisputeOrder{Act: admin.RejectDispute, ID: c.ID,
		Reason: c.Reason})
}

func (a *app) settleDispute(form jsonFlag, o admin.DisputeOrder) error {
	if err := o.Check(); err != nil {
		return usage("%w", err)
	}
	return give(a, form, func(client *admin.Client) (admin.DisputeDone, error) {
		return client.SettleDispute(context.Background(), o)
	}, a.printSettled)
}

func (a *app) printSettled(d admin.DisputeDone) {
	say := func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) }
	if d.Ended == 0 {
		say("dispute %s is answered, decision due %s", d.ID, instant(d.DecisionDue))
		return
	}
	say("dispute %s of %s is %s: %s", d.ID, d.Subject, d.State, changesText(d.Changes))
	for _, l := range d.Left {
		say("still listed: %s, %s", l.Source, l.Answer)
	}
	say("by %s", d.Who)
}

// complaining says what of the disputes cannot be read; nothing else happens to them
// while the daemon is down.
type complaining struct{ app *app }

var _ dispute.Observer = complaining{}

// DisputeStep is as dispute.Observer says; the verb tells it by itself.
func (complaining) DisputeStep(string, string, string, string) {}

// DisputeFailed says what is wrong.
func (c complaining) DisputeFailed(err error) { c.app.say(err.Error()) }
