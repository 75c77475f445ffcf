package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// A store of an older schema is brought to ours when it is opened to be written, and
// never otherwise. Its files are copied first, as they are: the older program goes on
// with the copies. Then each file goes from schema to schema, every step in one
// transaction together with the number; the ledger last, so that a ledger of our
// schema says that all is done, and a migration that was cut off goes on at the next
// start.

// step brings a file of the store to the next schema. It sees the file's own buckets,
// meta among them, and leaves the number of the schema alone. A step that has to
// write all of a large day should rather copy it, as rewrite does: what it changes is
// in memory until it is committed.
type step func(tx *bbolt.Tx, file string) error

// steps are the steps from each older schema, by its number. There is none: 1 is the
// first.
func steps() map[uint64]step { return nil }

// bring brings the store of a folder to our schema, and tells of it.
func bring(cfg Config) error {
	from, copied, err := migrate(cfg, steps())
	if err == nil && from < schema && cfg.Observer != nil {
		cfg.Observer.Migrated(from, schema, copied)
	}
	return err
}

// migrate brings a store to our schema and tells from which it came, and where the
// copy of before is. A store of our schema, and a folder without one, is left alone.
func migrate(cfg Config, steps map[uint64]step) (from uint64, copied string, err error) {
	ledger := filepath.Join(cfg.Dir, ledgerName)
	from, err = schemaOf(ledger)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return schema, "", nil
	case err != nil:
		return from, "", mended(err, mendLost)
	case from >= schema: // newer is for who opens it to say
		return from, "", nil
	}
	for n := from; n < schema; n++ {
		if steps[n] == nil {
			return from, "", fmt.Errorf("%s: %w", ledger, olderError(n))
		}
	}
	names, err := dayNames(cfg.Dir)
	if err != nil {
		return from, "", err
	}
	var files []string
	for _, name := range names {
		files = append(files, filepath.Base(dayPath(cfg.Dir, name)))
	}
	files = append(files, ledgerName)
	if copied, err = copyBefore(cfg, files); err != nil {
		return from, "", fmt.Errorf("copy the store before its migration: %w", err)
	}
	for _, file := range files {
		if err := migrateFile(cfg.Dir, file, steps); err != nil {
			return from, copied, fmt.Errorf("migrate %s: %w: the files of before are in %s",
				filepath.Join(cfg.Dir, file), err, copied)
		}
	}
	err = os.Remove(filepath.Join(cfg.Dir, snapshotName)) // it is made anew
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return from, copied, err
}

func schemaOf(path string) (n uint64, err error) {
	if _, err := os.Stat(path); err != nil {
		return 0, err
	}
	db, err := openFile(path, true)
	if err != nil {
		return 0, err
	}
	err = guarded(path, func() error {
		return db.View(func(tx *bbolt.Tx) (err error) {
			n, err = schemaIn(tx)
			return err
		})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// migrateFile brings a file to our schema, one step a transaction.
func migrateFile(dir, name string, steps map[uint64]step) error {
	path := filepath.Join(dir, name)
	db, err := openFile(path, false)
	if err != nil {
		return err
	}
	for done := false; !done && err == nil; {
		err = guarded(path, func() error {
			return db.Update(func(tx *bbolt.Tx) error {
				n, err := schemaIn(tx)
				if done = n >= schema; done || err != nil {
					return err
				}
				if err := steps[n](tx, name); err != nil {
					return err
				}
				return put(tx, bucketMeta, keySchema, key(n+1))
			})
		})
	}
	return errors.Join(err, db.Close())
}

// copyBefore copies files into a folder of their own, which is there when it is whole.
// One that is there stays: it is of a migration that was cut off.
func copyBefore(cfg Config, files []string) (folder string, err error) {
	folder = filepath.Join(cfg.Dir, fmt.Sprintf("before-schema-%d", schema))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	size, largest := int64(0), int64(0)
	for _, name := range files {
		n := sizeOf(filepath.Join(cfg.Dir, name))
		size, largest = size+n, max(largest, n)
	}
	if err := roomFor(cfg.Dir, uint64(size+largest)+cfg.FreeBytes); err != nil {
		return "", err
	}
	temp := folder + ".new"
	if err := errors.Join(os.RemoveAll(temp), os.Mkdir(temp, 0o700)); err != nil {
		return "", err
	}
	for _, name := range files {
		if err := copyFile(filepath.Join(cfg.Dir, name), filepath.Join(temp, name)); err != nil {
			return "", errors.Join(err, os.RemoveAll(temp))
		}
	}
	if err := syncFolder(temp); err != nil {
		return "", err
	}
	return folder, errors.Join(os.Rename(temp, folder), syncFolder(cfg.Dir))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// schemaIn gives the number of a file's schema; ErrForeign where it says none.
func schemaIn(tx *bbolt.Tx) (uint64, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil || meta.Get(keySchema) == nil {
		return 0, ErrForeign
	}
	v, err := get(tx, bucketMeta, keySchema)
	switch {
	case err != nil:
		return 0, fmt.Errorf("schema: %w", err)
	case len(v) != 8:
		return 0, ErrForeign
	}
	return binary.BigEndian.Uint64(v), nil
}

// checkSchema tells whether a file is one of a store, of the version that we know.
func checkSchema(tx *bbolt.Tx) error {
	n, err := schemaIn(tx)
	switch {
	case err != nil:
		return err
	case n > schema:
		return fmt.Errorf("schema %d, this program knows %d: %w", n, schema, ErrNewer)
	case n < schema:
		return olderError(n)
	}
	return nil
}

func olderError(n uint64) error {
	return fmt.Errorf("schema %d, this program has %d: %w", n, schema, ErrOlder)
}
