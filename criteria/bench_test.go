package criteria

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// stream is hits of many sources, as a trap sees them: any source, few traps,
// fresh content, and as many hits a second as give each source one in five and
// a half hours.
type stream struct {
	*rand.Rand
	sources int
	next    int
	rest    []Hit // foretold
	room    [64]Hit
}

func newStream(sources int) *stream {
	return &stream{Rand: rand.New(rand.NewPCG(1, 1)), sources: sources}
}

func (s *stream) hit() Hit {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 0x10000000+uint32(s.IntN(s.sources)))
	at := start + Second(s.next*20_000/s.sources)
	h := Hit{LSN: uint64(s.next + 1), Stamp: at, Time: at, Weight: One,
		Source: netip.AddrFrom4(a), Traps: trapsOfBench[s.IntN(len(trapsOfBench))]}
	s.next++
	binary.BigEndian.PutUint64(h.Digest[:], s.Uint64())
	return h
}

// foretold is the next hit. The engine is told of it beforehand, with as many
// others as a judge takes from the log at a time.
func (s *stream) foretold(e *Engine) Hit {
	if len(s.rest) == 0 {
		var sources [64]netip.Addr
		s.rest = s.room[:]
		for i := range s.rest {
			s.rest[i] = s.hit()
			sources[i] = s.rest[i].Source
		}
		e.Expect(sources[:])
	}
	h := s.rest[0]
	s.rest = s.rest[1:]
	return h
}

var trapsOfBench = func() (traps [][]string) {
	for i := range 50 {
		traps = append(traps, []string{fmt.Sprintf("t%d@traps%d.example", i, i%5)})
	}
	return traps
}()

var sizes = []int{100_000, 1_000_000}

// grown is an engine that has read ten hits a source.
func grown(s *stream) *Engine {
	e := NewEngine(DefaultPolicy(), Corrections{})
	for range 10 * s.sources {
		e.Load(s.foretold(e))
	}
	e.Settle(e.now)
	return e
}

func eachSize(b *testing.B, f func(b *testing.B, sources int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("sources=%d", n), func(b *testing.B) {
			if n > sizes[0] && testing.Short() {
				b.Skip("a million sources are not short")
			}
			f(b, n)
		})
	}
}

// BenchmarkHit is the live engine at ten hits a source. Beside it stands the
// least that anything could do with the hit: add one in a map of addresses.
func BenchmarkHit(b *testing.B) {
	eachSize(b, func(b *testing.B, sources int) {
		s := newStream(sources)
		e := grown(s)
		b.ReportAllocs()
		begin := cpu(b)
		for b.Loop() {
			e.Hit(s.foretold(e))
		}
		rate(b, b.N, begin, "hits/s")
		b.ReportMetric(float64(e.Listed()), "listed")
	})
}

func BenchmarkPlainMap(b *testing.B) {
	eachSize(b, func(b *testing.B, sources int) {
		s, counts := newStream(sources), map[netip.Addr]int{}
		for range sources {
			counts[s.hit().Source]++
		}
		begin := cpu(b)
		for b.Loop() {
			counts[s.hit().Source]++
		}
		rate(b, b.N, begin, "hits/s")
	})
}

// BenchmarkLoad reads ten hits a source without judging, then judges all.
func BenchmarkLoad(b *testing.B) {
	eachSize(b, func(b *testing.B, sources int) {
		for b.Loop() {
			begin := cpu(b)
			s, e := newStream(sources), NewEngine(DefaultPolicy(), Corrections{})
			for range 10 * sources {
				e.Load(s.foretold(e))
			}
			rate(b, 10*sources, begin, "loads/s")
			begin = cpu(b)
			e.Settle(e.now)
			rate(b, sources, begin, "settled/s")
		}
	})
}

// BenchmarkMemory tells the heap that a source takes at ten hits.
func BenchmarkMemory(b *testing.B) {
	eachSize(b, func(b *testing.B, sources int) {
		for b.Loop() {
			before := heap()
			e := grown(newStream(sources))
			b.ReportMetric(float64(heap()-before)/float64(e.Sources()), "B/source")
			runtime.KeepAlive(e)
		}
	})
}

// cpu is the processor time that the process has had: on a busy machine it
// says more than a clock does.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rate reports n things per second of processor time.
func rate(b *testing.B, n int, since time.Duration, unit string) {
	b.ReportMetric(float64(n)/(cpu(b)-since).Seconds(), unit)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkListings copies the list; the first copy of all searches every end.
func BenchmarkListings(b *testing.B) {
	e := grown(newStream(sizes[0]))
	begin := cpu(b)
	n := len(e.Listings())
	rate(b, n, begin, "first/s")
	begin = cpu(b)
	for b.Loop() {
		e.Listings()
	}
	rate(b, n*b.N, begin, "listings/s")
}

func BenchmarkStanding(b *testing.B) {
	e := grown(newStream(sizes[0]))
	begin := cpu(b)
	for b.Loop() {
		e.Standing()
	}
	rate(b, e.Listed()*b.N, begin, "listed/s")
}

func BenchmarkSnapshot(b *testing.B) {
	e := grown(newStream(sizes[0]))
	for b.Loop() {
		packed, err := e.MarshalBinary()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := RestoreEngine(packed); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(packed))/float64(e.Sources()), "B/source")
	}
}
