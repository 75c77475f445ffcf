package main

import (
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
	"github.com/trapline/trapline/zone"
)

// How often the daemon is killed; make kill asks for more.
var (
	killRounds   = flag.Int("kill-rounds", len(blows), "how often the daemon is killed under load")
	killMessages = flag.Int("kill-messages", 150, "messages acknowledged before each kill, at least")
)

// testKilledUnderLoad: what was answered 250 is there after a kill, once, whatever the daemon was
// at; and what it adds up to does not depend on what else was kept.
func testKilledUnderLoad(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	d.blame("203.0.113.1")
	if code := d.stop(); code != exitDone { // so that a kept state lies before the kills
		t.Fatalf("exit %d", code)
	}
	toll := &toll{caught: map[string]int{}, rounds: map[string]int{}}
	for round := range *killRounds {
		l := &load{server: s.serve(), round: round, enough: *killMessages, over: make(chan struct{})}
		l.awaitWholeZone()
		b := blows[round%len(blows)]
		fallen := l.run(b.fall)
		toll.note(b.name, fallen, l.names)
		checkZone(t, s)
		checkSameList(t, withoutSnapshot(s), records[admin.Listing](s, "listings"))
	}
	t.Log(toll)
	d = s.serve()
	d.awaitEngine()
	checkAllThere(t, s, toll.acknowledged)
	checkDecisions(t, s, toll.decided)
	listings := records[admin.Listing](s, "listings")
	if len(listings) < loaders {
		t.Errorf("%d listings: want at least one of each of %d clients", len(listings), loaders)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	checkSameList(t, listings, withoutSnapshot(s))
	published := checkZone(t, s)
	if err := os.Remove(s.path("data/engine.snapshot")); err != nil {
		t.Fatal(err)
	}
	s.serve().awaitEngine()
	checkSameList(t, listings, records[admin.Listing](s, "listings"))
	s.tell("zone", "build")
	if again := checkZone(t, s); !zone.Diff(published, again).Empty() {
		t.Errorf("the zone of a replay has %d entries, that of the daemon had %d, or others",
			len(again), len(published))
	}
}

// toll is what the kills came to.
type toll struct {
	acknowledged []string
	decided      []string // reasons of decisions that were answered
	rounds       map[string]int
	caught       map[string]int // by name of the blow: it met what it aimed at
}

func (t *toll) note(blow string, fallen fall, acknowledged []string) {
	t.rounds[blow]++
	if fallen.caught {
		t.caught[blow]++
	}
	if fallen.decided != "" {
		t.decided = append(t.decided, fallen.decided)
	}
	t.acknowledged = append(t.acknowledged, acknowledged...)
}

func (t *toll) String() string {
	text := fmt.Sprintf("%d messages and %d decisions acknowledged", len(t.acknowledged),
		len(t.decided))
	for _, name := range slices.Sorted(maps.Keys(t.rounds)) {
		text += fmt.Sprintf("\nkilled %s: %d times, %d of them in the act", name, t.rounds[name],
			t.caught[name])
	}
	return text
}

// withoutSnapshot is the list that log and ledger alone come to, while no daemon runs.
func withoutSnapshot(s *site) []admin.Listing {
	s.Helper()
	kept, away := s.path("data/engine.snapshot"), s.path("engine.snapshot")
	if err := os.Rename(kept, away); err != nil {
		s.Fatal(err)
	}
	list := records[admin.Listing](s, "listings")
	if err := os.Rename(away, kept); err != nil {
		s.Fatal(err)
	}
	return list
}

// checkZone: what a mirror could fetch now is a whole zone, with these entries.
func checkZone(t *testing.T, s *site) []criteria.Listing {
	t.Helper()
	z, err := zone.Parse([]byte(s.read("zone/" + origin)))
	if err != nil {
		t.Errorf("the zone after a kill, of %d entries: %v", len(z.Listings), err)
	}
	return z.Listings
}

// awaitWholeZone: soon after the start all files of the zone are of one publication.
func (d *server) awaitWholeZone() {
	d.Helper()
	var last said
	defer func() {
		if last.code != exitDone {
			d.Errorf("zone verify: %+v", last)
		}
	}()
	testpeer.Eventually(d, patience, "a whole zone", func() bool {
		last = d.run("zone", "verify")
		return last.code == exitDone
	})
}

// awaitEngine waits until the daemon has read its log.
func (d *server) awaitEngine() {
	d.Helper()
	testpeer.Eventually(d, patience, "the engine", func() bool {
		return len(d.events("caught-up")) > 0
	})
}

// loaders is how many clients bring mail at once.
const loaders = 8

// load is clients that bring mail until the daemon is killed under them.
type load struct {
	*server
	round  int
	enough int           // acknowledged messages, at which the blow falls
	over   chan struct{} // closed when errors are no longer errors

	clients sync.WaitGroup
	mu      sync.Mutex
	names   []string // guarded by mu; of what was answered 250
}

// run lets a blow fall once there was enough mail.
func (l *load) run(blow func(*load) fall) fall {
	l.Helper()
	for n := range loaders {
		l.clients.Go(func() {
			if err := l.bringMail(n); !l.isOver() {
				l.Errorf("client %d ended with %v", n, err)
			}
		})
	}
	defer l.clients.Wait()
	testpeer.Eventually(l, patience, "enough mail", func() bool { return l.count() >= l.enough })
	return blow(l)
}

// bringMail brings mail from one source after the other, until an error: the daemon is gone.
func (l *load) bringMail(client int) error {
	const inSession = 40
	for n := 0; ; n += inSession {
		source := netip.AddrFrom4([4]byte{20, byte(client), byte(l.round), byte(n / inSession)})
		if err := l.bringSome(source, client, n, inSession); err != nil {
			return err
		}
	}
}

// bringSome brings messages to one trap after the other in one session.
func (l *load) bringSome(source netip.Addr, client, first, messages int) error {
	c, err := dial(l.proxy, source)
	if err != nil {
		return err
	}
	defer c.leave()
	for n := first; n < first+messages; n++ {
		name := fmt.Sprintf("m-%d-%d-%d", l.round, client, n)
		if err := c.send(name, trapOf(n)); err != nil {
			return err
		}
		l.note(name)
	}
	return nil
}

func trapOf(n int) string { return fmt.Sprintf("trap%d@traps.example", n%50) }

func (l *load) note(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, name)
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.names)
}

