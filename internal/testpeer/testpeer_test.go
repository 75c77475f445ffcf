package testpeer

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// probe is a test that is watched: it notes what is said to it, and its end does not end the real
// one.
type probe struct {
	testing.TB // the rest; nil, as nothing else may be asked
	said       []string
	failed     bool
	cleanups   []func()
}

type ended struct{}

func (p *probe) Helper()                   {}
func (p *probe) Cleanup(f func())          { p.cleanups = append(p.cleanups, f) }
func (p *probe) Failed() bool              { return p.failed }
func (p *probe) Logf(f string, a ...any)   { p.say("log: ", f, a) }
func (p *probe) Errorf(f string, a ...any) { p.failed = true; p.say("error: ", f, a) }
func (p *probe) Skipf(f string, a ...any)  { p.say("skip: ", f, a); panic(ended{}) }
func (p *probe) Fatalf(f string, a ...any) { p.failed = true; p.say("fatal: ", f, a); panic(ended{}) }

func (p *probe) say(how, format string, args []any) {
	p.said = append(p.said, how+fmt.Sprintf(format, args...))
}

// run is the probe's own test, with its cleanups.
func (p *probe) run(test func()) {
	defer func() {
		for _, f := range p.cleanups {
			f()
		}
		if r := recover(); r != nil && r != (ended{}) {
			panic(r)
		}
	}()
	test()
}

func TestNeed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "peerd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, program, require, want string
		said                               []string
	}{
		{"there", dir, "peerd", "", filepath.Join(dir, "peerd"), nil},
		{"missing", dir, "no-such-peerd", "", "",
			[]string{"skip: needs no-such-peerd: apt-get install peer"}},
		{"missing where it must not", dir, "no-such-peerd", "1", "",
			[]string{"fatal: needs no-such-peerd: apt-get install peer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", tt.path)
			t.Setenv(requireServers, tt.require)
			p, got := &probe{}, ""
			p.run(func() { got = Need(p, tt.program, "peer") })
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if diff := cmp.Diff(tt.said, p.said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNeedBesidePath finds a program of the system's administrator without the PATH.
func TestNeedBesidePath(t *testing.T) {
	const program = "ldconfig" // of libc itself
	if _, err := os.Stat("/sbin/" + program); err != nil {
		t.Skip("needs a Linux with ", program)
	}
	t.Setenv("PATH", t.TempDir())
	if got := Need(t, program, "libc-bin"); filepath.Base(got) != program {
		t.Errorf("got %s", got)
	}
}

func TestPort(t *testing.T) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(Port(t)))
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
}

func TestEventually(t *testing.T) {
	asked := 0
	Eventually(t, time.Minute, "the third time", func() bool { asked++; return asked == 3 })
	if asked != 3 {
		t.Errorf("asked %d times, want 3", asked)
	}
	p := &probe{}
	p.run(func() { Eventually(p, 0, "nothing", func() bool { return false }) })
	if diff := cmp.Diff([]string{"fatal: wait for nothing: not within 0s"}, p.said); diff != "" {
		t.Error(diff)
	}
}

// TestStart holds that a process and its children end with the test, willing or not.
func TestStart(t *testing.T) {
	shell := Need(t, "sh", "dash")
	tests := []struct{ name, script string }{
		{"willing", "echo ready; exec sleep 600"},
		{"with a child", "sleep 600 & echo ready; wait"},
		{"with a child that does not listen",
			"(trap '' TERM; echo ready; while :; do sleep 1; done) & wait"},
		{"ended long ago", "echo ready"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p *Process
			test := &probe{}
			test.run(func() {
				p = Start(test, shell, "-c", tt.script)
				Eventually(test, time.Minute, "a sign of life",
					func() bool { return strings.Contains(p.Output(), "ready") })
			})
			if test.said != nil {
				t.Errorf("the test said %q", test.said)
			}
			Eventually(t, time.Minute, "the end of all", func() bool {
				return syscall.Kill(-p.cmd.Process.Pid, 0) == syscall.ESRCH
			})
			p.Stop(t) // again
		})
	}
}

// TestFailure shows what the process wrote where the test has failed.
func TestFailure(t *testing.T) {
	shell := Need(t, "sh", "dash")
	p := &probe{}
	p.run(func() {
		process := Start(p, shell, "-c", "echo out; echo err >&2; exec sleep 600")
		Eventually(p, time.Minute, "its words",
			func() bool { return strings.Contains(process.Output(), "err") })
		p.Errorf("no answer")
	})
	want := []string{"error: no answer", "log: output of sh (signal: terminated):\nout\nerr\n"}
	if diff := cmp.Diff(want, p.said); diff != "" {
		t.Error(diff)
	}
}

func TestSignal(t *testing.T) {
	// Not HUP: under nohup(1) a shell cannot but ignore it.
	p := Start(t, Need(t, "sh", "dash"), "-c",
		"trap 'echo reloaded' USR1; echo ready; while :; do sleep 0.05; done")
	Eventually(t, time.Minute, "the start",
		func() bool { return strings.Contains(p.Output(), "ready") })
	p.Signal(t, syscall.SIGUSR1)
	Eventually(t, time.Minute, "the reload",
		func() bool { return strings.Contains(p.Output(), "reloaded") })
}

func TestStartOfNothing(t *testing.T) {
	p := &probe{}
	p.run(func() { Start(p, "/no/such/peerd") })
	if len(p.said) != 1 || !strings.HasPrefix(p.said[0], "fatal: start /no/such/peerd: ") {
		t.Errorf("the test said %q", p.said)
	}
}
