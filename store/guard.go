package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// bbolt maps its file into memory and trusts it: a cut file is a SIGBUS, a
// flipped page number a crash or an endless descent, an empty file silently a new
// database. So a file is locked and looked at before bbolt opens it, and read
// with faults turned into errors.

// lockTimeout bounds the wait for another process to let go of a file.
const lockTimeout = time.Second

// openFile opens an existing bbolt file after looking at it.
func openFile(path string, readOnly bool) (*bbolt.DB, error) {
	f, err := openLocked(path, readOnly)
	if err != nil {
		return nil, err
	}
	var db *bbolt.DB
	if err = checkPages(f); err == nil {
		err = guarded(path, func() (err error) {
			db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: readOnly,
				FreelistType: bbolt.FreelistMapType,
				OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return f, nil }})
			return err
		})
	}
	if err != nil {
		// Where bbolt gave up with the file mapped, closing does not unlock it.
		_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
		_ = f.Close()
		return nil, openError(path, err)
	}
	return db, nil
}

func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%s: %w", path, ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%s: %w: %w", path, err, ErrDamaged)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// openLocked opens a file and takes bbolt's lock of it: shared for readers.
func openLocked(path string, readOnly bool) (*os.File, error) {
	if readOnly {
		return waitForLock(path, os.O_RDONLY, unix.LOCK_SH)
	}
	return waitForLock(path, os.O_RDWR, unix.LOCK_EX)
}

// lockFolder takes the lock of a store's folder, shared for readers. A restore has
// it, too: the ledger's own would come too late, for there is none yet.
func lockFolder(dir string, readOnly bool) (*os.File, error) {
	if readOnly {
		return waitForLock(dir, os.O_RDONLY, unix.LOCK_SH)
	}
	return waitForLock(dir, os.O_RDONLY, unix.LOCK_EX)
}

func waitForLock(path string, flag, how int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockPoll {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		case waited >= lockTimeout:
			_ = f.Close()
			return nil, fmt.Errorf("%s: %w", path, ErrLocked)
		}
		time.Sleep(lockPoll) // flock(2) cannot wait for a limited time
	}
}

const lockPoll = lockTimeout / 20

// createFile makes a bbolt file that appears under its name only when it is
// whole and on disk.
func createFile(path string, fill func(*bbolt.Tx) error) error {
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(temp, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(fill)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// guarded runs a function that reads mapped pages; what a damaged page makes
// of it, a fault or bbolt's panic, comes back as ErrDamaged.
func guarded(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read %s: %v: %w", path, p, ErrDamaged)
		}
	}()
	return f()
}
