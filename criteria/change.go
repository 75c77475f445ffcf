package criteria

import (
	"slices"
)

// outlook is a source together with all that decides about it over time.
type outlook struct {
	*rules
	source *source
	sets   *registry
	count  *counter
	except []Exception // that cover the unit or split it
	points int64       // reputation
}

// answerAt gives the answer at a second, if nothing more comes.
func (o *outlook) answerAt(at Second) Answer {
	if o.exceptedAt(at) || at < o.source.barred {
		return Unlisted
	}
	t := o.tallyAt(at, false)
	if o.fails(&t, at, o.points) != Open {
		return Unlisted
	}
	if !o.hasBackscatter() {
		return Spam
	}
	t = o.tallyAt(at, true)
	if o.fails(&t, at, o.points) != Open {
		return Backscatter
	}
	return Spam
}

func (o *outlook) tallyAt(at Second, spamOnly bool) tally {
	v := view{at: at, spamOnly: spamOnly}
	if len(o.except) > 0 {
		v.excepted = func(host uint64) bool { return o.exceptsHost(host, at) }
	}
	return o.tally(o.source, v, o.sets, o.count)
}

func (o *outlook) hasBackscatter() bool {
	return slices.ContainsFunc(o.source.entries, func(e entry) bool {
		return isBackscatter(e.cause)
	})
}

// exceptedAt tells whether an exception covers the whole unit at a second.
func (o *outlook) exceptedAt(at Second) bool {
	return slices.ContainsFunc(o.except, func(x Exception) bool {
		return x.Until > at && x.Network.Contains(o.source.unit) && x.Network.Bits() <= o.unitBits()
	})
}

func (o *outlook) unitBits() int { return o.unitOf(o.source.unit).Bits() }

// exceptsHost tells whether an exception that splits the unit covers a host.
func (o *outlook) exceptsHost(host uint64, at Second) bool {
	addr := withHost(o.source.unit, host)
	return slices.ContainsFunc(o.except, func(x Exception) bool {
		return x.Until > at && x.Network.Contains(addr)
	})
}

// nextChange gives the first second after now at which the answer is no longer
// what it is now, if nothing more comes; Never if it stays.
//
// Between two rises, the seconds at which time alone may list, every condition
// can only go from met to failed: scores never rise with age (Policy.Check
// sees to it), reports and traps only age out, silence only grows. So within
// such a stretch the answer leaves its value once and for good, and the second
// is found by bisection.
func (o *outlook) nextChange(now Second, answer Answer) Second {
	end := o.horizon(now)
	starts := o.rises(now, end)
	for i, from := range starts {
		if from > now && o.answerAt(from) != answer {
			return from
		}
		last := end
		if i+1 < len(starts) {
			last = starts[i+1] - 1
		}
		if last > from && o.answerAt(last) != answer {
			return o.firstChange(from, last, answer)
		}
	}
	return Never
}

// firstChange bisects: the answer holds at from and not at last.
func (o *outlook) firstChange(from, last Second, answer Answer) Second {
	for last-from > 1 {
		middle := from + (last-from)/2
		if o.answerAt(middle) == answer {
			from = middle
		} else {
			last = middle
		}
	}
	return last
}

// horizon is a second from which on nothing can be listed by its score.
func (o *outlook) horizon(now Second) Second {
	return max(now, o.source.newest()+o.after)
}

// rises are the seconds from now to the end, now included, at which time alone
// may list: a hit dated ahead, the end of a bar or of an exception, and trap
// hits ageing out beside reports, which may lift the condition on trap domains.
func (o *outlook) rises(now, end Second) []Second {
	starts := []Second{now}
	add := func(at Second) {
		if at > now && at <= end {
			starts = append(starts, at)
		}
	}
	add(o.source.barred)
	for _, x := range o.except {
		add(x.Until)
	}
	reported := slices.ContainsFunc(o.source.entries, func(e entry) bool {
		return e.flags.has(isReport)
	})
	for _, e := range o.source.entries {
		add(Second(e.time))
		if reported && !e.flags.has(isReport) {
			add(Second(e.time) + Second(o.maxAge))
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}
