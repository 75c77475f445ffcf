package trap

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemoryShared: what each of two asks for and may yet ask for decides who gets it.
func TestMemoryShared(t *testing.T) {
	m := &memory{}
	one, two := &claim{most: 8, limit: 10}, &claim{most: 8, limit: 10}
	now := func(c *claim, n int64) bool { return m.take(c, n, 0, nil) }
	for _, step := range []struct {
		name string
		c    *claim
		n    int64
		want bool
	}{
		{"the first takes some", one, 4, true},
		{"the second too, the first can still end", two, 2, true},
		{"more would leave neither a way to its end", two, 3, false},
		{"the first goes on", one, 4, true},
		{"nothing is left", two, 1, false},
		{"more than it said", one, 1, false},
	} {
		if got := now(step.c, step.n); got != step.want {
			t.Errorf("%s: %v", step.name, got)
		}
	}
	m.release(one)
	if !now(two, 6) {
		t.Error("what was given back is not to be had")
	}
	m.release(two)
	m.release(two)
	if m.inUse() != 0 || len(m.holding)+len(m.waiting) != 0 {
		t.Errorf("%d in use, %d hold, %d wait", m.inUse(), len(m.holding), len(m.waiting))
	}
}

// TestMemoryWaits: one that waits gets it when it is given back, in its turn, and not later than
// its patience lasts; one that holds some goes before those that hold nothing.
func TestMemoryWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		newcomer := func(most int64) *claim { return &claim{most: most, limit: 10} }
		first, holder := newcomer(6), newcomer(6)
		if !m.take(first, 6, 0, nil) || !m.take(holder, 2, 0, nil) {
			t.Fatal("there is enough for both")
		}
		served := make(chan string, 9)
		wait := func(name string, c *claim, n int64, patience time.Duration) {
			go func() {
				if m.take(c, n, patience, nil) {
					served <- name
				}
				m.release(c)
			}()
			synctest.Wait()
		}
		expect := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			for _, name := range want {
				if len(served) == 0 {
					t.Fatalf("%s: %s was not served", when, name)
				}
				if got := <-served; got != name {
					t.Fatalf("%s: %s was served, want %s", when, got, name)
				}
			}
			if len(served) > 0 {
				t.Fatalf("%s: %s was served as well", when, <-served)
			}
		}
		wait("impatient", newcomer(10), 10, time.Second)
		wait("big", newcomer(10), 10, time.Hour)
		wait("small", newcomer(2), 2, time.Hour) // there would be room, but it came later
		wait("holder", holder, 4, time.Hour)
		<-time.After(time.Minute)
		expect("while all is in use")
		m.release(first)
		expect("when one has ended", "holder", "big", "small")
		over := make(chan struct{})
		close(over)
		if m.take(first, 6, 0, nil); m.take(newcomer(10), 10, time.Hour, over) {
			t.Error("granted what is not there")
		}
		if m.queued() > 0 || m.inUse() != 6 {
			t.Errorf("%d wait, %d in use", m.queued(), m.inUse())
		}
	})
}

// TestMemoryNeverLocks: whatever many claims ask for, all come to their ends, and more than the
// limit is never used. Nobody's patience ends here, so a deadlock would hang.
func TestMemoryNeverLocks(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			m, limit := &memory{}, int64(1000)
			var all sync.WaitGroup
			for n := range uint64(40) {
				random := rand.New(rand.NewPCG(seed, n))
				c := &claim{most: 1 + random.Int64N(limit), limit: limit}
				all.Go(func() { useAll(t, m, c, random) })
			}
			all.Wait()
			if m.inUse() != 0 || len(m.holding)+len(m.waiting) != 0 {
				t.Errorf("%d in use, %d hold, %d wait", m.inUse(), len(m.holding), len(m.waiting))
			}
		})
	}
}

// useAll takes all that the claim may have, some at a time, and gives it back.
func useAll(t *testing.T, m *memory, c *claim, random *rand.Rand) {
	for c.lacks() > 0 {
		if !m.take(c, 1+random.Int64N(c.lacks()), 24*time.Hour, nil) {
			t.Error("waited in vain")
			break
		}
		if used := m.inUse(); used > c.limit {
			t.Errorf("%d of %d used", used, c.limit)
		}
		<-time.After(time.Duration(random.Int64N(int64(time.Second))))
	}
	m.release(c)
}

