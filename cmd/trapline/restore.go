package main

import (
	"context"
	"fmt"
	"os"

	"github.com/trapline/trapline/store"
)

type restoreCmd struct {
	jsonFlag
	File string `arg:"" help:"An archive that backup has written."`
}

// Help is shown by restore --help.
func (restoreCmd) Help() string {
	return `Example: trapline restore /backup/trapline-2026-11-24.tar

Lays the store of a backup into data_dir, which must be empty or not there. Every
checksum is compared before anything is written, and the store is checked before
it is in its place. Start the daemon afterwards: it reads the log, and publishes.`
}

// Run lays the archive into the folder of the configuration.
func (c *restoreCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("read backup: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	meter := a.meter()
	m, err := store.Restore(context.Background(), file, conf.DataDir, meter.show)
	meter.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(m)
	}
	hits, decisions := m.Records()
	fmt.Fprintf(a.stdout, "%s: %s and %s up to %s\n", printable(conf.DataDir), number(hits, "hit"),
		number(decisions, "decision"), m.Mark.At)
	return nil
}
