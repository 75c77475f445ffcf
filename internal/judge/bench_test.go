package judge

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"net/netip"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// How large the log of the benchmarks is.
var (
	benchHits    = flag.Int("hits", 100_000, "hits in the log of benchmarks")
	benchSources = flag.Int("sources", 10_000, "sources in the log of benchmarks")
)

// longLog is a store whose hits came over five days: each source's to three traps.
func longLog(b *testing.B) *store.Store {
	b.Helper()
	now := time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)
	batch := 1000
	step := 5 * 24 * time.Hour / time.Duration(max(1, *benchHits/batch))
	s, err := store.Open(store.Config{Dir: b.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() }) // only read by now
	s.Begin()
	if err := s.Decide(b.Context(), policy(criteria.DefaultPolicy())); err != nil {
		b.Fatal(err)
	}
	for n := 0; n < *benchHits; n += batch {
		records := make([]*store.Record, batch)
		for i := range records {
			records[i] = spamOf(n+i, criteria.At(now))
		}
		if err := s.Append(b.Context(), records...); err != nil {
			b.Fatal(err)
		}
		now = now.Add(min(step, time.Hour-time.Second)) // more at once is a clock set wrong
	}
	return s
}

// spamOf is hit number n: sources in turn, as a botnet's.
func spamOf(n int, at criteria.Second) *store.Record {
	source := uint32(n % *benchSources)
	return &store.Record{Hit: criteria.Hit{Time: at, Weight: criteria.One, Cause: parser.Direct,
		Source: netip.AddrFrom4([4]byte{byte(11 + source>>24), byte(source >> 16), byte(source >> 8), byte(source)}),
		Traps:  []string{fmt.Sprintf("t%d@traps.example", n%3 + n / *benchSources % 7)},
		Digest: criteria.Digest{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}},
		Reason: "untrusted-peer", Helo: "mail.sender.example", MailFrom: "a@sender.example"}
}

// BenchmarkLog tells hits a second for what needs the whole log, beside bbolt going over a file of
// as many values. The size is that of -hits and -sources.
func BenchmarkLog(b *testing.B) {
	s := longLog(b)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*float64(*benchHits)/b.Elapsed().Seconds(), "hits/s")
	}
	db := plainFile(b)
	b.Run("bbolt alone", func(b *testing.B) {
		for b.Loop() {
			scan(b, db)
		}
		rate(b)
	})
	start := func(b *testing.B) *Judge {
		j := New(s, &diary{})
		if err := j.CatchUp(s.Mark().At); err != nil {
			b.Fatal(err)
		}
		return j
	}
	b.Run("start without the snapshot", func(b *testing.B) {
		for b.Loop() {
			start(b)
		}
		rate(b)
	})
	p := criteria.DefaultPolicy()
	p.Threshold, p.MaxAge = 30*criteria.One, 96*time.Hour
	b.Run("a policy evaluated anew", func(b *testing.B) {
		for b.Loop() {
			line := timeline{store: s, policy: &p}
			if _, err := line.load(b.Context(), s.Mark(), criteria.Corrections{}); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
	b.Run("a simulation over all", func(b *testing.B) {
		for b.Loop() {
			_, err := New(s, &diary{}).Try(context.Background(), Trial{Policies: []criteria.Policy{p},
				From: 0, To: s.Mark().At})
			if err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
	b.Run("a simulation with exceptions", func(b *testing.B) {
		except := criteria.Decision{Act: criteria.ActExcept, Who: "test", Origin: criteria.FromOperator,
			Network: netip.MustParsePrefix("203.0.113.0/24")}
		if err := s.Decide(b.Context(), except); err != nil {
			b.Fatal(err)
		}
		before := cpu(b)
		for b.Loop() {
			_, err := New(s, &diary{}).Try(context.Background(), Trial{Policies: []criteria.Policy{p},
				From: 0, To: s.Mark().At + 1})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/op")
		b.ReportMetric(float64(usage(b).Maxrss)/1e3, "MB-peak")
	})
	start(b).save()
	b.Run("start with the snapshot", func(b *testing.B) {
		for b.Loop() {
			start(b)
		}
		rate(b)
	})
}

// BenchmarkCorrections is forty burns beside one, each since a time of its own: as they come
// while the engine is live, and where a start without the snapshot finds them in the ledger.
func BenchmarkCorrections(b *testing.B) {
	s := longLog(b)
	read := func(b *testing.B, line timeline) timeline {
		if err := line.read(b.Context(), s.Mark(), func([]criteria.Change) {}); err != nil {
			b.Fatal(err)
		}
		return line
	}
	spent := func(b *testing.B, f func()) { // a busy machine's clock says little
		before := cpu(b)
		for b.Loop() {
			f()
		}
		b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	}
	live := read(b, timeline{store: s})
	for _, n := range []int{0, 1, 40} {
		var burns []criteria.Decision
		for i := range n {
			burns = append(burns, criteria.Decision{Act: criteria.ActBurn, Who: "test",
				Trap: fmt.Sprintf("t%d@traps.example", i%9), Since: s.Mark().At - criteria.Second(n+i*3600)})
		}
		if n > 0 {
			if err := s.Decide(b.Context(), burns...); err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("live/burns=%d", n), func(b *testing.B) {
				spent(b, func() { read(b, live) })
			})
			live = read(b, live)
		}
		b.Run(fmt.Sprintf("start/burns=%d", n), func(b *testing.B) {
			spent(b, func() { read(b, timeline{store: s}) })
		})
	}
}

// usage is what the process has had of the machine.
func usage(b *testing.B) (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}

func cpu(b *testing.B) time.Duration {
	u := usage(b)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plainFile is a bbolt file with as many values, each as large as a hit is on disk.
func plainFile(b *testing.B) *bbolt.DB {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	value := make([]byte, 150)
	for n := 0; n < *benchHits; {
		err := db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("hit"))
			if err != nil {
				return err
			}
			bucket.FillPercent = 1
			for range 10_000 {
				if err := bucket.Put(binary.BigEndian.AppendUint64(nil, uint64(n)), value); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return db
}

// scan reads every value and sums it up, as whoever checks it must.
func scan(b *testing.B, db *bbolt.DB) {
	b.Helper()
	err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("hit")).ForEach(func(_, v []byte) error {
			sum += crc32.Checksum(v, castagnoli)
			return nil
		})
	})
	if err != nil {
		b.Fatal(err)
	}
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	sum        uint32 // what is used is not optimised away
)
