package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server, with all that it starts.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone
}

// start starts a program that stays in the foreground. What it says goes to a file.
func start(log, program string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	defer func() { _ = out.Close() }() // the process has one of its own
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	return p, nil
}

// stop ends the process and its children.
func (p *process) stop() {
	_ = p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
	}
	_ = p.signal(syscall.SIGKILL) // those that did not listen
	<-p.ended
}

func (p *process) signal(s syscall.Signal) error { return syscall.Kill(-p.cmd.Process.Pid, s) }

// settled gives the processor time of the process once it has nothing more to do: what it puts off
// until after its answer is part of the price of a message.
func (p *process) settled(ctx context.Context) (time.Duration, error) {
	const pause, calm = 100 * time.Millisecond, 3 // pauses
	last, err := cpu(p.cmd.Process.Pid)
	for quiet, end := 0, time.Now().Add(patience); err == nil && quiet < calm; quiet++ {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-p.ended:
			return 0, errors.New("the server has ended")
		case <-time.After(pause):
		}
		before := last
		last, err = cpu(p.cmd.Process.Pid)
		if last-before > tick && time.Now().Before(end) {
			quiet = -1
		}
	}
	return last, err
}

// tick is the unit of processor time in /proc.
const tick = time.Second / 100

// cpu is how long a process has computed, itself and the kernel for it, with all the processes below
// it: those that are there, and those that have been waited for.
func cpu(root int) (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	children := map[int][]int{}
	for pid, s := range all {
		children[s.parent] = append(children[s.parent], pid)
	}
	var ticks int
	for wait := []int{root}; len(wait) > 0; {
		pid := wait[0]
		wait = append(wait[1:], children[pid]...)
		ticks += all[pid].ticks
	}
	return time.Duration(ticks) * tick, nil
}

// usage is a process's parent, and what it and its dead children have used.
type usage struct{ parent, ticks int }

func processes() (map[int]usage, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := map[int]usage{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		pid, u, err := readStat(string(text))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		all[pid] = u
	}
	if len(all) == 0 {
		return nil, errors.New("read /proc: no process in it: the processor time is read from there")
	}
	return all, nil
}

// readStat reads proc_pid_stat(5). Behind the name in parentheses, which may hold anything, the
// state is field 3, the parent 4, and utime, stime, cutime and cstime are fields 14 to 17.
func readStat(text string) (pid int, u usage, err error) {
	end := strings.LastIndexByte(text, ')')
	head, _, _ := strings.Cut(text, " ")
	fields := strings.Fields(text[end+1:])
	if end < 0 || len(fields) < 15 {
		return 0, u, errors.New("too short")
	}
	numbers := make([]int, 0, 6)
	for _, field := range append([]string{head, fields[1]}, fields[11:15]...) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, u, err
		}
		numbers = append(numbers, n)
	}
	for _, n := range numbers[2:] {
		u.ticks += n
	}
	u.parent = numbers[1]
	return numbers[0], u, nil
}
