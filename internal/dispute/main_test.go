package dispute

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is on the hour, so that what is rounded is easy to tell.
var start = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

const (
	ours      = "198.51.100.7"     // listed, by hits 1 to 3
	six       = "2001:db8:1:2::25" // listed by its /64, by hits 4 and 5
	elsewhere = "203.0.113.9"      // of somebody who wants to dispute
)

// court is a clerk in a world of its own: a ledger in memory, a list that follows it,
// a DNS, and a clock that moves when it is told to.
type court struct {
	*testing.T
	*Clerk
	dir string

	mu        sync.Mutex
	at        time.Time
	decisions []criteria.Decision
	broken    error // of the ledger
	hits      map[netip.Prefix][]uint64
	manual    map[netip.Prefix]criteria.Answer // listed for another reason than hits
	ended     map[netip.Prefix]bool            // the listing has ended by itself
	readings  map[uint64]Reading
	unread    error // of reading a hit again
	silent    error // of the list
	dns       map[string][]string
	mute      error // of the DNS
	self      bool  // removal is offered
	told      []string
	awaited   []uint64 // decisions
}

func newCourt(t *testing.T) *court {
	t.Helper()
	c := &court{T: t, dir: t.TempDir(), at: start, hits: map[netip.Prefix][]uint64{
		unit(ours): {1, 2, 3}, unit(six): {4, 5}}, manual: map[netip.Prefix]criteria.Answer{},
		ended: map[netip.Prefix]bool{}, readings: map[uint64]Reading{}, dns: map[string][]string{}}
	c.restart()
	return c
}

func unit(a string) netip.Prefix { return address.Unit(netip.MustParseAddr(a), 64) }

// restart makes the clerk anew of what is on disk.
func (c *court) restart() {
	c.Clerk = Load(Config{Dir: c.dir, Secret: []byte("a secret of the store"), Ledger: c, List: c,
		Reread: c.reread, TXT: c.txt, Observer: c, Now: c.time,
		SelfRemoval: func() bool { return c.self }})
}

func (c *court) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *court) forward(span time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(span)
}

// Decide is the ledger's.
func (c *court) Decide(_ context.Context, decisions ...criteria.Decision) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	for i := range decisions {
		d := &decisions[i]
		if err := d.Check(); err != nil {
			c.Errorf("the ledger got %+v: %v", d, err)
		}
		d.Seq, d.At = uint64(len(c.decisions)+1), criteria.At(c.at)
		c.decisions = append(c.decisions, *d)
	}
	return nil
}

func (c *court) Decisions(after, to uint64) []criteria.Decision {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.decisions[after:min(to, uint64(len(c.decisions)))])
}

// Lookup is the list's: two hits that count list a unit.
func (c *court) Lookup(a netip.Addr) (criteria.Entry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var e criteria.Entry
	if c.silent != nil {
		return e, c.silent
	}
	e.Source, e.At = criteria.Source{Prefix: address.Unit(a, 64)}, criteria.At(c.at)
	for _, lsn := range c.counted(e.Source.Prefix) {
		e.Terms = append(e.Terms, criteria.Term{LSN: lsn})
	}
	e.Listed = len(e.Terms) >= 2
	e.Answer, e.Until = criteria.Spam, criteria.At(c.at.Add(24*time.Hour))
	if answer, ok := c.manual[e.Source.Prefix]; ok {
		e.Listed, e.Answer, e.Until = true, answer, criteria.Never
	}
	if c.ended[e.Source.Prefix] || c.excepted(e.Source.Prefix) {
		e.Listed = false
	}
	return e, nil
}

func (c *court) excepted(n netip.Prefix) bool {
	return slices.ContainsFunc(c.decisions, func(d criteria.Decision) bool {
		return d.Act == criteria.ActExcept && d.Network.Overlaps(n)
	})
}

// counted are the hits of a unit that count, the newest first, three at most.
func (c *court) counted(n netip.Prefix) []uint64 {
	left := slices.Clone(c.hits[n])
	for _, d := range c.decisions {
		left = slices.DeleteFunc(left, func(lsn uint64) bool {
			return d.Act == criteria.ActUncount && slices.Contains(d.Hits, lsn) ||
				d.Act == criteria.ActDelist && d.Network.Overlaps(n) && lsn < 1000*d.Seq
		})
	}
	slices.Reverse(left)
	return left[:min(len(left), 3)]
}

func (c *court) Await(_ context.Context, decision uint64) error {
	c.awaited = append(c.awaited, decision)
	return nil
}

func (c *court) reread(lsn uint64) (Reading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readings[lsn], c.unread
}

func (c *court) txt(ctx context.Context, name string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, bounded := ctx.Deadline(); !bounded {
		c.Error("the DNS is asked for as long as it likes")
	}
	if records, ok := c.dns[name]; ok || c.mute != nil {
		return records, c.mute
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (c *court) DisputeStep(id, source, step, who string) {
	c.told = append(c.told, strings.Join([]string{id, source, step, who}, " "))
}

func (c *court) DisputeFailed(err error) { c.told = append(c.told, "failed: "+err.Error()) }

// filled is a form in order, by somebody at an address.
func filled(a, peer string) Form {
	return Form{Address: netip.MustParseAddr(a), Peer: netip.MustParseAddr(peer), Claim: Technical,
		Statement: "That mail came through another host.\nSee our log.", Relation: "its administrator",
		Contact: "hostmaster@victim.example"}
}

func (c *court) file(f Form) Case {
	c.Helper()
	k, err := c.File(c.Context(), f)
	if err != nil {
		c.Fatal(err)
	}
	return k
}

func (c *court) find(id string) Case {
	c.Helper()
	k, ok := c.Find(id)
	if !ok {
		c.Fatalf("no dispute %s", id)
	}
	return k
}

// publish puts the token of a dispute into the DNS.
func (c *court) publish(id string) {
	c.Helper()
	h, ok := c.Challenge(id)
	if !ok {
		c.Fatalf("no challenge for %s", id)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dns[h.Name] = append(c.dns[h.Name], h.Text)
}

func (c *court) tick() {
	c.Helper()
	if err := c.Tick(c.Context()); err != nil {
		c.Fatal(err)
	}
}

// want holds how far a dispute is.
func (c *court) want(id string, state State) {
	c.Helper()
	if k := c.find(id); k.State != state {
		c.Errorf("dispute is %s, want %s", k.State, state)
	}
}

// refused holds why something was not done.
func refused(t testing.TB, err error, why Refusal) {
	t.Helper()
	_ = refusal(t, err, why) // it is the one that is wanted
}

// refusal gives why something was not done, which must be for a reason.
func refusal(t testing.TB, err error, why Refusal) *RefusedError {
	t.Helper()
	var r *RefusedError
	if !errors.As(err, &r) || r.Why != why {
		t.Fatalf("got %v, want a refusal: %s", err, why)
	}
	return r
}

// acts are what the ledger got, in short.
func (c *court) acts() string {
	var words []string
	for _, d := range c.decisions {
		word := string(d.Act)
		if d.Dispute != nil {
			word = string(d.Dispute.Step)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// sameAfterRestart holds that a clerk made anew knows what the one before knew.
func (c *court) sameAfterRestart() {
	c.Helper()
	before := c.Cases()
	c.restart()
	if diff := cmp.Diff(before, c.Cases(), cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{},
		criteria.Source{}), cmp.AllowUnexported(Reread{})); diff != "" {
		c.Errorf("after a restart: %s", diff)
	}
}
