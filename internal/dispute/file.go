package dispute

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/trapline/trapline/criteria"
)

// Who the ledger says decided, where it was not the operator.
const (
	requester   = "requester"
	rereading   = "re-reading"
	clock       = "clock"
	selfService = "self-service" // and the dispute's id
)

// File takes a form. The dispute that it begins is open at once where the form
// comes from the address itself, else it waits for a proof. A RefusedError says
// why it is not taken.
func (c *Clerk) File(ctx context.Context, f Form) (Case, error) {
	f, err := f.tidy()
	if err != nil {
		return Case{}, err
	}
	entry, err := c.listed(f.Address)
	if err != nil {
		return Case{}, err
	}
	if f.Claim == Fixed {
		if err := c.mayOffer(entry); err != nil {
			return Case{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	own := fromAddress(f.Peer, f.Address)
	if err := c.mayFile(f, entry.Source.Prefix, now); err != nil {
		return Case{}, told(err, own)
	}
	k := f.caseOf(newID(), entry.Source, now)
	if err := c.enter(k); err != nil {
		return Case{}, err
	}
	if own && f.Claim != Fixed && c.docket.mayOpen(k.Subject.Prefix, ByAddress, now) == nil {
		err = c.open(ctx, k, ByAddress)
	}
	return c.docket[k.ID].clone(), err
}

// listed says what an address is listed for, or that it is not.
func (c *Clerk) listed(a netip.Addr) (criteria.Entry, error) {
	entry, err := c.cfg.List.Lookup(a)
	if err != nil {
		return entry, fmt.Errorf("look %s up: %w", a, err)
	}
	if !entry.Listed {
		return entry, refuse(NotListed, "if mail is still refused, the server that refuses it may use "+
			"another list, or an older copy of this one", "%s is not listed", a)
	}
	return entry, nil
}

// mayOffer says why a listing cannot be removed by whoever controls the address.
func (c *Clerk) mayOffer(e criteria.Entry) error {
	switch {
	case e.Answer == criteria.Operator || e.Answer == criteria.Network:
		return refuse(NotOffered, "if it is in error, dispute it",
			"%s is not listed for its own mail alone", e.Source)
	case !c.cfg.SelfRemoval(): // when it ends now is not told: that tells of hits within the hour
		return refuse(NotADispute, "it ends by itself if no more mail comes; there is nothing to do",
			"a listing is not ended early because its cause is gone")
	}
	return nil
}

// mayFile says why a form is not taken. A TXT may still come, so what only that can
// open is taken.
func (c *Clerk) mayFile(f Form, subject netip.Prefix, now criteria.Second) error {
	if err := c.filings.room(f.network(), now); err != nil {
		return err
	}
	if f.Claim == Fixed {
		return c.docket.mayRemove(subject, now)
	}
	return c.docket.mayOpen(subject, ByTXT, now)
}

// enter keeps a new form; another one without a proof may have to go for it.
func (c *Clerk) enter(k *Case) error {
	if old := c.docket.crowdedOut(k); old != nil {
		if err := c.drop(old); err != nil {
			return err
		}
	}
	if err := c.forms.keep(k); err != nil {
		return err
	}
	c.docket[k.ID] = k
	c.filings.note(k.Private.Network, k.Filed)
	return nil
}

// drop forgets a form without a proof, as if it had never come.
func (c *Clerk) drop(k *Case) error {
	if err := c.forms.forget(k.ID); err != nil {
		return err
	}
	delete(c.docket, k.ID)
	delete(c.checked, k.ID)
	return nil
}

// open puts a dispute into the ledger by its first proof, and ends those that give way
// to it. c.mu is held.
func (c *Clerk) open(ctx context.Context, k *Case, by Proof) error {
	var decisions []criteria.Decision
	for _, old := range c.docket.superseded(k.Subject.Prefix, by) {
		decisions = append(decisions, old.step(criteria.StepExpired, requester,
			"somebody who has proven control of the address by TXT disputes the listing"))
	}
	if len(decisions) == 0 {
		old, room := c.docket.givesWay()
		if !room {
			return refuse(Busy, "try again later", "too many disputes are open")
		}
		if old != nil {
			decisions = append(decisions, old.step(criteria.StepExpired, clock,
				"too many disputes were open; it may be filed anew"))
		}
	}
	opened := k.step(criteria.StepOpened, requester, "")
	opened.Dispute.Proof = string(by)
	if err := c.record(ctx, append(decisions, opened)...); err != nil {
		return fmt.Errorf("open dispute: %w", err)
	}
	c.signal()
	return nil
}
