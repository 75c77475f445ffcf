package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	File     string `json:"file"`
	Hit      uint64 `json:"hit,omitempty"`      // its LSN, where one is concerned
	Decision uint64 `json:"decision,omitempty"` // likewise its number
	Problem  string `json:"problem"`
	Mend     string `json:"mend"`
}

// Error says all of it in one line.
func (f Fault) Error() string {
	where := f.File
	switch {
	case f.Hit > 0:
		where = fmt.Sprintf("%s, hit %d", f.File, f.Hit)
	case f.Decision > 0:
		where = fmt.Sprintf("%s, decision %d", f.File, f.Decision)
	}
	return fmt.Sprintf("%s: %s: %s", where, f.Problem, f.Mend)
}

// Checked is what a check found of one file.
type Checked struct {
	File     string  `json:"file"`
	Bytes    int64   `json:"bytes"`
	Records  int     `json:"records"`         // hits or decisions
	Evidence int     `json:"evidence"`        // heads of messages, or points of decisions
	First    uint64  `json:"first,omitempty"` // LSN or decision
	Last     uint64  `json:"last,omitempty"`
	Faults   []Fault `json:"faults"`
	More     int     `json:"more_faults,omitempty"` // that are not named
}

// mostFaults bounds what is named of one file: one flipped bit in a branch can
// lose a thousand hits.
const mostFaults = 50

// Check reads every value of every file of an open store up to the mark, and
// tells file by file what is wrong. It ends early with the context. Memory does
// not grow with the store, and no day is dropped meanwhile. Progress is told in bytes
// of the files, about.
func (s *Store) Check(ctx context.Context, r Rest, p Progress) iter.Seq[Checked] {
	return func(yield func(Checked) bool) {
		c := newChecker(ctx, r, s.cfg.Dir, p)
		c.store = s.ledger.store
		c.lookAtState() // before the mark is read, so that it is not ahead of it
		days, mark, release := s.keepDays()
		defer release()
		c.mark = mark
		c.run(slices.Values(days), &s.ledger.file)(yield)
	}
}

// CheckFolder is Check for a store that no process has open for writing; it
// changes nothing, and a file that does not open keeps it from none of the
// others. An error is the only thing that comes: there is no store, or it is in
// use (ErrLocked).
func CheckFolder(ctx context.Context, dir string, p Progress) iter.Seq2[Checked, error] {
	return checkFolder(ctx, dir, nil, p)
}

// checkFolder is CheckFolder for a store of which some hits are known to be missing.
func checkFolder(ctx context.Context, dir string, missing []Gap, p Progress) (
	files iter.Seq2[Checked, error],
) {
	return func(yield func(Checked, error) bool) {
		lock, err := lockFolder(dir, true)
		if err != nil {
			yield(Checked{}, fmt.Errorf("check store: %w", err))
			return
		}
		defer func() { _ = lock.Close() }() // nothing was written to it
		ledger, names, err := filesOf(dir)
		if err != nil && !errors.Is(err, ErrDamaged) {
			yield(Checked{}, fmt.Errorf("check store: %w", err))
			return
		}
		c := newChecker(ctx, 0, dir, p)
		c.lost = missing
		if c.unopened = err; err == nil {
			defer func() { _ = ledger.close() }() // only read
			c.identify(ledger)
		}
		c.lookAtState()
		for found := range c.run(c.openEach(names), ledger) {
			if !yield(found, nil) {
				return
			}
		}
	}
}

