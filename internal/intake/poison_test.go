package intake

import (
	"fmt"
	"testing"
	"time"

	"github.com/trapline/trapline/trap"
)

// What the configuration says of a trap when a message comes decides for good
// what that counts: neither a date that is reached later nor another state lets
// it count afterwards, or takes it back.
func TestStateOfATrapIsFrozen(t *testing.T) {
	active := trap.Rule{Class: trap.Trap, Domain: "traps.example", Kind: "recycled", Weight: 1_000_000}
	resting, watching, dated := active, active, active
	resting.State, watching.State, dated.ActiveFrom = trap.StateResting, trap.StateWatching, now
	for _, c := range []struct {
		name      string
		old, last trap.Rule     // in force for all messages but the last, and for that
		age       time.Duration // of the former
		records   int
		reports   int
	}{
		{"active", active, active, time.Hour, 4, 4},
		{"before active_from", dated, dated, time.Second, 1, 1},
		{"from its second on", dated, dated, 0, 4, 4},
		{"resting, then active", resting, active, time.Hour, 1, 1},
		{"watched, then active", watching, active, time.Hour, 4, 1},
		{"active, then watched", active, watching, time.Hour, 4, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			for n := range 4 {
				rule, at := c.old, now.Add(-c.age)
				if n == 3 {
					rule, at = c.last, now
				}
				m := message("198.51.100.7", text)
				m.Time = at
				to := mustDirectory(rule).Match(fmt.Sprintf("t%d@traps.example", n), m.Peer.Addr(), at)
				if to.Class != trap.Trap {
					continue // a session refuses it
				}
				m.Recipients = append(m.Recipients, to)
				d.accept(m)
			}
			v := d.verdict("198.51.100.7")
			if n := len(d.records()); n != c.records || v.Reports != c.reports || v.Listed != (c.reports > 1) {
				t.Errorf("%d records, %d reports, %s", n, v.Reports, v.Why)
			}
		})
	}
}
