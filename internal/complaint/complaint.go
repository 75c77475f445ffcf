// Package complaint writes abuse reports about one source for the people who run its network.
//
// In come what the log knows of the source's messages to traps, secrets included, and who
// complains; out comes one document, ARF (RFC 5965) or XARF 4 (xarf.org), that can be read by
// the source itself: networks pass reports on to their customers. It never fails, it never
// sends anything, and it must never show which address was hit or when.
//
// All text that a sender wrote passes through internal/redact. That alone is too little, as a
// sender can mark each message with other ordinary words, another order of fields or another
// second, and would read in the report which of them hit a trap; or write a thousand domains into
// all of them, and see which ones are struck. So unless the operator asks for exact reports, a
// report says of the messages only what at least three of them, to three traps at least, have in
// common, and of that only what redact.Inert shows, which depends on no secret; times are cut to
// the hour, messages younger than six hours are left out, and sender, port, size and number of a
// single message are not told.
package complaint

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trapline/trapline/internal/redact"
)

// Bounds of what a report without exact data says.
const (
	// Rest is how old a message must be before a report may speak of it.
	Rest = 6 * time.Hour
	// Crowd is how many messages, and traps that they came to, must have something in common
	// before it may be shown.
	Crowd = 3
	// hour is what times are cut to.
	hour = time.Hour
)

// MostHeader bounds how much of each message's header is looked at, in bytes.
const MostHeader = 32 << 10

// Message is one message of the source to traps, as the log has it.
type Message struct {
	At       time.Time
	Cause    string   // the parser's word
	Traps    []string // secret
	MailFrom string   // the sender's word, "" for the null one or none
	Port     uint16   // of the client's end of the connection; 0: not known
	Header   []byte   // as it came, maybe with a body; nil: not kept, or no longer
}

// Complaint is what a report is made of.
type Complaint struct {
	ID           [16]byte  // random: nothing a sender writes can hold it
	At           time.Time // of the report
	Agent        string    // product and version
	From         string    // address of who complains
	Organization string
	Source       netip.Addr
	Messages     []Message
	Exact        bool // say all that the redactor lets through
}

// Sighting is a complaint without its secrets: what its documents may say.
type Sighting struct {
	Messages    int // told of
	Young       int // left out, as they are younger than Rest
	WithHeader  int // of the messages told of, those whose header was kept
	First, Last time.Time
	Causes      map[string]int

	complaint *Complaint
	fields    []string // "Name: value", redacted
	mailFrom  string   // "" where it cannot be told
	port      uint16   // 0 where it cannot be told
}

// Of takes the secrets out of a complaint. Without Messages there is nothing to report.
func Of(c Complaint, r *redact.Redactor) *Sighting {
	s := &Sighting{Causes: map[string]int{}, complaint: &c}
	told := slices.DeleteFunc(slices.Clone(c.Messages), func(m Message) bool {
		return !c.Exact && c.At.Sub(m.At) < Rest
	})
	slices.SortStableFunc(told, func(a, b Message) int { return b.At.Compare(a.At) })
	s.Messages, s.Young = len(told), len(c.Messages)-len(told)
	if s.Messages == 0 {
		return s
	}
	for i := range told {
		s.Causes[told[i].Cause]++
		if told[i].Header != nil {
			s.WithHeader++
		}
	}
	s.First, s.Last = s.shown(told[len(told)-1].At), s.shown(told[0].At)
	r = r.For(trapsOf(c.Messages)...)
	if c.Exact {
		s.takeNewest(told, r)
	} else {
		s.takeCommon(told, r)
	}
	return s
}

// trapsOf are all that no part of the report may name: a message may name those of another.
func trapsOf(messages []Message) []string {
	var traps []string
	for i := range messages {
		traps = append(traps, messages[i].Traps...)
	}
	return traps
}

// shown is how exactly a time may be told.
func (s *Sighting) shown(t time.Time) time.Time {
	if s.complaint.Exact {
		return t.UTC().Truncate(time.Second)
	}
	return t.UTC().Truncate(hour)
}

// takeNewest takes what there is of the newest message whose header was kept, or else of the
// newest one.
func (s *Sighting) takeNewest(told []Message, r *redact.Redactor) {
	m := &told[max(0, slices.IndexFunc(told, func(m Message) bool { return m.Header != nil }))]
	s.Last, s.port = s.shown(m.At), m.Port
	if mayTell(m.MailFrom, r) {
		s.mailFrom = m.MailFrom
	}
	s.fields = fieldsOf(m, r)
}

