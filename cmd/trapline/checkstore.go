package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"github.com/trapline/trapline/internal/admin"
)

type checkStoreCmd struct {
	jsonFlag
	Replay bool `default:"true" negatable:"" help:"Replay the log and compare the state that is kept on disk with it."`
}

// Help is shown by check-store --help.
func (checkStoreCmd) Help() string {
	return `Example: trapline check-store

Reads every value of every file: checksums, numbers without a gap, instants that
ascend, evidence of hits that are there, decisions in their place, the pages of
each file, and the state that is kept against a replay of the log. It runs
beside the daemon, at a quarter of one processor, or on its files when it is down.
Exit 1 when something is wrong. The zone's files are for trapline zone verify.`
}

// Run prints a line for each file, and one for each fault.
func (c *checkStoreCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	client := admin.NewClient(conf.Admin.Socket)
	defer client.Close()
	ctx := context.Background()
	faults, err := c.print(a, client.CheckStore(ctx, c.Replay))
	if errors.Is(err, admin.ErrDown) {
		a.say("the daemon is down: checking its files")
		faults, err = c.print(a, admin.CheckFolder(ctx, conf.DataDir, c.Replay))
	}
	switch {
	case err != nil:
		return err
	case faults == 0:
		return nil
	}
	return fmt.Errorf("%s in the store of %s", number(faults, "fault"), conf.DataDir)
}

// print gives the number of faults.
func (c *checkStoreCmd) print(a *app, files iter.Seq2[admin.Checkup, error]) (faults int, err error) {
	encode := jsonTo(a.stdout)
	meter := a.meter()
	defer meter.clear()
	for file, err := range files {
		if err != nil {
			return faults, err
		}
		if file.File == "" {
			meter.show(file.Done, file.Total)
			continue
		}
		meter.clear()
		faults += len(file.Faults) + file.More
		if !c.JSON {
			c.text(a, file)
		} else if err := encode.Encode(file); err != nil {
			return faults, err
		}
	}
	return faults, nil
}

func (c *checkStoreCmd) text(a *app, file admin.Checkup) {
	verdict := "ok"
	if n := len(file.Faults) + file.More; n > 0 {
		verdict = number(n, "fault")
	}
	if file.Note != "" {
		verdict += ": " + file.Note
	}
	fmt.Fprintf(a.stdout, "%-16s  %-36s  %s\n", printable(file.File), contents(file), printable(verdict))
	for _, f := range file.Faults {
		fmt.Fprintln(a.stdout, "  "+printable(f.Error()))
	}
	if file.More > 0 {
		fmt.Fprintf(a.stdout, "  and %d more\n", file.More)
	}
}

// contents says what is in a file.
func contents(file admin.Checkup) string {
	switch filepath.Ext(file.File) {
	case ".db":
		what, more := "hit", "evidence"
		if file.File == "ledger.db" {
			what, more = "decision", "points"
		}
		return fmt.Sprintf("%s, %d with %s, %d kB", number(file.Records, what), file.Evidence, more,
			file.Bytes/1000)
	case ".snapshot":
		return fmt.Sprintf("up to hit %d, %d kB", file.Last, file.Bytes/1000)
	}
	return "of the log"
}
