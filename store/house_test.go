package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
)

// notes are what a store told of its house.
type notes struct {
	mu   sync.Mutex
	told []string
}

func (n *notes) Migrated(from, to uint64, copied string) {
	n.note(fmt.Sprintf("from schema %d to %d, %s", from, to, copied))
}

func (n *notes) EvidenceDropped(file string, bytes int64) {
	n.note(fmt.Sprintf("%s shrank: %v", file, bytes > 0))
}

func (n *notes) EvidenceStays(file string, why error) { n.note(file + " stays: " + why.Error()) }

func (n *notes) note(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, text)
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.told)
}

// bulky is a hit with evidence that does not get smaller, and says its number.
func bulky(n int) *Record {
	r := hit(n)
	r.Evidence = PackEvidence(bulkyHead(n))
	return r
}

func bulkyHead(n int) []byte {
	noise := make([]byte, 2000)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(noise) // never fails
	return append(fmt.Appendf(nil, "Subject: secret of message %d\r\n\r\n", n), noise...)
}

// traces counts, in the bytes of all files below a folder, what is left of the
// evidence of a bulky hit: its text, and what it was packed into.
func traces(t *testing.T, dir string, n int) (found int) {
	t.Helper()
	text, packed := fmt.Appendf(nil, "secret of message %d\r\n", n), PackEvidence(bulkyHead(n))
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found += bytes.Count(b, text) + bytes.Count(b, packed[len(packed)/4:len(packed)/4+64])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const aWeek = 7 * daySpan

// lodging is a store that keeps evidence for a week and hits for a month, in a
// bubble whose time the test moves.
type lodging struct {
	*testing.T
	*Store
	notes *notes
	at    *hand
}

func lodge(t *testing.T, dir string) *lodging {
	t.Helper()
	l := &lodging{T: t, notes: &notes{}, at: newClock()}
	l.open(dir)
	return l
}

func (l *lodging) open(dir string) {
	l.Store = opened(l.T, Config{Dir: dir, Now: l.at.read, Retention: 30 * daySpan, Evidence: aWeek,
		Observer: l.notes})
}

// take appends bulky hits.
func (l *lodging) take(from, to int) {
	l.Helper()
	for n := from; n <= to; n++ {
		if err := l.Append(l.Context(), bulky(n)); err != nil {
			l.Fatal(err)
		}
	}
}

// pass lets time go by, and the house be kept.
func (l *lodging) pass(d time.Duration) {
	l.at.move(d)
	time.Sleep(2 * houseEvery)
	synctest.Wait()
}

// check compares what is left: hits up to the last, evidence from one on.
func (l *lodging) check(last, evidentFrom int) {
	l.Helper()
	if got := all(l.T, l.Store); !slices.Equal(got, upTo(1, last)) {
		l.Errorf("the log holds %v", got)
	}
	for n := 1; n <= last; n++ {
		head, err := l.Evidence(uint64(n))
		want := bulkyHead(n)
		if n < evidentFrom {
			want = nil
		}
		if err != nil || !bytes.Equal(head, want) {
			l.Errorf("evidence of hit %d: %d bytes, %v", n, len(head), err)
		}
		if found := traces(l.T, l.cfg.Dir, n); (found > 0) != (n >= evidentFrom) {
			l.Errorf("traces of hit %d: %d", n, found)
		}
	}
	checkPagesOf(l.T, l.Store)
}

// A day after its evidence's time nothing of it is left in any byte of any file,
// and its hits are all there; also where the day is the newest, since no mail came.
func TestEvidenceGoesAfterItsTime(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 20)
		l.pass(daySpan)
		l.take(21, 40)
		l.check(40, 1)
		l.pass(aWeek - daySpan)
		l.check(40, 1)
		l.pass(daySpan)
		l.check(40, 21)
		l.pass(3 * daySpan)
		l.check(40, 41)
		l.take(41, 45)
		l.check(45, 41)
		want := []string{"hits-20261124.db shrank: true", "hits-20261125.db shrank: true"}
		if got := l.notes.all(); !slices.Equal(got, want) {
			t.Errorf("told %q", got)
		}
		closed(t, l.Store)
		l.open(dir)
		l.take(46, 46)
		l.check(46, 41)
	})
}

