package criteria

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// beside drives an index and a map of the same numbers, and holds them against
// each other. Hashes are given: few of them, so that many collide.
type beside struct {
	testing.TB
	index *index
	plain map[uint32]uint32 // number to hash
}

func (b *beside) set(number, hash uint32, in bool) {
	switch _, known := b.plain[number]; {
	case in && !known:
		b.index.add(hash, number)
		b.plain[number] = hash
	case !in && known:
		b.index.remove(b.plain[number], number)
		delete(b.plain, number)
	}
}

func (b *beside) check() {
	b.Helper()
	if b.index.used != len(b.plain) {
		b.Fatalf("%d are in it, want %d", b.index.used, len(b.plain))
	}
	for number, hash := range b.plain {
		is := func(n uint32) bool { return n == number }
		if _, found := b.index.find(hash, is); !found {
			b.Fatalf("number %d under %#x is not found", number, hash)
		}
	}
	held := 0
	for _, p := range b.index.places {
		if p != 0 {
			held++
		}
	}
	if held != len(b.plain) {
		b.Fatalf("%d places are in use, want %d", held, len(b.plain))
	}
}

func TestIndexIsAMap(t *testing.T) {
	hashes := map[string]func(*rand.Rand) uint32{
		"any":             (*rand.Rand).Uint32,
		"few":             func(r *rand.Rand) uint32 { return r.Uint32N(8) << 29 },
		"round the end":   func(r *rand.Rand) uint32 { return -r.Uint32N(1 << 27) },
		"all of them one": func(*rand.Rand) uint32 { return 0 },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			b := &beside{t, newIndex(), map[uint32]uint32{}}
			for i := range 6000 {
				b.set(r.Uint32N(400), hash(r)|1, r.IntN(5) < 2+i/2000)
				if i%50 == 0 {
					b.check()
				}
			}
			for number := range uint32(400) {
				b.set(number, 0, false)
			}
			b.check()
		})
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\xff\xfe\xfd\x80\x81\x82"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		b := &beside{t, newIndex(), map[uint32]uint32{}}
		for step := range slices.Chunk(steps, 2) { // a number in or out; its hash
			hash := uint32(step[len(step)-1]) << 24
			b.set(uint32(step[0]&127), hash|1, step[0] < 128)
			b.check()
		}
	})
}

func TestCensusIsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c census
	for range 200 {
		c.reset()
		plain := map[uint64]int{}
		for range r.IntN(300) {
			key := r.Uint64N(1 << (1 + r.IntN(9)))
			plain[key]++
			if n := c.add(key); n != plain[key] {
				t.Fatalf("key %d was added %d times, want %d", key, n, plain[key])
			}
		}
		for key := range uint64(1 << 9) {
			if n := c.of(key); n != plain[key] {
				t.Fatalf("key %d counts %d, want %d", key, n, plain[key])
			}
		}
		if c.keys != len(plain) {
			t.Fatalf("%d keys, want %d", c.keys, len(plain))
		}
	}
}

// The census counts its rounds in 32 bits; when they begin anew, nothing of the
// first rounds may stand.
func TestCensusForgetsWhenRoundsBeginAnew(t *testing.T) {
	var c census
	c.reset()
	c.add(7)
	c.round = 1<<32 - 1
	c.reset()
	if n := c.of(7); n != 0 || c.round == 0 {
		t.Errorf("a key of another round counts %d in round %d", n, c.round)
	}
}
