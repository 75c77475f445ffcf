// Package feed reads what others know of addresses: how much wanted mail they send, and whom a list
// of good senders vouches for.
//
// In come streams: lists that somebody wrote, logs of name servers and mail servers, DNSWL's data
// and files of networks. Out come points for an address and a day ([Points]) and networks that are
// never listed ([Exceptions]), sorted, with a count of every line that was not taken and why
// ([Stats]). Nothing is looked up and nothing is stored; what a point is worth, how many count and
// what an exception outranks is decided by criteria.
//
// # Whom each format believes
//
// A point makes it harder to list an address, and so does an exception. Both are worth forging.
//
// A list of points and a file of networks are their author's word. They are read strictly: a line
// that is not understood, too long, or without an end, as where the file was cut and
// 192.0.2.0/24 became 192.0.2.0/2, is an error with its place, and nothing is taken.
//
// A query log holds strangers' words. A query counts if a client that the operator names asked for
// an address under our origin, and a client counts once an address and hour: it asks again when its
// cache has forgotten, not when there is more mail, and a query's sender can be forged.
//
// A mail log holds them as well, but behind words of the server's own. A message counts when the
// queue has it, for the client that the server itself saw. One that is given up halfway costs its
// sender nothing, so its client= line alone is no mail. A user's submission does not count: where
// a password was stolen, it would protect the thief.
//
// DNSWL's entries are taken from the level of trust that the caller wants. Only its answers are,
// 127.0.x.y with a category x and a trust y: a list of bad senders in the same form gives nothing.
//
// # What it costs
//
// Memory grows with the addresses a day that get points, and with what happens in two hours of a
// log; the length of a log does not matter. More than [MaxCounts] of either is an error.
package feed

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// Format is what a stream holds. [Auto] looks at its first lines.
type Format string

// The formats.
const (
	Auto     Format = ""
	List     Format = "list"     // points: ADDRESS COUNT [DATE]
	QueryLog Format = "rbldnsd"  // points: what rbldnsd -l writes
	MailLog  Format = "postfix"  // points: Postfix's log, by syslog or postlogd
	Networks Format = "networks" // exceptions: ADDRESS or NETWORK, and perhaps a reason
	DNSWL    Format = "dnswl"    // exceptions: DNSWL's files for rbldnsd
)

// Count is what one address got on one day.
type Count struct {
	Day     criteria.Second `json:"day"` // 0:00 UTC
	Address netip.Addr      `json:"address"`
	Points  int64           `json:"points"`
}

// Exception is a network that somebody wants never to be listed.
type Exception struct {
	Network netip.Prefix `json:"network"` // masked; not an IPv4 one in IPv6 form
	Reason  string       `json:"reason"`  // printable
}

// Skip is why a line was not taken.
type Skip string

// The reasons. The first four are of all formats.
const (
	Blank      Skip = "blank"      // nothing, or a comment or directive
	Unreadable Skip = "unreadable" // not of the format, too long, or cut
	Special    Skip = "special"    // an address that can never be a source
	Repeated   Skip = "repeated"   // counted already

	Ahead         Skip = "ahead"         // later than a day after now
	OtherClient   Skip = "other client"  // a query of somebody whose queries do not count
	OtherZone     Skip = "other zone"    // a query outside our origin
	OtherType     Skip = "other type"    // a query that no mail server asks
	NoAddress     Skip = "no address"    // a name or a client that is not an address
	OtherLine     Skip = "other line"    // of a mail log: says nothing of a message's client
	Authenticated Skip = "authenticated" // a user's submission
	Unqueued      Skip = "unqueued"      // refused, given up, discarded or held
	Excluded      Skip = "excluded"      // DNSWL takes the network out of a wider one
	LowTrust      Skip = "low trust"     // less than asked for
)

// Stats counts lines: those taken and those skipped are all there are.
type Stats struct {
	Format  Format         `json:"format"`
	Lines   int64          `json:"lines"`
	Taken   int64          `json:"taken"`
	Skipped map[Skip]int64 `json:"skipped"`
}

func newStats() *Stats { return &Stats{Skipped: map[Skip]int64{}} }

func (s *Stats) skip(why Skip) { s.Skipped[why]++ }

func (s *Stats) skipMany(why Skip, n int64) {
	if n > 0 {
		s.Skipped[why] += n
	}
}

// String is a line for people: the reasons for skipping follow, the most frequent first.
func (s *Stats) String() string {
	var why []Skip
	for w := range s.Skipped {
		why = append(why, w)
	}
	slices.SortFunc(why, func(a, b Skip) int {
		if s.Skipped[a] != s.Skipped[b] {
			return int(s.Skipped[b] - s.Skipped[a])
		}
		return strings.Compare(string(a), string(b))
	})
	lines := "lines"
	if s.Lines == 1 {
		lines = "line"
	}
	b := fmt.Appendf(nil, "%d %s, %d taken", s.Lines, lines, s.Taken)
	for _, w := range why {
		b = fmt.Appendf(b, ", %d %s", s.Skipped[w], w)
	}
	return string(b)
}
