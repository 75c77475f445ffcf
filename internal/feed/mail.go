package feed

import (
	"net/netip"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// mailLog reads Postfix's log. Two lines make an accepted message, tied by its queue id: smtpd says
// whose it is, at the first recipient that it takes, and qmgr that the message is queued.
//
//	… postfix/smtpd[148]: 95DF99868BB: client=mail.example[198.51.100.7]
//	… postfix/qmgr[142]: 95DF99868BB: from=<a@mail.example>, size=453, nrcpt=1 (queue active)
//
// A log without a single line of qmgr's has been filtered; there smtpd's lines count unless a
// refusal follows. What stands before the service's name is as the operator likes it
// (postfix/submission/smtpd, postfix-in/smtpd) and may differ between the two.
//
// A content filter brings messages back. One that sits before the queue leaves no queue id, and the
// second smtpd logs the first one's client as orig_client; one behind the queue leaves an
// orig_queue_id, and the message counts already.
type mailLog struct {
	lenient
	*counter
	now     time.Time
	queued  bool             // qmgr has logged
	unsure  *counter         // what counts if it never does
	waiting [2]map[mail]spot // not yet queued: begun in the current hour, and before
	hour    criteria.Second
}

// mail names a message while it is in the queue; the id may be another's later.
type mail struct{ host, id string }

func newMailLog(c *counter, now time.Time) *mailLog {
	l := &mailLog{lenient: lenient{c.Stats}, counter: c, now: now, unsure: newCounter(newStats(), now)}
	for i := range l.waiting {
		l.waiting[i] = map[mail]spot{}
	}
	return l
}

func (l *mailLog) fits(line string) bool {
	_, ok := parseEntry(line)
	return ok
}

func (l *mailLog) take(line string) error {
	e, ok := parseEntry(line)
	if !ok {
		l.skip(Unreadable)
		return nil
	}
	id, text, isMessage := strings.Cut(e.text, ": ")
	slash := strings.LastIndexByte(e.tag, '/')
	if slash < 0 || !isMessage || id == "NOQUEUE" {
		l.skip(OtherLine)
		return nil
	}
	m, service := mail{e.host, id}, e.tag[slash+1:]
	if client, ok := strings.CutPrefix(text, "client="); ok && service == "smtpd" {
		return l.begin(m, e, client)
	}
	l.skip(OtherLine)
	switch {
	case service == "qmgr":
		l.queued = true
		return l.finish(m, text)
	case service == "smtpd" || service == "cleanup":
		return l.refuse(m, text)
	}
	return nil
}

// begin notes a message's client.
func (l *mailLog) begin(m mail, e entry, client string) error {
	a, why := clientOf(client)
	t, isTime := e.instant(l.now)
	if !isTime {
		why = Unreadable
	}
	if why != "" {
		l.skip(why)
		return nil
	}
	s, why := l.spotOf(a, criteria.At(t))
	if why != "" {
		l.skip(why)
		return nil
	}
	return l.wait(m, s, criteria.At(t))
}

// wait keeps a message until it is queued or has had its time: Postfix's own limits end a session
// long before one hour has become the next but one.
func (l *mailLog) wait(m mail, s spot, at criteria.Second) error {
	const hour = 60 * 60
	if at/hour > l.hour {
		l.hour = at / hour
		if err := l.giveUp(); err != nil {
			return err
		}
		l.waiting[1], l.waiting[0] = l.waiting[0], l.waiting[1]
	}
	if len(l.waiting[0]) >= l.limit {
		return l.tooMany("messages an hour")
	}
	if err := l.drop(m); err != nil { // its id is another message's now
		return err
	}
	// The strings are parts of the line, which would be kept with them.
	m = mail{strings.Clone(m.host), strings.Clone(m.id)}
	l.waiting[0][m] = s
	return nil
}

// waited takes a message out of those that wait.
func (l *mailLog) waited(m mail) (spot, bool) {
	for _, w := range l.waiting {
		if s, ok := w[m]; ok {
			delete(w, m)
			return s, true
		}
	}
	return spot{}, false
}

// finish counts a message that its queue has. One that comes into it again, after a try that did
// not reach the recipient, waits no longer.
func (l *mailLog) finish(m mail, text string) error {
	if !strings.HasPrefix(text, "from=<") || !strings.HasSuffix(text, " (queue active)") {
		return nil
	}
	if s, ok := l.waited(m); ok {
		return l.add(s, 1)
	}
	return nil
}

// refusals are what smtpd and cleanup say of a message as a whole. Of a single recipient they say
// RCPT, and the others' message goes on.
var refusals = [...]string{"reject: DATA ", "reject: END-OF-MESSAGE ", "reject: header ",
	"reject: body ", "milter-reject: DATA ", "milter-reject: END-OF-MESSAGE ", "discard: ",
	"milter-discard: "}

func (l *mailLog) refuse(m mail, text string) error {
	for _, refusal := range refusals {
		if !strings.HasPrefix(text, refusal) {
			continue
		}
		if _, ok := l.waited(m); ok {
			l.skip(Unqueued)
		}
		return nil
	}
	return nil
}

// drop gives up a message that was never queued.
func (l *mailLog) drop(m mail) error {
	if s, ok := l.waited(m); ok {
		return l.unsure.add(s, 1)
	}
	return nil
}

// giveUp drops the messages that have had their time.
func (l *mailLog) giveUp() error {
	for m := range l.waiting[1] {
		if err := l.drop(m); err != nil {
			return err
		}
	}
	return nil
}

// end decides about the messages of which no more was heard.
func (l *mailLog) end() error {
	for range l.waiting {
		if err := l.giveUp(); err != nil {
			return err
		}
		l.waiting[1], l.waiting[0] = l.waiting[0], l.waiting[1]
	}
	if l.queued {
		l.skipMany(Unqueued, l.unsure.Taken)
		return nil
	}
	l.points, l.Taken = l.unsure.points, l.unsure.Taken
	return nil
}

// clientOf reads what follows client=: a name, which ends where the bracket opens, the address, and
// maybe a port and attributes. The name is one that Postfix has checked. Attributes are read only
// where they follow at once, as one of them, sasl_sender, is the sender's own word.
func clientOf(s string) (netip.Addr, Skip) {
	a, rest, ok := cutClient(s)
	if original, found := strings.CutPrefix(rest, ", orig_client="); found {
		a, rest, ok = cutClient(original)
	}
	switch {
	case strings.HasPrefix(rest, ", sasl_"):
		return a, Authenticated
	case strings.HasPrefix(rest, ", orig_queue_id="):
		return a, Repeated
	case !ok || rest != "":
		return a, NoAddress
	}
	return a, ""
}

func cutClient(s string) (a netip.Addr, rest string, ok bool) {
	_, s, _ = strings.Cut(s, "[")
	word, rest, _ := strings.Cut(s, "]")
	if strings.HasPrefix(rest, ":") { // smtpd_client_port_logging
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}
	a, err := netip.ParseAddr(strings.TrimPrefix(word, "IPv6:"))
	return a, rest, err == nil && a.Zone() == ""
}
