package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// A file is rewritten beside its place and takes it whole, since bbolt neither
// clears a page that it lets go nor gives it back. The copy is made while others
// read and write; what came meanwhile is added by the writer between two commits, and
// there the names change. A crash at any moment leaves the file of before or the
// one of after, and at most a copy beside it, which the next start removes.

// rewriting is a file on its way into a new one.
type rewriting struct {
	from    *file
	path    string // of the new one
	db      *bbolt.DB
	buckets [][]byte          // to copy; meta is copied last
	copied  map[string][]byte // bucket to the last key that is in the new one
	piece   []byte            // pairs on their way

	unsynced int // bytes that were copied since the last sync
}

// disk is what the file system does when a file takes its place. Tests let it fail.
type disk struct {
	sync       func(*bbolt.DB) error
	rename     func(from, to string) error
	syncFolder func(dir string) error
}

func osDisk() disk { return disk{(*bbolt.DB).Sync, os.Rename, syncFolder} }

// errInUse says that somebody reads the file just now.
var errInUse = errors.New("in use")

// rewrite puts a copy of a file in its place that has only what is in use, and not
// even that of the buckets left out. It rests as it is told to. Nothing is dropped
// meanwhile, and the store goes on whatever the error is, but for ErrFailed.
func (s *Store) rewrite(ctx context.Context, f *file, r Rest, without ...[]byte) error {
	s.rewriting.Lock()
	defer s.rewriting.Unlock()
	_, _, release := s.keepDays()
	defer release()
	// The copy must not be what fills the disk for mail.
	if err := roomFor(s.cfg.Dir, uint64(sizeOf(f.path))+s.reserve()); err != nil {
		return fmt.Errorf("rewrite %s: %w", f.path, err)
	}
	w, err := s.beginRewriting(f, without)
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", f.path, err)
	}
	if err := s.carryOver(ctx, w, r); err != nil {
		return fmt.Errorf("rewrite %s: %w", f.path, errors.Join(err, w.discard()))
	}
	return nil
}

