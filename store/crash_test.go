package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// crashDir names, in the environment of a child process, the store that it
// fills until it is killed.
const crashDir = "TRAPLINE_TEST_CRASH_DIR"

// appendUntilKilled writes the number of each record to standard output once
// the store has acknowledged it, from many sessions at once.
func appendUntilKilled(dir string) {
	s, err := Open(Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.Begin()
	first := int(s.Mark().LSN) // numbers that no earlier child has used
	var mu sync.Mutex
	var sessions sync.WaitGroup
	for session := range 16 {
		sessions.Go(func() {
			for n := 1_000_000*session + first; ; n++ {
				if s.Append(context.Background(), evident(n)) != nil {
					return
				}
				mu.Lock()
				fmt.Println(n)
				mu.Unlock()
			}
		})
	}
	sessions.Go(func() {
		for {
			files := []*file{&s.ledger.file}
			for _, d := range s.openFiles() {
				files = append(files, &d.file)
			}
			for _, f := range files {
				if err := s.rewrite(context.Background(), f, 0); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
			}
		}
	})
	sessions.Wait()
}

// A process that is killed in the middle of its work loses nothing that it has
// acknowledged, whatever it was doing: its files take each other's places meanwhile.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []int
	for round := range 5 {
		acknowledged = append(acknowledged, killAfter(t, dir, 200+300*round)...)
		s, err := Open(Config{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		found := map[int]int{}
		for _, n := range all(t, s) {
			found[n]++
		}
		for _, n := range acknowledged {
			if found[n] != 1 {
				t.Errorf("round %d: record %d is there %d times", round, n, found[n])
			}
		}
		checkPagesOf(t, s)
		closed(t, s)
	}
}

// killAfter runs a child until it has acknowledged so many records, kills it
// and tells which it has acknowledged.
func killAfter(t *testing.T, dir string, enough int) (acknowledged []int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	said, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for count := 1; lines.Scan(); count++ {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the child said %q", lines.Text())
		}
		acknowledged = append(acknowledged, n)
		if count == enough {
			_ = child.Process.Kill()
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	return acknowledged
}
