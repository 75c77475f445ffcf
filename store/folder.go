package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// makeFolder makes a folder where there is none, and those above it. Others may
// pass through to the zone, which rsync serves, and see nothing else, whatever our
// umask.
func makeFolder(dir string) error {
	const mode = 0o711
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, mode) // says what else is there
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, mode); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// checkEmptyFolder tells whether a folder may become that of a store.
func checkEmptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look into data_dir: %w", err)
	case len(entries) == 0:
		return nil
	}
	return fmt.Errorf("%s has %s in it: %w: stop the daemon and move what is there away, "+
		"or give an empty data_dir", dir, entries[0].Name(), ErrNotEmpty)
}

// dropLeftovers removes what lies beside a ledger of processes that were killed: a
// restore, which is done once the ledger is there, and files that were being made.
func dropLeftovers(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, "*.db.new")) // where the pattern is bad, they stay
	for _, path := range append(left, filepath.Join(dir, restoring)) {
		_ = os.RemoveAll(path) // the next time
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
