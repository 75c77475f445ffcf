package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/testpeer"
)

// testFromMailToDNS follows mail the whole way: two mail senders, the daemon, rsync, a mirror,
// rbldnsd, dig.
func testFromMailToDNS(t *testing.T, binary string) {
	source := testpeer.Need(t, "smtp-source", "postfix")
	s := newSite(t, binary, "")
	d := s.serve()
	m := newMirror(s)
	for _, mail := range [][2]string{
		{"198.51.100.7", "one@traps.example"}, {"198.51.100.7", "two@traps.example"},
		{"198.51.100.8", "one@traps.example"},
		{"2001:db8:1:2::a", "one@traps.example"}, {"2001:db8:1:2::b", "two@traps.example"},
	} {
		d.swaks(mail[0], mail[1])
	}
	const direct = 20 // without a PROXY header: from 127.0.0.1, which is nobody's to blame
	out, err := exec.Command(source, "-s", "4", "-m", fmt.Sprint(direct), "-t",
		"three@traps.example", "-4", d.mail).CombinedOutput()
	if err != nil {
		t.Fatalf("smtp-source: %v\n%s", err, out)
	}
	testpeer.Eventually(t, patience, "the listings in the name server", func() bool {
		return m.pull() == nil && m.ask("198.51.100.7", "A") == "127.0.0.2" &&
			m.ask("2001:db8:1:2::c", "A") == "127.0.0.2"
	})
	checkAnswers(t, m)
	checkLookups(t, s)
	hits := records[admin.Hit](s, "hits", "--unattributed", "--limit", "0")
	if len(hits) != direct || hits[0].Source != nil || hits[0].Reason != "special-address" {
		t.Errorf("%d hits without a source, want %d: %+v", len(hits), direct, hits)
	}
	if r := s.run("zone", "verify", "--dir", s.path("mirror"), "--origin", origin); r.code != exitDone {
		t.Errorf("zone verify: %+v", r)
	}
}

// swaks brings one message with swaks, as if from a source.
func (d *server) swaks(source, to string) {
	d.Helper()
	family, own := "TCP4", "127.0.0.1"
	if strings.Contains(source, ":") {
		family, own = "TCP6", "::1"
	}
	out, err := exec.Command(testpeer.Need(d, "swaks", "swaks"), "--server", d.proxy, "--to", to,
		"--from", "a@sender.example", "--helo", "mail.sender.example", "--proxy-version", "1",
		"--proxy-family", family, "--proxy-source", source, "--proxy-source-port", "40000",
		"--proxy-dest", own, "--proxy-dest-port", "25").CombinedOutput()
	if err != nil {
		d.Fatalf("swaks: %v\n%s", err, out)
	}
}

func checkAnswers(t *testing.T, m *mirror) {
	t.Helper()
	for _, c := range []struct {
		name, address string
		listed        bool
	}{
		{"listed", "198.51.100.7", true},
		{"hit once", "198.51.100.8", false},
		{"never seen", "198.51.100.9", false},
		{"another address of a listed /64", "2001:db8:1:2:ffff::1", true},
		{"an address of the next /64", "2001:db8:1:3::1", false},
		{"an address of the /64 before", "2001:db8:1:1:ffff:ffff:ffff:ffff", false},
		{"test entry", "127.0.0.2", true},
		{"test entry, never listed", "127.0.0.1", false},
		{"test entry of IPv6", "::ffff:7f00:2", true},
		{"test entry of IPv6, never listed", "::ffff:7f00:1", false},
	} {
		wantA, wantTXT := "NXDOMAIN", "NXDOMAIN"
		if c.listed { // rbldnsd shows the address that is unmapped
			shown := strings.Replace(c.address, "::ffff:7f00:2", "127.0.0.2", 1)
			wantA, wantTXT = "127.0.0.2", fmt.Sprintf("%q", "Listed, see https://bl.example/ip/"+shown)
		}
		if got := m.ask(c.address, "A"); got != wantA {
			t.Errorf("%s: A is %s, want %s", c.name, got, wantA)
		}
		if got := m.ask(c.address, "TXT"); got != wantTXT {
			t.Errorf("%s: TXT is %s, want %s", c.name, got, wantTXT)
		}
	}
}

func checkLookups(t *testing.T, s *site) {
	t.Helper()
	for address, want := range map[string]int{
		"198.51.100.7": exitDone, "2001:db8:1:2::ffff": exitDone,
		"198.51.100.8": exitNo, "198.51.100.9": exitNo, "2001:db8:1:3::1": exitNo, "127.0.0.1": exitNo,
		"198.51.100.300": exitUsage,
	} {
		if r := s.run("lookup", address); r.code != want {
			t.Errorf("lookup %s: exit %d, want %d\n%s%s", address, r.code, want, r.out, r.err)
		}
	}
}

// testExpiryReachesDNS: what is silent for long enough is gone from the name server by itself.
func testExpiryReachesDNS(t *testing.T, binary string) {
	s := newSite(t, binary, "[criteria]\ndelist_after = \"6s\"\ndelist_after_few = \"4s\"\n")
	d := s.serve()
	m := newMirror(s)
	d.blame("198.51.100.7")
	testpeer.Eventually(t, patience, "the listing in the name server", func() bool {
		if s.run("lookup", "198.51.100.7").code == exitNo { // a slow machine: it ended before
			d.blame("198.51.100.7")
		}
		return m.pull() == nil && m.ask("198.51.100.7", "A") == "127.0.0.2"
	})
	testpeer.Eventually(t, patience, "its end there", func() bool {
		return m.pull() == nil && m.ask("198.51.100.7", "A") == "NXDOMAIN"
	})
	if r := s.run("lookup", "198.51.100.7"); r.code != exitNo {
		t.Errorf("lookup: %+v", r)
	}
}
