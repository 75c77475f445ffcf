package store

import (
	"errors"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
)

// TestClock: a clock that is set far ahead is not believed until it is back;
// small steps, steps back and the time that passes are.
func TestClock(t *testing.T) {
	begin := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	wall, run := begin, time.Duration(0)
	c := &clock{wall: begin, now: func() (time.Time, time.Duration) { return wall, run }}
	for _, step := range []struct {
		name   string
		set    time.Duration // the wall clock, besides the time that passes
		passes time.Duration
		ahead  bool
	}{
		{"a second passes", 0, time.Second, false},
		{"a day passes", 0, 24 * time.Hour, false},
		{"set ahead a little", 30 * time.Minute, time.Second, false},
		{"set ahead by 58 days", 58 * 24 * time.Hour, time.Second, true},
		{"it goes on there", 0, time.Minute, true},
		{"set back again", -58 * 24 * time.Hour, time.Second, false},
		{"set back by a year", -365 * 24 * time.Hour, time.Second, false},
	} {
		wall, run = wall.Add(step.set+step.passes), run+step.passes
		at, err := c.read()
		if errors.Is(err, ErrAhead) != step.ahead || err == nil && at != criteria.At(wall) {
			t.Fatalf("%s: %v, %v", step.name, at, err)
		}
	}
}
