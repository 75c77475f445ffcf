package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// How often it is looked whether evidence is to be dropped, and after a failure.
const (
	houseEvery = time.Minute
	houseAgain = time.Hour
)

// keepHouse drops evidence whose time has passed, until the store is closed.
func (s *Store) keepHouse() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.writer.Go(func() {
		defer cancel()
		<-s.closing
	})
	for {
		wait := houseEvery
		if !s.dropEvidence(ctx) {
			wait = houseAgain
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.ended:
			timer.Stop()
			return
		}
	}
}

// dropEvidence rewrites, without their evidence, the days whose every record is
// older than it is kept, and tells whether all went well. The newest may be among
// them: stamps ascend, so it gets no more records.
func (s *Store) dropEvidence(ctx context.Context) (well bool) {
	keep := s.retention()
	if keep.Evidence == 0 {
		return true
	}
	first := dayName(criteria.At(s.Mark().At.Time().Add(-keep.Evidence)))
	well = true
	for _, d := range s.openFiles() {
		if d.name >= first || ctx.Err() != nil {
			break
		}
		before, err := d.evident()
		if err != nil || before == 0 {
			well = s.told(ctx, d, err) && well
			continue
		}
		err = s.rewrite(ctx, &d.file, BesideWriter, bucketEvidence)
		if well = s.told(ctx, d, err) && well; err == nil && s.cfg.Observer != nil {
			s.cfg.Observer.EvidenceDropped(filepath.Base(d.path), before-sizeOf(d.path))
		}
	}
	return well
}

// told tells of evidence that stays, unless the store is being closed.
func (s *Store) told(ctx context.Context, d *day, err error) (well bool) {
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrClosed) {
		return true
	}
	if s.cfg.Observer != nil {
		s.cfg.Observer.EvidenceStays(filepath.Base(d.path), err)
	}
	return false
}

// evident gives the size of a day's file, 0 where it has no evidence. Nothing is
// ever deleted from a day, so that one without evidence never had any, or was
// rewritten.
func (d *day) evident() (size int64, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		if k, _ := tx.Bucket(bucketEvidence).Cursor().First(); k != nil {
			size = sizeOf(d.path)
		}
		return nil
	})
	return size, err
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
