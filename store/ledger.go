package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// Names of the files that have but one.
const (
	ledgerName   = "ledger.db"
	snapshotName = "engine.snapshot"
)

// ledger is the file of decisions. It also says which store this is.
type ledger struct {
	file
	store     []byte // identity, in every file of the store
	secret    []byte
	decisions []criteria.Decision // all of them, without their points; there are few
}

// openLedger opens the ledger of a folder, making it where the folder is new.
func openLedger(dir string, readOnly bool) (*ledger, error) {
	l := &ledger{file: file{path: filepath.Join(dir, ledgerName)}}
	_, err := os.Stat(l.path)
	if errors.Is(err, os.ErrNotExist) && !readOnly {
		err = l.create(dir)
	}
	if err != nil {
		return nil, err
	}
	if l.db, err = openFile(l.path, readOnly); err != nil {
		return nil, mended(err, mendLost)
	}
	err = guarded(l.path, func() error { return l.db.View(l.load) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", l.path, err), l.db.Close())
	}
	return l, nil
}

// create makes a ledger, but never beside hits: without their decisions they
// would add up to another list.
func (l *ledger) create(dir string) error {
	days, err := dayNames(dir)
	if err != nil {
		return err
	}
	if len(days) > 0 {
		return fmt.Errorf("%s is missing beside %d hits files: %w: restore it from a backup",
			l.path, len(days), ErrDamaged)
	}
	if _, err := os.Stat(filepath.Join(dir, restoring)); err == nil {
		return fmt.Errorf("%s: a restore was cut off: %w: remove it and restore again",
			filepath.Join(dir, restoring), ErrDamaged)
	}
	return createFile(l.path, func(tx *bbolt.Tx) error {
		if err := putMeta(tx, randomBytes(identity)); err != nil {
			return err
		}
		for _, b := range [][]byte{bucketDecision, bucketPoints} {
			if _, err := tx.CreateBucket(b); err != nil {
				return err
			}
		}
		return put(tx, bucketMeta, keySecret, randomBytes(32))
	})
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand
	return b
}

// load reads the whole ledger into memory.
func (l *ledger) load(tx *bbolt.Tx) error {
	if err := checkSchema(tx); err != nil {
		return err
	}
	store, errStore := get(tx, bucketMeta, keyStore)
	secret, errSecret := get(tx, bucketMeta, keySecret)
	if err := errors.Join(errStore, errSecret); err != nil {
		return err
	}
	if len(store) != identity {
		return ErrForeign
	}
	l.store, l.secret = slices.Clone(store), slices.Clone(secret)
	all, err := spanIn(tx)
	if err != nil {
		return err
	}
	for seq := uint64(1); seq <= all.last; seq++ {
		d, err := decisionOf(tx, seq)
		if err != nil {
			return fmt.Errorf("decision %d: %w", seq, err)
		}
		l.decisions = append(l.decisions, d)
	}
	return nil
}

func decisionOf(tx *bbolt.Tx, seq uint64) (criteria.Decision, error) {
	var d criteria.Decision
	content, err := get(tx, bucketDecision, key(seq))
	if err != nil {
		return d, err
	}
	d, err = decodeDecision(content)
	d.Seq = seq
	return d, err
}

func decodeDecision(content []byte) (d criteria.Decision, err error) {
	if err := json.Unmarshal(content, &d); err != nil {
		return d, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	return d, nil
}

// put appends decisions in one transaction. Points stand in a bucket of their
// own: an import may bring millions.
func (l *ledger) put(decisions []criteria.Decision) error {
	return l.db.Update(func(tx *bbolt.Tx) error {
		tx.Bucket(bucketDecision).FillPercent = 1
		if err := extend(tx, decisions[0].Seq, len(decisions)); err != nil {
			return err
		}
		for _, d := range decisions {
			content, err := json.Marshal(d)
			if err != nil {
				return err
			}
			if err := put(tx, bucketDecision, key(d.Seq), content); err != nil {
				return err
			}
			if len(d.Points) == 0 {
				continue
			}
			if err := put(tx, bucketPoints, key(d.Seq), d.Points); err != nil {
				return err
			}
		}
		return nil
	})
}

// complete gives a decision its points, if they are still kept.
func (l *ledger) complete(d *criteria.Decision) error {
	if d.Act != criteria.ActPoints {
		return nil
	}
	return l.view(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketPoints).Get(key(d.Seq)) == nil {
			return nil
		}
		points, err := get(tx, bucketPoints, key(d.Seq))
		if err != nil {
			return fmt.Errorf("%s, points of decision %d: %w", l.path, d.Seq, err)
		}
		d.Points = slices.Clone(points)
		return nil
	})
}

// dropPoints forgets the points of decisions before an instant. The decisions
// stay.
func (l *ledger) dropPoints(before criteria.Second) error {
	return guarded(l.path, func() error {
		return l.db.Update(func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketPoints).Cursor()
			for k, _ := c.First(); k != nil; k, _ = c.First() {
				seq := binary.BigEndian.Uint64(k)
				if seq > uint64(len(l.decisions)) || l.decisions[seq-1].At >= before {
					return nil
				}
				if err := c.Delete(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