// A store that was down when the time of evidence came drops it after the start.
func TestEvidenceGoesAfterAStart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 10)
		closed(t, l.Store)
		l.at.move(20 * daySpan)
		l.open(dir)
		l.pass(0)
		l.check(10, 11)
	})
}

// Another retention holds from the moment that it is put in force.
func TestRetentionChanges(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 5)
		l.pass(4 * daySpan)
		l.check(5, 1)
		l.Retain(Retention{Records: 30 * daySpan, Evidence: 2 * daySpan})
		l.pass(0)
		l.check(5, 6)
		l.take(6, 7)
		l.pass(4 * daySpan)
		l.take(8, 8)
		l.Retain(Retention{Records: 3 * daySpan})
		l.pass(0)
		if got := all(t, l.Store); !slices.Equal(got, []int{8}) {
			t.Errorf("the log holds %v", got)
		}
	})
}

// Who is reading a day reads it to the end, and the day is rewritten when they are
// done.
func TestEvidenceWaitsForReaders(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 600)
		l.at.move(daySpan)
		l.take(601, 601)
		read := 0
		for r, err := range l.Records(1, 601) {
			if read++; err != nil || r.LSN != uint64(read) {
				t.Fatal(r.LSN, err)
			}
			if read == 10 {
				l.pass(9 * daySpan)
			}
		}
		if read != 601 {
			t.Errorf("read %d hits", read)
		}
		l.take(602, 602)
		l.Retain(Retention{})
		if found := traces(t, dir, 601); found > 0 {
			t.Errorf("%d traces", found)
		}

		reading, done := make(chan struct{}), make(chan struct{})
		l.at.move(aWeek)
		go func() {
			_ = l.days[2].view(func(*bbolt.Tx) error {
				close(reading)
				<-done
				return nil
			})
		}()
		<-reading
		l.Retain(Retention{Evidence: daySpan})
		l.pass(daySpan)
		if found := traces(t, dir, 602); found == 0 {
			t.Error("rewritten under a reader")
		}
		close(done)
		l.pass(0)
		if found := traces(t, dir, 602); found > 0 {
			t.Errorf("%d traces", found)
		}
	})
}

// Evidence that cannot be read stays, and so that it is known, is told of.
func TestDamagedEvidenceStaysAndIsTold(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 3)
		closed(t, l.Store)
		change(t, filepath.Join(dir, soundDay), func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketHit).Put(key(2), []byte("no checksum"))
		})
		l.open(dir)
		l.pass(30 * daySpan)
		if got := l.notes.all(); len(got) != 1 || !strings.Contains(got[0], "hits-20261124.db stays: ") ||
			!strings.Contains(got[0], "hit 2: checksum does not match") {
			t.Errorf("told %q", got)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*.new")); len(left) > 0 || err != nil {
			t.Errorf("left %q, %v", left, err)
		}
		time.Sleep(houseAgain)
		synctest.Wait()
		if n := len(l.notes.all()); n != 2 {
			t.Errorf("told %d times in two hours", n)
		}
	})
}

// A backup that is under way has the evidence, or has it not; it is a whole one.
func TestEvidenceGoesBesideABackup(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "restored")
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		l := lodge(t, dir)
		l.take(1, 1000)
		l.at.move(daySpan)
		l.take(1001, 1010)
		writes := 0
		later := func() {
			if writes++; writes == 4 {
				l.pass(aWeek)
			}
		}
		if _, err := l.Backup(t.Context(), &pausing{&b, later}, 0); err != nil {
			t.Fatal(err)
		}
		if writes < 6 {
			t.Errorf("%d writes: it was done before", writes)
		}
		l.check(1010, 1001)
	})
	if _, err := Restore(t.Context(), bytes.NewReader(b.Bytes()), to, quiet); err != nil {
		t.Fatal(err)
	}
	if _, faults := checked(t, to); len(faults) > 0 {
		t.Error(faults)
	}
}
