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

// yields tells whether a dispute is no bar to another one with such a proof: whoever
// controls the address is not bound by what somebody did who only shares it.
func (c *Case) yields(by Proof) bool { return by == ByTXT && !c.proven(ByTXT) }

// superseded are the open disputes that end when another is opened by a proof. One of a
// wider network does not: part of it is all that was proven.
func (k docket) superseded(subject netip.Prefix, by Proof) []*Case {
	return k.chosen(func(c *Case) bool {
		part := c.Subject.Overlaps(subject) && c.Subject.Bits() >= subject.Bits()
		return c.State == Open && c.yields(by) && part
	})
}

// mayOpen says why a dispute of a listing cannot be opened by a proof. It does not tell
// the id of one that goes on, whose page shows its token: that would make of its
// statement whatever the owner of the address proves there.
func (k docket) mayOpen(subject netip.Prefix, by Proof, now criteria.Second) error {
	if by == ByAddress && k.openedByAddress(now) >= mostByAddress {
		return refuse(Busy, "set the TXT record, which has no such limit, or come back tomorrow",
			"too many disputes were opened today")
	}
	var cooling *Case
	for _, c := range k {
		switch {
		case !c.Subject.Overlaps(subject) || c.yields(by):
		case c.State == Open:
			return refuse(AlreadyOpen, "only its own page shows how far it is",
				"a dispute of %s is open already", c.Subject)
		case c.State == Rejected && c.cool() > now && (cooling == nil || c.cool() > cooling.cool()):
			cooling = c
		}
	}
	if cooling == nil {
		return nil
	}
	return refuse(CoolingDown, "until then the listing may end by itself",
		"a dispute of %s was rejected a short while ago", cooling.Subject).
		because(cooling).until(cooling.cool())
}

// cool is when a dispute that has ended bars no other one any more.
func (c *Case) cool() criteria.Second { return c.Ended + seconds(CoolDown) }

// mayRemove says why a listing cannot be removed by whoever controls the address.
func (k docket) mayRemove(subject netip.Prefix, now criteria.Second) error {
	for _, c := range k {
		if c.State == Removed && c.cool() > now && c.Subject.Overlaps(subject) {
			return refuse(CoolingDown, "mail came again after the last removal: look for its cause",
				"%s was removed a short while ago", c.Subject).because(c).until(c.cool())
		}
	}
	return nil
}

// crowdedOut gives the form without a proof that must go for another one: of the same
// listing if that has enough of them, else of all.
func (k docket) crowdedOut(newcomer *Case) *Case {
	all := k.chosen(func(c *Case) bool { return c.State == Filed })
	same := k.chosen(func(c *Case) bool { return c.State == Filed && c.Subject == newcomer.Subject })
	switch {
	case len(same) >= mostOfListing:
		return leastMissed(same, newcomer)
	case len(all) >= mostFiled:
		return leastMissed(all, newcomer)
	}
	return nil
}

// leastMissed gives, of forms from the oldest on, the first of the network that has most
// of them with the newcomer's: who files many pushes out his own.
func leastMissed(forms []*Case, newcomer *Case) *Case {
	count := map[netip.Prefix]int{newcomer.Private.Network: 1}
	for _, c := range forms {
		count[c.Private.Network]++
	}
	return slices.MaxFunc(forms, func(a, b *Case) int {
		return cmp.Compare(count[a.Private.Network], count[b.Private.Network])
	})
}

// Bounds, so that no flood fills the disk, hides the real ones or keeps them out.
const (
	mostFiled     = 1000 // forms without a proof
	mostOfListing = 5    // of them, for one listing
	mostOpen      = 1000 // the oldest without a TXT go first
	mostByAddress = 200  // opened in a day without a TXT
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