// filesOf opens the ledger of a folder and names its days. A ledger that does not
// open is ErrDamaged.
func filesOf(dir string) (ledger *file, days []string, err error) {
	if days, err = dayNames(dir); err != nil {
		return nil, nil, err
	}
	ledger = &file{path: filepath.Join(dir, ledgerName)}
	_, err = os.Stat(ledger.path)
	if err != nil && len(days) == 0 {
		return nil, nil, err
	}
	ledger.db, err = openFile(ledger.path, true)
	if err != nil && !errors.Is(err, ErrLocked) {
		err = fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	return ledger, days, err
}

// checker goes through the files of a store, oldest day first.
type checker struct {
	ctx      context.Context
	ease     func() bool
	dir      string
	mark     Mark   // nothing later is looked at: it is being written
	store    []byte // identity; nil where the ledger does not say it
	unopened error  // why the ledger did not open
	unread   error  // why the day at hand did not
	state    Mark   // of the snapshot
	unusable error  // why the snapshot is
	lost     []Gap  // that is no news
	last     uint64 // LSN met before
	decided  uint64 // decisions that days and snapshot know of
	stamp    criteria.Second
	found    *Checked // the report being written
	mend     string   // of the file at hand

	tell        Progress
	done, total int64 // bytes of the files
}

func newChecker(ctx context.Context, r Rest, dir string, p Progress) *checker {
	return &checker{ctx: ctx, ease: r.easer(ctx), dir: dir, tell: p, total: sizeOfFiles(dir),
		mark: Mark{LSN: math.MaxUint64, Decision: math.MaxUint64}}
}

func sizeOfFiles(dir string) (size int64) {
	names, _ := dayNames(dir) // what is wrong is found again
	for _, name := range names {
		size += sizeOf(dayPath(dir, name))
	}
	return size + sizeOf(filepath.Join(dir, ledgerName))
}

// proceed tells how far the walk over a bucket is: the second of a file is as long as
// the first.
func (c *checker) proceed(bucket []byte, at uint64) {
	half, part := c.found.Bytes/2, int64(0)
	if first, last := c.found.First, c.found.Last; last > first && at > first {
		part = half * int64(min(at, last)-first) / int64(last-first)
	}
	if bytes.Equal(bucket, bucketEvidence) || bytes.Equal(bucket, bucketPoints) {
		part += half
	}
	c.tell(uint64(c.done+part), uint64(c.total))
}

// lookAtState reads how far the snapshot goes.
func (c *checker) lookAtState() {
	c.state, _, c.unusable = readSnapshot(filepath.Join(c.dir, snapshotName), c.store)
	c.decided = c.state.Decision
}

// run checks days, ledger and snapshot in this order: each is held against what
// the ones before it said.
func (c *checker) run(days iter.Seq[*day], ledger *file) iter.Seq[Checked] {
	return func(yield func(Checked) bool) {
		for d := range days {
			if c.ctx.Err() != nil || !yield(c.day(d)) {
				return
			}
			c.done += c.found.Bytes
		}
		if n := len(c.lost); n > 0 && c.lost[n-1].First == c.last+1 {
			c.last = c.lost[n-1].Last
		}
		if c.ctx.Err() == nil && yield(c.ledger(ledger)) {
			if found, is := c.snapshot(); is {
				yield(found)
			}
		}
	}
}

// openEach opens one day after the other for reading.
func (c *checker) openEach(names []string) iter.Seq[*day] {
	return func(yield func(*day) bool) {
		for _, name := range names {
			d := &day{file: file{path: dayPath(c.dir, name)}, name: name}
			db, err := openFile(d.path, true)
			if err != nil {
				c.unread = err
				if !yield(d) {
					return
				}
				continue
			}
			d.db = db
			more := yield(d)
			if _ = d.close(); !more { // only read
				return
			}
		}
	}
}

// identify learns from the ledger which store this is.
func (c *checker) identify(ledger *file) {
	_ = ledger.view(func(tx *bbolt.Tx) error { // what is wrong is found again
		if store, err := get(tx, bucketMeta, keyStore); err == nil {
			c.store = slices.Clone(store)
		}
		return nil
	})
}

// Mends, by file.
const (
	mendDay = "restore a backup, or move the file away while the daemon is down: " +
		"its hits then count no more"
	mendLedger   = "restore a backup"
	mendSnapshot = "remove it while the daemon is down: it is made anew from the log"
)

// begin starts the report of a file.
func (c *checker) begin(path, mend string) {
	c.found, c.mend = &Checked{File: filepath.Base(path), Faults: []Fault{}}, mend
	if info, err := os.Stat(path); err == nil {
		c.found.Bytes = info.Size()
	}
}

func (c *checker) fault(f Fault) {
	if len(c.found.Faults) == mostFaults {
		c.found.More++
		return
	}
	f.File, f.Mend = c.found.File, c.mend
	c.found.Faults = append(c.found.Faults, f)
}

func (c *checker) problem(what string) { c.fault(Fault{Problem: what}) }

// pages takes the census of a file.
func (c *checker) pages(f *file) {
	for range 10 {
		err := f.view(func(tx *bbolt.Tx) error { return countPages(tx, f.path, c.ease, c.problem) })
		if errors.Is(err, errOvertaken) {
			continue
		}
		if err != nil {
			c.problem(err.Error())
		}
		return
	}
	c.problem("its pages could not be counted: the writer was faster ten times")
}

// opened tells whether a file is open, and belongs to the store.
func (c *checker) opened(f *file, unopened error) bool {
	if f.db == nil {
		c.problem(unopened.Error())
		return false
	}
	err := f.view(func(tx *bbolt.Tx) error {
		if c.store == nil {
			return checkSchema(tx)
		}
		return checkMeta(tx, c.store)
	})
	if err != nil {
		c.problem(err.Error())
	}
	return err == nil
}

func (c *checker) day(d *day) Checked {
	c.begin(d.path, mendDay)
	if !c.opened(&d.file, c.unread) {
		return *c.found
	}
	all, decided, err := d.reach()
	if err != nil {
		c.problem(err.Error())
		return *c.found
	}
	c.decided = max(c.decided, decided)
	all.last = min(all.last, c.mark.LSN)
	c.found.First, c.found.Last = all.first, all.last
	if all.last > 0 && c.last > 0 && all.first != c.last+1 &&
		!slices.Contains(c.lost, Gap{c.last + 1, all.first - 1}) {
		c.problem(fmt.Sprintf("begins at hit %d: the day before it ends at hit %d", all.first, c.last))
	}
	c.hits(d, all)
	c.evidence(d, all)
	c.pages(&d.file)
	c.last = max(c.last, all.last)
	return *c.found
}

// snapshot checks the state kept on disk, where there is one; what it says is for
// the judge to compare.
func (c *checker) snapshot() (Checked, bool) {
	path := filepath.Join(c.dir, snapshotName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Checked{}, false
	}
	c.begin(path, mendSnapshot)
	m := c.state
	c.found.Last = m.LSN
	switch {
	case c.unusable != nil:
		c.problem(c.unusable.Error())
	case m.LSN > max(c.last, c.mark.LSN) || c.mark.LSN == math.MaxUint64 && m.LSN > c.last:
		c.fault(Fault{Hit: m.LSN, Problem: fmt.Sprintf("was stored: the log ends at hit %d", c.last)})
	}
	return *c.found, true
}

func numberOf(k []byte) uint64 {
	if len(k) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}
