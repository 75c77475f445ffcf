package ops

import (
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Of each kind, so many lines are written in a spell. A flood of hits or of refusals would fill the
// disk with what the metrics count anyway; what is left out is told at the spell's end.
const (
	spell      = 10 * time.Second
	mostOfKind = 100
)

// kind is what lines have in common. The word is one of ours, so kinds are few.
type kind struct {
	level       zerolog.Level
	event, word string
}

// quota counts the lines of a spell, which begins with the first line after the last one.
type quota struct {
	tell func(left map[kind]int) // of the lines that were left out

	mu    sync.Mutex // guards what follows
	seen  map[kind]int
	timer *time.Timer // runs during a spell
}

func newQuota(tell func(map[kind]int)) *quota {
	q := &quota{tell: tell, seen: map[kind]int{}}
	q.timer = time.AfterFunc(spell, q.end)
	q.timer.Stop()
	return q
}

// take tells whether another line may be written.
func (q *quota) take(k kind) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.seen) == 0 {
		q.timer.Reset(spell)
	}
	q.seen[k]++
	return q.seen[k] <= mostOfKind
}

// end tells what was left out, and lets all be written again.
func (q *quota) end() {
	q.mu.Lock()
	q.timer.Stop()
	left := map[kind]int{}
	for k, n := range q.seen {
		if n > mostOfKind {
			left[k] = n - mostOfKind
		}
	}
	clear(q.seen)
	q.mu.Unlock()
	q.tell(left)
}
