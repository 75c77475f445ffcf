package main

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/store"
)

type compactCmd struct {
	jsonFlag
}

// Help is shown by compact --help.
func (compactCmd) Help() string {
	return `Example: trapline compact

Rewrites the files of the store of which a twentieth or more is free, one after the
other: the ledger, which keeps the room of reputation points that are gone, and the
days. It runs beside the daemon, at a quarter of one processor, or on its files when it
is down. It needs the room of the largest file. A day that is dropped by retention, or
rewritten without its evidence, gives its room back by itself.`
}

// Run prints a line for each file.
func (c *compactCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	client := admin.NewClient(conf.Admin.Socket)
	defer client.Close()
	ctx := context.Background()
	err = c.print(a, client.Compact(ctx))
	if errors.Is(err, admin.ErrDown) {
		err = c.onFiles(ctx, a, conf)
	}
	return err
}

func (c *compactCmd) onFiles(ctx context.Context, a *app, conf *config.Config) (err error) {
	s, err := a.openStore(conf, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.say("the daemon is down: compacting its files")
	return c.print(a, (&admin.Desk{Store: s}).Compact(ctx, 0))
}

func (c *compactCmd) print(a *app, lines iter.Seq2[admin.Compaction, error]) error {
	meter := a.meter()
	defer meter.clear()
	encode := jsonTo(a.stdout)
	var all store.Compacted
	for line, err := range lines {
		if err != nil {
			return err
		}
		meter.show(line.Done, line.Total)
		if line.File == nil {
			continue
		}
		meter.clear()
		all.Before, all.After = all.Before+line.File.Before, all.After+line.File.After
		if !c.JSON {
			fmt.Fprintf(a.stdout, "%-16s  %s\n", printable(line.File.File), shrunk(*line.File))
		} else if err := encode.Encode(line.File); err != nil {
			return err
		}
	}
	if !c.JSON {
		fmt.Fprintf(a.stdout, "%-16s  %s\n", "all", shrunk(all))
	}
	return nil
}

func shrunk(c store.Compacted) string {
	if c.After == c.Before {
		return fmt.Sprintf("%d kB, nothing to gain", c.Before/1000)
	}
	return fmt.Sprintf("%d kB before, %d kB after", c.Before/1000, c.After/1000)
}
