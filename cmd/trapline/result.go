package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeTo writes what a verb makes to stdout, or to a file for its owner alone. A file that is
// there is replaced when the new one is whole, and stays as it is when something goes wrong.
func (a *app) writeTo(path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		return write(a.stdout)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usage("%s is no folder: make it, or give another one", printable(filepath.Dir(path)))
	}
	dropUnfinished(path)
	file, err := pendingFile(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", printable(path), err)
	}
	defer func() { _ = file.Cleanup() }() // after the end it does nothing
	out := &output{to: file}
	if err := write(out); err != nil {
		return err
	}
	err = errors.Join(out.err, file.CloseAtomicallyReplace(), syncFolder(filepath.Dir(path)))
	if err != nil {
		return fmt.Errorf("write %s: %w", printable(path), err)
	}
	return nil
}
