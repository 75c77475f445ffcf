package dispute

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/trapline/trapline/criteria"
)

// docket is all disputes by id, as the ledger's decisions and the forms tell them.
// It only computes: what it is told has happened.
type docket map[string]*Case

// take carries out a decision of the ledger.
func (k docket) take(d criteria.Decision) {
	switch d.Act {
	case criteria.ActDispute:
		k.step(d)
	case criteria.ActUncount:
		if c := k[d.Name]; c != nil && d.Who == rereading {
			c.Reread = c.reread()
			c.Reread.Wrong = append(c.Reread.Wrong, d.Hits...)
		}
	}
}

func (k docket) step(d criteria.Decision) {
	c := k[d.Name]
	if c == nil || !c.begun() {
		c = k.begin(d)
	}
	if p := Proof(d.Dispute.Proof); p != "" && !c.proven(p) {
		c.Proofs = append(c.Proofs, p)
	}
	switch d.Dispute.Step {
	case criteria.StepReread:
		c.Reread = c.reread()
		c.Reread.Read, c.Reread.done = d.Dispute.Read, true
	case criteria.StepAnswered:
		c.Answer, c.AnswerDue = d.Reason, 0
	case criteria.StepAccepted, criteria.StepRejected, criteria.StepRemoved, criteria.StepExpired,
		criteria.StepMoot:
		c.State, c.Ended, c.Reason, c.By = State(d.Dispute.Step), d.At, d.Reason, d.Who
		c.AnswerDue, c.DecisionDue = 0, 0
	}
}

// begin makes a case of its first step; what is private comes from its form.
func (k docket) begin(d criteria.Decision) *Case {
	c := &Case{ID: d.Name, State: Open, Address: d.Dispute.Address,
		Subject: criteria.Source{Prefix: d.Network}, Claim: Claim(d.Dispute.Claim),
		Filed: d.Dispute.Filed, Opened: d.At, AnswerDue: d.At + seconds(AnswerWithin),
		DecisionDue: d.At + seconds(DecisionWithin)}
	if form := k[d.Name]; form != nil {
		c.Private = form.Private
	}
	k[d.Name] = c
	return c
}

func seconds(d time.Duration) criteria.Second { return criteria.Second(d / time.Second) }

// begun tells whether the ledger knows of the dispute.
func (c *Case) begun() bool { return c.State != Filed }

func (c *Case) reread() *Reread {
	if c.Reread == nil {
		return &Reread{Wrong: []uint64{}}
	}
	return c.Reread
}

// chosen gives cases by the time they were filed.
func (k docket) chosen(f func(*Case) bool) []*Case {
	var found []*Case
	for _, c := range k {
		if f(c) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *Case) int {
		return cmp.Or(cmp.Compare(a.Filed, b.Filed), cmp.Compare(a.ID, b.ID))
	})
	return found
}

// openOn gives the open dispute of what shares an address with a network.
func (k docket) openOn(subject netip.Prefix) *Case {
	for _, c := range k {
		if c.State == Open && c.Subject.Overlaps(subject) {
			return c
		}
	}
	return nil
}

// mayOpen says why a dispute of a listing cannot be opened by a proof.
func (k docket) mayOpen(subject netip.Prefix, by Proof, now criteria.Second) error {
	if by == ByAddress && k.openedByAddress(now) >= mostByAddress {
		return refuse(Busy, "set the TXT record, which has no such limit, or come back tomorrow",
			"too many disputes were opened today")
	}
	if c := k.openOn(subject); c != nil {
		return refuse(AlreadyOpen, "its page shows how far it is",
			"a dispute of %s is open already", c.Subject).because(c)
	}
	for _, c := range k {
		end := c.Ended + seconds(CoolDown)
		if c.State != Rejected || end <= now || !c.Subject.Overlaps(subject) {
			continue
		}
		// Whoever controls the address is not bound by what somebody said who shares it.
		if by == ByTXT && !c.proven(ByTXT) {
			continue
		}
		return refuse(CoolingDown, "its page shows the reason; until then the listing may end by itself",
			"a dispute of %s was rejected a short while ago", c.Subject).because(c).until(end)
	}
	return nil
}

// mayRemove says why a listing cannot be removed by whoever controls the address.
func (k docket) mayRemove(subject netip.Prefix, now criteria.Second) error {
	for _, c := range k {
		end := c.Ended + seconds(CoolDown)
		if c.State == Removed && end > now && c.Subject.Overlaps(subject) {
			return refuse(CoolingDown, "mail came again after the last removal: look for its cause",
				"%s was removed a short while ago", c.Subject).because(c).until(end)
		}
	}
	return nil
}

// room says why a network cannot file another form.
func (k docket) room(from netip.Prefix, now criteria.Second) error {
	const window = seconds24
	first, n := criteria.Never, 0
	for _, c := range k {
		if c.Private != nil && c.Private.Network == from && c.Filed > now-window {
			first, n = min(first, c.Filed), n+1
		}
	}
	if n < mostOfNetwork {
		return nil
	}
	return refuse(TooMany, "the disputes that were filed can still be proven",
		"%d disputes came from your network in a day", n).until(first + window)
}

// crowdedOut gives the forms without a proof that must go for another: the oldest of
// all, and the oldest of the same listing.
func (k docket) crowdedOut(subject netip.Prefix) []*Case {
	all := k.chosen(func(c *Case) bool { return c.State == Filed })
	same := k.chosen(func(c *Case) bool { return c.State == Filed && c.Subject.Prefix == subject })
	var out []*Case
	if len(same) >= mostOfListing {
		out = append(out, same[0])
	} else if len(all) >= mostFiled {
		out = append(out, all[0])
	}
	return out
}

// Bounds, so that no flood fills the disk, hides the real ones or keeps them out.
const (
	mostFiled     = 1000 // forms without a proof; the oldest go first
	mostOfListing = 5    // of them, for one listing
	mostOfNetwork = 5    // filed from a /24 or /48 in a day
	mostOpen      = 1000 // the oldest without a TXT go first
	mostByAddress = 200  // opened in a day without a TXT

	seconds24 criteria.Second = 24 * hour
)

// openedByAddress tells how many disputes were opened in a day without a TXT.
func (k docket) openedByAddress(now criteria.Second) (n int) {
	for _, c := range k {
		if c.begun() && c.Opened > now-seconds24 && len(c.Proofs) > 0 && c.Proofs[0] == ByAddress {
			n++
		}
	}
	return n
}

// givesWay is the open dispute that ends for another one: nil while there is room.
// ok is false where all of them have a TXT.
func (k docket) givesWay() (c *Case, ok bool) {
	open := k.chosen(func(c *Case) bool { return c.State == Open })
	if len(open) < mostOpen {
		return nil, true
	}
	for _, c := range open {
		if !c.proven(ByTXT) {
			return c, true
		}
	}
	return nil, false
}
