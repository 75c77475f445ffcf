package criteria

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// reputation is the points of every address that was imported, by unit. Points
// age out a day at a time.
type reputation struct {
	units map[unit][]dayCount
	names []string // who counted
}

// dayCount is what one source of reputation counted for an address on a day:
// 24 bytes, without a pointer.
type dayCount struct {
	host uint64 // of IPv6: what follows the /64
	mid  uint16 // of IPv6: what stands between /48, the widest unit, and /64
	day  Day
	name uint16
	n    uint32
}

func (c dayCount) order(d dayCount) int {
	return cmp.Or(cmp.Compare(c.day, d.day), cmp.Compare(c.name, d.name),
		cmp.Compare(c.mid, d.mid), cmp.Compare(c.host, d.host))
}

// dayPoints is a unit's points of a day, before its reports are taken off.
type dayPoints struct {
	day Day
	n   int64
}

func newReputation() reputation { return reputation{units: map[unit][]dayCount{}} }

// mostNames16 bounds how many have counted: their numbers have 16 bits.
const mostNames16 = 1 << 16

// number gives the number of a name, a new one where it is new.
func (r *reputation) number(name string) (uint16, bool) {
	n := slices.Index(r.names, name)
	if n < 0 && len(r.names) < mostNames16 {
		n = len(r.names)
		r.names = append(r.names, name)
	}
	return uint16(n), n >= 0
}

// put replaces what a name counted for an address on a day.
func (r *reputation) put(u unit, c dayCount) {
	counts := r.units[u]
	at, found := slices.BinarySearchFunc(counts, c, dayCount.order)
	switch {
	case found && c.n == 0:
		counts = slices.Delete(counts, at, at+1)
	case found:
		counts[at] = c
	case c.n > 0:
		counts = slices.Insert(counts, at, c)
	}
	r.keep(u, counts)
}

func (r *reputation) keep(u unit, counts []dayCount) {
	if len(counts) == 0 {
		delete(r.units, u)
		return
	}
	r.units[u] = counts
}

func countOf(name uint16, p Point) dayCount {
	c := dayCount{day: p.Day, name: name, n: p.Count}
	if b := p.Addr.As16(); p.Addr.Is6() {
		c.host, c.mid = beUint64(b[8:]), binary.BigEndian.Uint16(b[6:])
	}
	return c
}

// expire drops the days that count no more.
func (r *reputation) expire(now, maxAge Second) {
	for u, counts := range r.units {
		if counts[0].day.End()+maxAge <= now {
			r.keep(u, slices.DeleteFunc(counts, func(c dayCount) bool {
				return c.day.End()+maxAge <= now
			}))
		}
	}
}

// of gives a unit's days, earliest first.
func (r *reputation) of(u unit) []dayPoints {
	if len(r.units) == 0 {
		return nil
	}
	var days []dayPoints
	for _, c := range r.units[u] {
		if n := len(days); n == 0 || days[n-1].day != c.day {
			days = append(days, dayPoints{day: c.day})
		}
		days[len(days)-1].n += int64(c.n)
	}
	return days
}

// pointsAt gives the unit's reputation points at a second: each day's, up to
// the cap and less the reports counted of that day, until max_age after its
// end. It reads what tallyAt has just counted.
func (o *outlook) pointsAt(at Second) int64 {
	points := o.given
	for _, d := range o.days {
		if d.day.End()+Second(o.maxAge) > at {
			points += max(min(d.n, int64(o.ReputationCap))-o.reportsOf(d.day), 0)
		}
	}
	return points
}

// reportsOf is how many of the reports that tallyAt has just counted are of a
// day.
func (o *outlook) reportsOf(day Day) int64 {
	n := int64(0)
	for _, i := range o.count.counted {
		if DayOf(Second(o.source.entries[i].time)) == day {
			n++
		}
	}
	return n
}

// points takes what a decision counted and gives the sources that it concerns.
func (e *Engine) points(d Decision) []*source {
	name, ok := e.reputation.number(d.Name)
	if !ok {
		return nil
	}
	var concerned []*source
	for p := range d.Points.All() {
		u := e.rules.unitOf(p.Addr)
		e.reputation.put(u, countOf(name, p))
		if s := e.roll.find(u); s != nil {
			concerned = append(concerned, s)
		}
	}
	slices.SortFunc(concerned, compareUnits)
	return slices.Compact(concerned)
}
