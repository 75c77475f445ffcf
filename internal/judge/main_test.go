package judge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fast is a policy whose whole life passes in a minute.
func fast() criteria.Policy {
	p := criteria.DefaultPolicy()
	p.FreshWindow, p.MaxAge = 20*time.Second, 60*time.Second
	p.RepeatWindow, p.DelistAfter, p.DelistAfterFew = 8*time.Second, 25*time.Second, 12*time.Second
	return p
}

func policy(p criteria.Policy) criteria.Decision {
	return criteria.Decision{Act: criteria.ActPolicy, Who: "test", Policy: &p}
}

// diary notes what the judge tells.
type diary struct {
	mu        sync.Mutex
	unusable  []error
	caughtUp  int
	changes   []string
	rewritten []string
}

func (d *diary) SnapshotUnusable(err error) { d.note(func() { d.unusable = append(d.unusable, err) }) }

func (d *diary) CaughtUp(uint64, int, int) { d.note(func() { d.caughtUp++ }) }

func (d *diary) ListChanged(source, from, to, trigger string) {
	d.note(func() { d.changes = append(d.changes, fmt.Sprint(source, " ", from, ">", to, " ", trigger)) })
}

func (d *diary) Rewritten(decision uint64, act, _ string, listed, delisted, changed int) {
	d.note(func() {
		d.rewritten = append(d.rewritten, fmt.Sprint(decision, " ", act, " +", listed, " -", delisted, " ~", changed))
	})
}

func (d *diary) note(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// court is a store and the judge of its log. Its time is that of the bubble.
type court struct {
	*testing.T
	dir    string
	store  *store.Store
	judge  *Judge
	diary  *diary
	cancel context.CancelFunc
	done   chan error
}

func newCourt(t *testing.T, dir string) *court {
	t.Helper()
	c := &court{T: t, dir: dir}
	c.open()
	c.decide(policy(fast()))
	c.serve()
	return c
}

func (c *court) open() {
	c.Helper()
	s, err := store.Open(store.Config{Dir: c.dir, Now: time.Now})
	if err != nil {
		c.Fatal(err)
	}
	s.Begin()
	c.store = s
}

// serve starts a judge.
func (c *court) serve() {
	c.diary = &diary{}
	c.judge = New(c.store, c.diary)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan error, 1)
	go func(j *Judge, done chan error) { done <- j.Serve(ctx) }(c.judge, c.done)
	synctest.Wait()
}

// rest ends the judge, which must not complain.
func (c *court) rest() {
	c.Helper()
	c.cancel()
	if err := <-c.done; err != nil {
		c.Fatal(err)
	}
}

func (c *court) close() {
	c.Helper()
	c.rest()
	if err := c.store.Close(); err != nil {
		c.Fatal(err)
	}
}

func (c *court) decide(d ...criteria.Decision) {
	c.Helper()
	if err := c.store.Decide(context.Background(), d...); err != nil {
		c.Fatal(err)
	}
	synctest.Wait()
}

func (c *court) hit(source, trap string, digest byte) {
	c.Helper()
	r := &store.Record{Hit: criteria.Hit{Time: criteria.At(time.Now()), Source: netip.MustParseAddr(source),
		Traps: []string{trap}, Weight: criteria.One, Cause: parser.Relay, Digest: criteria.Digest{digest}}}
	c.append(r)
}

func (c *court) append(r *store.Record) {
	c.Helper()
	if err := c.store.Append(context.Background(), r); err != nil {
		c.Fatal(err)
	}
	synctest.Wait()
}

// list makes a source listed now.
func (c *court) list(source string) {
	c.Helper()
	c.hit(source, "a@traps.example", 1)
	c.hit(source, "b@traps.example", 2)
}

func (c *court) lookup(source string) (e criteria.Entry) {
	c.Helper()
	err := c.judge.View(func(engine *criteria.Engine) { e = engine.Lookup(netip.MustParseAddr(source)) })
	if err != nil {
		c.Fatal(err)
	}
	return e
}

// pass lets seconds go by, and the judge see them.
func pass(seconds int) {
	time.Sleep(time.Duration(seconds) * time.Second)
	synctest.Wait()
}

