package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"

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
	dropUnfinished(c.File)
	file, err := pendingFile(c.File)
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

// pendingFile makes the file that becomes the one of a name, beside it. Its lock says
// that somebody is at work on it; where one who cleaned up was faster, there is
// another.
func pendingFile(path string) (*renameio.PendingFile, error) {
	for {
		file, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)),
			renameio.WithStaticPermissions(0o600))
		if err != nil {
			return nil, err
		}
		_ = unix.Flock(int(file.Fd()), unix.LOCK_EX) // where files cannot be locked, none is cleaned up
		if _, err := os.Stat(file.Name()); err == nil {
			return file, nil
		}
		_ = file.Cleanup() // it is gone
	}
}

// dropUnfinished removes what processes that were killed had begun to write for a name,
// but nothing that is still being written.
func dropUnfinished(path string) {
	entries, _ := os.ReadDir(filepath.Dir(path)) // then there is nothing to remove
	for _, e := range entries {
		number, is := strings.CutPrefix(e.Name(), "."+filepath.Base(path))
		if is = is && number != "" && strings.Trim(number, "0123456789") == ""; is && e.Type().IsRegular() {
			dropUnlocked(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

func dropUnlocked(path string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }() // nothing was written to it
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.Remove(path) // the next time
	}
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
	defer meter.clear()
	err := client.Backup(ctx, w, meter.show)
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
	about := uint64(s.SizeOfHits().Bytes + s.SizeOfLedger().Bytes)
	_, err = s.Backup(ctx, &telling{to: w, tell: func(n uint64) { meter.show(n, about) }}, 0)
	return err
}
