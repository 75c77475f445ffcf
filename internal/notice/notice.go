// Package notice says what the public may know of an address, and when.
//
// In come questions about addresses and networks, the engine, the log and what
// the configuration allows; out come notices: plain values that any page may
// print whole. Whatever must not be known is withheld here and nowhere else, so
// that what makes pages of notices has no secret to give away.
//
// Senders read these pages, too: who mails one address at a time and then looks
// himself up must not learn which of them is a trap. So
//
//   - whether an address is listed, and with which answer, is told at once: the
//     zone tells it anyway;
//   - sums, counts, the last hit and the end of a listing are those of the last
//     full hour, and so is their clock: what came since then changes no byte;
//   - the end of a network's listing is never told, as any neighbour moves it; one
//     that people set is told at once, and the ends of a whole network's listings
//     at once are these alone;
//   - of an address that its score does not list, be it listed by the operator or
//     with its network, what came in the six hours before that hour is left out as
//     well; and while all that is known of it came from one trap or one reporter,
//     nothing is told of its hits (Unseen, where nobody lists it): it takes two traps
//     to see a hit here, as it takes two to be listed;
//   - no hit younger than six hours is shown by itself;
//   - instants are whole hours: ends up, hits and beginnings down. Sums, which
//     grow less by the second, are cut off so that they tell no more;
//   - of a message, nothing is shown but what three traps saw alike (Evidence), and
//     of that ordinary words alone: what is struck is the same whatever the traps are.
//
// It must never name a trap, a reporter or a relay, nor how many distinct ones
// there were, and never give an instant within the hour. It changes nothing.
package notice

import (
	"net/netip"
	"time"

	"github.com/trapline/trapline/criteria"
)

// State is how an address stands, in one word.
type State string

// The states.
const (
	Listed   State = "listed"   // by its score
	Operator State = "operator" // by the operator
	Network  State = "network"  // not itself, but as part of a network of many listed ones
	Excepted State = "excepted" // the operator never lists it
	Special  State = "special"  // space that sends no mail: private, reserved, tunnelled
	Unlisted State = "unlisted" // not now, though reports are on record
	Unseen   State = "unseen"   // nothing is on record, or nothing that may be told
)

// IsListed tells whether the zone has it, or is about to.
func (s State) IsListed() bool { return s == Listed || s == Operator || s == Network }

// Notice is what the public may know of one address. It holds no secret.
type Notice struct {
	Address netip.Addr      `json:"address"`
	Scope   criteria.Source `json:"scope"` // what is listed, or would be
	State   State           `json:"state"`
	Answer  criteria.Answer `json:"answer"` // null when not listed
	AsOf    criteria.Second `json:"as_of"`  // the full hour of all that follows
	Since   criteria.Second `json:"since"`  // null when not listed
	Until   criteria.Second `json:"until"`  // if nothing more comes; null: not known, or without end
	EndsBy  criteria.Ending `json:"ends_by"`
	Endless bool            `json:"endless"` // only the operator ends it
	Fresh   bool            `json:"fresh"`   // what made the listing is younger than AsOf
	Barred  bool            `json:"barred"`  // delisted by the operator, and not to be listed for now
	LastHit criteria.Second `json:"last_hit"`
	Reason  string          `json:"reason,omitempty"` // the operator's, of his listing

	Sum     *Sum                   `json:"sum"`      // null where there is nothing to tell
	OneMore *Prospect              `json:"one_more"` // what one more hit would do; null likewise
	Causes  map[criteria.Cause]int `json:"causes"`   // of the counted reports
	Days    []Day                  `json:"days"`     // the last 30, the newest first; null: not known
	Hits    []Hit                  `json:"hits"`     // counted, older than six hours, newest first

	// Published is the serial of the zone that lists it; null: none does.
	Published *uint32 `json:"published"`
}

