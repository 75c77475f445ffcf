package criteria

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/trapline/trapline/parser"
)

// Cause is how the mail was injected, as the parser tells it.
type Cause = parser.Cause

// Kind tells trap hits from user reports: they are weighed differently.
type Kind uint8

// The kinds of hits.
const (
	TrapHit Kind = iota // a message to a spamtrap
	Report              // a reporter's submission
)

// String gives the word used in JSON: "trap" or "report".
func (k Kind) String() string {
	if k == Report {
		return "report"
	}
	return "trap"
}

// MarshalText writes the word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the word.
func (k *Kind) UnmarshalText(b []byte) error {
	switch string(b) {
	case "trap":
		*k = TrapHit
	case "report":
		*k = Report
	default:
		return fmt.Errorf("kind %q is neither trap nor report", b)
	}
	return nil
}

// Digest identifies a message's content: the start of its SHA-256.
type Digest [16]byte

// Hit is one message as the rules see it. One message is one hit, however many
// traps it named.
type Hit struct {
	LSN     uint64 // position in the log; the later of two hits of one second
	Stamp   Second // when it was committed
	Time    Second // when the mail was received: ages count from here
	Source  netip.Addr
	Kind    Kind
	Traps   []string // distinct trap addresses, or the one reporter; none: recorded, counts nothing
	Weight  Micro    // the highest of its active traps; One for reports
	Weights []Micro  // of each of Traps; nil: all have Weight
	Cause   parser.Cause
	Digest  Digest

	Ingested bool // dated by the message itself: with the same event time it is the same one
	Again    bool // counted even though it was ingested before
}

// Second is an instant in whole seconds since 1970 UTC.
type Second int64

// Never is later than every instant.
const Never Second = 1<<63 - 1

// At gives the second that t lies in.
func At(t time.Time) Second { return Second(t.Unix()) }

// Time gives the instant in UTC.
func (s Second) Time() time.Time { return time.Unix(int64(s), 0).UTC() }

// String is RFC 3339.
func (s Second) String() string { return s.Time().Format(time.RFC3339) }

// MarshalJSON writes RFC 3339, and null for Never and for 0.
func (s Second) MarshalJSON() ([]byte, error) {
	if s == Never || s == 0 {
		return []byte("null"), nil
	}
	return s.Time().MarshalJSON()
}

// UnmarshalJSON reads RFC 3339 (fractions are cut off) or null.
func (s *Second) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*s = 0
		return nil
	}
	var t time.Time
	if err := t.UnmarshalJSON(b); err != nil {
		return fmt.Errorf("time %s is not RFC 3339", b)
	}
	*s = At(t)
	return nil
}

func seconds(d time.Duration) Second { return Second(d / time.Second) }

// Answer is the A record a listing is published with.
type Answer uint8

// The answers of the zone.
const (
	Unlisted    Answer = 0
	Spam        Answer = 2 // 127.0.0.2
	Backscatter Answer = 3 // 127.0.0.3: listed only because of bounces and autoreplies
	Operator    Answer = 4 // 127.0.0.4: the operator's own listing
	Network     Answer = 5 // 127.0.0.5: the network of many listed sources
)

// String gives the address, "127.0.0.2"; "" for Unlisted.
func (a Answer) String() string {
	if a == Unlisted {
		return ""
	}
	return fmt.Sprintf("127.0.0.%d", uint8(a))
}

// MarshalJSON writes the address, null for Unlisted.
func (a Answer) MarshalJSON() ([]byte, error) {
	if a == Unlisted {
		return []byte("null"), nil
	}
	return []byte(`"` + a.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Answer) UnmarshalJSON(b []byte) error {
	for _, known := range []Answer{Unlisted, Spam, Backscatter, Operator, Network} {
		if text, _ := known.MarshalJSON(); string(text) == string(b) {
			*a = known
			return nil
		}
	}
	return fmt.Errorf("%s is no answer of the zone", b)
}

// Listing is one entry of the list.
type Listing struct {
	Source netip.Prefix         `json:"source"`
	Answer Answer               `json:"answer"`
	Since  Second               `json:"since"`
	Until  Second               `json:"until"` // Never where only the operator ends it
	Causes map[parser.Cause]int `json:"causes"`
}
