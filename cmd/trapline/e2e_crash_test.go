package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testKilledUnderLoad: what was answered 250 is there after a kill, once, and what it adds up to
// does not depend on what else was kept.
func testKilledUnderLoad(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	d.blame("203.0.113.1")
	if code := d.stop(); code != exitDone { // so that a kept state lies before the kills
		t.Fatalf("exit %d", code)
	}
	var acknowledged []string
	for round := range 3 {
		d = s.serve()
		l := &load{server: d, round: round, enough: 100 + 150*round, killed: make(chan struct{})}
		acknowledged = append(acknowledged, l.run()...)
	}
	d = s.serve()
	checkAllThere(t, s, acknowledged)
	listings := records[admin.Listing](s, "listings")
	if len(listings) < loaders {
		t.Errorf("%d listings: want at least one of each of %d clients", len(listings), loaders)
	}
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	if err := os.Remove(s.path("data/engine.snapshot")); err != nil {
		t.Fatal(err)
	}
	offline := records[admin.Listing](s, "listings")
	s.serve()
	replayed := records[admin.Listing](s, "listings")
	if diff := cmp.Diff(listings, offline, comparePrefixes); diff != "" {
		t.Error("replayed while no daemon runs: ", diff)
	}
	if diff := cmp.Diff(listings, replayed, comparePrefixes); diff != "" {
		t.Error("replayed by the daemon: ", diff)
	}
}

var comparePrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

// loaders is how many clients bring mail at once.
const loaders = 8

// load is clients that bring mail until the daemon is killed under them.
type load struct {
	*server
	round  int
	enough int // acknowledged messages, at which it is killed
	killed chan struct{}

	clients sync.WaitGroup
	mu      sync.Mutex
	names   []string // guarded by mu; of what was answered 250
}

// run gives the names of all messages that were acknowledged.
func (l *load) run() []string {
	l.Helper()
	for n := range loaders {
		l.clients.Go(func() {
			if err := l.bringMail(n); !l.isOver() {
				l.Errorf("client %d ended with %v", n, err)
			}
		})
	}
	testpeer.Eventually(l, patience, "enough mail", func() bool { return l.count() >= l.enough })
	close(l.killed)
	l.kill()
	l.clients.Wait()
	return l.names
}

// bringMail sends mail to one trap after the other, until an error: that the daemon is gone.
func (l *load) bringMail(client int) error {
	source := netip.AddrFrom4([4]byte{198, 51, 100, byte(client)})
	c, err := dial(l.proxy, source)
	if err != nil {
		return err
	}
	defer c.leave()
	for n := 0; ; n++ {
		name := fmt.Sprintf("m-%d-%d-%d", l.round, client, n)
		if err := c.send(name, fmt.Sprintf("trap%d@traps.example", n%7)); err != nil {
			return err
		}
		l.note(name)
	}
}

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

func (l *load) isOver() bool {
	select {
	case <-l.killed:
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
	t.Logf("%d messages acknowledged, %d there", len(acknowledged), len(seen))
	if lost > 0 {
		t.Errorf("%d of %d acknowledged messages are lost", lost, len(acknowledged))
	}
}
