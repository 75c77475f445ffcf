package store

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"
)

// phase is what 64 sessions got done in a while.
type phase struct {
	rate     float64       // hits a second
	p50, p99 time.Duration // of an answer
}

// BenchmarkBackup tells what a backup of 200,000 hits costs those whose mail comes
// in meanwhile, and a check, and a compaction of their file: rate and latency as parts of those without, in the
// same run and by turns.
func BenchmarkBackup(b *testing.B) {
	s := opened(b, Config{Dir: b.TempDir(), Now: time.Now})
	for n := 0; n < 200_000; n += 1000 {
		var batch []*Record
		for i := range 1000 {
			batch = append(batch, evident(n+i))
		}
		if err := s.Append(context.Background(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	backup := func(r Rest) func(context.Context) {
		return func(ctx context.Context) { _, _ = s.Backup(ctx, io.Discard, r) } // cut off at the end
	}
	check := func(ctx context.Context) {
		for range s.Check(ctx, BesideWriter, quiet) {
		}
	}
	rewrite := func(ctx context.Context) {
		_ = s.rewrite(ctx, &s.days[0].file, BesideWriter) // cut off at the end
	}
	for b.Loop() {
		compare(b, s, map[string]func(context.Context){"backup": backup(BesideWriter),
			"backup-unthrottled": backup(0), "check": check,
			"compaction": rewrite})
	}
}

// compare measures by turns and reports the medians of eleven rounds.
func compare(b *testing.B, s *Store, beside map[string]func(context.Context)) {
	b.Helper()
	rates, p50s, p99s := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range 11 {
		var alone phase
		for name, work := range beside {
			alone = measure(b, s, nil)
			with := measure(b, s, work)
			rates[name] = append(rates[name], with.rate/alone.rate)
			p50s[name] = append(p50s[name], float64(with.p50)/float64(alone.p50))
			p99s[name] = append(p99s[name], float64(with.p99)/float64(alone.p99))
		}
		b.ReportMetric(alone.rate, "alone-hits/s")
		b.ReportMetric(float64(alone.p99.Microseconds())/1000, "alone-p99-ms")
	}
	for name := range beside {
		b.ReportMetric(median(rates[name]), name+"-rate-x")
		b.ReportMetric(median(p50s[name]), name+"-p50-x")
		b.ReportMetric(median(p99s[name]), name+"-p99-x")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// measure lets sessions append for a while and something else goes on, again and again.
func measure(b *testing.B, s *Store, work func(context.Context)) phase {
	b.Helper()
	const span = 400 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() {
		for work != nil && ctx.Err() == nil {
			work(ctx)
		}
	})
	took := make([][]time.Duration, 64)
	for i := range took {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				if err := s.Append(context.Background(), evident(n)); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	whole := slices.Concat(took...)
	slices.Sort(whole)
	return phase{rate: float64(len(whole)) / span.Seconds(),
		p50: whole[len(whole)/2], p99: whole[len(whole)*99/100]}
}
