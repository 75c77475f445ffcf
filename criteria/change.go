package criteria

import (
	"net/netip"
	"slices"
)

// outlook is a source together with all that decides about it over time.
type outlook struct {
	*rules
	source *source
	prefix netip.Prefix // its unit
	hosts  []unit       // of its entries, in IPv6
	sets   *registry
	extra  *trapSet // of a hit that is only supposed
	count  *counter
	except []Exception // that cover the unit or split it
	barred Second      // not listed before it
	days   []dayPoints // reputation
	given  int64       // likewise, from elsewhere
}

// set gives the traps of an entry.
func (o *outlook) set(e *entry) *trapSet {
	if e.set == supposed && o.extra != nil {
		return o.extra
	}
	return o.sets.at(e.set)
}

// answerAt gives the answer at a second, if nothing more comes.
func (o *outlook) answerAt(at Second) Answer {
	if at < o.barred || len(o.source.entries) < o.MinReports || o.exceptedAt(at) {
		return Unlisted
	}
	t := o.tallyAt(at, false)
	if o.fails(&t, at) != Open {
		return Unlisted
	}
	if !t.backscatter {
		return Spam
	}
	t = o.tallyAt(at, true)
	if o.fails(&t, at) != Open {
		return Backscatter
	}
	return Spam
}

// exceptedAt tells whether an exception covers the whole unit at a second.
func (o *outlook) exceptedAt(at Second) bool {
	for i := range o.except {
		if x := &o.except[i]; x.Until > at && x.Network.Bits() <= o.prefix.Bits() {
			return true
		}
	}
	return false
}

// exceptsHost tells whether an exception covers the host that an entry came
// from: all of the unit, or the part of it that an exception splits off.
func (o *outlook) exceptsHost(entry int, at Second) bool {
	host := o.host(entry)
	return slices.ContainsFunc(o.except, func(x Exception) bool {
		return x.Until > at && x.Network.Contains(host)
	})
}

// nextChange gives the first second after now at which the answer is no longer
// what it is now, if nothing more comes; Never if it stays.
//
// Between two rises, the seconds at which time alone may list, every condition
// can only go from met to failed: scores never rise with age (Policy.Check
// sees to it), reports and traps only age out, silence only grows, and points
// only grow as the reports taken off them age out. So within such a stretch
// the answer leaves its value once and for good, what is unlisted stays so, and
// the second is found by bisection.
func (o *outlook) nextChange(now Second, answer Answer) Second {
	end := o.horizon(now)
	for from := now; ; {
		rise := o.nextRise(from)
		last := min(rise-1, end)
		if answer != Unlisted && last > from && (last == end || o.answerAt(last) != answer) {
			return o.firstChange(from, last, answer)
		}
		if rise > end {
			return Never
		}
		if o.answerAt(rise) != answer {
			return rise
		}
		from = rise
	}
}

// firstChange bisects: the answer holds at from and not at last. Most listings
// end by silence, so those seconds are tried first.
func (o *outlook) firstChange(from, last Second, answer Answer) Second {
	narrow := func(at Second) {
		switch {
		case at <= from || at >= last:
		case o.answerAt(at) == answer:
			from = at
		default:
			last = at
		}
	}
	for _, silence := range [...]Second{o.after, o.afterFew} {
		narrow(o.source.newest() + silence)
		narrow(o.source.newest() + silence - 1)
	}
	for last-from > 1 {
		narrow(from + (last-from)/2)
	}
	return last
}

// horizon is a second from which on nothing can be listed by its score.
func (o *outlook) horizon(now Second) Second {
	return max(now, o.source.newest()+o.after)
}

// nextRise is the first second after now at which time alone may list: a hit
// dated ahead, the end of a bar, of an exception or of a day of points, and
// trap hits ageing out beside reports, which may lift the condition on trap
// domains. Never if there is none.
func (o *outlook) nextRise(now Second) Second {
	next := Never
	if o.barred > now {
		next = o.barred
	}
	for i := range o.except {
		next = earlier(next, o.except[i].Until, now)
	}
	for _, d := range o.days {
		next = earlier(next, d.day.End()+Second(o.maxAge), now)
	}
	entries := o.source.entries
	for i := len(entries) - 1; i >= 0 && Second(entries[i].time) > now; i-- {
		next = earlier(next, Second(entries[i].time), now)
	}
	if o.MinTrapDomains < 2 || !slices.ContainsFunc(entries, isOfReporter) {
		return next
	}
	for i := range entries {
		next = earlier(next, Second(entries[i].time)+Second(o.maxAge), now)
	}
	return next
}

func isOfReporter(e entry) bool { return e.has(isReport) }

// earlier is at where it lies after now and before next, else next.
func earlier(next, at, now Second) Second {
	if at > now && at < next {
		return at
	}
	return next
}
