package feed

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
)

// queryLog reads what rbldnsd -l writes, a line a query:
//
//	1795520900 127.0.0.1 7.2.0.192.bl.example A IN: NOERROR/1/71
//
// These are Unix seconds, client, name, type, class, and the answer's code, records and bytes. The
// name is as the client spelled it, with blanks, dots within labels and odd bytes escaped, so
// blanks part the fields; it is missing where it would be too long to print.
//
// The log's time goes forward, so what has been counted is remembered for the current hour and the
// one before: the latter for a clock that is set back a little, and for lines on the hour.
type queryLog struct {
	lenient
	*counter
	clients bart.Lite
	suffix  string // lower case: a dot and the origin
	hour    criteria.Second
	seen    [2]map[question]struct{} // in the current hour, and in the one before
}

// question is who asked for which address.
type question struct{ client, address [16]byte }

// query is a line.
type query struct {
	at     criteria.Second
	client netip.Addr
	name   string
	asked  string // type and class, as A IN
}

var errBackwards = errors.New("more than an hour earlier than a line before it: " +
	"sort the file with sort -n, or import each server's log under a name of its own")

func newQueryLog(c *counter, o PointOptions) *queryLog {
	l := &queryLog{lenient: lenient{c.Stats}, counter: c,
		suffix: "." + strings.ToLower(strings.TrimSuffix(o.Origin, "."))}
	for i := range l.seen {
		l.seen[i] = map[question]struct{}{}
	}
	for _, network := range o.Clients {
		l.clients.Insert(network)
	}
	return l
}

func (l *queryLog) fits(line string) bool {
	_, ok := parseQuery(line)
	return ok
}

func (l *queryLog) take(line string) error {
	q, ok := parseQuery(line)
	if !ok {
		l.skip(Unreadable)
		return nil
	}
	a, why := l.asked(q)
	if why != "" {
		l.skip(why)
		return nil
	}
	s, why := l.spotOf(a, q.at)
	if why != "" {
		l.skip(why)
		return nil
	}
	return l.count(q, s)
}

// asked is the address that a query means, if it is one that counts. The answer does not matter:
// mail comes from listed addresses as well. Mail servers ask for A, and some for TXT first.
func (l *queryLog) asked(q query) (netip.Addr, Skip) {
	if !l.clients.Contains(q.client) {
		return netip.Addr{}, OtherClient
	}
	cut := len(q.name) - len(l.suffix)
	switch {
	case cut < 0 && strings.EqualFold(q.name, l.suffix[1:]):
		return netip.Addr{}, NoAddress // our origin itself
	case cut < 0 || !strings.EqualFold(q.name[cut:], l.suffix):
		return netip.Addr{}, OtherZone
	case q.asked != "A IN" && q.asked != "TXT IN":
		return netip.Addr{}, OtherType
	}
	a, ok := reversed(q.name[:cut])
	if !ok {
		return netip.Addr{}, NoAddress
	}
	return a, ""
}

// count gives a point, if the client has not asked the same in this hour.
func (l *queryLog) count(q query, s spot) error {
	const hour = 60 * 60
	switch now := q.at / hour; {
	case now == l.hour+1:
		l.seen[1], l.seen[0] = l.seen[0], map[question]struct{}{}
		l.hour = now
	case now > l.hour:
		l.seen[1], l.seen[0] = map[question]struct{}{}, map[question]struct{}{}
		l.hour = now
	case now < l.hour-1:
		return errBackwards
	}
	seen := l.seen[l.hour-q.at/hour]
	key := question{q.client.As16(), s.address.As16()}
	if _, again := seen[key]; again {
		l.skip(Repeated)
		return nil
	}
	if len(seen) >= l.limit {
		return l.tooMany("clients and addresses an hour")
	}
	seen[key] = struct{}{}
	return l.add(s, 1)
}

func parseQuery(line string) (query, bool) {
	stamp, line, _ := strings.Cut(line, " ")
	client, line, _ := strings.Cut(line, " ")
	name, line, _ := strings.Cut(line, " ")
	asked, answer, _ := strings.Cut(line, ": ")
	if strings.Count(asked, " ") != 1 || !isAnswer(answer) {
		return query{}, false
	}
	seconds, err := strconv.ParseUint(stamp, 10, 62)
	if err != nil {
		return query{}, false
	}
	a, err := netip.ParseAddr(client)
	if err != nil {
		return query{}, false
	}
	return query{criteria.Second(seconds), address.Unwrap(a), name, asked}, true
}

// isAnswer tells the end of a line, as NOERROR/1/71. A line that was cut has none, or a part.
func isAnswer(s string) bool {
	code, s, _ := strings.Cut(s, "/")
	records, bytes, _ := strings.Cut(s, "/")
	_, notRecords := strconv.ParseUint(records, 10, 16)
	_, notBytes := strconv.ParseUint(bytes, 10, 16)
	return code != "" && notRecords == nil && notBytes == nil
}

// reversed reads what stands before the origin in a query for an address (RFC 5782, section 2.1 for
// IPv4, 2.4 for IPv6).
func reversed(labels string) (netip.Addr, bool) {
	if len(labels) == 32+31 {
		return reversed6(labels)
	}
	var a [4]byte
	for i := 3; ; i-- {
		label, rest, more := strings.Cut(labels, ".")
		n, err := strconv.ParseUint(label, 10, 8)
		padded := len(label) > 1 && label[0] == '0' // some read that as octal
		if err != nil || padded || more != (i > 0) {
			return netip.Addr{}, false
		}
		a[i] = byte(n)
		if !more {
			return netip.AddrFrom4(a), true
		}
		labels = rest
	}
}

// reversed6 reads 32 nibbles, the last one first.
func reversed6(labels string) (netip.Addr, bool) {
	var a [16]byte
	for i := range 32 {
		n, err := strconv.ParseUint(labels[2*i:2*i+1], 16, 4)
		if err != nil || i < 31 && labels[2*i+1] != '.' {
			return netip.Addr{}, false
		}
		a[15-i/2] |= byte(n) << (i % 2 * 4)
	}
	return address.Unwrap(netip.AddrFrom16(a)), true
}