// TestMemoryReports: fifty whole reports of which twenty-five have room: the others wait, and all
// are taken. The memory stays in its budget.
func TestMemoryReports(t *testing.T) {
	const size, senders = 1 << 20, 50
	s := newStand(t, func(_ *Config, s *Settings) {
		s.Limits = Limits{ConnectionsPerIP: senders, MessageBytes: size,
			MemoryBytes: senders / 2 * size}
	})
	content := strings.Repeat(strings.Repeat("x", 62)+"\r\n", size/64)
	var begun, all sync.WaitGroup
	begun.Add(senders)
	most, stop := make(chan int64), make(chan struct{})
	go func() { most <- watchMemory(s.budget, stop) }()
	for range senders {
		c := dial(t, s.address)
		all.Go(func() {
			c.open(t, "report@reports.example", "")
			c.send(t, content[:size/2])
			begun.Done()
			begun.Wait() // half of each is on its way before any is whole
			c.send(t, content[size/2:])
			c.play(t, "> .\n< 250 2.0.0 OK\n"+quit)
		})
	}
	all.Wait()
	close(stop)
	if got := <-most; got > senders/2*size || got < senders/4*size {
		t.Errorf("at most %d bytes in use, want little less than %d", got, senders/2*size)
	}
	s.finish(t)
	if n := len(s.sink.all()); n != senders || s.budget.Memory() != 0 {
		t.Errorf("%d messages, %d bytes not given back", n, s.budget.Memory())
	}
}

func watchMemory(b *Budget, stop <-chan struct{}) (most int64) {
	for {
		most = max(most, b.Memory())
		select {
		case <-stop:
			return most
		default:
			runtime.Gosched()
		}
	}
}

// TestMemoryGrants compares what is granted with the meaning of it: all that hold something can
// come to their ends in some order, for what is free and what those before them leave.
func TestMemoryGrants(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		m, limit := &memory{}, int64(200)
		claims := make([]*claim, 12)
		for i := range claims {
			claims[i] = &claim{most: 1 + random.Int64N(limit), limit: limit}
		}
		for step := range 200 {
			c := claims[random.IntN(len(claims))]
			if c.lacks() == 0 {
				m.release(c)
				continue
			}
			n := 1 + random.Int64N(c.lacks())
			want := m.used+n <= limit && allCanEnd(limit-m.used-n, claims, c, n)
			if got := m.take(c, n, 0, nil); got != want {
				t.Fatalf("seed %d, step %d: granted %v, want %v", seed, step, got, want)
			}
			if !slices.IsSortedFunc(m.holding, func(a, b *claim) int { return cmp.Compare(a.lacks(), b.lacks()) }) {
				t.Fatalf("seed %d, step %d: not in order", seed, step)
			}
		}
	}
}

// allCanEnd lets one after the other end that can, once c holds n more.
func allCanEnd(free int64, claims []*claim, c *claim, n int64) bool {
	held, lacks := map[*claim]int64{}, map[*claim]int64{}
	for _, o := range claims {
		if o.held > 0 {
			held[o], lacks[o] = o.held, o.lacks()
		}
	}
	held[c], lacks[c] = c.held+n, c.lacks()-n
	for range claims {
		for o, more := range lacks {
			if more <= free {
				free += held[o]
				delete(lacks, o)
			}
		}
	}
	return len(lacks) == 0
}

// BenchmarkMemoryCrowd is the worst that a crowd of stalled senders can do: all hold something,
// all wait for more, and one after the other gives up.
func BenchmarkMemoryCrowd(b *testing.B) {
	const crowd, limit = 2000, 64 << 20
	for b.Loop() {
		m := &memory{}
		all := make([]*claim, crowd)
		for i := range all {
			all[i] = &claim{most: headBytes, limit: limit}
		}
		for size := int64(usualHead); size <= headBytes; size *= 2 {
			for _, c := range all {
				if c.wants == 0 && c.held < size {
					m.ask(c, size-c.held)
				}
			}
		}
		for _, c := range all {
			m.stopWaiting(c)
			m.release(c)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/crowd, "µs/sender")
}
