package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/testpeer"
)

// apart are the arguments by which a program has network, mounts and processes of its own, all of
// which end with it.
var apart = []string{"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}

// testPostfixRefuses: a mail server that uses the list as its manual says turns away who is listed,
// in our words, and nobody else. It needs port 53 and /etc/resolv.conf, hence its own world.
func testPostfixRefuses(t *testing.T, binary string) {
	unshare := testpeer.Need(t, "unshare", "util-linux")
	for program, debian := range map[string]string{"postfix": "postfix", "rbldnsd": "rbldnsd",
		"swaks": "swaks", "ip": "iproute2"} {
		testpeer.Need(t, program, debian)
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes namespaces for network, mounts and processes")
	}
	if out, err := exec.Command(unshare, append(apart, "true")...).CombinedOutput(); err != nil {
		t.Skipf("needs leave to make namespaces: %v: %s", err, out)
	}
	s := newSite(t, binary, "")
	d := s.serve()
	d.blame("198.51.100.7")
	testpeer.Eventually(t, patience, "the listing in the zone", func() bool {
		return strings.Contains(s.read("zone/"+origin), "\n198.51.100.7\n")
	})
	told := mailServer(t, unshare, s.dir)
	const refusal = "554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using " +
		origin + "; Listed, see https://bl.example/ip/198.51.100.7"
	listed, unlisted, _ := strings.Cut(told, "== 198.51.100.9")
	if !strings.Contains(listed, refusal) {
		t.Errorf("the listed client was told\n%s\nwant %s", listed, refusal)
	}
	if !strings.Contains(unlisted, "<-  250 2.0.0 Ok: queued") {
		t.Errorf("the client that is not listed was told\n%s\n%s", unlisted, s.read("postfix.log"))
	}
}

// mailServer runs the script, and gives what it printed.
func mailServer(t *testing.T, unshare, dir string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	args := append(apart[:len(apart):len(apart)], "sh", "../../testdata/e2e/postfix.sh", dir, origin,
		testpeer.Unprivileged(t)[1])
	out, err := exec.CommandContext(ctx, unshare, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("mail server: %v\n%s", err, out)
	}
	return string(out)
}
