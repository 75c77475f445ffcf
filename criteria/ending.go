package criteria

import "fmt"

// Ending is the condition that a source fails first: why it is not listed, or
// what will end its listing.
type Ending uint8

// The conditions in the order they are tried; Open means that all hold.
const (
	Open           Ending = iota
	DelistAfter           // too long since the last report
	DelistAfterFew        // likewise, with exactly min_reports reports
	Reports               // fewer than min_reports
	Traps                 // fewer than min_traps, or reports by one reporter only
	TrapDomains           // fewer than min_trap_domains
	Threshold             // score below threshold
	Ratio                 // score below ratio x reputation points
	ManualEnd             // the operator's word
	NetworkEnd            // fewer than network.min_listed of the network's sources
)

var endingNames = [...]string{"", "delist_after", "delist_after_few", "reports", "traps",
	"trap_domains", "threshold", "ratio", "manual", "network"}

// String gives the name used in JSON, "" for Open.
func (e Ending) String() string { return endingNames[e] }

// MarshalJSON writes the name, null for Open.
func (e Ending) MarshalJSON() ([]byte, error) {
	if e == Open {
		return []byte("null"), nil
	}
	return []byte(`"` + e.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Ending) UnmarshalJSON(b []byte) error {
	for i := range endingNames {
		if text, _ := Ending(i).MarshalJSON(); string(text) == string(b) {
			*e = Ending(i)
			return nil
		}
	}
	return fmt.Errorf("%s is no ending", b)
}

// fails gives the first condition of the rules that the tally does not meet at
// second at; Open means listed.
func (r *rules) fails(t *tally, at Second) Ending {
	switch {
	case t.count == 0:
		return Reports
	case t.count == r.MinReports && at-t.last >= r.afterFew:
		return DelistAfterFew
	case at-t.last >= r.after:
		return DelistAfter
	case t.count < r.MinReports:
		return Reports
	case t.trapIDs+t.reporters < r.MinTraps, t.hits == 0 && t.reporters < 2:
		return Traps
	case t.hits > 0 && t.domains < r.MinTrapDomains:
		return TrapDomains
	}
	threshold, ratio := r.meetsScore(t)
	switch {
	case !threshold:
		return Threshold
	case !ratio:
		return Ratio
	}
	return Open
}
