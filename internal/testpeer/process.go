package testpeer

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	grace  = 5 * time.Second // for a process to end when asked to, before it is killed
	drying = time.Second     // for its output to end behind it: a child may hold that open
)

// Process is a program that runs beside a test, with its children. It leads a process group of its
// own, which is what is signalled: so nothing is left behind, and nothing else is met.
type Process struct {
	name string
	cmd  *exec.Cmd
	out  output
	stop sync.Once
}

// output gathers what a process writes. The process's writer and the test meet in it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write keeps a piece of the output. It never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String is the output so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Start runs a program that stays in the foreground, by a path as from [Need]. The test's cleanup
// stops it, and shows its output if the test has failed. It may not be ready yet: see [Eventually].
func Start(t testing.TB, path string, args ...string) *Process {
	t.Helper()
	p := &Process{name: filepath.Base(path), cmd: exec.Command(path, args...)}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = drying
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("output of %s (%v):\n%s", p.name, p.cmd.ProcessState, p.Output())
		}
	})
	return p
}

// Output is what the process has written so far, to standard output and standard error.
func (p *Process) Output() string { return p.out.String() }

// PID is the number of the process, until Stop.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends the process and its children a signal, as SIGHUP for a reload. It must come before
// Stop.
func (p *Process) Signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.kill(s); err != nil {
		t.Errorf("signal %s: %v", p.name, err)
	}
}

// Stop ends the process and its children with SIGTERM, later with SIGKILL, and waits. Stopping
// twice does nothing more.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.stop.Do(func() {
		if err := p.end(); err != nil {
			t.Errorf("stop %s: %v", p.name, err)
		}
	})
}

// end is the only one to wait for the process. Until then its number cannot become another's, even
// if it ended long ago, and signals meet nobody else.
func (p *Process) end() error {
	asked := p.kill(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
	}
	killed := p.kill(syscall.SIGKILL) // children, too, that did not listen
	<-ended
	return errors.Join(asked, killed)
}

// kill signals the group. It is no error if nobody is left in it.
func (p *Process) kill(s syscall.Signal) error {
	err := syscall.Kill(-p.cmd.Process.Pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}
