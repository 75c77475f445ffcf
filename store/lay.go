package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
)

// fillFolder makes the files of a store from the pieces of a backup.
func fillFolder(in *counting, dir string, m Manifest) error {
	f := &filler{dir: dir}
	again, err := extract(in, f.take)
	if err = errors.Join(err, f.close()); err != nil {
		return err
	}
	if again.Mark != m.Mark || again.Store != m.Store || !slices.Equal(again.Files, m.Files) {
		return noBackup("it changed while it was read")
	}
	if hex.EncodeToString(f.store) != m.Store {
		return noBackup("its ledger is that of another store")
	}
	return syncFolder(dir)
}

// filler writes one file after the other.
type filler struct {
	dir   string
	store []byte // identity, from the ledger
	name  string // of the file at hand
	db    *bbolt.DB

	decisions uint64 // that the ledger has: it comes first
}

// take writes a piece, in one transaction. Only the end of a file is synced: a
// restore that was cut off begins anew.
func (f *filler) take(file string, piece []byte) error {
	if f.name != file {
		if err := errors.Join(f.close(), f.begin(file)); err != nil {
			return err
		}
	}
	return f.db.Update(func(tx *bbolt.Tx) error {
		first, n := uint64(0), 0
		err := pairs(piece, func(bucket, k, v []byte) error {
			counts, err := f.put(tx, bucket, k, v)
			if !counts || err != nil {
				return err
			}
			if n++; n == 1 {
				first = numberOf(k)
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
		return f.extend(tx, first, n)
	})
}

// extend notes what a piece brought; that it follows the piece before is checked
// there, and that nothing is missing in it by the check at the end.
func (f *filler) extend(tx *bbolt.Tx, first uint64, n int) error {
	if f.name == ledgerName {
		f.decisions = first + uint64(n) - 1
	} else if err := noteDecided(tx, f.decisions); err != nil {
		return err
	}
	if tx.Bucket(bucketMeta).Get(keySpan) == nil {
		return put(tx, bucketMeta, keySpan, append(key(first), key(first+uint64(n)-1)...))
	}
	return extend(tx, first, n)
}

// begin makes a file. The ledger brings what the meta bucket of every other says.
func (f *filler) begin(file string) (err error) {
	path := filepath.Join(f.dir, file)
	if f.db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoSync: true,
		FreelistType: bbolt.FreelistMapType}); err != nil {
		return err
	}
	f.name = file
	return f.db.Update(func(tx *bbolt.Tx) error {
		if file != ledgerName {
			return makeDay(tx, f.store)
		}
		for _, b := range [][]byte{bucketMeta, bucketDecision, bucketPoints} {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		return put(tx, bucketMeta, keySchema, key(schema))
	})
}

// belongs says which buckets a file has, and which of them is numbered without a
// gap.
func (f *filler) belongs(bucket []byte) (may, counts bool) {
	mine, with := bucketHit, bucketEvidence
	if f.name == ledgerName {
		mine, with = bucketDecision, bucketPoints
	}
	counts = bytes.Equal(bucket, mine)
	return counts || bytes.Equal(bucket, with) || f.name == ledgerName && bytes.Equal(bucket, bucketMeta), counts
}

// put writes a pair whose checksum is right, into a bucket that the file has.
func (f *filler) put(tx *bbolt.Tx, bucket, k, v []byte) (counts bool, err error) {
	may, counts := f.belongs(bucket)
	if !may {
		return false, noBackup("%s has no bucket %q", f.name, bucket)
	}
	content, err := unseal(bucket, k, v)
	if err != nil {
		return false, fmt.Errorf("%s, %x: %w", f.name, k, err)
	}
	if bytes.Equal(bucket, bucketMeta) {
		switch {
		case bytes.Equal(k, keyStore) && len(content) == identity:
			f.store = bytes.Clone(content)
		case !bytes.Equal(k, keySecret) || len(content) != 32:
			return false, noBackup("%s has no %q", f.name, k)
		}
	} else if len(k) != 8 {
		return false, noBackup("%s: key %x is no number", f.name, k)
	}
	b := tx.Bucket(bucket)
	b.FillPercent = 1 // keys only ascend
	return counts, b.Put(k, v)
}

// close puts the file at hand on disk.
func (f *filler) close() error {
	if f.db == nil {
		return nil
	}
	err := errors.Join(f.db.Sync(), f.db.Close())
	f.db = nil
	return err
}
