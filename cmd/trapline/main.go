// Command trapline turns spamtrap mail into a DNS blocklist.
//
// This package is the command line: a file for each verb, which reads its
// arguments, asks the daemon or a pure package, and prints. What a verb knows
// beyond that is in the wrong place.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trapline/trapline/internal/signpost"
	"github.com/trapline/trapline/store"
)

// version is set by the linker.
var version = "dev"

// Exit codes of every verb.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong use, or a configuration that is wrong
	exitNo     = 3 // the answer is no: not listed, no source, zone differs
)

// cli is every verb.
type cli struct {
	Config  string           `placeholder:"FILE" help:"Configuration, else $$TRAPLINE_CONFIG, ./trapline.toml or /etc/trapline/trapline.toml."`
	Version kong.VersionFlag `help:"Print the version."`

	Serve       serveCmd       `cmd:"" help:"Run the daemon: take mail, keep score, publish the zone."`
	CheckConfig checkConfigCmd `cmd:"" help:"Check the configuration as serve would."`
	Init        initCmd        `cmd:"" help:"Write a commented starter configuration."`
	Reload      reloadCmd      `cmd:"" help:"Have the daemon read its configuration anew."`
	Trace       traceCmd       `cmd:"" help:"Find the source of messages: hops, who wrote each, why the walk stopped."`
	Ingest      ingestCmd      `cmd:"" help:"Feed mbox, Maildir or .eml files into the daemon as trap mail."`
	Lookup      lookupCmd      `cmd:"" help:"Is an address listed, why, until when. Exit 3 when it is not."`
	Listings    listingsCmd    `cmd:"" help:"All current listings."`
	Hits        hitsCmd        `cmd:"" help:"Recorded hits, newest first."`
	Reputation  reputationCmd  `cmd:"" help:"How much mail addresses are known to send."`
	Trap        trapCmd        `cmd:"" help:"What traps catch, and what they are worth in hindsight."`
	Except      exceptCmd      `cmd:"" help:"Networks that are never listed."`
	List        listCmd        `cmd:"" help:"List an address or a network by the operator's word."`
	Delist      delistCmd      `cmd:"" help:"Take an address off the list; its hits never count again."`
	Dispute     disputeCmd     `cmd:"" help:"What the listed say against their listings, and what is decided."`
	Audit       auditCmd       `cmd:"" help:"The log of decisions, newest first."`
	Criteria    criteriaCmd    `cmd:"" help:"The policy in force, and scores under another one."`
	Zone        zoneCmd        `cmd:"" help:"Publish the zone, or check its files."`
	CheckStore  checkStoreCmd  `cmd:"" help:"Check every value of the store's files. Exit 1 when something is wrong."`
	Backup      backupCmd      `cmd:"" help:"Write the store into one archive, also while mail comes in."`
	Restore     restoreCmd     `cmd:"" help:"Lay a backup into an empty data_dir."`
	Rebuild     rebuildCmd     `cmd:"" help:"Make state and list anew from the log, or compare them with it."`
	Compact     compactCmd     `cmd:"" help:"Give back what is free in the store's files."`
	Inbox       inboxCmd       `cmd:"" help:"Mail to postmaster and abuse."`
	Export      exportCmd      `cmd:"" help:"Write hits as JSON lines or CSV, oldest first."`
	Report      reportCmd      `cmd:"" help:"Write an abuse report about a source, redacted. Nothing is sent."`
	Stats       statsCmd       `cmd:"" help:"The daemon at a glance."`
	Top         topCmd         `cmd:"" help:"The daemon at work, seen each second."`
	Completion  completionCmd  `cmd:"" help:"Print what makes a shell complete verbs, flags and files."`

	Complete completeCmd `cmd:"" hidden:"" help:"The words that may stand at the end of a command line."`
	Man      manCmd      `cmd:"" hidden:"" help:"Write the man pages."`
}

// app is the world around a verb.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	screen, talk   screen // behind stdout and stderr
	now            func() time.Time
	dialogue       bool                // a person can be asked
	dns            signpost.Resolver   // of this machine
	own            func() []netip.Addr // its addresses
	offline        bool                // the daemon was found to be down
	config         string              // the --config flag
}

