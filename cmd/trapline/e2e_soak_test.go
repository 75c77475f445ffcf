package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
	"github.com/trapline/trapline/zone"
)

// How long the soak lasts and what it bears.
var (
	soakFor    = flag.Duration("soak", 0, "length of the soak; 0 leaves it out")
	soakEvery  = flag.Duration("soak-every", 5*time.Second, "time between its samples")
	soakGrowth = flag.Float64("soak-growth", 0.1, "share by which the last third may exceed the second")
	soakSlack  = flag.Float64("soak-slack", 8, "and what it may grow besides: MB, goroutines, files")
)

// soakConfig has a policy whose whole life passes within minutes, so that listings come and go and
// nothing has reason to grow but the log; and limits that slow peers run into.
const soakConfig = `
hostname = "mx.traps.example"
data_dir = %q

[limits]
connections = 400
connections_per_ip = 1000
message_bytes = 1048576
session_timeout = "40s"
command_timeout = "6s"
data_timeout = "10s"
memory_bytes = 33554432
free_bytes = 0

[[listen]]
address = "127.0.0.1:0"
[[listen]]
address = "127.0.0.2:0"
proxy_from = ["127.0.0.0/8"]

[[trap]]
domain = "traps.example"

[[reporter]]
name = "desk"
address = "submit.k3j9@reports.example"
peers = ["203.0.113.0/28"]
hosts = ["mx1.corp.example"]

[criteria]
threshold = %d
fresh_window = "40s"
max_age = "100s"
repeat_window = "20s"
delist_after = "60s"
delist_after_few = "30s"

[zone]
dir = %q
min_interval = "1s"
max_change_floor = 1000000
text = "Listed, see https://bl.example/ip/$"

[web]
address = ""
[ops]
address = %q
`

// soak is a site in the middle of a crowd.
type soak struct {
	*crowd
	t       *testing.T
	samples []sample
}

// TestSoak lets a crowd of good, bad and odd senders come for a long time, and an operator work
// meanwhile. The daemon must come to a steady state and stay in it, lose nothing that it
// acknowledged, and in the end have the list that its log and its ledger come to.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("takes long: make soak")
	}
	s := &site{TB: t, binary: build(t), dir: testpeer.OpenFolder(t)}
	k := &soak{t: t, crowd: newCrowd(fmt.Sprintf("127.0.0.1:%d", testpeer.Port(t)))}
	if err := os.WriteFile(s.path("trapline.toml"), configurationOf(s, k.ops, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	k.server = s.serve()
	idle := k.sample()
	k.run()
	k.checkCalm(idle)
	k.checkLog()
	k.checkLists()
}

// configurationOf is that of a round of the operator's work.
func configurationOf(s *site, ops string, round int) []byte {
	return fmt.Appendf(nil, soakConfig, s.path("data"), 25+round%3, s.path("zone"), ops)
}

// run has the crowd come, and looks at the daemon until the time is over.
func (k *soak) run() {
	k.t.Helper()
	k.come(goodGuests)
	k.come(badGuests)
	done, wrong := 0, []string(nil)
	k.guests.Go(func() { done, wrong = k.operate() })
	begin := time.Now()
	for time.Since(begin) < *soakFor && k.pause(*soakEvery) && !k.isGone() {
		k.samples = append(k.samples, k.sample())
		if _, err := zone.Parse([]byte(k.read("zone/" + origin))); err != nil {
			k.t.Errorf("the zone, %v after the begin: %v", time.Since(begin), err)
		}
	}
	k.leave()
	visits, odd := k.total()
	var table bytes.Buffer
	printSamples(&table, k.samples, *soakEvery, max(1, len(k.samples)/10))
	k.t.Logf("%d visits, %d messages acknowledged, %d told to come later, %d verbs\n%s", visits,
		len(k.names), k.later, done, table.String())
	for _, text := range append(odd, wrong...) {
		k.t.Error(text)
	}
	k.checkSteady()
}

func (k *soak) sample() sample {
	k.t.Helper()
	s, err := k.look(k.ops, k.latencies())
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

// checkSteady compares the last third with the one before it: the first is for growing up.
func (k *soak) checkSteady() {
	k.t.Helper()
	third := len(k.samples) / 3
	if third == 0 {
		k.t.Fatal("too short for three samples")
	}
	for i, g := range gauges {
		second, last := medianOf(k.samples[third:2*third], i), medianOf(k.samples[2*third:], i)
		if g.steady && last > second*(1+*soakGrowth)+*soakSlack {
			k.t.Errorf("%s grows from %.1f in the second third to %.1f in the last", g.head, second, last)
		}
	}
}

// checkCalm: once the crowd has left, nothing of it remains.
func (k *soak) checkCalm(idle sample) {
	k.t.Helper()
	const others = 5 // of goroutines and files: connections of metrics and admin, a replay
	var now sample
	defer func() { k.t.Logf("idle before: %.0f, after: %.0f", idle.values, now.values) }()
	testpeer.Eventually(k.t, patience, "the daemon to come to rest", func() bool {
		now = k.sample()
		for i, g := range gauges {
			if g.head == "connections" && now.values[i] > 0 {
				return false
			}
			if (g.head == "goroutines" || g.head == "files") && now.values[i] > idle.values[i]+others {
				return false
			}
		}
		return true
	})
}

// checkLog: what was acknowledged is there once, and nothing that was smuggled or cut off is.
func (k *soak) checkLog() {
	k.t.Helper()
	checkAllThere(k.t, k.site, k.names)
	for _, h := range records[admin.Hit](k.site, "hits", "--show-traps", "--limit", "0") {
		for _, name := range []string{"smuggled@", "injected@", "chunk@", "gone@", "half@"} {
			if strings.HasPrefix(h.MailFrom, name) {
				k.t.Fatalf("there is a hit of %s", h.MailFrom)
			}
		}
	}
}

// checkLists: the running daemon's list, the one of the state it keeps, and the one of log and
// ledger alone are the same.
func (k *soak) checkLists() {
	k.t.Helper()
	k.awaitWholeZone()
	until := criteria.At(time.Now()) + 20
	running := lasting(records[admin.Listing](k.site, "listings"), until)
	if code := k.stop(); code != exitDone {
		k.t.Errorf("exit %d", code)
	}
	kept := lasting(records[admin.Listing](k.site, "listings"), until)
	replayed := lasting(withoutSnapshot(k.site), until)
	if now := criteria.At(time.Now()); now >= until {
		k.t.Fatal("too slow to compare lists")
	}
	k.tell("check-store")
	k.t.Logf("%d listings that last are the same: running, kept and replayed", len(running))
	checkSameList(k.t, running, kept)
	checkSameList(k.t, running, replayed)
}

// lasting leaves out what ends by itself up to an instant.
func lasting(list []admin.Listing, until criteria.Second) (left []admin.Listing) {
	for _, l := range list {
		if l.Until > until {
			left = append(left, l)
		}
	}
	return left
}