// end says that from now on clients may be turned away or cut off.
func (l *load) end() { close(l.over) }

func (l *load) isOver() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// checkAllThere: each acknowledged message is a hit, and none is twice.
func checkAllThere(t *testing.T, s *site, acknowledged []string) {
	t.Helper()
	seen := map[string]int{}
	for _, h := range records[admin.Hit](s, "hits", "--show-traps", "--limit", "0") {
		seen[strings.TrimSuffix(h.MailFrom, "@sender.example")]++
	}
	lost := 0
	for _, name := range acknowledged {
		if seen[name] == 0 {
			lost++
		}
	}
	for name, n := range seen {
		if n > 1 {
			t.Errorf("%s is there %d times", name, n)
		}
	}
	t.Logf("%d messages acknowledged, %d there, %d lost", len(acknowledged), len(seen), lost)
	if lost > 0 {
		t.Errorf("%d of %d acknowledged messages are lost", lost, len(acknowledged))
	}
}

// checkDecisions: each decision that was answered is in the ledger.
func checkDecisions(t *testing.T, s *site, reasons []string) {
	t.Helper()
	there := map[string]bool{}
	for _, d := range records[admin.Decision](s, "audit", "--limit", "0") {
		there[d.Reason] = true
	}
	for _, reason := range reasons {
		if !there[reason] {
			t.Errorf("the decision of %s is lost", reason)
		}
	}
}
