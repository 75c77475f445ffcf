package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/store"
)

type backupCmd struct {
	jsonFlag
	File string `arg:"" help:"The archive to write; one that is there is replaced when the new one is whole."`
}

// Help is shown by backup --help.
func (backupCmd) Help() string {
	return `Example: trapline backup /backup/trapline-$(date +%F).tar

Writes hits and decisions, as they stand now, into one tar archive with checksums.
Mail is taken meanwhile: the copy gets a quarter of one processor. The archive has
the addresses of traps and what came to them, and the store's secret, so it is
readable for its owner alone. Configuration and certificates are not in it; state
and zone are made anew from it.`
}

// Run writes the archive beside its place, reads it back, and puts it there.
func (c *backupCmd) Run(a *app) error {
	conf, err := a.load()
	if err != nil {
		return err
	}
	if info, err := os.Stat(filepath.Dir(c.File)); err != nil || !info.IsDir() {
		return usage("%s is no folder: make it, or give another one", printable(filepath.Dir(c.File)))
	}
	file, err := renameio.NewPendingFile(c.File, renameio.WithTempDir(filepath.Dir(c.File)),
		renameio.WithStaticPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	defer func() { _ = file.Cleanup() }() // after the end it does nothing
	if err := a.copyStore(conf, file); err != nil {
		return err
	}
	m, err := store.VerifyBackup(context.Background(), file)
	if err != nil {
		return err
	}
	if err := errors.Join(file.CloseAtomicallyReplace(), syncFolder(filepath.Dir(c.File))); err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	if c.JSON {
		return a.printJSON(m)
	}
	hits, decisions := m.Records()
	fmt.Fprintf(a.stdout, "%s: %s and %s up to %s\n", printable(c.File), number(hits, "hit"),
		number(decisions, "decision"), m.Mark.At)
	return nil
}

// syncFolder puts the names in a folder on disk.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// copyStore has the daemon write its store, or, when it is down, does it itself.
func (a *app) copyStore(conf *config.Config, w io.Writer) error {
	client := admin.NewClient(conf.Admin.Socket)
	defer client.Close()
	ctx := context.Background()
	meter := a.meter()
	err := client.Backup(ctx, w, meter.show)
	meter.clear()
	if !errors.Is(err, admin.ErrDown) {
		return err
	}
	s, err := store.OpenReadOnly(conf.DataDir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no daemon answers on %s and there is no store in %s: nothing to back up",
			conf.Admin.Socket, conf.DataDir)
	}
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // only read
	a.say("the daemon is down: backing up its store")
	_, err = s.Backup(ctx, w, 0)
	return err
}

// meter shows on a terminal how far something is.
type meter struct {
	a    *app
	last int64 // per cent that were shown
}

func (a *app) meter() *meter { return &meter{a: a, last: -1} }

func (m *meter) show(done, total int64) {
	if m.a.screen.columns == 0 || total <= 0 {
		return
	}
	if percent := min(99, 100*done/total); percent != m.last {
		m.last = percent
		fmt.Fprintf(m.a.stderr, "\r%3d %% ", percent)
	}
}

func (m *meter) clear() {
	if m.last >= 0 {
		fmt.Fprint(m.a.stderr, "\r       \r")
	}
}
