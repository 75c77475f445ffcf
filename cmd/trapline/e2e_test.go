package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/testpeer"
)

// patience is how long anything may take on a machine that has other things to do.
const patience = 60 * time.Second

// TestEndToEnd runs the real binary among the real programs it is made for.
func TestEndToEnd(t *testing.T) {
	binary := build(t)
	for _, one := range []struct {
		name string
		test func(*testing.T, string)
	}{
		{"from mail to dns", testFromMailToDNS},
		{"expiry reaches dns", testExpiryReachesDNS},
		{"overrides reach dns", testOverridesReachDNS},
		{"guard reaches dns", testGuardReachesDNS},
		{"traps in hindsight", testTrapsInHindsight},
		{"postfix refuses", testPostfixRefuses},
		{"killed under load", testKilledUnderLoad},
		{"stop drains", testStopDrains},
		{"stop under load", testStopUnderLoad},
		{"full disk", testFullDisk},
		{"hot backup", testHotBackup},
		{"flipped files", testFlippedFiles},
		{"second daemon", testSecondDaemon},
		{"stop during a simulation", testStopDuringSimulation},
		{"reload", testReload},
		{"reload under load", testReloadUnderLoad},
		{"unusable store", testUnusableStore},
		{"corpus", testCorpus},
		{"ingest again", testIngestAgain},
		{"large at once", testLargeAtOnce},
		{"prometheus scrapes", testPrometheusScrapes},
		{"top in a terminal", testTopInTerminal},
		{"public pages", testPublicPages},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			one.test(t, binary)
		})
	}
}

// build makes the binary as the Makefile does; a test with the race detector gets one with it.
func build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "trapline")
	args, cgo := []string{"build", "-trimpath", "-o", binary}, "CGO_ENABLED=0"
	if underRace() {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Env = append(os.Environ(), cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build trapline: %v\n%s", err, out)
	}
	return binary
}

func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil &&
		slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// origin is the zone of every site.
const origin = "bl.mx.traps.example"

// site is a folder with a configuration and what the binary makes of it.
type site struct {
	testing.TB
	binary string
	dir    string // readable for everybody, as mirrors and name servers run as somebody else
	starts int
}

// newSite makes one whose configuration is the common one and what is added to it.
func newSite(t testing.TB, binary, added string) *site {
	t.Helper()
	s := &site{TB: t, binary: binary, dir: testpeer.OpenFolder(t)}
	s.configure(added)
	return s
}

// common is what all sites have: mail on 127.0.0.1, and on 127.0.0.2 for what comes with a PROXY
// header and so from any address at all.
const common = `
hostname = "mx.traps.example"
data_dir = %q

[limits]
connections_per_ip = 1000
free_bytes = 0

[[listen]]
address = "127.0.0.1:0"
[[listen]]
address = "127.0.0.2:0"
proxy_from = ["127.0.0.0/8"]

[[trap]]
domain = "traps.example"

[zone]
dir = %q
min_interval = "1s"
max_change_floor = 1000000
text = "Listed, see https://bl.example/ip/$"

[web]
address = ""
[ops]
address = ""
`

func (s *site) configure(added string) {
	s.Helper()
	text := fmt.Sprintf(common, s.path("data"), s.path("zone")) + added
	if err := os.WriteFile(s.path("trapline.toml"), []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// command is a command line of the binary with the site's configuration.
func (s *site) command(args ...string) *exec.Cmd {
	return exec.Command(s.binary, append(args, "--config", s.path("trapline.toml"))...)
}

// said is what a verb printed, and its exit code.
type said struct {
	out, err string
	code     int
}

// run carries out a verb.
func (s *site) run(args ...string) said {
	s.Helper()
	cmd := s.command(args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	return said{out.String(), complaint.String(), cmd.ProcessState.ExitCode()}
}

// tell carries out a verb that must succeed, and gives its output.
func (s *site) tell(args ...string) string {
	s.Helper()
	r := s.run(args...)
	if r.code != exitDone {
		s.Fatalf("trapline %v: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// records reads what a verb prints with --json, one object a line.
func records[T any](s *site, args ...string) []T {
	s.Helper()
	var all []T
	lines := bufio.NewScanner(strings.NewReader(s.tell(append(args, "--json")...)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			s.Fatalf("trapline %v prints %q: %v", args, lines.Text(), err)
		}
		all = append(all, one)
	}
	return all
}

// server is a running daemon.
type server struct {
	*site
	cmd   *exec.Cmd
	log   string        // a file
	ended chan struct{} // closed when the process is gone
	mail  string        // where anybody may bring mail
	proxy string        // where it comes with a PROXY header
}

// serve starts the daemon and waits until it takes mail.
func (s *site) serve() *server {
	s.Helper()
	d := s.launch()
	testpeer.Eventually(s, patience, "the daemon to take mail", func() bool {
		return d.started() || d.isGone()
	})
	if d.isGone() {
		s.Fatalf("serve ended: %v\n%s", d.cmd.ProcessState, d.logged())
	}
	return d
}

// launch starts the daemon. The test's cleanup kills it, if it is still there.
func (s *site) launch() *server {
	s.Helper()
	s.starts++
	d := &server{site: s, cmd: s.command("serve"), ended: make(chan struct{}),
		log: s.path(fmt.Sprintf("serve-%d.log", s.starts))}
	out, err := os.Create(d.log)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = out.Close() }() // the daemon has one of its own
	d.cmd.Stderr = out
	if err := d.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		_ = d.cmd.Wait() // how it ended is in ProcessState
	}()
	s.Cleanup(func() {
		d.kill()
		if s.Failed() {
			s.Logf("the end of %s:\n%s", d.log, lastLines(d.logged()))
		}
	})
	return d
}

func (d *server) isGone() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// kill ends the daemon as a loss of power would.
func (d *server) kill() {
	_ = d.cmd.Process.Kill() // an error says that it is gone already
	<-d.ended
}

// signal sends the daemon a signal.
func (d *server) signal(s syscall.Signal) {
	d.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.Fatal(err)
	}
}

// stop ends the daemon as an operator does, and gives the exit code.
func (d *server) stop() int {
	d.Helper()
	d.signal(syscall.SIGTERM)
	return d.exit()
}

// exit waits for the end of the daemon.
func (d *server) exit() int {
	d.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.Fatal("the daemon does not end")
	}
	return d.cmd.ProcessState.ExitCode()
}

func (d *server) logged() string {
	text, _ := os.ReadFile(d.log) // a log that is gone says nothing
	return string(text)
}

// event is what tests read of a line of the log.
type event struct {
	Event     string
	Listeners []string
	Ops       string
	Error     string
}

// events gives the events of a kind that the daemon has logged so far.
func (d *server) events(kind string) []event {
	var found []event
	for line := range strings.Lines(d.logged()) {
		var e event
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == kind {
			found = append(found, e)
		}
	}
	return found
}

// started tells whether the daemon has said where it listens.
func (d *server) started() bool {
	for _, e := range d.events("started") {
		for _, address := range e.Listeners {
			if netip.MustParseAddrPort(address).Addr() == netip.MustParseAddr("127.0.0.2") {
				d.proxy = address
			} else {
				d.mail = address
			}
		}
	}
	return d.proxy != ""
}

func lastLines(text string) string {
	const most = 20
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "")
}

// read gives a file's text, "" while it is not there.
func (s *site) read(name string) string {
	text, err := os.ReadFile(s.path(name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.Fatal(err)
	}
	return string(text)
}

// closed tells whether nobody listens at an address.
func closed(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
