package parser

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of what is plausible, and of what is shown.
const (
	// clockError is how far two hosts' clocks may lie apart. Nearly all keep to seconds; where
	// they do not, few are wrong by more than this.
	clockError = 10 * time.Minute
	// queueLife is how long a host may have kept a message: servers give up after four or five
	// days (RFC 5321, section 4.5.4.1), and some wait a little longer.
	queueLife = 7 * 24 * time.Hour
	// maxShownClaims bounds Trace.Claims.
	maxShownClaims = 8
)

// Annotate gives the trace of a message with what helps a person judge it: notes on what is odd
// about each line, and what the topmost of the lines say that were not believed. A note is a fact,
// never a verdict: honest clocks go wrong, honest hosts have no names, and a careful forgery has
// no note at all. Nothing is decided by it: source, reason and cause stay as they are. The message
// and the trace are only read, and must belong together.
func Annotate(message []byte, t Trace) Trace {
	var buf [64]field
	h := scanHeader(message, buf[:0])
	t.Hops, t.Claims = slices.Clone(t.Hops), nil
	a := annotator{trace: &t, lines: cursor{header: &h}}
	for i := range t.Hops {
		a.examine(&t.Hops[i])
		a.above = t.Hops[i]
	}
	for len(t.Claims) < maxShownClaims {
		x, ok := a.next()
		if !ok {
			break
		}
		hop := x.hop(len(t.Hops) + len(t.Claims))
		hop.Notes = a.notesOnClaim(x)
		t.Claims = append(t.Claims, hop)
		a.above = hop
	}
	return t
}

// annotator goes down the Received lines of a message that was walked.
type annotator struct {
	trace    *Trace
	lines    cursor
	buf      line   // for each line in turn
	field    string // of the author's, that stands above the line; "" if none does
	believed stamp  // of the last believed line with a date
	claimed  stamp  // of the last line that is not believed and has a date
	above    Hop    // the line above
}

// examine puts the notes to a hop of the walk. Our own connection wrote no line.
func (a *annotator) examine(hop *Hop) {
	if hop.N == 0 && hop.WrittenBy == connected && hop.By == "" {
		a.believed = stamp{hop.Time, "our receipt"}
		return
	}
	x, ok := a.next()
	switch {
	case !ok:
	case hop.WrittenBy == stranger:
		hop.Notes = a.notesOnClaim(x)
	default:
		hop.Notes = a.notes(x)
		if !hop.Time.IsZero() {
			a.believed = stamp{hop.Time, "the believed line above"}
		}
	}
}

// stamp is a time, and whose it is.
type stamp struct {
	time  time.Time
	whose string
}

// exhibit is a line under examination.
type exhibit struct {
	reading
	lexed    bool // it is made of tokens
	readable bool // and a grammar fits
	date     string
	time     time.Time // zero if the date is unreadable
}

// next takes the next line, and tells whether there is one.
func (a *annotator) next() (*exhibit, bool) {
	from := a.lines.next
	value, ok := a.lines.line()
	if !ok {
		return nil, false
	}
	a.pass(a.lines.header.fields[from : a.lines.next-1])
	x := &exhibit{lexed: a.buf.lex(unfold(value))}
	if x.lexed {
		x.reading, x.readable = a.buf.read()
		x.date = a.buf.date()
		x.time = parseDate(x.date)
	}
	return x, true
}

// pass notes whether one of the fields is the author's. Servers put their lines on top (RFC 5321,
// section 4.4), so below it stands what came with the message; some mailing lists shuffle, too.
func (a *annotator) pass(fields []field) {
	for i := range fields {
		name := a.lines.header.of(fields[i].name)
		for _, authors := range [...]string{"From", "To", "Subject", "Date", "Message-ID"} {
			if a.field == "" && equal(name, authors) {
				a.field = authors
			}
		}
	}
}

// notes are those on a line that was believed.
func (a *annotator) notes(x *exhibit) []string {
	notes := x.notes()
	if odd := a.believed.oddness(x.time); odd != "" {
		notes = append(notes, odd)
	}
	if a.field != "" {
		notes = append(notes, "stands below "+a.field)
	}
	return notes
}

// notesOnClaim are those on a line that was not.
func (a *annotator) notesOnClaim(x *exhibit) []string {
	notes := a.notes(x)
	if odd := a.claimed.oddness(x.time); odd != "" && a.believed.oddness(x.time) == "" {
		notes = append(notes, odd)
	}
	if !x.time.IsZero() {
		a.claimed = stamp{x.time, "the line above"}
	}
	switch by := x.clauses.by; {
	case a.isBelieved(by):
		notes = append(notes, "by the name of a host whose own line stands above")
	case isPublic(by) && isOther(by, &a.above):
		notes = append(notes, "by another host than the line above names")
	}
	return notes
}

// isBelieved tells whether a name is that of a host of which a line was believed.
func (a *annotator) isBelieved(name string) bool {
	return slices.ContainsFunc(a.trace.Hops, func(hop Hop) bool {
		return hop.WrittenBy != stranger && sameName(name, hop.By)
	})
}

// isOther tells whether a name has nothing to do with the client that the line above it shows, if
// that shows any name. Hosts have several names, so the same domain is enough.
func isOther(by string, above *Hop) bool {
	if !above.IP.IsValid() || above.IP.IsLoopback() {
		return false
	}
	named := false
	for _, name := range [...]string{above.Helo, above.RDNS} {
		if hostName(name) != "" {
			named = true
			if equal(domainOf(by), domainOf(name)) {
				return false
			}
		}
	}
	return named
}

// domainOf gives the last two labels of a name, in which a host and its neighbours agree.
func domainOf(name string) string {
	name = strings.TrimSuffix(name, ".")
	dot := strings.LastIndexByte(name, '.')
	return name[strings.LastIndexByte(name[:max(dot, 0)], '.')+1:]
}

// oddness tells what is odd about the time of a line that stands somewhere below: "" is nothing.
func (s *stamp) oddness(below time.Time) string {
	if s.time.IsZero() || below.IsZero() {
		return ""
	}
	switch d := below.Sub(s.time); {
	case d > clockError:
		return fmt.Sprintf("dated %s after %s", roughly(d), s.whose)
	case d < -queueLife:
		return fmt.Sprintf("dated %s before %s", roughly(-d), s.whose)
	}
	return ""
}

// roughly writes a span of some minutes or more as people say it.
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*365*day:
		return fmt.Sprintf("%d years", d/(365*day))
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", d/time.Minute)
}

// notes are what is odd about the line by itself.
func (x *exhibit) notes() []string {
	var notes []string
	for i := range tells {
		if x.lexed && tells[i].shows(x) {
			notes = append(notes, tells[i].note)
		}
	}
	return notes
}

// hop is what an unbelieved line says, as the n-th of all.
func (x *exhibit) hop(n int) Hop {
	hop := x.reading.hop()
	hop.N, hop.WrittenBy, hop.Time, hop.IP = n, stranger, x.time, x.client.ip
	if !x.readable {
		hop.Why = noteUnreadable
	}
	return hop
}

// within tells whether a name is the domain or one below it.
func within(name, domain string) bool {
	name = strings.TrimSuffix(name, ".")
	return equal(name, domain) || hasSuffix(name, "."+domain)
}