// exitError carries an exit code; an empty text prints nothing.
type exitError struct {
	code int
	err  error
}

// Error is the text to print.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap gives the cause.
func (e *exitError) Unwrap() error { return e.err }

var errNo = &exitError{code: exitNo}

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() { os.Exit(program(os.Args[1:], net.DefaultResolver, machineAddresses)) }

// program carries out one command line on this process's standard files, and gives its exit code.
func program(args []string, dns signpost.Resolver, own func() []netip.Addr) int {
	out := &output{to: os.Stdout}
	a := &app{stdin: os.Stdin, stdout: out, stderr: os.Stderr, now: time.Now, dns: dns, own: own,
		screen: screenOf(os.Stdout, os.Getenv), talk: screenOf(os.Stderr, os.Getenv)}
	a.dialogue = a.screen.terminal && screenOf(os.Stdin, os.Getenv).terminal
	code := a.run(args)
	if out.err != nil && code == exitDone {
		code = a.fail(fmt.Errorf("write output: %w", out.err))
	}
	return code
}

// output remembers its first error, so that printing need not look at each: an
// answer that did not get out must not end in exit code 0.
type output struct {
	to  io.Writer
	err error
}

// Write passes on until the first error.
func (o *output) Write(b []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.to.Write(b)
	}
	return n, o.err
}

// run carries out one command line and gives the exit code.
func (a *app) run(args []string) int {
	var c cli
	code := -1
	parser, err := a.grammar(&c, func(n int) { code = n })
	if err != nil {
		return a.fail(err)
	}
	ctx, err := parser.Parse(args)
	if code >= 0 {
		return code // --help and --version have printed
	}
	if err != nil {
		return a.fail(usage("%w: see trapline --help", err))
	}
	a.config = c.Config
	return a.fail(ctx.Run(a))
}

// grammar is what may be typed, read from the tags of c. The help, the man pages, the completions
// and docs/verbs.md are all made from it.
func (a *app) grammar(c *cli, exit func(int)) (*kong.Kong, error) {
	k, err := kong.New(c, kong.Name("trapline"), kong.Vars{"version": version},
		kong.Description("Spamtrap mail in, a DNS blocklist out."),
		kong.Writers(a.stdout, a.stderr), kong.Exit(exit), kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: a.screen.width()}))
	if err != nil {
		return nil, err
	}
	return k, kong.Visit(k.Model, showEnum)
}

// fail prints an error in one line, or several where a configuration has
// several faults, and gives the exit code.
func (a *app) fail(err error) int {
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var e *exitError
	if errors.As(err, &e) {
		code = e.code
	}
	a.say(err.Error() + mendFor(err))
	return code
}

// mendFor adds what helps against an error whose text does not say it.
func mendFor(err error) string {
	for _, m := range []struct {
		err  error
		mend string
	}{
		{store.ErrNoBackup, "take another backup"},
		{store.ErrLocked, "stop the other trapline, or give this one a data_dir of its own"},
		{store.ErrDamaged, "restore the file from a backup; what is damaged is never guessed at"},
		{store.ErrOlder, "start trapline serve: it copies the store and brings it to its own version"},
		{store.ErrNewer, "use the newer trapline, or restore a backup from before it"},
		{store.ErrForeign, "move the file away: it was not made by this store"},
	} {
		if errors.Is(err, m.err) && !saysMend(err.Error()) {
			return ": " + m.mend
		}
	}
	return ""
}

// saysMend tells whether an error of the store's says by itself what to do.
func saysMend(text string) bool {
	return strings.Contains(text, "restore it from a backup") || strings.Contains(text, "and restore again")
}

// say talks to whoever typed, a line for each line of the text. File names and
// arguments are in it: nothing in them reaches the terminal as a command.
func (a *app) say(text string) {
	for line := range strings.Lines(text) {
		a.talk.hang(a.stderr, paragraph{lead: "trapline: ",
			text: printable(strings.TrimRight(line, "\n"))})
	}
}
