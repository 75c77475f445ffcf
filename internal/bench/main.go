// Command bench measures how fast mail is taken, against public peers in the same run.
//
// In come the binary of trapline and how much of everything to measure; out comes one table:
// messages a second and processor time a message of trapline, which has each message on disk before
// it says 250, of smtp-sink and of a bare go-smtp server, which both discard, and of a Postfix that
// queues and discards. All are brought the same mail by the same client, by turns, so that whatever
// else the machine does meets all of them.
//
// It is a tool for developers: no other package imports it, and it must never end a process that it
// did not start, nor leave one behind. As root it runs in namespaces of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options say what is measured, and for how long.
type options struct {
	binaries []string // of trapline: several are compared with each other
	servers  []string // the peers, by their names
	sessions []int
	rounds   int
	length   time.Duration // of a run
	client   string
	only     string // what the names of the scenarios measured hold
	shares   string // a file of samples to sort, instead of all that
	dir      string // where the servers keep their files, below a folder of ours
	inside   string // that folder, once the namespaces are made
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareVerb {
		report(serveBare(os.Args[2:]))
		return
	}
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(o)
	}
	report(err)
}

// report ends the process if something went wrong. What ran in namespaces has said why.
func report(err error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return
	case !errors.As(err, &exit):
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	os.Exit(1)
}

// parse reads the command line.
func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	binaries := flags.String("trapline", "bin/trapline", "`binary` of trapline; several, "+
		"separated by commas, are compared")
	servers := flags.String("servers", "smtp-sink,go-smtp,postfix", "the peers")
	sessions := flags.String("sessions", "20,200", "how many sessions at once")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each is measured")
	flags.DurationVar(&o.length, "length", 2*time.Second, "of each measurement")
	flags.StringVar(&o.client, "client", ownClient, ownClient+" or "+source)
	flags.StringVar(&o.only, "only", "", "measure only the scenarios with this in their `name`, "+
		`as "kept clear"`)
	flags.StringVar(&o.shares, "shares", "", "measure nothing: print who used the time in this "+
		"`file`, written by perf script -F ip,sym")
	flags.StringVar(&o.dir, "dir", "", "where the servers keep their files: a temporary folder in "+
		"this `folder`, the system's by default")
	flags.StringVar(&o.inside, "inside", "", "make no namespaces, and use this `folder`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.binaries, o.servers = words(*binaries), words(*servers)
	for text := range strings.SplitSeq(*sessions, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return o, fmt.Errorf("read -sessions: %q is no number of sessions", text)
		}
		o.sessions = append(o.sessions, n)
	}
	return o, o.check()
}

func (o options) check() error {
	switch {
	case o.rounds < 1 || o.length <= 0:
		return errors.New("read options: nothing to measure")
	case o.client != ownClient && o.client != source:
		return fmt.Errorf("read -client: %s is neither %s nor %s", o.client, ownClient, source)
	case len(o.scenarios()) == 0:
		return fmt.Errorf("read -only: no scenario holds %q", o.only)
	}
	return nil
}

// words are those of a list.
func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// run measures everything and prints the table.
func run(o options) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if o.shares != "" {
		return printShares(o.shares, os.Stdout)
	}
	if o.inside == "" {
		dir, err := os.MkdirTemp(o.dir, "trapline-bench")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		if os.Geteuid() == 0 {
			return runApart(ctx, dir)
		}
		o.inside = dir
	}
	return runHere(ctx, o)
}

// runHere measures in the network that there is.
func runHere(ctx context.Context, o options) error {
	s, err := newStand(o)
	if err != nil {
		return err
	}
	defer s.close()
	runs, err := s.measureAll(ctx)
	if err != nil {
		return err
	}
	fmt.Print(tableOf(o, s.peers, runs))
	return nil
}
