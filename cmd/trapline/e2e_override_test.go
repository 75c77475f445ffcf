package main

import (
	"os"
	"testing"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testOverridesReachDNS: what the operator decides is what name servers answer, and stays so over
// restarts, with the engine's state on disk and without it.
func testOverridesReachDNS(t *testing.T, binary string) {
	const by, byHits, barred = "198.51.100.9", "198.51.100.7", "203.0.113.9"
	s := newSite(t, binary, "")
	d := s.serve()
	m := newMirror(s)
	s.tell("list", by, "--reason", "phishing")
	m.await(by, "127.0.0.4")
	s.tell("except", "add", "198.51.100.0/24", "--reason", "ours")
	m.await(by, "NXDOMAIN")
	s.tell("except", "rm", "198.51.100.0/24")
	m.await(by, "127.0.0.4")
	s.tell("delist", by, "--reason", "cleaned up")
	m.await(by, "NXDOMAIN")

	d.blame(byHits)
	d.blame("203.0.113.8")
	m.await(byHits, "127.0.0.2")
	s.tell("delist", byHits, "--reason", "cleaned up")
	s.tell("delist", barred, "--reason", "under repair", "--for", "7d")
	s.tell("list", "192.0.2.0/24", "--reason", "all of it")
	d.blame(barred)
	m.await(byHits, "NXDOMAIN")
	m.await("192.0.2.200", "127.0.0.4")
	if err := d.bring(byHits, "one more", "three@traps.example"); err != nil {
		t.Fatal(err)
	}

	want := records[admin.Listing](s, "listings")
	decisions := s.tell("audit", "--limit", "0", "--json")
	for _, with := range []string{"engine.snapshot", ""} {
		if code := d.stop(); code != exitDone {
			t.Fatalf("exit %d", code)
		}
		if with == "" {
			if err := os.Remove(s.path("data/engine.snapshot")); err != nil {
				t.Fatal(err)
			}
		}
		d = s.serve()
		for address, answer := range map[string]string{by: "NXDOMAIN", byHits: "NXDOMAIN",
			barred: "NXDOMAIN", "203.0.113.8": "127.0.0.2", "192.0.2.200": "127.0.0.4"} {
			m.await(address, answer)
		}
		testpeer.Eventually(t, patience, "the engine", func() bool {
			return s.run("lookup", "192.0.2.1").code == exitDone
		})
		checkSameList(t, want, records[admin.Listing](s, "listings"))
		if got := s.tell("audit", "--limit", "0", "--json"); got != decisions {
			t.Errorf("the ledger after a restart:\n%s\nbefore:\n%s", got, decisions)
		}
	}
}

// await waits until the mirror's name server gives an answer.
func (m *mirror) await(address, answer string) {
	m.Helper()
	testpeer.Eventually(m, patience, answer+" for "+address+" in the name server", func() bool {
		return m.pull() == nil && m.ask(address, "A") == answer
	})
}

func checkSameList(t *testing.T, want, got []admin.Listing) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%d listings, want %d", len(got), len(want))
		return
	}
	for i := range want {
		if want[i].Source != got[i].Source || want[i].Answer != got[i].Answer ||
			want[i].Since != got[i].Since || want[i].Until != got[i].Until {
			t.Errorf("listing %+v, want %+v", got[i], want[i])
		}
	}
}
