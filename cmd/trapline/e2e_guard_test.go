package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testGuardReachesDNS: what name servers answer while the publish guard holds, once it is overruled,
// under a rollback, and when the zone is retired.
func testGuardReachesDNS(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	metrics := fmt.Sprintf("127.0.0.1:%d", testpeer.Port(t))
	s.reconfigure("[ops]\naddress = \"\"", fmt.Sprintf("[ops]\naddress = %q", metrics))
	d := s.serve()
	m := newMirror(s)
	s.copyStore(d)
	d = s.serve()
	s.awaitEngine()
	g := &guarded{mirror: m, metrics: metrics}
	g.checkRemovals(g.checkAdditions(d))
	g.checkRollback()
	g.checkRetire()
}

// guarded is a mirror of a daemon whose metrics can be read.
type guarded struct {
	*mirror
	metrics string
}

// burst are the addresses that are listed at once.
func burst(i int) string { return fmt.Sprintf("203.0.113.%d", i) }

const bursts = 8

// checkAdditions: of eight that are listed at one moment, when an exception ends, five go out and
// three wait, until somebody forces them.
func (g *guarded) checkAdditions(d *server) *server {
	g.Helper()
	for i := range bursts {
		g.tell("list", burst(i), "--reason", "a burst")
	}
	g.tell("except", "add", "203.0.113.0/24", "--reason", "for now")
	testpeer.Eventually(g, patience, "the exception in the zone", func() bool {
		return g.stats().Entries == 0
	})
	if code := d.stop(); code != exitDone {
		g.Fatalf("exit %d", code)
	}
	g.reconfigure("max_change_floor = 1000000", "max_change_floor = 5\nmax_change = 0")
	d = g.serve()
	g.awaitEngine()
	g.tell("except", "rm", "203.0.113.0/24")
	testpeer.Eventually(g, patience, "the guard to hold", func() bool {
		return g.stats().Held.Additions == bursts-5
	})
	g.awaitAnswers(5)
	r := g.run("zone", "diff")
	if r.code != exitNo || strings.Count(r.out, "held + 203.0.113.") != bursts-5 ||
		!strings.Contains(r.out, "more of the additions go out at ") {
		g.Errorf("zone diff: %+v", r)
	}
	if len(d.events("zone-held")) == 0 {
		g.Error("the log does not tell that the guard holds")
	}
	g.checkMetric(`trapline_zone_held{of="additions"}`, "3")
	g.checkMetric("trapline_zone_entries", "5")
	g.tell("zone", "build", "--force", "--reason", "it is a real burst")
	g.awaitAnswers(bursts)
	g.checkMetric(`trapline_zone_held{of="additions"}`, "0")
	if out := g.tell("audit", "--act", "force"); !strings.Contains(out, "it is a real burst") {
		g.Errorf("audit: %s", out)
	}
	return d
}

// checkRemovals: a store from before the burst knows nothing of it, and nothing explains why the
// addresses have left the list. They stay in the zone until somebody forces them out.
func (g *guarded) checkRemovals(d *server) {
	g.Helper()
	if code := d.stop(); code != exitDone {
		g.Fatalf("exit %d", code)
	}
	g.restoreStore()
	d = g.serve()
	testpeer.Eventually(g, patience, "the guard to hold", func() bool {
		return g.stats().Held.Removals == bursts
	})
	if err := g.pull(); err != nil {
		g.Fatal(err)
	}
	if got := g.answered(); got != bursts {
		g.Errorf("%d of the burst are in the name server, want %d", got, bursts)
	}
	r := g.run("zone", "diff")
	if r.code != exitNo || strings.Count(r.out, "held - 203.0.113.") != bursts {
		g.Errorf("zone diff: %+v", r)
	}
	if len(d.events("zone-held")) == 0 {
		g.Error("the log does not tell that the guard holds")
	}
	g.checkMetric(`trapline_zone_held{of="removals"}`, "8")
	g.tell("zone", "build", "--force")
	g.awaitAnswers(0)
}

