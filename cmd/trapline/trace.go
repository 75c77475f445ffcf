package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/daemon"
	"github.com/trapline/trapline/internal/mailbox"
	"github.com/trapline/trapline/parser"
)

type traceCmd struct {
	jsonFlag
	Peer          string   `placeholder:"IP" help:"Who handed the message over; else line 0 decides."`
	Helo          string   `placeholder:"NAME" help:"What the peer called itself."`
	MailFrom      *string  `placeholder:"ADDRESS" help:"The reverse path; <> for bounces."`
	Trust         []string `sep:"none" placeholder:"CIDR[=NAME,...]" help:"Believe Received lines of these hosts, by these names or any. May be repeated."`
	TrustHost     []string `placeholder:"NAME" help:"Without a peer: line 0 must be by one of these. May be repeated."`
	TrustLoopback bool     `help:"Walk past loopback hops of trusted hosts."`
	TrustLocal    bool     `help:"Walk past local submissions on trusted hosts."`
	File          []string `arg:"" optional:"" help:"Messages, mbox or Maildir; - for standard input, the default."`
}

// Help is shown by trace --help.
func (traceCmd) Help() string {
	return "Example: trapline trace --trust-host mx1.corp.example message.eml\n\n" +
		"With --config the [trust] of the configuration is believed as well. Exit 3 when a message has no source."
}

// Run prints the trace of every message; exit 3 where one has no source.
func (c *traceCmd) Run(a *app) error {
	trust, err := c.trust(a)
	if err != nil {
		return err
	}
	connection, err := c.connection()
	if err != nil {
		return err
	}
	if len(c.File) == 0 {
		c.File = []string{"-"}
	}
	sourceless := false
	for _, file := range c.File {
		for m, err := range a.anyBytes(file) {
			if err != nil {
				return err
			}
			trace := parser.Parse(m.Bytes, c.knowing(connection, m), trust)
			trace.File = m.Path
			sourceless = sourceless || !trace.Source.IsValid()
			if err := c.print(a, trace); err != nil {
				return err
			}
		}
	}
	if sourceless {
		return errNo
	}
	return nil
}

// anyBytes gives the messages of a file, a folder or standard input. What does
// not look like mail is a message all the same: the parser takes any bytes.
func (a *app) anyBytes(file string) iter.Seq2[mailbox.Message, error] {
	return func(yield func(mailbox.Message, error) bool) {
		open, raw := mailbox.Open(file), func() ([]byte, error) { return os.ReadFile(file) }
		if file == "-" {
			input, err := io.ReadAll(a.stdin)
			raw = func() ([]byte, error) { return input, err }
			open = mailbox.Read("-", bytes.NewReader(input))
		}
		for m, err := range open {
			var odd *mailbox.NotMailError
			if errors.As(err, &odd) && m.Path == file && m.N < 2 {
				m.Bytes, err = raw()
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

// knowing adds what the file knows of the reverse path, if the command line
// does not.
func (c *traceCmd) knowing(known parser.Connection, m mailbox.Message) parser.Connection {
	switch {
	case c.MailFrom != nil:
	case m.MailFrom == "<>":
		known.NullSender = true
	default:
		known.MailFrom = m.MailFrom
	}
	return known
}

func (c *traceCmd) connection() (parser.Connection, error) {
	known := parser.Connection{Helo: c.Helo}
	if c.MailFrom != nil {
		known.MailFrom = strings.Trim(*c.MailFrom, "<>")
		known.NullSender = known.MailFrom == ""
	}
	if c.Peer == "" {
		return known, nil
	}
	addr, err := addressOf(c.Peer)
	known.Peer = addr
	return known, err
}

func (c *traceCmd) trust(a *app) (parser.Trust, error) {
	var trust parser.Trust
	if a.config != "" {
		conf, err := loadFile(a.config)
		if err != nil {
			return trust, err
		}
		trust = daemon.TrustOf(conf)
	}
	for _, text := range c.Trust {
		relay, err := relayOf(text)
		if err != nil {
			return trust, err
		}
		trust.Relays = append(trust.Relays, relay)
	}
	trust.Hosts = append(trust.Hosts, c.TrustHost...)
	trust.Loopback = trust.Loopback || c.TrustLoopback
	trust.LocalSubmission = trust.LocalSubmission || c.TrustLocal
	return trust, nil
}

// relayOf reads CIDR[=NAME,...]. Only without the = any name is believed: an
// empty name there is a slip, and would be taken for that.
func relayOf(text string) (relay parser.TrustedRelay, err error) {
	network, names, named := strings.Cut(text, "=")
	if relay.Network, err = networkOf("trust", network); err != nil || !named {
		return relay, err
	}
	relay.By = strings.Split(names, ",")
	if slices.Contains(relay.By, "") {
		return relay, usage("--trust %q has an empty name: give CIDR=NAME,NAME or the CIDR alone", text)
	}
	return relay, nil
}

func (c *traceCmd) print(a *app, t parser.Trace) error {
	if c.JSON {
		return a.printJSON(t)
	}
	source := "none"
	if t.Source.IsValid() {
		source = t.Source.String()
	}
	fmt.Fprintf(a.stdout, "%s: source %s (%s), cause %s\n", foreign(t.File), source, t.Reason, t.Cause)
	for _, mark := range t.Marks {
		fmt.Fprintf(a.stdout, "  shown by: %s\n", foreign(mark))
	}
	err := a.table(func(w io.Writer) {
		for _, h := range t.Hops {
			printHop(w, h)
		}
	})
	if hint := hintFor(t); hint != "" {
		fmt.Fprintln(a.stdout, "  to go on:", hint)
	}
	if t.Ignored > 0 {
		fmt.Fprintf(a.stdout, "  %d Received lines below are not believed\n", t.Ignored)
	}
	for _, defect := range t.Defects {
		fmt.Fprintf(a.stdout, "  defect: %s\n", defect)
	}
	return err
}

func printHop(w io.Writer, h parser.Hop) {
	address, trusted := "no address", "not trusted"
	if h.IP.IsValid() {
		address = h.IP.String()
	}
	if h.Trusted {
		trusted = "trusted"
	}
	fmt.Fprintf(w, "  %d\t%s\t%s\twritten by %s\t%s\thelo %s", h.N, address, trusted,
		foreign(h.WrittenBy), cmp.Or(h.Format, "-"), foreign(cmp.Or(h.Helo, "-")))
	if h.Note != "" {
		fmt.Fprintf(w, "\t%s", foreign(h.Note))
	}
	fmt.Fprintln(w)
}

// hintFor names what would have to be vouched for to read on: a claim of the
// message, for the operator to judge.
func hintFor(t parser.Trace) string {
	if len(t.Hops) == 0 {
		return ""
	}
	last := t.Hops[len(t.Hops)-1]
	switch {
	case t.Reason == parser.NoTrustedStart && last.By != "":
		return "if you know that " + foreign(last.By) + " wrote line 0, give --trust-host " + foreign(last.By)
	case t.Reason == parser.WrongBy && last.By != "" && len(t.Hops) > 1:
		relay := t.Hops[len(t.Hops)-2].IP
		return fmt.Sprintf("if %s is your relay %s, give --trust %s=%s", relay, foreign(last.By), relay,
			foreign(last.By))
	case t.Reason == parser.SpecialAddress && last.IP.IsLoopback():
		return "if only content filters submit over loopback there, give --trust-loopback"
	case t.Reason == parser.LocalSubmission:
		return "if nobody submits there but programs that hand on mail, give --trust-local"
	}
	return ""
}
