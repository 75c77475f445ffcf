package criteria

import (
	"fmt"
	"net/netip"
	"slices"
)

// Step is what happened to a dispute.
type Step string

// The steps. A dispute begins with StepOpened, or with StepRemoved where it is
// nothing but a removal; the last five end it.
const (
	StepOpened   Step = "opened"   // filed, with a proof
	StepProved   Step = "proved"   // another proof came
	StepReread   Step = "reread"   // the counted hits were read again; Hits are those found wrong
	StepAnswered Step = "answered" // the operator says something, and decides later
	StepAccepted Step = "accepted"
	StepRejected Step = "rejected"
	StepRemoved  Step = "removed" // by whoever controls the address
	StepExpired  Step = "expired" // it gave way to another one, or to newer ones
	StepMoot     Step = "moot"    // the listing ended by itself
)

// steps are all of them.
var steps = []Step{StepOpened, StepProved, StepReread, StepAnswered, StepAccepted, StepRejected,
	StepRemoved, StepExpired, StepMoot}

// Dispute is one step of a dispute, as far as everybody may know it. Name is the
// dispute's id, Network what it is about. What is private lies elsewhere.
type Dispute struct {
	Step    Step       `json:"step"`
	Address netip.Addr `json:"address,omitzero"` // of the begin: as it was filed
	Claim   string     `json:"claim,omitempty"`  // likewise: what is said to be wrong
	Filed   Second     `json:"filed,omitzero"`   // likewise
	Proof   string     `json:"proof,omitempty"`  // that came with the step
	Read    int        `json:"read,omitempty"`   // of StepReread: hits whose evidence could be read
}

func (d Decision) checkDispute() error {
	switch {
	case d.Dispute == nil || !slices.Contains(steps, d.Dispute.Step):
		return fmt.Errorf("dispute: it has no step")
	case d.Name == "":
		return fmt.Errorf("dispute: it has no id")
	case !d.Network.IsValid() || d.Network != d.Network.Masked():
		return fmt.Errorf("dispute: %q is not a network", d.Network)
	}
	return nil
}

// Trust is whose Received lines are believed. With it a hit can be read again as
// it was read when it came.
type Trust struct {
	Relays          []TrustedRelay    `json:"relays,omitempty"`
	Hosts           []string          `json:"hosts,omitempty"`
	Loopback        bool              `json:"loopback,omitempty"`
	LocalSubmission bool              `json:"local_submission,omitempty"`
	Reporters       []TrustedReporter `json:"reporters,omitempty"`
}

// Equal tells whether two trusts are the same, in the order that they are written in.
func (t Trust) Equal(u Trust) bool {
	return t.Loopback == u.Loopback && t.LocalSubmission == u.LocalSubmission &&
		slices.Equal(t.Hosts, u.Hosts) &&
		slices.EqualFunc(t.Relays, u.Relays, func(a, b TrustedRelay) bool {
			return a.Network == b.Network && slices.Equal(a.By, b.By)
		}) &&
		slices.EqualFunc(t.Reporters, u.Reporters, func(a, b TrustedReporter) bool {
			return a.Name == b.Name && slices.Equal(a.Hosts, b.Hosts) && slices.Equal(a.Relays, b.Relays)
		})
}

// TrustedRelay is a network of hosts, and what they call themselves.
type TrustedRelay struct {
	Network netip.Prefix `json:"network"`
	By      []string     `json:"by,omitempty"`
}

// TrustedReporter is who reports, and whose lines are believed in what is
// reported. Its address is a secret and is not here.
type TrustedReporter struct {
	Name   string         `json:"name"`
	Hosts  []string       `json:"hosts,omitempty"`
	Relays []netip.Prefix `json:"relays,omitempty"`
}
