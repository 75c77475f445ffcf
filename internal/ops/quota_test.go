package ops

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// notebook is a log that may be read at any time.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write adds to it.
func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// TestFlood: of a flood so many lines are written, and then how many more there were; other lines
// are not touched by it.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out notebook
		e := New(zerolog.New(&out))
		peer := netip.MustParseAddr("198.51.100.7")
		for range 5000 {
			e.MessageNotTaken(peer, "full")
			e.Recorded("trap", "198.51.100.7", "untrusted-peer", "direct")
		}
		e.MessageNotTaken(peer, "busy")
		e.ZoneFailed(fmt.Errorf("no room"))
		<-time.After(spell)
		synctest.Wait()
		want := map[string]int{`"why":"full"`: mostOfKind, `"why":"busy"`: 1, `"event":"recorded"`: mostOfKind,
			`"event":"zone-failed"`: 1,
			`{"level":"warn","event":"left-out","of":"message-not-taken","why":"full","lines":4900}`: 1,
			`{"level":"info","event":"left-out","of":"recorded","why":"","lines":4900}`:              1}
		want[`"why":"full"`]++ // of left-out
		checkCounts(t, out.String(), want)
		if n := strings.Count(out.String(), "\n"); n != 2*mostOfKind+4 {
			t.Errorf("%d lines", n)
		}
	})
}

func checkCounts(t *testing.T, text string, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for part := range want {
		got[part] = strings.Count(text, part)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFloodEnds: a new spell lets lines be written again, and a spell without a flood tells nothing.
func TestFloodEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out notebook
		e := New(zerolog.New(&out))
		for range 3 {
			for range mostOfKind {
				e.Recorded("trap", "198.51.100.7", "untrusted-peer", "direct")
			}
			<-time.After(spell)
			synctest.Wait()
		}
		checkCounts(t, out.String(), map[string]int{`"event":"recorded"`: 3 * mostOfKind, "left-out": 0})
	})
}

// TestFloodAtTheEnd: a daemon that stops tells what is left out before its last line.
func TestFloodAtTheEnd(t *testing.T) {
	var out notebook
	e := New(zerolog.New(&out))
	for range mostOfKind + 7 {
		e.Recorded("trap", "198.51.100.7", "untrusted-peer", "direct")
	}
	e.Stopped(nil)
	const want = `{"level":"info","event":"left-out","of":"recorded","why":"","lines":7}` + "\n" +
		`{"level":"info","event":"stopped"}` + "\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("the log ends %q", lastBytes(out.String(), 200))
	}
}

func lastBytes(s string, n int) string { return s[max(0, len(s)-n):] }

// TestQuotaHeedsLevels: lines that are not written anyway are not counted as left out.
func TestQuotaHeedsLevels(t *testing.T) {
	var out notebook
	e := New(zerolog.New(&out).Level(zerolog.WarnLevel))
	for range 2 * mostOfKind {
		e.Recorded("trap", "198.51.100.7", "untrusted-peer", "direct")
	}
	e.Stopped(nil)
	if out.String() != "" {
		t.Errorf("the log says %q", out.String())
	}
}