// chance makes random logs.
type chance struct{ *rand.Rand }

func newChance(seed uint64) chance { return chance{rand.New(rand.NewPCG(seed, 7))} }

var sources = []string{"198.51.100.7", "198.51.100.8", "2001:db8:0:1::1", "2001:db8:0:1:8000::2"}

var trapNames = []string{"a@traps.example", "b@traps.example", "c@traps.example", "d@traps.example"}

func (r chance) record() *store.Record {
	n := &store.Record{Hit: criteria.Hit{Time: criteria.At(time.Now()), Weight: criteria.One,
		Source: netip.MustParseAddr(sources[r.IntN(len(sources))]), Digest: criteria.Digest{byte(1 + r.IntN(4))},
		Cause: []parser.Cause{parser.Relay, parser.Bounce, parser.Direct}[r.IntN(3)],
		Traps: []string{trapNames[r.IntN(len(trapNames))]}}}
	switch r.IntN(6) {
	case 0:
		n.Kind, n.Traps = criteria.Report, []string{fmt.Sprint("desk", r.IntN(3))}
	case 1: // read from a file, dated earlier
		n.Time, n.Ingested = n.Time-criteria.Second(r.IntN(70)), true
	case 2: // nothing that counts
		n.Source, n.Traps = netip.Addr{}, nil
	case 3: // two traps of different worth
		n.Traps = trapNames[:2]
		n.Recipients = []store.Recipient{{Address: n.Traps[0], State: "active", Weight: criteria.One},
			{Address: n.Traps[1], State: "active", Weight: criteria.One / 2}}
	}
	return n
}

func (r chance) decision() criteria.Decision {
	now := criteria.At(time.Now())
	d := criteria.Decision{Who: "test", Origin: criteria.FromOperator}
	d.Act = []criteria.Act{criteria.ActExcept, criteria.ActUnexcept, criteria.ActDelist, criteria.ActList,
		criteria.ActPolicy, criteria.ActBurn, criteria.ActUnburn, criteria.ActReweigh, criteria.ActUncount,
		criteria.ActRecount, criteria.ActPoints}[r.IntN(11)]
	switch d.Act {
	case criteria.ActPolicy:
		return policy(r.policy())
	case criteria.ActBurn, criteria.ActUnburn, criteria.ActReweigh:
		d.Trap, d.Since = trapNames[r.IntN(2)], now-criteria.Second(r.IntN(30))
		d.Weight = []criteria.Micro{0, criteria.One / 4}[r.IntN(2)]
		return d
	case criteria.ActUncount, criteria.ActRecount:
		d.Hits = []uint64{uint64(1 + r.IntN(80)), uint64(1 + r.IntN(80))}
		return d
	case criteria.ActPoints:
		d.Name = []string{"log", "mirror"}[r.IntN(2)]
		d.Points = criteria.PackPoints([]criteria.Point{{Day: criteria.DayOf(now),
			Addr: netip.MustParseAddr(sources[r.IntN(len(sources))]), Count: uint32(r.IntN(4000))}})
		return d
	}
	networks := []string{"198.51.100.7/32", "198.51.100.0/24", "2001:db8:0:1::/64", "2001:db8:0:1:8000::/65"}
	d.Network = netip.MustParsePrefix(networks[r.IntN(len(networks))])
	if r.IntN(2) == 0 {
		d.Until = now + criteria.Second(1+r.IntN(20))
	}
	return d
}

// decisions are one, or several at once.
func (r chance) decisions() []criteria.Decision {
	all := []criteria.Decision{r.decision()}
	for r.IntN(3) == 0 {
		for range 1 + r.IntN(6) {
			all = append(all, r.decision())
		}
	}
	return all
}

// policy is one of a few, so that the one in force comes up again as well.
func (r chance) policy() criteria.Policy {
	p := fast()
	p.Threshold = []criteria.Micro{criteria.One, 6 * criteria.One, 25 * criteria.One}[r.IntN(3)]
	p.IPv6Prefix = []int{64, 128}[r.IntN(2)]
	p.MaxAge = []time.Duration{60 * time.Second, 90 * time.Second}[r.IntN(2)]
	return p
}
