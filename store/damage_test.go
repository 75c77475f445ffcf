package store

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// sound is a store that damage is done to copies of: enough hits for a tree of
// two levels, a second day, some decisions.
type sound struct {
	dir  string
	at   *hand
	told []string
}

func newSound(t testing.TB) sound {
	w := sound{dir: t.TempDir(), at: newClock()}
	s := opened(t, Config{Dir: w.dir, Now: w.at.read})
	for n := 0; n < 600; n += 60 {
		var batch []*Record
		for i := range 60 {
			batch = append(batch, evident(n+i+1))
		}
		if err := s.Append(context.Background(), batch...); err != nil {
			t.Fatal(err)
		}
		decide(t, s, except(n))
		if n == 300 {
			w.at.move(daySpan)
		}
	}
	w.told = told(t, s, Mark{}, s.Mark())
	closed(t, s)
	return w
}

const soundDay = "hits-20261124.db" // the first of two

// readAll opens a store and reads all there is, evidence too.
func (w sound) readAll(dir string) (words []string, err error) {
	s, err := Open(Config{Dir: dir, Now: w.at.read})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for e, err := range s.Events(Mark{}, s.Mark()) {
		if err != nil {
			return words, err
		}
		if e.Decision != nil {
			words = append(words, e.Decision.Reason)
			continue
		}
		words = append(words, fmt.Sprint("helo ", e.Hit.LSN))
		head, err := s.Evidence(e.Hit.LSN)
		if err != nil {
			return words, err
		}
		if string(head) != string(headOf(int(e.Hit.LSN))) {
			return words, fmt.Errorf("wrong evidence %q: %w", head, ErrDamaged)
		}
	}
	for r, err := range s.Newest(s.Mark().LSN) {
		if err != nil {
			return words, err
		}
		if r.Helo != fmt.Sprint("helo ", r.LSN) {
			return words, errors.New("Newest gives another record")
		}
	}
	return words, nil
}

var flips = flag.Int("flips", 40, "how many bits of each file TestFlippedBits flips")

// TestFlippedBits flips bits of every kind of page, each tenth in one of the two
// meta pages. Whatever bbolt makes of it, the outcome is an error or the whole
// truth.
func TestFlippedBits(t *testing.T) {
	w := newSound(t)
	for _, name := range []string{soundDay, "hits-20261125.db", "ledger.db"} {
		whole, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		bits := bitsToFlip(whole)
		random := rand.New(rand.NewPCG(1, 2))
		for n := range min(*flips, len(bits)) {
			bit := bits[random.IntN(len(bits))]
			if n%10 == 0 {
				bit = 8*inMeta(random) + random.IntN(8)
			}
			damaged := slices.Clone(whole)
			damaged[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(filepath.Join(dir, name), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			words, err := w.readAll(dir)
			switch {
			case errors.Is(err, ErrDamaged), errors.Is(err, ErrForeign), errors.Is(err, ErrNewer):
			case err != nil:
				t.Errorf("%s, bit %d: %v", name, bit, err)
			case !slices.Equal(words, w.told):
				t.Errorf("%s, bit %d (page %d, byte %d): %d of %d events and no error", name, bit,
					bit/8/os.Getpagesize(), bit/8%os.Getpagesize(), len(words), len(w.told))
			}
		}
	}
}

// inMeta is a byte of what of a meta page has a checksum.
func inMeta(random *rand.Rand) int {
	return random.IntN(2)*os.Getpagesize() + pageHeader + random.IntN(metaLength)
}

// bitsToFlip are those of each page's header and first elements, all of a
// branch page's elements, and some of the rest.
func bitsToFlip(file []byte) []int {
	var bits []int
	size := os.Getpagesize()
	for page := 0; page < len(file); page += size {
		most := 16 + 3*16
		if binary.NativeEndian.Uint16(file[page+8:]) == 1 { // a branch
			most = 16 + 16*int(binary.NativeEndian.Uint16(file[page+10:]))
		}
		for bit := range most * 8 {
			bits = append(bits, page*8+bit)
		}
		for bit := most * 8; bit < size*8; bit += 997 {
			bits = append(bits, page*8+bit)
		}
	}
	return bits
}

// A branch that leads back to itself would end the process by its stack.
func TestBranchThatLeadsBackUp(t *testing.T) {
	w := newSound(t)
	path := filepath.Join(w.dir, soundDay)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size, order, branches := os.Getpagesize(), binary.NativeEndian, 0
	for page := 2 * size; page < len(whole); page += size {
		if order.Uint16(whole[page+8:]) != branchPage {
			continue
		}
		branches++
		damaged := slices.Clone(whole)
		last := page + pageHeader + elementSize*(int(order.Uint16(whole[page+10:]))-1)
		order.PutUint64(damaged[last+8:], uint64(page/size))
		overwrite(t, path, damaged)
		words, err := w.readAll(w.dir)
		if !errors.Is(err, ErrDamaged) && !slices.Equal(words, w.told) { // a branch no longer in use
			t.Errorf("page %d: %d events, %v", page/size, len(words), err)
		}
	}
	if branches == 0 {
		t.Error("the tree has no branches: too few hits")
	}
}

func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Strangers' bytes may stand where a meta page of another page size would.
func TestMetaPageInAMessageIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Config{Dir: dir})
	add(t, s, 1, 40)
	closed(t, s)
	path := filepath.Join(dir, soundDay)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	order, at := binary.NativeEndian, 2*os.Getpagesize()
	forged := slices.Clone(b[pageHeader : pageHeader+metaLength])
	order.PutUint32(forged[8:], uint32(at))
	order.PutUint64(forged[40:], 1<<30) // pages
	order.PutUint64(forged[48:], 1<<40) // transaction
	sum := fnv.New64a()
	sum.Write(forged[:metaLength-8])
	order.PutUint64(forged[56:], sum.Sum64())
	copy(b[at+pageHeader:], forged)
	overwrite(t, path, b)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := newestMeta(f); !ok || m.tx == 1<<40 {
		t.Errorf("the meta page is %+v, %v", m, ok)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A record of a later version is neither guessed at nor skipped.
func TestNewerAndMissingRecordsStopTheReader(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(*bbolt.Tx) error
		want   error
	}{
		{"newer", func(tx *bbolt.Tx) error {
			v := []byte{schema + 1, 1, 2, 3}
			v = binary.BigEndian.AppendUint32(v, checksum(bucketHit, key(3), v))
			return tx.Bucket(bucketHit).Put(key(3), v)
		}, ErrNewer},
		{"missing", func(tx *bbolt.Tx) error { return tx.Bucket(bucketHit).Delete(key(3)) }, ErrDamaged},
		{"of another number", func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketHit).Put(key(3), tx.Bucket(bucketHit).Get(key(2)))
		}, ErrDamaged},
		{"does not unpack", func(tx *bbolt.Tx) error { return put(tx, bucketHit, key(3), []byte("short")) }, ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := opened(t, Config{Dir: dir})
			add(t, s, 1, 5)
			closed(t, s)
			change(t, filepath.Join(dir, soundDay), c.damage)
			s = opened(t, Config{Dir: dir})
			got, err := numbers(s, 1, 5)
			if !slices.Equal(got, []int{1, 2}) || !errors.Is(err, c.want) ||
				!strings.Contains(err.Error(), soundDay+", hit 3") {
				t.Errorf("read %v, then %v", got, err)
			}
			got = nil
			for r, err := range s.Newest(5) {
				if err != nil {
					break
				}
				got = append(got, int(r.Size))
			}
			if !slices.Equal(got, []int{5, 4}) {
				t.Errorf("read back %v", got)
			}
		})
	}
}
