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
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
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

// Ports are taken from below those that systems hand out by themselves, which any socket may be
// given at any time.
const (
	firstPort = 12_000
	ports     = 18_000
)

// Port gives a number that is free on 127.0.0.1 for TCP and UDP, for a program that must be told
// one. It is this test's until its end: a lock on a file keeps it from the tests of other packages,
// which run at the same time. Our own listeners take port 0.
func Port(t testing.TB) int {
	t.Helper()
	const tries = 50 // somebody may have it
	var err error
	for range tries {
		port := firstPort + rand.IntN(ports)
		var lock *os.File
		if lock, err = reserve(port); err != nil {
			continue
		}
		t.Cleanup(func() { _ = lock.Close() }) // and with it goes the lock
		return port
	}
	t.Fatalf("free port: none in %d tries, at last: %v", tries, err)
	return 0
}

// reserve locks a port among the tests and sees that nobody else has it.
func reserve(port int) (*os.File, error) {
	dir := filepath.Join(os.TempDir(), "testpeer-ports-"+strconv.Itoa(os.Geteuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = bind(port)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take port %d: %w", port, err), lock.Close())
	}
	return lock, nil
}

// bind tells whether a port is free.
func bind(port int) error {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	tcp, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	udp, err := net.ListenPacket("udp4", address)
	if err == nil {
		err = udp.Close()
	}
	return errors.Join(err, tcp.Close())
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
