package criteria

import (
	"fmt"
	"net/netip"
)

// Act is what a decision orders.
type Act string

// The acts. Those that change what hits of the past count for need the log
// again, see Engine.NeedsHistory.
const (
	ActPolicy   Act = "policy"   // Policy is in force from here on
	ActExcept   Act = "except"   // Network is never listed, until Until
	ActUnexcept Act = "unexcept" // the exception of this Network and Origin ends
	ActList     Act = "list"     // Network is listed by the operator, until Until
	ActDelist   Act = "delist"   // hits up to here never count; not listed before Until
	ActBurn     Act = "burn"     // hits on Trap received at Since or later never count for it
	ActUnburn   Act = "unburn"   // takes the burn of Trap back
	ActReweigh  Act = "reweigh"  // hits on Trap up to here have Weight; 0: as if it were watching
	ActUncount  Act = "uncount"  // Hits never count
	ActRecount  Act = "recount"  // Hits count again as they did
	ActPoints   Act = "points"   // what Name counted, for each address and day of Points

	// A configuration came into force. What it changes of the list are decisions of their own.
	ActConfig Act = "config" // its version is Name

	// About the zone: what stands in it. The list itself does not heed them.
	ActRollback Act = "rollback" // the publication with Serial, until a resume
	ActRetire   Act = "retire"   // nobody, for good
	ActResume   Act = "resume"   // the list again
	ActForce    Act = "force"    // the list, with all that the publish guard held back

	// What happened, and was in force, that the list does not heed either.
	ActDispute Act = "dispute" // Dispute happened to the dispute Name about Network
	ActRebuild Act = "rebuild" // the list was made anew from the log
	ActTrust   Act = "trust"   // Trust is in force for mail from here on
	ActIngest  Act = "ingest"  // hits from here on may be of messages that Who brings from files
	ActDiscard Act = "discard" // Hits, mail to postmaster or abuse, are dealt with
)

// Origin says where an exception comes from: each may be taken back only there.
type Origin string

// The origins.
const (
	FromConfig   Origin = "config"   // [[except]]
	FromOperator Origin = "operator" // the verb
	FromSelf     Origin = "own"      // our own addresses, relays and proxies
)

// Decision is one entry of the ledger: what somebody ordered, and where in the
// log of hits it stands. Which fields are read depends on the act.
type Decision struct {
	Seq     uint64       `json:"seq"`
	After   uint64       `json:"after"` // LSN of the hit it follows
	At      Second       `json:"at"`
	Who     string       `json:"who"`
	Reason  string       `json:"reason,omitempty"`
	Act     Act          `json:"act"`
	Policy  *Policy      `json:"policy,omitempty"`
	Network netip.Prefix `json:"network,omitzero"`
	Origin  Origin       `json:"origin,omitempty"`
	Until   Second       `json:"until,omitzero"` // 0: without end

	Trap   string   `json:"trap,omitempty"`  // the address as hits spell it
	Since  Second   `json:"since,omitzero"`  // event time; 0: all hits
	Weight Micro    `json:"weight,omitzero"` // 0 to MaxTrapWeight
	Hits   []uint64 `json:"hits,omitempty"`  // LSNs
	Name   string   `json:"name,omitempty"`  // of the source of reputation, of the zone, or a version
	Points Points   `json:"-"`               // too many for JSON: the ledger keeps them beside it

	Serial uint32 `json:"serial,omitempty"` // of a zone

	// Parts are the versions of the parts of a configuration, by their names.
	Parts map[string]string `json:"parts,omitempty"`

	Dispute *Dispute `json:"dispute,omitempty"`
	Trust   *Trust   `json:"trust,omitempty"`
}

// Check tells what is wrong with a decision's form.
func (d Decision) Check() error {
	switch d.Act {
	case ActPolicy:
		return d.checkPolicy()
	case ActExcept, ActUnexcept, ActList, ActDelist:
		if !d.Network.IsValid() || d.Network != d.Network.Masked() {
			return fmt.Errorf("%s: %q is not a network", d.Act, d.Network)
		}
		return nil
	case ActBurn, ActUnburn, ActReweigh:
		return d.checkTrap()
	case ActUncount, ActRecount, ActDiscard:
		if len(d.Hits) == 0 {
			return fmt.Errorf("%s: no hits are named", d.Act)
		}
		return nil
	case ActPoints:
		if d.Name == "" {
			return fmt.Errorf("points: who counted them has no name")
		}
		return d.Points.Check()
	case ActConfig:
		if d.Name == "" {
			return fmt.Errorf("config: it has no version")
		}
		return nil
	case ActRollback:
		if d.Serial == 0 {
			return fmt.Errorf("rollback: no serial is named")
		}
		return nil
	case ActRetire, ActResume, ActForce, ActRebuild, ActIngest:
		return nil
	case ActDispute:
		return d.checkDispute()
	case ActTrust:
		if d.Trust == nil {
			return fmt.Errorf("trust: nothing is said of it")
		}
		return nil
	}
	return fmt.Errorf("%q is not an act", d.Act)
}

func (d Decision) checkPolicy() error {
	if d.Policy == nil {
		return fmt.Errorf("a policy decision without a policy")
	}
	for _, f := range d.Policy.Check() {
		return f
	}
	return nil
}

// checkTrap never repeats the trap: errors are shown where traps are not.
func (d Decision) checkTrap() error {
	switch {
	case d.Trap == "":
		return fmt.Errorf("%s: no trap is named", d.Act)
	case d.Since < 0:
		return fmt.Errorf("%s: since %s lies before 1970", d.Act, d.Since)
	case d.Weight < 0 || d.Weight > MaxTrapWeight:
		return fmt.Errorf("%s: weight %s: give 0 to %s", d.Act, d.Weight, MaxTrapWeight)
	}
	return nil
}

// end is the decision's Until with 0 read as Never.
func (d Decision) end() Second {
	if d.Until == 0 {
		return Never
	}
	return d.Until
}

// Exception is a network that is never listed.
type Exception struct {
	Network netip.Prefix `json:"network"`
	Reason  string       `json:"reason"`
	Who     string       `json:"who"`
	Origin  Origin       `json:"origin"`
	Since   Second       `json:"since"`
	Until   Second       `json:"until"` // Never: for good
}

// Manual is a network that the operator listed.
type Manual struct {
	Network netip.Prefix `json:"network"`
	Reason  string       `json:"reason"`
	Who     string       `json:"who"`
	Since   Second       `json:"since"`
	Until   Second       `json:"until"` // Never: until taken back
}

// Trigger says what made an answer change.
type Trigger string

// The triggers.
const (
	ByHit      Trigger = "hit"
	ByTime     Trigger = "time"
	ByDecision Trigger = "decision"
)

// Change is one source's, or network's, answer becoming another.
type Change struct {
	Source   Source  `json:"source"`
	At       Second  `json:"at"`
	From, To Answer  `json:"-"`
	Trigger  Trigger `json:"trigger"`
}
