package store

import (
	"fmt"
	"time"

	"github.com/trapline/trapline/criteria"
)

// clock is the log's clock. It reads the system's and notices when that is set
// far ahead: stamps never step back, so one wrong second would put every later
// record, and the end of its retention, into that future.
type clock struct {
	now  func() (wall time.Time, running time.Duration)
	wall time.Time // the reading before
	run  time.Duration
}

// farAhead is how far the clock may be set ahead at once.
const farAhead = time.Hour

// clockOf makes a clock of a function like time.Now. A time without a monotonic
// reading, as tests make them, is believed as it is.
func clockOf(now func() time.Time) *clock {
	begin := now()
	return &clock{wall: begin.Round(0), now: func() (time.Time, time.Duration) {
		t := now()
		return t.Round(0), t.Sub(begin)
	}}
}

// read gives the instant, or ErrAhead while the clock is more than an hour ahead
// of the time that passed. It is again believed when it has been set back, or
// after a restart.
func (c *clock) read() (criteria.Second, error) {
	wall, run := c.now()
	if ahead := wall.Sub(c.wall) - (run - c.run); ahead > farAhead {
		return 0, fmt.Errorf("the clock was set %s ahead while the store was open: %w: "+
			"set it back, or restart if it is right now", ahead.Round(time.Second), ErrAhead)
	}
	c.wall, c.run = wall, run
	return criteria.At(wall), nil
}
