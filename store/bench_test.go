package store

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// BenchmarkAppend tells hits a second with so many sessions waiting for their
// answer, and the same for bbolt's own batching.
func BenchmarkAppend(b *testing.B) {
	for _, sessions := range []int{64, 1024} {
		b.Run(fmt.Sprintf("store/%d", sessions), func(b *testing.B) {
			s := opened(b, Config{Dir: b.TempDir(), Now: time.Now})
			share(b, sessions, func(n int) error { return s.Append(context.Background(), packed(n)) })
		})
		b.Run(fmt.Sprintf("bbolt.Batch/%d", sessions), func(b *testing.B) {
			db, err := bbolt.Open(filepath.Join(b.TempDir(), "x.db"), 0o600, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if err := db.Close(); err != nil {
					b.Error(err)
				}
			})
			share(b, sessions, func(n int) error {
				return db.Batch(func(tx *bbolt.Tx) error {
					bucket, err := tx.CreateBucketIfNotExists(bucketHit)
					if err != nil {
						return err
					}
					r := packed(n)
					return bucket.Put(key(uint64(n)), append(r.append(nil), r.Evidence...))
				})
			})
		})
	}
}

// packed is a hit with as much evidence as a real one.
func packed(n int) *Record {
	r := hit(n)
	r.Evidence = make([]byte, 1100)
	return r
}

// share divides b.N calls among sessions.
func share(b *testing.B, sessions int, do func(n int) error) {
	b.Helper()
	b.ResetTimer()
	var all sync.WaitGroup
	for session := range sessions {
		all.Go(func() {
			for n := session; n < b.N; n += sessions {
				if err := do(n + 1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hits/s")
}

// BenchmarkEvents tells hits a second read back for a replay, beside bbolt's own
// cursor going over the same file.
func BenchmarkEvents(b *testing.B) {
	s := opened(b, Config{Dir: b.TempDir(), Now: time.Now})
	const stored = 200_000
	for n := 0; n < stored; {
		var batch []*Record
		for range 1000 {
			n++
			batch = append(batch, packed(n))
		}
		if err := s.Append(context.Background(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("store", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.Events(Mark{}, s.Mark()) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.N)*stored/b.Elapsed().Seconds(), "hits/s")
	})
	b.Run("bbolt.Cursor", func(b *testing.B) {
		for b.Loop() {
			if err := s.days[0].db.View(func(tx *bbolt.Tx) error {
				return tx.Bucket(bucketHit).ForEach(func(_, _ []byte) error { return nil })
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)*stored/b.Elapsed().Seconds(), "hits/s")
	})
}
