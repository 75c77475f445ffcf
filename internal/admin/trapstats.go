package admin

import (
	"fmt"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// TrapFilter says which hits are surveyed.
type TrapFilter struct {
	Since criteria.Second // received at or after it; 0: all
	Top   int             // so many addresses of each domain
}

// TrapStats is what a trap catches: of one address, or of all that a [[trap]]
// covers.
type TrapStats struct {
	Trap       *string         `json:"trap"`    // the [[trap]]; null: none covers the address any more
	Address    *string         `json:"address"` // null: all addresses of the trap together
	Kind       string          `json:"kind"`    // as configured
	State      string          `json:"state"`   // likewise
	Burnt      bool            `json:"burnt"`
	Hits       int             `json:"hits"`       // messages
	Sources    int             `json:"sources"`    // distinct listing units
	Only       int             `json:"only"`       // sources that came to no other trap
	Repeats    int             `json:"repeats"`    // hits with content the source has sent it before
	ListMail   int             `json:"list_mail"`  // hits of cause list
	Excepted   int             `json:"excepted"`   // hits from networks that are excepted now
	Sourceless int             `json:"sourceless"` // hits that nobody can be blamed for
	LastHit    criteria.Second `json:"last_hit"`   // null: none
	Partial    bool            `json:"partial"`    // sources, only, repeats are lower bounds
	Verdict    string          `json:"verdict"`    // what stands out
}

// From here on a share says something.
const (
	fewHits    = 10
	fewSources = 20
)

// verdict says what stands out. A trap is burnt when wanted mail comes to it:
// when its address was subscribed to lists, is written to by servers that are
// known to be good, or was given to senders who know no other trap. elsewhere is
// how many sources did not come to this one, faithful how many of these came to
// one alone: where that is the rule, it says nothing against a trap.
func (t *TrapStats) verdict(elsewhere, faithful int) string {
	var smells []string
	smell := func(part, of int, what string) {
		smells = append(smells, fmt.Sprintf("%d %% %s", 100*part/of, what))
	}
	if t.Hits >= fewHits && 2*t.ListMail >= t.Hits {
		smell(t.ListMail, t.Hits, "is list mail: it may be subscribed to lists")
	}
	if t.Hits >= fewHits && 5*t.Excepted >= t.Hits {
		smell(t.Excepted, t.Hits, "comes from networks that you except")
	}
	if t.Sources >= fewSources && 5*t.Only >= 4*t.Sources && elsewhere >= fewSources &&
		t.Only*elsewhere >= 2*faithful*t.Sources {
		smell(t.Only, t.Sources, "of its sources come to no other trap: it may be planted")
	}
	switch {
	case t.Hits == 0:
		return "no hits"
	case t.Burnt:
		return strings.Join(append([]string{"burnt"}, smells...), "; ")
	case len(smells) > 0:
		return "smells burnt: " + strings.Join(smells, "; ")
	}
	return ""
}
