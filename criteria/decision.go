package criteria

import (
	"fmt"
	"net/netip"
)

// Act is what a decision orders.
type Act string

// The acts.
const (
	ActPolicy   Act = "policy"   // Policy is in force from here on
	ActExcept   Act = "except"   // Network is never listed, until Until
	ActUnexcept Act = "unexcept" // the exception of this Network and Origin ends
	ActList     Act = "list"     // Network is listed by the operator, until Until
	ActDelist   Act = "delist"   // hits up to here never count; not listed before Until
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
// log of hits it stands.
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
}

// Check tells what is wrong with a decision's form.
func (d Decision) Check() error {
	switch d.Act {
	case ActPolicy:
		if d.Policy == nil {
			return fmt.Errorf("a policy decision without a policy")
		}
		for _, f := range d.Policy.Check() {
			return f
		}
		return nil
	case ActExcept, ActUnexcept, ActList, ActDelist:
		if !d.Network.IsValid() || d.Network != d.Network.Masked() {
			return fmt.Errorf("%s: %q is not a network", d.Act, d.Network)
		}
		return nil
	}
	return fmt.Errorf("%q is not an act", d.Act)
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

// Change is one source's answer becoming another.
type Change struct {
	Source   Source  `json:"source"`
	At       Second  `json:"at"`
	From, To Answer  `json:"-"`
	Trigger  Trigger `json:"trigger"`
}
