package store

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

var (
	bucketMeta     = []byte("meta")
	bucketHit      = []byte("hit")
	bucketEvidence = []byte("evidence")
	bucketDecision = []byte("decision")
	bucketPoints   = []byte("points")

	keyStore   = []byte("store")
	keySchema  = []byte("schema")
	keySecret  = []byte("secret")
	keySpan    = []byte("span")
	keyDecided = []byte("decided")
)

// identity is how many random bytes tell one store from another.
const identity = 16

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func put(tx *bbolt.Tx, bucket, k, content []byte) error {
	return tx.Bucket(bucket).Put(k, seal(bucket, k, content))
}

// get gives the content of a value that must be there. It dies with the
// transaction.
func get(tx *bbolt.Tx, bucket, k []byte) ([]byte, error) {
	v := tx.Bucket(bucket).Get(k)
	if v == nil {
		return nil, fmt.Errorf("missing: %w", ErrDamaged)
	}
	return unseal(bucket, k, v)
}

// putMeta marks a file as one of the store's.
func putMeta(tx *bbolt.Tx, store []byte) error {
	if _, err := tx.CreateBucket(bucketMeta); err != nil {
		return err
	}
	if err := put(tx, bucketMeta, keyStore, store); err != nil {
		return err
	}
	return put(tx, bucketMeta, keySchema, key(schema))
}

// checkMeta tells whether a file belongs to the store.
func checkMeta(tx *bbolt.Tx, store []byte) error {
	if err := checkSchema(tx); err != nil {
		return err
	}
	v, err := get(tx, bucketMeta, keyStore)
	switch {
	case err != nil:
		return fmt.Errorf("store: %w", err)
	case string(v) != string(store):
		return fmt.Errorf("it belongs to another data_dir: %w", ErrForeign)
	}
	return nil
}

// span is the numbers that a file holds, without a gap; zero for none.
type span struct{ first, last uint64 }

func spanIn(tx *bbolt.Tx) (span, error) {
	if tx.Bucket(bucketMeta).Get(keySpan) == nil {
		return span{}, checkEmpty(tx)
	}
	v, err := get(tx, bucketMeta, keySpan)
	if err == nil && len(v) != 16 {
		err = ErrDamaged
	}
	if err != nil {
		return span{}, fmt.Errorf("span: %w", err)
	}
	return span{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}, nil
}

// checkEmpty tells whether a file without a span holds nothing: a span that is
// gone would hide all of it.
func checkEmpty(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketHit, bucketDecision} {
		b := tx.Bucket(name)
		if b == nil {
			continue
		}
		if k, _ := b.Cursor().First(); k != nil {
			return fmt.Errorf("span: missing: %w", ErrDamaged)
		}
	}
	return nil
}

// extend notes that n more numbers from first on are to be written in the same
// transaction. A gap would be taken for damage by every reader, so it is not
// written.
func extend(tx *bbolt.Tx, first uint64, n int) error {
	s, err := spanIn(tx)
	switch {
	case err != nil:
		return err
	case s.last == 0:
		s.first = first
	case first != s.last+1:
		return fmt.Errorf("%d does not follow %d: %w", first, s.last, ErrDamaged)
	}
	return put(tx, bucketMeta, keySpan, append(key(s.first), key(first+uint64(n)-1)...))
}

// noteDecided notes how many decisions the ledger has while hits are committed: beside
// them a ledger of before would be taken for the whole one.
func noteDecided(tx *bbolt.Tx, decisions uint64) error {
	return put(tx, bucketMeta, keyDecided, key(decisions))
}

// decidedIn gives how many decisions the ledger had at a day's last commit.
func decidedIn(tx *bbolt.Tx) (uint64, error) {
	s, err := spanIn(tx)
	if err != nil || s.last == 0 {
		return 0, err
	}
	v, err := get(tx, bucketMeta, keyDecided)
	if err == nil && len(v) != 8 {
		err = ErrDamaged
	}
	if err != nil {
		return 0, fmt.Errorf("decided: %w", err)
	}
	return binary.BigEndian.Uint64(v), nil
}