// checkRollback: the burst stands again, but for what is excepted since.
func (g *guarded) checkRollback() {
	g.Helper()
	g.tell("except", "add", burst(0), "--reason", "ours")
	before := g.stats().Serial
	g.tell("zone", "rollback", "--reason", "the store is an old one")
	g.awaitAnswers(bursts - 1)
	if now := g.stats(); now.Serial <= before || now.Order == nil {
		g.Errorf("the zone after the rollback: %+v", now)
	}
	g.checkMetric(`trapline_zone_order{of="rollback"}`, "1")
	if text := g.get("/readyz"); !strings.Contains(text, "the zone is rolled back to serial ") {
		g.Errorf("readyz: %s", text)
	}
	g.tell("zone", "resume", "--reason", "seen")
	if held := g.stats().Held.Removals; held != bursts-1 {
		g.Errorf("%d removals are held after the resume, want %d", held, bursts-1)
	}
	g.tell("zone", "rollback", "--reason", "again")
	g.checkMetric(`trapline_zone_held{of="removals"}`, "0")
}

// checkRetire: the test entries stay, nothing else does, and nothing else is listed by it.
func (g *guarded) checkRetire() {
	g.Helper()
	g.tell("zone", "resume", "--reason", "to retire it")
	g.tell("zone", "retire", "--yes", origin, "--reason", "we close")
	g.awaitAnswers(0)
	for address, want := range map[string]string{"127.0.0.2": "127.0.0.2", "127.0.0.1": "NXDOMAIN",
		"198.51.100.1": "NXDOMAIN", "::ffff:7f00:2": "127.0.0.2", "2001:db8::1": "NXDOMAIN"} {
		if got := g.ask(address, "A"); got != want {
			g.Errorf("retired: %s is answered %s, want %s", address, got, want)
		}
	}
	if got := g.ask("127.0.0.2", "TXT"); !strings.Contains(got, "This list is retired") {
		g.Errorf("retired: TXT is %s", got)
	}
	g.checkMetric(`trapline_zone_order{of="retire"}`, "1")
	if r := g.run("zone", "verify", "--dir", g.path("mirror"), "--origin", origin); r.code != exitDone {
		g.Errorf("zone verify: %+v", r)
	}
}

// answered counts those of the burst that the name server lists, from a fresh copy.
func (g *guarded) answered() int {
	g.Helper()
	listed := 0
	for i := range bursts {
		if g.ask(burst(i), "A") == "127.0.0.4" {
			listed++
		}
	}
	return listed
}

func (g *guarded) awaitAnswers(want int) {
	g.Helper()
	testpeer.Eventually(g, patience, fmt.Sprintf("%d of the burst in the name server", want),
		func() bool { return g.pull() == nil && g.answered() == want })
}

func (s *site) stats() admin.Zone {
	s.Helper()
	var all admin.Stats
	if err := json.Unmarshal([]byte(s.tell("stats", "--json")), &all); err != nil {
		s.Fatal(err)
	}
	return all.Zone
}

func (g *guarded) get(path string) string {
	g.Helper()
	r, err := http.Get("http://" + g.metrics + path)
	if err != nil {
		g.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		g.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(text)
}

func (g *guarded) checkMetric(name, want string) {
	g.Helper()
	if !strings.Contains(g.get("/metrics"), "\n"+name+" "+want+"\n") {
		g.Errorf("the metrics do not say %s %s", name, want)
	}
}

// reconfigure replaces parts of the configuration, in pairs.
func (s *site) reconfigure(pairs ...string) {
	s.Helper()
	text := strings.NewReplacer(pairs...).Replace(s.read("trapline.toml"))
	if err := os.WriteFile(s.path("trapline.toml"), []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

func (s *site) awaitEngine() {
	s.Helper()
	testpeer.Eventually(s, patience, "the engine", func() bool {
		return strings.Contains(s.tell("stats", "--json"), `"ready":true`)
	})
}

// copyStore stops the daemon and keeps a copy of its store.
func (s *site) copyStore(d *server) {
	s.Helper()
	if code := d.stop(); code != exitDone {
		s.Fatalf("exit %d", code)
	}
	if out, err := exec.Command("cp", "-a", s.path("data"), s.path("copy")).CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, out)
	}
}

// restoreStore puts the copy in the place of the store, beside the zone as it is.
func (s *site) restoreStore() {
	s.Helper()
	if err := os.RemoveAll(s.path("data")); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(s.path("copy"), filepath.Clean(s.path("data"))); err != nil {
		s.Fatal(err)
	}
}
