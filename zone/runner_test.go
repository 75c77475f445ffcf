package zone

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trapline/trapline/criteria"
)

// round is a Runner in a bubble: its clock is the bubble's, its disk the real one.
type round struct {
	changed   chan struct{}
	stop      func()
	publisher *Publisher

	mu       sync.Mutex // owns what follows
	list     []criteria.Listing
	complete bool
	reports  []report
}

type report struct {
	after time.Duration // since the start
	Result
	error
}

// startRound runs until the bubble's end; the runner first looks at once.
func startRound(t *testing.T, complete bool, change ...func(*Config)) *round {
	start := time.Now()
	s := newSite(t, append(change, func(c *Config) { c.Now = time.Now })...)
	r := &round{changed: make(chan struct{}, 1), complete: complete, publisher: s.Publisher}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	runner := Runner{
		Publisher: s.Publisher, Changed: r.changed,
		List: func() (Snapshot, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if !r.complete {
				return Snapshot{}, ErrIncomplete
			}
			return Snapshot{Listings: r.list}, nil
		},
		Report: func(result Result, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.reports = append(r.reports, report{time.Since(start), result, err})
		},
	}
	go func() { defer close(done); runner.Serve(ctx) }()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	synctest.Wait()
	return r
}

// pass lets the bubble's time pass, until nothing is left to be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// change waits, then says that the list has changed.
func (r *round) change(after time.Duration, list []criteria.Listing) {
	pass(after)
	r.mu.Lock()
	r.list = list
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
	synctest.Wait()
}

// all is the reports so far.
func (r *round) all() []report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.reports)
}

// say sets what the source says of its list from now on.
func (r *round) say(complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complete = complete
}

// published is when something was written.
func (r *round) published() []time.Duration {
	var times []time.Duration
	for _, p := range r.all() {
		if p.error == nil && !p.Unchanged {
			times = append(times, p.after)
		}
	}
	return times
}

// lasting is a list that does not end while a test waits.
func lasting(n int) []criteria.Listing {
	list := many(0, n)
	for i := range list {
		list[i].Until = criteria.Never
	}
	return list
}

func TestRunnerAtOnceWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true)
		r.change(time.Minute, lasting(1))
		r.change(time.Minute, lasting(2))
		same(t, "published", r.published(), []time.Duration{0, time.Minute, 2 * time.Minute})
	})
}

func TestRunnerKeepsTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true)
		for i := range 70 { // a change a second
			r.change(time.Second, lasting(i+1))
		}
		same(t, "published", r.published(), []time.Duration{0, 30 * time.Second, time.Minute})
		pass(time.Minute)
		same(t, "published", r.published(),
			[]time.Duration{0, 30 * time.Second, time.Minute, 90 * time.Second})
	})
}

func TestRunnerRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true, func(c *Config) { c.Header.ValidFor = time.Hour })
		pass(50 * time.Minute)
		const quarter = 15 * time.Minute
		for i, at := range r.published() {
			if at < time.Duration(i)*quarter || at >= time.Duration(i+1)*quarter {
				t.Errorf("publication %d after %s", i, at)
			}
		}
		if n := len(r.published()); n != 4 {
			t.Errorf("%d publications in 50 minutes, want 4", n)
		}
	})
}

func TestRunnerOfAnIncompleteListIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, false)
		r.change(time.Minute, lasting(1))
		pass(100 * time.Hour)
		if len(r.all()) > 0 {
			t.Errorf("published %v", r.all())
		}
		r.say(true) // without a word: it looks again by itself
		pass(30 * time.Second)
		if len(r.published()) != 1 {
			t.Errorf("published %v", r.published())
		}
		r.say(false)
		r.stop()
		if len(r.published()) != 1 {
			t.Errorf("published at the stop %v", r.published())
		}
	})
}

func TestRunnerPublishesAtTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true)
		r.change(time.Second, lasting(1)) // waits for its turn
		r.stop()
		same(t, "published", r.published(), []time.Duration{0, time.Second})
	})
}

func TestRunnerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dir string
		r := startRound(t, true, func(c *Config) {
			dir = c.Dir
			c.Dir = filepath.Join(dir, "sub") // its parent is made a file
			mustWrite(t, dir)
		})
		pass(5 * time.Minute)
		if n := len(r.all()); n < 8 || n > 12 || len(r.published()) > 0 {
			t.Errorf("%d attempts in 5 minutes, %d published", n, len(r.published()))
		}
	})
}

func TestRunnerOutlivesItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true)
		close(r.changed)
		pass(time.Hour)
		if n := len(r.all()); n > 10 {
			t.Errorf("%d attempts in an hour", n)
		}
	})
}

// TestRunnerReleasesWhatIsHeld: nobody has to say that the guard's next hour has come.
func TestRunnerReleasesWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRound(t, true, func(c *Config) { c.Guard = Guard{Floor: 10} })
		r.change(time.Minute, lasting(25))
		pass(4 * time.Hour)
		all := r.all()
		last := all[len(all)-1]
		if last.Entries != 25 || last.Held != (Held{}) || len(r.published()) != 4 {
			t.Errorf("%+v after %v", last, r.published())
		}
	})
}

// TestRunnerRenewed: another header is published without a change of the list, no sooner than the
// interval of before lets it; then the new one holds.
func TestRunnerRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Config
		r := startRound(t, true, func(first *Config) { c = *first; c.Now = time.Now })
		c.Header.Text, c.MinInterval = "Blocked: $", 10*time.Second
		pass(time.Second)
		if err := r.publisher.Renew(c); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		r.change(0, lasting(1))
		r.change(time.Second, lasting(2))
		pass(time.Minute)
		same(t, "published", r.published(),
			[]time.Duration{0, 30 * time.Second, 61 * time.Second, 71 * time.Second})
		if header := r.publisher.published.Load().header; header.Text != c.Header.Text {
			t.Errorf("the zone says %q", header.Text)
		}
	})
}

// TestRenewRefused: what is wrong, or about another zone, changes nothing.
func TestRenewRefused(t *testing.T) {
	s := newSite(t)
	for name, change := range map[string]func(*Config){
		"bad header":   func(c *Config) { c.Header.Text = "\x00" },
		"other origin": func(c *Config) { c.Header.Origin = "other.example" },
		"other folder": func(c *Config) { c.Dir += "s" },
		"other state":  func(c *Config) { c.StateDir += "s" },
	} {
		first := s.cfg
		c := first
		change(&c)
		err := s.Renew(c)
		if err == nil || !s.cfg.samePlace(first) || !s.cfg.Header.Equal(first.Header) {
			t.Errorf("%s: %v, now %+v", name, err, s.cfg)
		}
	}
}
