package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/trapline/trapline/internal/testpeer"
)

// terminal is one end of a terminal, where somebody sits.
type terminal struct {
	person, program *os.File

	mu   sync.Mutex
	seen bytes.Buffer // guarded by mu
}

// newTerminal makes one of so many columns and rows.
func newTerminal(t *testing.T, columns, rows uint16) *terminal {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no terminal to be had: %v", errors.Join(err, person.Close()))
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", errors.Join(err, person.Close()))
	}
	x := &terminal{person: person, program: program}
	size := &unix.Winsize{Row: rows, Col: columns}
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go x.look(gone)
	t.Cleanup(func() {
		_ = program.Close() // then reading ends
		<-gone
		_ = person.Close()
	})
	return x
}

// look reads what is written on the terminal until the last program is gone.
func (x *terminal) look(gone chan<- struct{}) {
	defer close(gone)
	part := make([]byte, 4096)
	for {
		n, err := x.person.Read(part)
		x.mu.Lock()
		x.seen.Write(part[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// testTopInTerminal: top shows a daemon at work, follows it, and gives the terminal back as it was,
// whatever ends it.
func testTopInTerminal(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	d := s.serve()
	for name, end := range map[string]func(x *terminal, top *exec.Cmd) error{
		"q":       func(x *terminal, _ *exec.Cmd) error { _, err := x.person.WriteString("xq"); return err },
		"ctrl-c":  func(x *terminal, _ *exec.Cmd) error { _, err := x.person.WriteString("\x03"); return err },
		"sigterm": func(_ *terminal, top *exec.Cmd) error { return top.Process.Signal(syscall.SIGTERM) },
	} {
		x, top, before := s.startTop(t)
		testpeer.Eventually(t, patience, name+": a picture", func() bool {
			return strings.Contains(x.text(), "q quits") && strings.Contains(x.text(), "hits     ")
		})
		if name == "q" {
			d.blame("198.51.100.7")
			testpeer.Eventually(t, patience, "the picture to follow", func() bool {
				return strings.Contains(x.text(), "198.51.100.7")
			})
		}
		if err := end(x, top); err != nil {
			t.Fatal(err)
		}
		checkTopEnded(t, name, x, top.Wait(), before)
	}
	x, top, before := s.startTop(t)
	testpeer.Eventually(t, patience, "a picture", func() bool { return strings.Contains(x.text(), "q quits") })
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	err := top.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("the daemon is gone: %v", err)
	}
	testpeer.Eventually(t, patience, "the mend", func() bool {
		return strings.HasSuffix(x.text(), ": no daemon answers: start it with trapline serve\r\n")
	})
	checkTopEnded(t, "the daemon is gone", x, nil, before)
}

// startTop starts top in a terminal, and gives how that was set before.
func (s *site) startTop(t *testing.T) (*terminal, *exec.Cmd, *unix.Termios) {
	t.Helper()
	x := newTerminal(t, 100, 30)
	before, err := unix.IoctlGetTermios(int(x.program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	top := s.command("top")
	top.Stdin, top.Stdout, top.Stderr = x.program, x.program, x.program
	if err := top.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = top.Process.Kill() }) // an error says that it is gone
	return x, top, before
}

func checkTopEnded(t *testing.T, name string, x *terminal, err error, before *unix.Termios) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	after, err := unix.IoctlGetTermios(int(x.program.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("%s: the terminal is not as it was: %v", name, err)
	}
	if !term.IsTerminal(int(x.program.Fd())) {
		t.Errorf("%s: no terminal", name)
	}
	testpeer.Eventually(t, patience, name+": the screen to be given back", func() bool {
		text := x.text()
		return strings.Count(text, enterScreen) == 1 && strings.Count(text, leaveScreen) == 1 &&
			strings.LastIndex(text, home) < strings.Index(text, leaveScreen)
	})
}