func (s *Store) carryOver(ctx context.Context, w *rewriting, r Rest) error {
	if err := w.copyAll(ctx, r.easer(ctx), s.disk.sync); err != nil {
		return err
	}
	for {
		err := s.between(func() error { return s.place(w) })
		if !errors.Is(err, errInUse) {
			return err
		}
		select { // most reads are short; a census is not
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) beginRewriting(f *file, without [][]byte) (*rewriting, error) {
	w := &rewriting{from: f, path: f.path + ".new", copied: map[string][]byte{}}
	if err := os.Remove(w.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var err error
	if w.db, err = bbolt.Open(w.path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoSync: true,
		FreelistType: bbolt.FreelistMapType}); err != nil {
		return nil, err
	}
	err = f.view(func(tx *bbolt.Tx) error { return w.makeBuckets(tx, without) })
	if err != nil {
		return nil, errors.Join(err, w.discard())
	}
	return w, nil
}

func (w *rewriting) makeBuckets(from *bbolt.Tx, without [][]byte) error {
	return w.db.Update(func(tx *bbolt.Tx) error {
		return from.ForEach(func(name []byte, _ *bbolt.Bucket) error {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
			named := func(b []byte) bool { return bytes.Equal(b, name) }
			if !named(bucketMeta) && !slices.ContainsFunc(without, named) {
				w.buckets = append(w.buckets, bytes.Clone(name))
			}
			return nil
		})
	})
}

// mostUnsynced bounds what a sync of the new file may have to write at once: the
// writer's own syncs wait behind it.
const mostUnsynced = 4 * rewritePiece

// rewritePiece is how much is copied at once, about.
const rewritePiece = 256 << 10

// copyAll copies until nothing is left but what comes meanwhile.
func (w *rewriting) copyAll(ctx context.Context, ease func() bool, sync func(*bbolt.DB) error) error {
	for more := true; more; {
		var err error
		if more, err = w.copyPiece(w.from.view); err != nil {
			return err
		}
		if w.unsynced >= mostUnsynced {
			if err := sync(w.db); err != nil {
				return err
			}
			w.unsynced = 0
		}
		if !ease() {
			return ctx.Err()
		}
	}
	return sync(w.db)
}

// copyPiece copies the next pairs, and tells whether there may be more. What is read
// is in memory before it is written: the old file's writer waits for who reads it.
func (w *rewriting) copyPiece(view func(func(*bbolt.Tx) error) error) (more bool, err error) {
	w.piece = w.piece[:0]
	if err := view(w.gather); err != nil {
		return false, err
	}
	w.unsynced += len(w.piece)
	err = w.db.Update(func(tx *bbolt.Tx) error {
		return pairs(w.piece, func(bucket, k, v []byte) error {
			b := tx.Bucket(bucket)
			b.FillPercent = 1 // keys only ascend
			return b.Put(k, v)
		})
	})
	return len(w.piece) >= rewritePiece, err
}

// gather reads the next pairs. The checksum of each is looked at: what is damaged
// stays where it is.
func (w *rewriting) gather(tx *bbolt.Tx) error {
	for _, bucket := range w.buckets {
		cursor := tx.Bucket(bucket).Cursor()
		for k, v := after(cursor, w.copied[string(bucket)]); k != nil; k, v = cursor.Next() {
			if len(w.piece) >= rewritePiece {
				return nil
			}
			if _, err := unseal(bucket, k, v); err != nil {
				return fmt.Errorf("%s %d: %w", bucket, numberOf(k), err)
			}
			w.piece = appendPair(w.piece, bucket, k, v)
			w.copied[string(bucket)] = bytes.Clone(k)
		}
	}
	return nil
}

// after moves a cursor behind a key, nil being before the first.
func after(c *bbolt.Cursor, last []byte) (k, v []byte) {
	if last == nil {
		return c.First()
	}
	if k, v = c.Seek(last); bytes.Equal(k, last) {
		return c.Next()
	}
	return k, v
}

// finish copies what came since, and what the file says of itself.
func (w *rewriting) finish(sync func(*bbolt.DB) error) error {
	view := func(see func(*bbolt.Tx) error) error { // the caller has the file for itself
		return guarded(w.from.path, func() error { return w.from.db.View(see) })
	}
	more, err := true, error(nil)
	for more && err == nil {
		more, err = w.copyPiece(view)
	}
	if err == nil {
		err = view(func(from *bbolt.Tx) error {
			return w.db.Update(func(to *bbolt.Tx) error {
				return from.Bucket(bucketMeta).ForEach(to.Bucket(bucketMeta).Put)
			})
		})
	}
	if err == nil {
		err = sync(w.db)
	}
	return errors.Join(err, w.db.Close())
}

// discard removes the new file.
func (w *rewriting) discard() error {
	err := w.db.Close() // twice is no error
	if err := os.Remove(w.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return err
}

// place is the writer's: it completes the new file and puts it in its place, unless
// somebody reads the old one just now.
func (s *Store) place(w *rewriting) error {
	if !w.from.use.TryLock() {
		return errInUse
	}
	defer w.from.use.Unlock()
	if w.from.gone {
		return w.discard()
	}
	if err := w.finish(s.disk.sync); err != nil {
		return err
	}
	db, err := openFile(w.path, !s.isWritten(w.from))
	if err != nil {
		return err
	}
	if err := s.takePlace(w); err != nil {
		return errors.Join(err, db.Close())
	}
	old := w.from.db
	w.from.db = db
	if err := s.disk.syncFolder(s.cfg.Dir); err != nil {
		// What is committed from now on may be in a file that a power cut takes back.
		err = s.refuse(&os.PathError{Op: "sync", Path: s.cfg.Dir, Err: err})
		return errors.Join(err, old.Close())
	}
	return old.Close()
}

// isWritten tells the writer whether it has a file to write.
func (s *Store) isWritten(f *file) bool {
	return f == &s.ledger.file || f == &s.days[len(s.days)-1].file
}

// takePlace gives the new file the name of the old one. A rename that failed may
// have been carried out all the same, and what is then written into the old file
// would be lost.
func (s *Store) takePlace(w *rewriting) error {
	is, err := os.Stat(w.path)
	if err != nil {
		return err
	}
	failed := s.disk.rename(w.path, w.from.path)
	if failed == nil {
		return nil
	}
	now, err := os.Stat(w.from.path)
	switch {
	case err != nil:
		return s.refuse(errors.Join(failed, err))
	case os.SameFile(is, now):
		return nil
	}
	return failed
}
