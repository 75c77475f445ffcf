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
	var mu sync.Mutex
	var sessions sync.WaitGroup
	for session := range 16 {
		sessions.Go(func() {
			for n := 1_000_000 * session; ; n++ {
				if s.Append(context.Background(), evident(n)) != nil {
					return
				}
				mu.Lock()
				fmt.Println(n)
				mu.Unlock()
			}
		})
	}
	sessions.Wait()
}

// A process that is killed in the middle of its work loses nothing that it has
// acknowledged, whatever it was doing.
func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[int]bool{}
	for round := range 5 {
		killAfter(t, dir, 300+500*round, acknowledged)
		s, err := Open(Config{Dir: dir, Now: time.Now})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		missing := len(acknowledged)
		for _, n := range all(t, s) {
			if acknowledged[n] {
				missing--
			}
			acknowledged[n] = false // once found, of earlier rounds
		}
		checkPagesOf(t, s)
		closed(t, s)
		if missing != 0 {
			t.Errorf("round %d: %d of %d acknowledged records are gone", round, missing, len(acknowledged))
		}
		clear(acknowledged)
	}
}

// killAfter runs a child until it has acknowledged so many records, kills it
// and notes what it said.
func killAfter(t *testing.T, dir string, enough int, acknowledged map[int]bool) {
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
		acknowledged[n] = true
		if count == enough {
			_ = child.Process.Kill()
		}
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
}
