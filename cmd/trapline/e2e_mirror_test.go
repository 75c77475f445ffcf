package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/trapline/trapline/internal/testpeer"
)

// mirror is what stands between the daemon and mail servers: an rsync daemon on the zone's folder,
// a copy of it, and a name server on the copy.
type mirror struct {
	*site
	rsync, dig string
	from       string // the module
	port       int    // of the name server
}

// rsyncConf is the configuration of the rsync daemon that we hand out, for the folders of a site.
// Who is not root can neither become nobody nor change its root.
func rsyncConf(s *site) string {
	s.Helper()
	text, err := os.ReadFile("../../deploy/rsync/rsyncd.conf")
	if err != nil {
		s.Fatal(err)
	}
	moved := strings.NewReplacer("/var/log/rsyncd.log", s.path("rsyncd.log"),
		"/var/lib/trapline/zone", s.path("zone")).Replace(string(text))
	if os.Geteuid() != 0 {
		moved = strings.NewReplacer("uid = ", "# uid = ", "gid = ", "# gid = ",
			"use chroot = yes", "use chroot = no").Replace(moved)
	}
	return moved
}

// newMirror serves the zone's folder. The name server starts once there is a copy.
func newMirror(s *site) *mirror {
	s.Helper()
	m := &mirror{site: s, rsync: testpeer.Need(s, "rsync", "rsync"),
		dig: testpeer.Need(s, "dig", "bind9-dnsutils")}
	if err := os.WriteFile(s.path("rsyncd.conf"), []byte(rsyncConf(s)), 0o644); err != nil {
		s.Fatal(err)
	}
	if err := os.Mkdir(s.path("mirror"), 0o755); err != nil {
		s.Fatal(err)
	}
	port := strconv.Itoa(testpeer.Port(s))
	testpeer.Start(s, m.rsync, "--daemon", "--no-detach", "--address=127.0.0.1", "--port="+port,
		"--config="+s.path("rsyncd.conf"))
	m.from = "rsync://127.0.0.1:" + port + "/zone/"
	testpeer.Eventually(s, patience, "the first copy of the zone", func() bool {
		return m.pull() == nil && s.read("mirror/"+origin) != ""
	})
	m.serveNames()
	return m
}

// pull brings the copy up to date, as a mirror's cron does.
func (m *mirror) pull() error {
	out, err := exec.Command(m.rsync, "-rtz", "--delete", m.from, m.path("mirror")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("pull zone: %w: %s", err, out)
	}
	return nil
}

// serveNames starts rbldnsd on the copy.
func (m *mirror) serveNames() {
	m.Helper()
	m.port = testpeer.Port(m)
	rbldnsd := testpeer.Need(m, "rbldnsd", "rbldnsd")
	testpeer.Start(m, rbldnsd, append(testpeer.Unprivileged(m), "-n", "-w", m.path("mirror"), "-c", "1s",
		"-b", fmt.Sprintf("127.0.0.1/%d", m.port), origin+":combined:"+origin)...)
	testpeer.Eventually(m, patience, "an answer of rbldnsd", func() bool {
		return m.ask("127.0.0.2", "A") == "127.0.0.2"
	})
}

// ask asks the name server about an address: the values, or what there is instead.
func (m *mirror) ask(address, kind string) string {
	m.Helper()
	out, err := exec.Command(m.dig, "+time=2", "+tries=1", "+noall", "+comments", "+answer",
		"@127.0.0.1", "-p", strconv.Itoa(m.port), listedName(netip.MustParseAddr(address)),
		kind).Output()
	if err != nil {
		return "no answer"
	}
	var values []string
	for line := range strings.Lines(string(out)) {
		if _, status, ok := strings.Cut(line, "status: "); ok && !strings.HasPrefix(status, "NOERROR") {
			return status[:strings.Index(status, ",")]
		}
		if fields := strings.Fields(line); line[0] != ';' && len(fields) > 4 {
			values = append(values, strings.Join(fields[4:], " "))
		}
	}
	return strings.Join(values, " ")
}

// listedName is the name under which the list answers for an address (RFC 5782, sections 2.1 and
// 2.4).
func listedName(a netip.Addr) string {
	labels := strings.Split(a.String(), ".")
	if !a.Is4() {
		labels = strings.Split(fmt.Sprintf("%x", a.As16()), "")
	}
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + origin
}
