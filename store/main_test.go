package store

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		appendUntilKilled(dir)
	}
	if dir := os.Getenv(limitDir); dir != "" {
		appendUpToLimit(dir)
	}
	if dir := os.Getenv(maskDir); dir != "" {
		makeMasked(dir)
	}
	PackEvidence([]byte("x")) // its channel is made at the first use, which must not be in a bubble
	goleak.VerifyTestMain(m)
}

// morning is where the clock of a test starts.
var morning = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

const daySpan = 24 * time.Hour

// hand is a clock that tests move.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *hand { return &hand{now: morning} }

func (c *hand) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hand) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// opened opens the store of a folder with its writer at work, until the test ends.
func opened(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = newClock().read
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	t.Cleanup(func() { closed(t, s) })
	return s
}

func closed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// hit makes a record that says its number everywhere.
func hit(n int) *Record {
	r := &Record{
		Hit: criteria.Hit{Time: criteria.At(morning) + criteria.Second(n), Source: netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}),
			Traps: []string{fmt.Sprintf("trap%d@traps.example", n)}, Weight: criteria.One},
		Reason: "untrusted-peer", Peer: netip.MustParseAddrPort("198.51.100.7:4711"),
		Helo: fmt.Sprint("helo ", n), MailFrom: "spam@example.com", Protocol: "ESMTP", Size: int64(n),
		Recipients: []Recipient{{fmt.Sprintf("trap%d@traps.example", n), "pristine", "active", criteria.One}},
	}
	r.Digest[0], r.Digest[1] = byte(n), byte(n>>8)
	return r
}

// evident is a hit with evidence.
func evident(n int) *Record {
	r := hit(n)
	r.Evidence = PackEvidence(headOf(n))
	return r
}

func headOf(n int) []byte { return fmt.Appendf(nil, "Subject: number %d\r\n", n) }

// add appends hits from one number to another, one a commit.
func add(t testing.TB, s *Store, from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := s.Append(context.Background(), evident(n)); err != nil {
			t.Fatalf("append %d: %v", n, err)
		}
	}
}

// except is a decision that says its number.
func except(n int) criteria.Decision {
	return criteria.Decision{Act: criteria.ActExcept, Who: "test", Reason: fmt.Sprint("reason ", n),
		Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), 32)}
}

func decide(t testing.TB, s *Store, decisions ...criteria.Decision) {
	t.Helper()
	if err := s.Decide(context.Background(), decisions...); err != nil {
		t.Fatal(err)
	}
}

// numbers reads the log and tells the size, that is the number, of each record.
func numbers(s *Store, from, to uint64) (found []int, err error) {
	for r, err := range s.Records(from, to) {
		if err != nil {
			return found, err
		}
		found = append(found, int(r.Size))
	}
	return found, nil
}

func all(t testing.TB, s *Store) []int {
	t.Helper()
	found, err := numbers(s, 1, s.Mark().LSN)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// upTo is the numbers from one to another.
func upTo(from, to int) []int {
	var n []int
	for i := from; i <= to; i++ {
		n = append(n, i)
	}
	return n
}
