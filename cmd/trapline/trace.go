package main

import (
	"bytes"
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
	At            string   `placeholder:"TIME" help:"When the peer handed it over."`
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
	connection, err := c.connection(a)
	if err != nil {
		return err
	}
	if len(c.File) == 0 {
		c.File = []string{"-"}
	}
	read, sourceless := 0, 0
	for _, file := range c.File {
		for m, err := range a.anyBytes(file) {
			if err != nil {
				return err
			}
			trace := parser.Annotate(m.Bytes, parser.Parse(m.Bytes, c.knowing(connection, m), trust))
			trace.File = m.Path
			if !trace.Source.IsValid() {
				sourceless++
			}
			if err := c.print(a, trace, read); err != nil {
				return err
			}
			read++
		}
	}
	if sourceless > 0 {
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

func (c *traceCmd) connection(a *app) (parser.Connection, error) {
	known := parser.Connection{Helo: c.Helo}
	if c.MailFrom != nil {
		known.MailFrom = strings.Trim(*c.MailFrom, "<>")
		known.NullSender = known.MailFrom == ""
	}
	switch at, err := a.secondOf("at", c.At); {
	case err != nil:
		return known, err
	case at != 0 && c.Peer == "":
		return known, usage("--at is when a peer handed the message over: give --peer as well")
	case at != 0:
		known.At = at.Time()
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

// print shows the trace of the n-th message.
func (c *traceCmd) print(a *app, t parser.Trace, n int) error {
	if c.JSON {
		return a.printJSON(t)
	}
	if n > 0 {
		fmt.Fprintln(a.stdout)
	}
	a.drawTrace(t)
	return nil
}
