package daemon

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
)

// heart is a writer and a judge under watch. Its time is that of the bubble.
type heart struct {
	*testing.T
	daemon *Daemon
	hold   chan struct{} // the judge does not go on while nothing comes from it
	log    bytes.Buffer
	mu     sync.Mutex
	told   []State // under mu
	stops  []func() error
}

// What a judge tells. At a listing it is held.

func (h *heart) SnapshotUnusable(error)                          {}
func (h *heart) CaughtUp(uint64, int, int)                       {}
func (h *heart) ListChanged(string, string, string, string)      { <-h.hold }
func (h *heart) Rewritten(uint64, string, string, int, int, int) {}
func (h *heart) run(f func(context.Context) error)               { h.stops = append(h.stops, background(f)) }

func (h *heart) tell(s State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, s)
}

// heard gives what was told since the last time.
func (h *heart) heard() []State {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.told
	h.told = nil
	return told
}

func newHeart(t *testing.T) *heart {
	t.Helper()
	h := &heart{T: t, hold: make(chan struct{})}
	s, err := store.Open(store.Config{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin()
	h.daemon = &Daemon{store: s, judge: judge.New(s, h), options: Options{
		Events: ops.New(zerolog.New(&h.log)), Watchdog: 3 * time.Minute, Tell: h.tell}}
	policy := criteria.DefaultPolicy()
	err = s.Decide(t.Context(), criteria.Decision{Act: criteria.ActPolicy, Who: "test", Policy: &policy})
	if err != nil {
		t.Fatal(err)
	}
	h.run(h.daemon.judge.Serve)
	h.run(h.daemon.watchPulse)
	return h
}

func (h *heart) stop() {
	h.Helper()
	close(h.hold)
	for _, stop := range h.stops {
		if err := stop(); err != nil {
			h.Error(err)
		}
	}
	if err := h.daemon.store.Close(); err != nil {
		h.Error(err)
	}
}

// pass lets a bubble's time go by, and all see it.
func pass(span time.Duration) {
	time.Sleep(span)
	synctest.Wait()
}

// TestPulse: the manager hears of the daemon three times in the span it waits, and never while
// the judge or the writer stands still. Then the log says which.
func TestPulse(t *testing.T) {
	list := criteria.Decision{Act: criteria.ActList, Who: "test", Origin: criteria.FromOperator,
		Network: netip.MustParsePrefix("198.51.100.7/32"), Reason: "a test"}
	for _, c := range []struct {
		name string
		harm func(*testing.T, *heart)
		want []State // in three minutes
		log  string
	}{
		{"at work", func(*testing.T, *heart) {}, []State{Alive, Alive, Alive}, ""},
		{"judge stands still", func(t *testing.T, h *heart) {
			if err := h.daemon.store.Decide(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}, nil, `"event":"stalled","who":"judge"`},
		{"writer stands still", func(_ *testing.T, h *heart) { h.daemon.store.Stop() },
			nil, `"event":"stalled","who":"writer"`},
		{"judge gave up", func(t *testing.T, h *heart) {
			if err := h.stops[0](); err != nil {
				t.Fatal(err)
			}
			h.daemon.broken.Store(new(error))
			h.stops = h.stops[1:]
		}, []State{Alive, Alive, Alive}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHeart(t)
				pass(time.Minute + time.Second)
				c.harm(t, h)
				pass(time.Minute) // in which harm may come late
				h.heard()
				pass(3 * time.Minute)
				if diff := cmp.Diff(c.want, h.heard()); diff != "" {
					t.Errorf("the manager was told (-want +got):\n%s", diff)
				}
				if got := h.log.String(); !strings.Contains(got, c.log) || c.log == "" && got != "" {
					t.Errorf("the log says %q, want %q", got, c.log)
				}
				h.stop()
			})
		})
	}
}

// TestPulseWithoutMark: a judge with nothing to read does not stand still, whatever the clock does.
func TestPulseWithoutMark(t *testing.T) {
	before := pulse{writer: 1, judge: 1, mark: store.Mark{LSN: 7}}
	now := before
	now.writer++
	if who := new(Daemon).stalled(before, now); who != "" {
		t.Errorf("%s is said to stand still", who)
	}
}