// mailbox is an address in the plain form that both formats take (RFC 5321 section 4.1.2).
var mailbox = regexp.MustCompile(`^[0-9A-Za-z!#$%&'*+/=?^_{|}~.-]{1,64}@[0-9A-Za-z.-]{1,253}$`)

// mayTell tells whether a sender's address can be told as it is.
func mayTell(address string, r *redact.Redactor) bool {
	return mailbox.MatchString(address) && r.Address(address) == address
}

// fieldsOf gives the fields of a header, redacted.
func fieldsOf(m *Message, r *redact.Redactor) []string {
	if m.Header == nil {
		return nil
	}
	header := r.Header(m.Header[:min(len(m.Header), MostHeader)])
	return slices.DeleteFunc(strings.Split(string(header), "\n"), func(field string) bool {
		return field == "" || !strings.Contains(field, ":")
	})
}

// takeCommon takes what the messages have in common. What is shown of a field is the same whatever
// the secrets are; that it is left out where it names one never happens, save by a mistake in
// redact.Inert.
func (s *Sighting) takeCommon(told []Message, r *redact.Redactor) {
	fields := crowds{}
	for i := range told {
		m := &told[i]
		seen := redact.InertHeader(m.Header[:min(len(m.Header), MostHeader)])
		slices.Sort(seen)
		for _, field := range slices.Compact(seen) {
			fields.add(field, m.Traps)
		}
	}
	s.fields = slices.DeleteFunc(fields.common(), r.Names)
}

// crowds counts who has something in common.
type crowds map[string]*crowd

type crowd struct {
	messages int
	traps    map[string]bool
}

func (c crowds) add(what string, traps []string) {
	one := c[what]
	if one == nil {
		one = &crowd{traps: map[string]bool{}}
		c[what] = one
	}
	one.messages++
	for _, trap := range traps {
		if len(one.traps) < Crowd {
			one.traps[trap] = true
		}
	}
}

// common gives what enough messages to enough traps have, sorted, as their own order could be a
// mark, and not more of it than one header may have.
func (c crowds) common() []string {
	var all []string
	for what, one := range c {
		if one.messages >= Crowd && len(one.traps) >= Crowd {
			all = append(all, what)
		}
	}
	slices.Sort(all)
	size := 0
	for i, what := range all {
		if size += len(what); size > MostHeader {
			return all[:i]
		}
	}
	return all
}

// summary says in a few lines what there is to say.
func (s *Sighting) summary() string {
	c := s.complaint
	var b strings.Builder
	fmt.Fprintf(&b, "%s sent %s to spamtraps, addresses at which nobody asks for mail,\n",
		c.Source, number(s.Messages, "message"))
	switch first, last := stamp(s.First), stamp(s.Last); {
	case c.Exact && first == last:
		fmt.Fprintf(&b, "on %s.\n", first)
	case c.Exact:
		fmt.Fprintf(&b, "from %s to %s.\n", first, last)
	case first == last:
		fmt.Fprintf(&b, "in the hour from %s.\n", first)
	default:
		fmt.Fprintf(&b, "from the hour of %s to that of %s.\n", first, last)
	}
	fmt.Fprintf(&b, "How it came by what it sent: %s.\n", causesText(s.Causes))
	return b.String()
}

// remark says what the header below the report is, and what was left out.
func (s *Sighting) remark() string {
	switch {
	case s.WithHeader == 0:
		return "The headers of the messages were not kept.\n"
	case s.complaint.Exact:
		return "The header is that of the newest message that was kept. What would show the address\n" +
			"that it was sent to is replaced by " + redact.Marker + ".\n"
	case len(s.fields) == 0:
		return "What the headers say is left out: too little of it was common to several messages.\n"
	}
	return "The header has what several messages have in common: ordinary words of some fields. Names of\n" +
		"hosts, addresses, links and codes are replaced by " + redact.Marker + ", whatever they say, and times\n" +
		"are those of hours.\n"
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04:05") + " UTC" }

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// causesText lists causes, the most frequent first.
func causesText(counts map[string]int) string {
	var causes []string
	for cause := range counts {
		causes = append(causes, cause)
	}
	slices.SortFunc(causes, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	for i, cause := range causes {
		causes[i] = fmt.Sprintf("%s %d", cause, counts[cause])
	}
	return strings.Join(causes, ", ")
}
