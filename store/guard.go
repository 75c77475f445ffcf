package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bbolt maps its file into memory and trusts it: a cut file is a SIGBUS, a
// flipped page number a crash, an empty file silently a new database. So a file
// is looked at before bbolt opens it, and read with faults turned into errors.

// lockTimeout bounds the wait for another process to let go of a file.
const lockTimeout = time.Second

// bbolt's meta page: a 16 byte page header, then magic, version, page size,
// flags (4 bytes each), root (16), freelist, pages, transaction, checksum (8
// each). Native byte order.
const (
	pageHeader  = 16
	metaLength  = 64
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	minPageSize = 1 << 10
	maxPageSize = 1 << 16
)

// checkPages tells whether bbolt may open the file: one of its two meta pages
// is whole, and the file is as long as the newer one says.
func checkPages(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return fmt.Errorf("%s is empty: %w", path, ErrDamaged)
	}
	need := sizeOf(f)
	switch {
	case need == 0:
		return fmt.Errorf("%s has no whole meta page: %w", path, ErrDamaged)
	case need > uint64(info.Size()):
		return fmt.Errorf("%s is cut off: %d of %d bytes: %w", path, info.Size(), need, ErrDamaged)
	}
	return nil
}

// sizeOf gives the size that the newer of the whole meta pages asks for, 0 where
// there is none. The second page lies where the first one says that pages end.
// Only where the first one is broken it is looked for, as bbolt does: the
// other places may hold bytes that strangers sent.
func sizeOf(f io.ReaderAt) uint64 {
	first, ok := readMeta(f, 0)
	if ok {
		second, ok := readMeta(f, int64(first.pageSize))
		if ok && second.tx > first.tx {
			return second.size()
		}
		return first.size()
	}
	for at := int64(minPageSize); at <= maxPageSize; at *= 2 {
		if m, ok := readMeta(f, at); ok && int64(m.pageSize) == at {
			return m.size()
		}
	}
	return 0
}

// metaPage is what of a meta page matters here.
type metaPage struct {
	pageSize  uint32
	pages, tx uint64
}

func (m metaPage) size() uint64 { return m.pages * uint64(m.pageSize) }

// readMeta gives the meta page at an offset, and whether it is whole.
func readMeta(f io.ReaderAt, offset int64) (metaPage, bool) {
	b := make([]byte, metaLength)
	if _, err := f.ReadAt(b, offset+pageHeader); err != nil {
		return metaPage{}, false
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:metaLength-8])
	whole := order.Uint32(b) == metaMagic && order.Uint32(b[4:]) == metaVersion &&
		order.Uint64(b[56:]) == sum.Sum64()
	return metaPage{order.Uint32(b[8:]), order.Uint64(b[40:]), order.Uint64(b[48:])}, whole
}

// openFile opens an existing bbolt file after looking at it.
func openFile(path string, readOnly bool) (*bbolt.DB, error) {
	if err := checkPages(path); err != nil {
		return nil, err
	}
	var db *bbolt.DB
	err := guarded(path, func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, ReadOnly: readOnly,
			FreelistType: bbolt.FreelistMapType})
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return nil, fmt.Errorf("open %s: %w: %w", path, err, ErrDamaged)
	}
	return db, err
}

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

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
