package criteria

import (
	"net/netip"

	"github.com/trapline/trapline/parser"
)

// Course is who was listed by the rules when, over a span of time: what one
// engine on its way through the log did. Operators' listings are not in it: they
// are the same under every policy.
type Course struct {
	from, to Second
	stays    map[netip.Prefix]*stay
}

// stay is one source's time on the list within the span.
type stay struct {
	since  Second // of the listing that goes on; Never when it is not listed
	listed Second // seconds, of the listings that ended
	cause  Cause  // most of its counted reports, when it was first listed
	except []Exception
}

// NewCourse begins a course from one second to another, that one not included.
func NewCourse(from, to Second) *Course {
	return &Course{from: from, to: to, stays: map[netip.Prefix]*stay{}}
}

// Begin takes who is listed when the span begins.
func (c *Course) Begin(e *Engine) {
	for source := range e.Standing().listed {
		c.begin(e, source, c.from)
	}
}

// Take notes what changed in the engine that the course follows.
func (c *Course) Take(e *Engine, changes []Change) {
	for _, change := range changes {
		switch {
		case change.From == Operator || change.To == Operator || change.At >= c.to:
		case change.To == Unlisted:
			c.end(change.Source.Prefix, change.At)
		case change.From == Unlisted:
			c.begin(e, change.Source.Prefix, change.At)
		}
	}
}

// Spare notes the exceptions that hold a source off the list at this moment:
// those of another engine, in a course of one that knows no exceptions.
func (c *Course) Spare(e *Engine, changes []Change) {
	for _, change := range changes {
		if s := c.stays[change.Source.Prefix]; s != nil && s.except == nil {
			s.except = e.overlay.exceptionsOf(change.Source.Prefix)
		}
	}
}

func (c *Course) begin(e *Engine, source netip.Prefix, at Second) {
	s := c.stays[source]
	if s == nil {
		s = &stay{since: Never, cause: e.mainCause(source)}
		c.stays[source] = s
	}
	s.since = min(s.since, max(at, c.from))
}

func (c *Course) end(source netip.Prefix, at Second) {
	s := c.stays[source]
	if s == nil || s.since == Never {
		return
	}
	s.listed += max(0, at-s.since)
	s.since = Never
}

// seconds is how long a source was listed within the span.
func (c *Course) seconds(source netip.Prefix) int64 {
	s := c.stays[source]
	switch {
	case s == nil:
		return 0
	case s.since == Never:
		return int64(s.listed)
	}
	return int64(s.listed + c.to - s.since)
}

// mainCause is the cause of most of a source's counted reports, the first in
// their order where several are even.
func (e *Engine) mainCause(source netip.Prefix) Cause {
	s := e.roll.find(e.rules.unitOf(source.Addr()))
	if s == nil {
		return parser.Unknown
	}
	o := e.outlook(s, e.count)
	o.tallyAt(e.now, false)
	var causes [256]int
	best := parser.Unknown
	for _, i := range e.count.counted {
		cause := s.entries[i].cause()
		causes[cause]++
		if n := causes[cause]; n > causes[best] || n == causes[best] && cause < best {
			best = cause
		}
	}
	return best
}
