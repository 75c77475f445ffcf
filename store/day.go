package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// day is the records of one UTC day. The newest is written by the writer
// alone; every other is sealed and open for reading only.
type day struct {
	file
	name string // "20261124"
}

func dayName(s criteria.Second) string { return s.Time().Format("20060102") }

func dayPath(dir, name string) string { return filepath.Join(dir, "hits-"+name+".db") }

// dayNames lists the days that a folder holds, oldest first.
func dayNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "hits-")
		name, isDB := strings.CutSuffix(name, ".db")
		if _, err := time.Parse("20060102", name); ok && isDB && err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// createDay makes the file of a new day.
func createDay(dir, name string, store []byte) error {
	return createFile(dayPath(dir, name), func(tx *bbolt.Tx) error { return makeDay(tx, store) })
}

func makeDay(tx *bbolt.Tx, store []byte) error {
	for _, b := range [][]byte{bucketHit, bucketEvidence} {
		if _, err := tx.CreateBucket(b); err != nil {
			return err
		}
	}
	return putMeta(tx, store)
}

func openDay(dir, name string, store []byte, readOnly bool) (*day, error) {
	d := &day{file: file{path: dayPath(dir, name)}, name: name}
	db, err := openFile(d.path, readOnly)
	if err != nil {
		return nil, mended(err, "restore it from a backup, or move it away: its hits then count no more")
	}
	d.db = db
	err = guarded(d.path, func() error {
		return db.View(func(tx *bbolt.Tx) error { return checkMeta(tx, store) })
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", d.path, err), db.Close())
	}
	return d, nil
}

// span gives the LSNs of the day.
func (d *day) span() (s span, err error) {
	s, _, err = d.reach()
	return s, err
}

// reach gives the LSNs of the day, and how many decisions the ledger had at its last
// commit.
func (d *day) reach() (s span, decided uint64, err error) {
	err = d.view(func(tx *bbolt.Tx) (err error) {
		if s, err = spanIn(tx); err == nil {
			decided, err = decidedIn(tx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.path, err)
		}
		return nil
	})
	return s, decided, err
}

// unpacking makes something of a record's value, which it must not keep.
type unpacking[T any] func(lsn uint64, content []byte) (T, error)

// read gives a chunk of what a day holds from one LSN to another, in order, and
// the LSN to go on with. A record that the span promises and that is not there
// is damage.
func read[T any](d *day, from, to uint64, unpack unpacking[T]) (batch []T, next uint64, err error) {
	next = from
	err = d.cursor(func(c *bbolt.Cursor, s span) error {
		lsn := max(from, s.first, 1)
		to = min(to, s.last)
		for k, v := c.Seek(key(lsn)); lsn <= to && len(batch) < chunk; k, v = c.Next() {
			r, err := unpackAt(d, lsn, k, v, unpack)
			if err != nil {
				return err
			}
			batch = append(batch, r)
			lsn++
			next = lsn
		}
		return nil
	})
	return batch, next, err
}

// since gives the first LSN of a day that was stamped at an instant or later,
// one more than its last where there is none: stamps ascend as LSNs do.
func (d *day) since(at criteria.Second, all span) (uint64, error) {
	var fault error
	n := sort.Search(int(all.last+1-all.first), func(i int) bool {
		records, _, err := read(d, all.first+uint64(i), all.first+uint64(i), recordOf)
		fault = errors.Join(fault, err)
		return len(records) == 0 || records[0].Stamp >= at
	})
	return all.first + uint64(n), fault
}

// readBack gives at most n records, newest first, from an LSN down.
func (d *day) readBack(from uint64, n int) ([]Record, error) {
	var records []Record
	err := d.cursor(func(c *bbolt.Cursor, s span) error {
		lsn := min(from, s.last)
		for k, v := c.Seek(key(lsn)); lsn >= max(s.first, 1) && len(records) < n; k, v = c.Prev() {
			r, err := unpackAt(d, lsn, k, v, recordOf)
			if err != nil {
				return err
			}
			records = append(records, r)
			lsn--
		}
		return nil
	})
	return records, err
}

func (d *day) cursor(f func(*bbolt.Cursor, span) error) error {
	return d.view(func(tx *bbolt.Tx) error {
		s, err := spanIn(tx)
		if err != nil {
			return fmt.Errorf("%s: %w", d.path, err)
		}
		return f(tx.Bucket(bucketHit).Cursor(), s)
	})
}

// unpackAt reads the value that must be that of an LSN; an error names the file
// and the LSN.
func unpackAt[T any](d *day, lsn uint64, k, v []byte, unpack unpacking[T]) (r T, err error) {
	if r, err = unpackPair(lsn, k, v, unpack); err != nil {
		return r, fmt.Errorf("%s, hit %d: %w", d.path, lsn, err)
	}
	return r, nil
}

func unpackPair[T any](lsn uint64, k, v []byte, unpack unpacking[T]) (r T, err error) {
	if len(k) != 8 || binary.BigEndian.Uint64(k) != lsn {
		return r, fmt.Errorf("missing: %w", ErrDamaged)
	}
	content, err := unseal(bucketHit, k, v)
	if err != nil {
		return r, err
	}
	return unpack(lsn, content)
}

// evidence gives the head of a message, nil where it was not kept.
func (d *day) evidence(lsn uint64) ([]byte, error) {
	var head []byte
	err := d.view(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketEvidence).Get(key(lsn)) == nil {
			return nil
		}
		content, err := get(tx, bucketEvidence, key(lsn))
		if err == nil {
			head, err = unpackEvidence(content)
		}
		if err != nil {
			return fmt.Errorf("%s, evidence %d: %w", d.path, lsn, err)
		}
		return nil
	})
	return head, err
}

// put writes a batch in one transaction, all of it or nothing, and how many decisions
// the ledger has then.
func (d *day) put(records []*Record, decided uint64) error {
	return d.db.Update(func(tx *bbolt.Tx) error {
		// Keys only ascend, so pages can be filled.
		tx.Bucket(bucketHit).FillPercent, tx.Bucket(bucketEvidence).FillPercent = 1, 1
		if err := extend(tx, records[0].LSN, len(records)); err != nil {
			return err
		}
		if err := noteDecided(tx, decided); err != nil {
			return err
		}
		var scratch []byte
		for _, r := range records {
			scratch = r.append(scratch[:0])
			if err := put(tx, bucketHit, key(r.LSN), scratch); err != nil {
				return err
			}
			if len(r.Evidence) == 0 {
				continue
			}
			if err := put(tx, bucketEvidence, key(r.LSN), r.Evidence); err != nil {
				return err
			}
		}
		return nil
	})
}
