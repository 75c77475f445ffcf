// Package testpeer lets tests talk to the real programs on the other side: name servers, mail
// servers, rsync.
//
// In come the name of a program and its arguments; out comes a running process that the test's
// cleanup ends, or a test that is skipped because the program is not there. With
// TRAPLINE_REQUIRE_SERVERS set, as in continuous integration, it fails instead, so that a proof
// cannot get lost unnoticed. It never ends a process that it did not start, never sleeps for a
// guessed time, and is imported by tests alone.
package testpeer

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"testing"
	"time"
)

// requireServers is the environment variable that makes a missing program a failure.
const requireServers = "TRAPLINE_REQUIRE_SERVERS"

// serverDirs hold servers, and are not on every user's PATH.
var serverDirs = [...]string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// Need gives the path of a program. Without it the test is skipped, with the name of the Debian
// package to install, or fails where TRAPLINE_REQUIRE_SERVERS is set.
func Need(t testing.TB, program, debian string) string {
	t.Helper()
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	for _, dir := range serverDirs {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	if os.Getenv(requireServers) != "" {
		t.Fatalf("needs %s: apt-get install %s", program, debian)
	}
	t.Skipf("needs %s: apt-get install %s", program, debian)
	return ""
}

// Unprivileged is the option by which a server runs as somebody else: rbldnsd and smtp-sink refuse
// to be root. It is empty where we are not.
func Unprivileged(t testing.TB) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"rbldns", "nobody"} {
		if _, err := user.Lookup(name); err == nil {
			return []string{"-u", name}
		}
	}
	t.Skip("needs a user without privileges: rbldns or nobody")
	return nil
}

// OpenFolder makes a folder that other users may read, unlike t.TempDir; it is gone with the test.
func OpenFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "testpeer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Port gives a number that is free on 127.0.0.1 for TCP and UDP, for a program that must be told
// one. It may be taken before the program binds it: rare, as the system hands out other numbers
// first. Our own listeners take port 0.
func Port(t testing.TB) int {
	t.Helper()
	const tries = 20 // the UDP port of that number may be somebody's
	for range tries {
		port, err := freePort()
		if err == nil {
			return port
		}
		t.Log("free port: ", err)
	}
	t.Fatalf("free port: none in %d tries", tries)
	return 0
}

func freePort() (int, error) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("listen on tcp: %w", err)
	}
	port := tcp.Addr().(*net.TCPAddr).Port
	udp, err := net.ListenPacket("udp4", tcp.Addr().String())
	if err == nil {
		err = udp.Close()
	}
	if closing := tcp.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return 0, fmt.Errorf("bind port %d: %w", port, err)
	}
	return port, nil
}

// Eventually asks again and again, soon at first and then up to ten times a second, until it is
// answered true. After the time allowed the test fails, saying what it has waited for. ask runs in
// the calling goroutine.
func Eventually(t testing.TB, within time.Duration, what string, ask func() bool) {
	t.Helper()
	expired := time.NewTimer(within)
	defer expired.Stop()
	for pause := time.Millisecond; !ask(); pause = min(2*pause, 100*time.Millisecond) {
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-expired.C:
			again.Stop()
			t.Fatalf("wait for %s: not within %v", what, within)
		}
	}
}
