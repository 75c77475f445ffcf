package criteria

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
)

// hitsOfMany gives hits of n sources, ten a source on average, four seconds
// apart, as a trap sees them: few traps, fresh content.
func hitsOfMany(n int) func(i int) Hit {
	r := rand.New(rand.NewPCG(1, 1))
	return func(i int) Hit {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 0x10000000+uint32(r.IntN(n)))
		h := Hit{LSN: uint64(i + 1), Stamp: start + Second(i/50), Time: start + Second(i/50), Weight: One,
			Source: netip.AddrFrom4(a), Traps: []string{trapsOfTests[r.IntN(len(trapsOfTests))]}}
		binary.BigEndian.PutUint64(h.Digest[:], uint64(i+1))
		return h
	}
}

func BenchmarkEngineHit(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(map[int]string{1_000: "sources=1k", 100_000: "sources=100k"}[n], func(b *testing.B) {
			next := hitsOfMany(n)
			e := NewEngine(DefaultPolicy())
			i := 0
			for b.Loop() {
				e.Hit(next(i))
				i++
			}
			b.ReportMetric(float64(e.Listed()), "listed")
		})
	}
}

// BenchmarkEngineMemory tells the heap that a source takes at ten hits.
func BenchmarkEngineMemory(b *testing.B) {
	const sources, hits = 50_000, 500_000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e, next := NewEngine(DefaultPolicy()), hitsOfMany(sources)
		for i := range hits {
			e.Hit(next(i))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(e.Sources()), "B/source")
		runtime.KeepAlive(e)
	}
}

func BenchmarkListings(b *testing.B) {
	e, next := NewEngine(DefaultPolicy()), hitsOfMany(20_000)
	for i := range 200_000 {
		e.Hit(next(i))
	}
	for b.Loop() {
		e.Listings()
	}
}
