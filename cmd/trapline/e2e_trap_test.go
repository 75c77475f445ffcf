package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testTrapsInHindsight: a burnt trap, and mail that an address is known to send, are what name
// servers answer from, and stay so over a restart that reads the whole log anew.
func testTrapsInHindsight(t *testing.T, binary string) {
	const burnt, other, known = "198.51.100.7", "198.51.100.8", "198.51.100.9"
	s := newSite(t, binary, "")
	d := s.serve()
	m := newMirror(s)
	for _, source := range []string{burnt, other, known} {
		d.blame(source) // at one@ and two@
	}
	if err := d.bring(other, "a third", "three@traps.example"); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{burnt, other, known} {
		m.await(source, "127.0.0.2")
	}
	list := s.path("points.txt")
	if err := os.WriteFile(list, []byte(known+" 1000\n"+known+" 1000 "+daysAgo(1)+"\n"+
		known+" 1000 "+daysAgo(2)+"\n"+known+" 1000 "+daysAgo(3)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := s.tell("reputation", "import", list, "--source", "mx"); !strings.Contains(said,
		"1 listing ends ("+known+")") {
		t.Errorf("import says %q", said)
	}
	m.await(known, "NXDOMAIN")

	said := s.tell("trap", "burn", "two@traps.example", "--reason", "on a list")
	if !strings.Contains(said, "1 listing ends ("+burnt+")") {
		t.Errorf("burn says %q", said)
	}
	if r := s.run("lookup", burnt); r.code != exitNo {
		t.Errorf("once it is burnt: %+v", r)
	}
	m.await(burnt, "NXDOMAIN")
	m.await(other, "127.0.0.2")

	want := records[admin.Listing](s, "listings")
	if code := d.stop(); code != exitDone {
		t.Fatalf("exit %d", code)
	}
	if err := os.Remove(s.path("data/engine.snapshot")); err != nil {
		t.Fatal(err)
	}
	d = s.serve()
	testpeer.Eventually(t, patience, "the engine", func() bool {
		return s.run("lookup", other).code == exitDone
	})
	checkSameList(t, want, records[admin.Listing](s, "listings"))
	for _, source := range []string{burnt, known} {
		if r := s.run("lookup", source); r.code != exitNo {
			t.Errorf("after the restart: %+v", r)
		}
	}
	s.tell("trap", "unburn", "two@traps.example", "--reason", "another one")
	m.await(burnt, "127.0.0.2")
	if strings.Contains(d.logged(), "two@") {
		t.Error("the log names a trap")
	}
}

// daysAgo is a day as lists of points spell it.
func daysAgo(n int) string { return time.Now().UTC().AddDate(0, 0, -n).Format(time.DateOnly) }