// Sum is how counted reports make the score. Fractions are cut off: of parts
// after one place, of the score before the point.
type Sum struct {
	Traps   float64         `json:"trap_score"`   // weighted trap hits, before factor or square
	Reports float64         `json:"report_score"` // weighted user reports
	Score   int64           `json:"score"`
	Needed  int64           `json:"needed"` // to be listed: the threshold, or more for wanted mail
	Counted int             `json:"counted"`
	Squared bool            `json:"squared"` // the trap score is high enough to be squared
	Lacks   criteria.Ending `json:"lacks"`   // first condition that is not met; null when listed
	Parts   []Part          `json:"parts"`   // by day and class, newest first
}

// Class is a kind of counted report.
type Class string

// The classes.
const (
	Spam        Class = "trap hits"
	Backscatter Class = "bounces and automatic replies"
	Reported    Class = "user reports"
)

// Part is what one class added to the sum on one day, UTC.
type Part struct {
	Day    criteria.Day `json:"-"`
	Date   string       `json:"date"`
	Class  Class        `json:"class"`
	Count  int          `json:"count"`
	Weight float64      `json:"weight"` // of all of them now, cut off after one place
}

// Prospect is what would follow from one more message to a trap.
type Prospect struct {
	Listed bool            `json:"listed"`
	Score  int64           `json:"score"`
	Until  criteria.Second `json:"until"` // null when not listed
}

// Day is what was received on one day, UTC, whether it counts or not.
type Day struct {
	Date        string `json:"date"`
	Spam        int    `json:"trap_hits"` // without the next
	Backscatter int    `json:"backscatter"`
	Reports     int    `json:"reports"`
}

// Total is the number of messages of the day.
func (d Day) Total() int { return d.Spam + d.Backscatter + d.Reports }

// Hit is one message that counts.
type Hit struct {
	Hour     criteria.Second `json:"hour"`
	Class    Class           `json:"class"`
	Cause    criteria.Cause  `json:"cause"`
	Trace    Trace           `json:"trace"`
	Evidence []Field         `json:"evidence,omitempty"`
}

// Trace tells how the source was found, and why that was believed.
type Trace struct {
	// Direct: the source itself held the connection to us. Else a mail server that
	// the operator vouches for did, or received the message, and its Received line
	// named the source.
	Direct bool `json:"direct"`
	// Stopped is the word for why the walk ended at the source.
	Stopped string `json:"stopped"`
	// Ignored counts the Received lines below, which hosts wrote that nobody
	// vouches for; null where the message's head was not kept.
	Ignored *int `json:"ignored"`
}

// Field is what several traps saw alike, without what could be a secret.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// hour is the unit of all instants here.
const hour criteria.Second = 3600

// quiet is how long a hit is not shown by itself.
const quiet = 6 * hour

// down gives the full hour that an instant lies in.
func down(s criteria.Second) criteria.Second {
	if s <= 0 || s == criteria.Never {
		return 0
	}
	return s - s%hour
}

// up gives the first full hour at or after an instant, 0 for none.
func up(s criteria.Second) criteria.Second {
	if s <= 0 || s == criteria.Never {
		return 0
	}
	return down(s + hour - 1)
}

// Amount is how much of a message may be shown.
type Amount string

// The amounts.
const (
	Nothing Amount = "none"
	Subject Amount = "subject"
	Headers Amount = "headers"
)

// Zone is how the publication stands.
type Zone struct {
	Origin    string          `json:"origin"`
	Serial    uint32          `json:"serial"`    // 0: nothing is published
	Published criteria.Second `json:"published"` // null: not known
	Entries   int             `json:"entries"`
	Retired   bool            `json:"retired"`  // the list has ended and lists nobody
	Replaced  bool            `json:"replaced"` // an earlier publication stands in its place
	Stale     bool            `json:"stale"`    // it should have been published again long ago

	TTL         time.Duration `json:"-"`
	MinInterval time.Duration `json:"-"` // between two publications
	ValidFor    time.Duration `json:"-"` // copies older than this fall silent; 0: never
}

// Pull is how often a mirror is told to copy the zone.
const Pull = 5 * time.Minute

// Follow is how long at most a change takes to reach those who ask a mirror
// that copies every Pull.
func (z Zone) Follow() time.Duration { return z.MinInterval + Pull + z.TTL }
