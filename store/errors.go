package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"
)

// What can be wrong with a store when it is opened. Each stops the start.
var (
	ErrLocked  = errors.New("in use by another process")
	ErrDamaged = errors.New("damaged")
	ErrNewer   = errors.New("written by a newer version")
	ErrOlder   = errors.New("written by an older version")
	ErrForeign = errors.New("not a file of this store")
	ErrAhead   = errors.New("ahead of the clock")
)

// What can be wrong with a write. Nothing of it remains.
var (
	ErrFull   = errors.New("disk full")       // recovers by itself when there is room
	ErrFailed = errors.New("storage failing") // only a restart tells what is on disk
	ErrClosed = errors.New("store closed")
)

// mendLost is for a file that nothing can be made without.
const mendLost = "restore it from a backup"

// mended says what can be done about a damaged file.
func mended(err error, mend string) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %s", err, mend)
	}
	return err
}

// classify tells a full disk, which passes, from everything else, which does
// not: after a failed sync the page cache may call lost pages clean. Sync
// reports a bare errno or the operation "sync"; a write that found no room, a
// PathError; a rename, a LinkError. A file that may not grow (EFBIG) is a full
// disk until the limit is lifted or the next day begins.
func classify(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	passes := errors.As(err, &link) || errors.As(err, &path) && path.Op != "sync"
	if passes && isFull(err) || isFullResize(err) || errors.Is(err, bolterrors.ErrMaxSizeReached) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: %w", ErrFailed, err)
}

var fullErrors = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

func isFull(err error) bool {
	return slices.ContainsFunc(fullErrors, func(e syscall.Errno) bool { return errors.Is(err, e) })
}

// isFullResize knows a file that could not be made longer.
// QUIRK: bbolt 1.5 keeps of that error only its text (DB.grow).
func isFullResize(err error) bool {
	text := err.Error()
	return strings.Contains(text, "file resize error: truncate ") &&
		slices.ContainsFunc(fullErrors, func(e syscall.Errno) bool { return strings.HasSuffix(text, e.Error()) })
}
