package store

import (
	"errors"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// walk goes over the keys of a bucket from a number on, a chunk in a
// transaction. The function says by false that it has seen enough.
func (c *checker) walk(f *file, bucket []byte, from uint64, see func(n uint64, k, v []byte) bool) {
	for more := true; more && c.ease(); {
		c.proceed(bucket, from)
		more = false // for a day that is gone, too
		err := f.view(func(tx *bbolt.Tx) error {
			cursor := tx.Bucket(bucket).Cursor()
			seen := 0
			for k, v := cursor.Seek(key(from)); k != nil; k, v = cursor.Next() {
				n := numberOf(k)
				if n < from { // of another length, or out of order
					c.problem(fmt.Sprintf("%s: key %x is no number that may follow %d", bucket, k, from))
					return nil
				}
				if seen == chunk {
					more = true
					return nil
				}
				if !see(n, k, v) {
					return nil
				}
				seen++
				if from = n + 1; from == 0 {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			c.problem(fmt.Sprintf("%s, from %d on: %v", bucket, from, err))
			return
		}
	}
}

// hits checks each hit of a day: that it is there, its checksum, that it
// unpacks, and that stamps ascend.
func (c *checker) hits(d *day, all span) {
	next := all.first
	c.first(&d.file, bucketHit, all.first)
	c.walk(&d.file, bucketHit, all.first, func(lsn uint64, k, v []byte) bool {
		if all.last == 0 || lsn > all.last {
			c.beyond(lsn, all.last)
			return false
		}
		c.missing(next, lsn-1)
		next = lsn + 1
		r, err := unpackPair(lsn, k, v, recordOf)
		if err != nil {
			c.fault(Fault{Hit: lsn, Problem: err.Error()})
			return true
		}
		c.found.Records++
		switch {
		case r.Stamp < c.stamp:
			c.fault(Fault{Hit: lsn, Problem: fmt.Sprintf("stamped %s, before %s", r.Stamp, c.stamp)})
		case dayName(r.Stamp) > d.name:
			c.fault(Fault{Hit: lsn, Problem: fmt.Sprintf("stamped %s, after its day", r.Stamp)})
		}
		c.stamp = max(c.stamp, r.Stamp)
		return true
	})
	if all.last > 0 && c.ctx.Err() == nil {
		c.missing(next, all.last)
	}
}

// first reports a key before those that the file says it has.
func (c *checker) first(f *file, bucket []byte, first uint64) {
	_ = f.view(func(tx *bbolt.Tx) error { // what is wrong is found again
		if k, _ := tx.Bucket(bucket).Cursor().First(); k != nil && numberOf(k) < first {
			c.problem(fmt.Sprintf("%s: key %x comes before the first, %d", bucket, k, first))
		}
		return nil
	})
}

// beyond reports a hit behind the last, unless it is the writer's newest.
func (c *checker) beyond(lsn, last uint64) {
	if last < c.mark.LSN {
		c.fault(Fault{Hit: lsn, Problem: fmt.Sprintf("is beyond the last, %d", last)})
	}
}

func (c *checker) missing(from, to uint64) {
	switch {
	case from == 0 || from > to:
	case from == to:
		c.fault(Fault{Hit: from, Problem: "missing"})
	default:
		c.fault(Fault{Hit: from, Problem: fmt.Sprintf("missing, as are all up to hit %d", to)})
	}
}

// evidence checks the heads of messages: that each belongs to a hit, its
// checksum, and that it unpacks.
func (c *checker) evidence(d *day, all span) {
	unpacker, err := newUnpacker()
	if err != nil {
		c.problem(err.Error())
		return
	}
	defer unpacker.Close()
	c.first(&d.file, bucketEvidence, all.first)
	c.walk(&d.file, bucketEvidence, all.first, func(lsn uint64, k, v []byte) bool {
		if all.last == 0 || lsn > all.last {
			c.beyond(lsn, all.last)
			return false
		}
		if err := unpacksWith(unpacker, k, v); err != nil {
			c.fault(Fault{Hit: lsn, Problem: fmt.Sprintf("evidence: %v", err)})
			return true
		}
		c.found.Evidence++
		return true
	})
}

func unpacksWith(d *zstd.Decoder, k, v []byte) error {
	content, err := unseal(bucketEvidence, k, v)
	if err == nil {
		_, err = unpackWith(d, content)
	}
	return err
}

// ledger checks each decision: that it is there, its checksum, that it says
// something, and that it stands in its place in time and in the log.
func (c *checker) ledger(l *file) Checked {
	c.begin(l.path, mendLedger)
	if !c.opened(l, c.unopened) {
		return *c.found
	}
	var all span
	err := l.view(func(tx *bbolt.Tx) (err error) {
		_, errStore := get(tx, bucketMeta, keyStore)
		_, errSecret := get(tx, bucketMeta, keySecret)
		all, err = spanIn(tx)
		return errors.Join(err, errStore, errSecret)
	})
	if err != nil {
		c.problem(err.Error())
		return *c.found
	}
	if c.decided > all.last {
		c.problem(behind(all.last, c.decided).Error())
	}
	all.last = min(all.last, c.mark.Decision)
	c.found.First, c.found.Last = min(1, all.last), all.last
	acts := c.decisionsOf(l, all)
	c.points(l, acts)
	c.pages(l)
	return *c.found
}

// decisionsOf checks the decisions and gives the numbers of those that may have
// points.
func (c *checker) decisionsOf(l *file, all span) map[uint64]bool {
	points := map[uint64]bool{}
	var before criteria.Decision
	next := uint64(1)
	c.first(l, bucketDecision, 1)
	c.walk(l, bucketDecision, 1, func(seq uint64, k, v []byte) bool {
		if seq > all.last {
			if all.last < c.mark.Decision {
				c.fault(Fault{Decision: seq, Problem: fmt.Sprintf("is beyond the last, %d", all.last)})
			}
			return false
		}
		c.undecided(next, seq-1)
		next = seq + 1
		d, err := unpackDecision(k, v)
		if err != nil {
			c.fault(Fault{Decision: seq, Problem: err.Error()})
			return true
		}
		c.found.Records++
		c.place(d, before)
		before, points[seq] = d, d.Act == criteria.ActPoints
		return true
	})
	if c.ctx.Err() == nil {
		c.undecided(next, all.last)
	}
	return points
}

func unpackDecision(k, v []byte) (criteria.Decision, error) {
	content, err := unseal(bucketDecision, k, v)
	if err != nil {
		return criteria.Decision{}, err
	}
	d, err := decodeDecision(content)
	d.Seq = numberOf(k)
	if err == nil && d.Act != criteria.ActPoints { // its points are kept apart, for a time
		err = d.Check()
	}
	return d, err
}

// place checks a decision's place after the one before it.
func (c *checker) place(d, before criteria.Decision) {
	problem := ""
	switch {
	case d.At < before.At:
		problem = fmt.Sprintf("made at %s, before the one before it", d.At)
	case d.After < before.After:
		problem = fmt.Sprintf("follows hit %d, the one before it hit %d", d.After, before.After)
	case d.After > c.last && c.mark.LSN == math.MaxUint64:
		problem = fmt.Sprintf("follows hit %d: the log ends at hit %d", d.After, c.last)
	default:
		return
	}
	c.fault(Fault{Decision: d.Seq, Problem: problem})
}

func (c *checker) undecided(from, to uint64) {
	if from <= to {
		c.fault(Fault{Decision: from, Problem: fmt.Sprintf("missing, as are all up to decision %d", to)})
	}
}

// points checks the reputation points beside the decisions that brought them.
func (c *checker) points(l *file, brought map[uint64]bool) {
	c.walk(l, bucketPoints, 0, func(seq uint64, k, v []byte) bool {
		if seq > c.mark.Decision {
			return false
		}
		content, err := unseal(bucketPoints, k, v)
		if err == nil {
			err = criteria.Points(content).Check()
		}
		switch {
		case err != nil:
			c.fault(Fault{Decision: seq, Problem: fmt.Sprintf("points: %v", err)})
		case !brought[seq] && !c.isFaulty(seq):
			c.fault(Fault{Decision: seq, Problem: "points of a decision that brought none"})
		default:
			c.found.Evidence++
		}
		return true
	})
}

// isFaulty tells whether a decision was reported already.
func (c *checker) isFaulty(seq uint64) bool {
	for _, f := range c.found.Faults {
		if f.Decision == seq {
			return true
		}
	}
	return false
}
