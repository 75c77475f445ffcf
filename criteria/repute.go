package criteria

import (
	"math/big"
	"net/netip"

	"github.com/trapline/trapline/internal/address"
)

// Reputation is what the rules know of the mail that a listing unit is known
// to send, and what they ask for it.
type Reputation struct {
	Source Source
	At     Second
	Points int64  // that count now
	Need   Number // the score that a listing takes for them: ratio x points
	Score  Number
	Days   []ReputedDay // that still count, earliest first
}

// ReputedDay is one day's part of the points.
type ReputedDay struct {
	Day     Day
	Counts  map[string]int64 // by who counted; of IPv6 all addresses of the unit
	Reports int64            // counted reports received that day: taken off
	Points  int64            // what is left of the counts, up to the cap
	Until   Second           // the first second at which the day counts no more
}

// Reputation gives the reputation of an address's unit at the engine's present
// second. It changes nothing.
func (e *Engine) Reputation(a netip.Addr) Reputation {
	o := e.outlookOf(address.Unwrap(a))
	t := o.tallyAt(e.now, false)
	r := Reputation{Source: Source{o.prefix}, At: e.now, Points: t.points, Score: Number{o.score(&t)}}
	need := new(big.Rat).SetInt64(t.points)
	r.Need = Number{need.Mul(need, rat(o.ReputationRatio))}
	for _, d := range o.days {
		until := d.day.End() + Second(o.maxAge)
		if until <= e.now {
			continue
		}
		reports := o.reportsOf(d.day)
		r.Days = append(r.Days, ReputedDay{Day: d.day, Reports: reports, Until: until,
			Counts: e.reputation.countsOf(o.source.unit, d.day),
			Points: max(min(d.n, int64(o.ReputationCap))-reports, 0)})
	}
	return r
}

// countsOf gives who counted how much for a unit on a day.
func (r *reputation) countsOf(u unit, day Day) map[string]int64 {
	counts := map[string]int64{}
	for _, c := range r.units[u] {
		if c.day == day {
			counts[r.names[c.name]] += int64(c.n)
		}
	}
	return counts
}
