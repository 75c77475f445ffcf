package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Bounds of the queue and of one commit.
const (
	maxQueue      = 4096
	maxBatch      = 1024
	maxBatchBytes = 8 << 20
)

// request is what one caller wants on disk, together or not at all.
type request struct {
	records   []*Record
	decisions []criteria.Decision
	done      chan error // of one
}

// Append puts records on disk, all or none, and gives them their LSN and Stamp.
// It returns when they are there. The context is heeded only while the queue is
// full: what is queued may be committed, so its answer is waited for. Errors
// are ErrFull, ErrFailed, ErrClosed or the context's.
func (s *Store) Append(ctx context.Context, records ...*Record) error {
	return s.submit(ctx, &request{records: records, done: make(chan error, 1)})
}

// Decide puts decisions in the ledger, all or none, and gives them their number,
// instant and place in the log: a slice that was passed has them afterwards.
// Otherwise it is as Append.
func (s *Store) Decide(ctx context.Context, decisions ...criteria.Decision) error {
	for _, d := range decisions {
		if err := d.Check(); err != nil {
			return err
		}
		if _, err := json.Marshal(d); err != nil { // the writer could only give up
			return fmt.Errorf("encode decision: %w", err)
		}
	}
	return s.submit(ctx, &request{decisions: decisions, done: make(chan error, 1)})
}

func (s *Store) submit(ctx context.Context, r *request) error {
	select {
	case <-s.ended:
		return s.over()
	case <-s.closing:
		return ErrClosed
	default:
	}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
		return s.over()
	case <-s.closing:
		return ErrClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-s.ended:
	}
	select {
	case err := <-r.done: // answered at the last moment
		return err
	default:
		return s.over()
	}
}

// over says why the writer has ended.
func (s *Store) over() error {
	if s.broken() {
		return ErrFailed
	}
	return ErrClosed
}

func (s *Store) broken() bool {
	select {
	case <-s.failed:
		return true
	default:
		return false
	}
}

// Begin starts the writer, the only goroutine that writes the log and the
// ledger and the only clock of the log. Close waits for it. A second call does
// nothing.
func (s *Store) Begin() {
	if s.begun.Swap(true) {
		return
	}
	s.writer.Go(func() {
		defer close(s.ended)
		s.write()
	})
	s.writer.Go(s.keepHouse)
}

// chore is what the writer does between two commits, for another goroutine.
type chore struct {
	do   func() error
	done chan error // of one
}

// between has the writer do something between two commits, and gives its error, or
// why there is no writer. It must be short: all senders wait.
func (s *Store) between(do func() error) error {
	c := chore{do, make(chan error, 1)}
	select {
	case s.chores <- c:
		return <-c.done
	case <-s.ended:
		return s.over()
	}
}

// write takes what waits, commits it and answers, without a timer: the longer a
// commit takes, the more waits for the next. After a failure nothing is written
// any more: what is on disk may then be more than was acknowledged.
func (s *Store) write() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	s.tick()
	for !s.broken() {
		s.beats.Add(1)
		select {
		case r := <-s.queue:
			s.serve(s.gather(r))
		case c := <-s.chores:
			c.done <- c.do()
		case <-tick.C:
			s.tick()
		case <-s.closing:
			s.finish()
			return
		}
	}
}

// Beats counts what the writer has done: each second, each batch. It stands still when
// the writer does, however the clock is set.
func (s *Store) Beats() uint64 { return s.beats.Load() }

// finish commits what was queued before Close.
func (s *Store) finish() {
	for !s.broken() {
		select {
		case r := <-s.queue:
			s.serve(s.gather(r))
		default:
			return
		}
	}
}

// gather takes what else waits, within the bounds of a batch.
func (s *Store) gather(first *request) []*request {
	batch := []*request{first}
	count, size := len(first.records), first.size()
	for count < maxBatch && size < maxBatchBytes {
		select {
		case r := <-s.queue:
			batch = append(batch, r)
			count, size = count+len(r.records), size+r.size()
		default:
			return batch
		}
	}
	return batch
}

func (r *request) size() int {
	size := 0
	for _, rec := range r.records {
		size += len(rec.Evidence) + 512
	}
	for _, d := range r.decisions {
		size += len(d.Points) + 512
	}
	return size
}

// serve commits a batch and answers everybody in it.
func (s *Store) serve(batch []*request) {
	at, err := s.clock.read()
	if err != nil {
		s.setFull(err)
		for _, r := range batch {
			r.done <- err
		}
		return
	}
	at = max(at, s.mark.At)
	errHits := s.commitHits(batch, at)
	errDecisions := errHits
	if !s.broken() {
		errDecisions = s.commitDecisions(batch, at)
	}
	for _, r := range batch {
		r.done <- errors.Join(condition(len(r.records) > 0, errHits),
			condition(len(r.decisions) > 0, errDecisions))
	}
}

func condition(applies bool, err error) error {
	if !applies {
		return nil
	}
	return err
}

func (s *Store) commitHits(batch []*request, at criteria.Second) error {
	var records []*Record
	mark := s.mark
	mark.At = at
	for _, r := range batch {
		for _, rec := range r.records {
			mark.LSN++
			rec.LSN, rec.Stamp = mark.LSN, at
			records = append(records, rec)
		}
	}
	if len(records) == 0 {
		return nil
	}
	err := s.today(at, func(d *day) error { return s.put(d, records, mark.Decision) })
	if err != nil {
		return s.refuse(err)
	}
	s.moveMark(mark)
	return nil
}

func (s *Store) commitDecisions(batch []*request, at criteria.Second) error {
	var decisions []criteria.Decision
	mark := s.mark
	mark.At = at
	for _, r := range batch {
		for i := range r.decisions {
			d := &r.decisions[i]
			mark.Decision++
			d.Seq, d.After, d.At = mark.Decision, mark.LSN, at
			decisions = append(decisions, *d)
		}
	}
	if len(decisions) == 0 {
		return nil
	}
	err := guarded(s.ledger.path, func() error { return s.decide(s.ledger, decisions) })
	if err != nil {
		return s.refuse(err)
	}
	for i := range decisions {
		decisions[i].Points = nil // on disk
	}
	s.mu.Lock()
	s.ledger.decisions = append(s.ledger.decisions, decisions...)
	s.mu.Unlock()
	s.moveMark(mark)
	return nil
}

// today runs f on the file of an instant's day, beginning the day if need be.
func (s *Store) today(at criteria.Second, f func(*day) error) error {
	name := dayName(at)
	if len(s.days) == 0 || s.days[len(s.days)-1].name < name {
		if err := s.beginDay(name); err != nil {
			return err
		}
	}
	d := s.days[len(s.days)-1]
	return guarded(d.path, func() error { return f(d) })
}

func (s *Store) beginDay(name string) error {
	if err := createDay(s.cfg.Dir, name, s.ledger.store); err != nil {
		return err
	}
	d, err := openDay(s.cfg.Dir, name, s.ledger.store, false)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.days = append(s.days, d)
	s.mu.Unlock()
	return nil
}

// refuse says why nothing was written. A full disk passes; after any other
// error the writer ends, since only a restart tells what is on disk.
func (s *Store) refuse(err error) error {
	err = classify(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = err
	if errors.Is(err, ErrFailed) {
		close(s.failed)
	}
	return err
}

func (s *Store) moveMark(m Mark) {
	s.mu.Lock()
	s.mark = m
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
