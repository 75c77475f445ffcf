package daemon

import (
	"context"
	"time"

	"github.com/trapline/trapline/store"
)

// State is what the service manager is told of a daemon that runs.
type State int

// The states. A daemon is ready once: see Options.Ready.
const (
	Alive     State = iota // the writer and the judge move; told again and again
	Reloading              // the configuration is read anew
	Reloaded               // that is over, whether or not it is in force
	Stopping               // nothing new is taken
)

// pulse is how far the two goroutines were that nothing goes on without.
type pulse struct {
	writer, judge uint64
	mark          store.Mark
}

func (d *Daemon) pulse() pulse {
	return pulse{writer: d.store.Beats(), judge: d.judge.Beats(), mark: d.store.Mark()}
}

// stalled names the one that has stood still since the pulse before, "" for none. The writer
// beats each second. The judge has nothing to do while the mark rests, which it does as long as
// the clock is set ahead; and one that gave up at a damaged log is no stall, for a restart would
// find the damage again, and mail is still taken.
func (d *Daemon) stalled(before, now pulse) string {
	switch {
	case before.writer == now.writer:
		return "writer"
	case before.judge == now.judge && before.mark != now.mark && d.broken.Load() == nil:
		return "judge"
	}
	return ""
}

// watchPulse tells that the daemon is alive, three times in the span after which its manager
// takes it for dead. Where something stands still it tells the log instead.
func (d *Daemon) watchPulse(ctx context.Context) error {
	if d.options.Watchdog == 0 {
		return nil
	}
	tick := time.NewTicker(d.options.Watchdog / 3)
	defer tick.Stop()
	for before := d.pulse(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := d.pulse()
		if who := d.stalled(before, now); who != "" {
			d.options.Events.Stalled(who)
		} else {
			d.tell(Alive)
		}
		before = now
	}
}

func (d *Daemon) tell(s State) {
	if d.options.Tell != nil {
		d.options.Tell(s)
	}
}
