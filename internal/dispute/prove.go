package dispute

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
)

// Prove looks for a proof that whoever filed a dispute controls its address: that
// a peer is the address, or that the token stands in the DNS. It opens a dispute
// that had none. A RefusedError says what is missing.
func (c *Clerk) Prove(ctx context.Context, id string, peer netip.Addr) (Case, error) {
	k, err := c.going(id)
	if err != nil {
		return k, err
	}
	if k.Claim == Fixed {
		return k, refuse(NotADispute, "the same token serves for the removal", "it is no dispute")
	}
	var why error // the address alone is not enough
	if k.State == Filed && fromAddress(address.Unwrap(peer), k.Address) {
		if why = c.mayOpen(k, ByAddress); why == nil {
			return c.prove(ctx, k.ID, ByAddress)
		}
	}
	if k.proven(ByTXT) {
		return k, nil
	}
	if err := c.look(ctx, k); err != nil {
		return k, barred(why, err)
	}
	return c.prove(ctx, k.ID, ByTXT)
}

// mayOpen says why a proof cannot open a dispute.
func (c *Clerk) mayOpen(k Case, by Proof) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docket.mayOpen(k.Subject.Prefix, by, c.now())
}

// going gives a dispute that has not ended.
func (c *Clerk) going(id string) (Case, error) {
	k, ok := c.Find(id)
	switch {
	case !ok:
		return k, refuse(Unknown, "one that nobody proves is forgotten after a week: file it anew",
			"there is no such dispute")
	case k.over():
		return k, refuse(Over, "", "the dispute has ended")
	}
	return k, nil
}

// look looks for the token of a dispute, once a minute.
func (c *Clerk) look(ctx context.Context, k Case) error {
	now := c.now()
	c.mu.Lock()
	last, before := c.checked[k.ID]
	if soon := last + seconds(checkEvery); before && now < soon {
		c.mu.Unlock()
		return refuse(Busy, fmt.Sprintf("wait %d seconds", soon-now), "it was checked just now")
	}
	c.checked[k.ID] = now
	c.mu.Unlock()
	return c.check(ctx, k)
}

// prove records a proof that was seen.
func (c *Clerk) prove(ctx context.Context, id string, by Proof) (Case, error) {
	if _, err := c.listedStill(id); err != nil {
		return Case{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	k := c.docket[id]
	switch {
	case k == nil || k.over():
		return Case{}, refuse(Over, "", "the dispute has ended")
	case k.State == Open && k.proven(by):
		return k.clone(), nil
	case k.State == Open:
		proved := k.step(criteria.StepProved, requester, "")
		proved.Dispute.Proof = string(by)
		err = c.record(ctx, proved)
	default:
		if err = c.docket.mayOpen(k.Subject.Prefix, by, c.now()); err == nil {
			err = c.open(ctx, k, by)
		}
	}
	return c.docket[id].clone(), err
}

// listedStill looks the address of a dispute up again.
func (c *Clerk) listedStill(id string) (criteria.Entry, error) {
	k, err := c.going(id)
	if err != nil {
		return criteria.Entry{}, err
	}
	return c.listed(k.Address)
}

// Remove ends the listing of a dispute's address for whoever controls it: the
// token must stand in the DNS now. The hits so far never count again. A
// RefusedError says why it is not done.
func (c *Clerk) Remove(ctx context.Context, id string) (Case, error) {
	entry, err := c.listedStill(id)
	if err != nil {
		return Case{}, err
	}
	k, err := c.going(id)
	if err != nil {
		return k, err
	}
	if err := c.mayOffer(entry); err != nil {
		return k, err
	}
	if err := c.look(ctx, k); err != nil {
		return k, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.docket[id]
	if now == nil || now.over() {
		return k, refuse(Over, "", "the dispute has ended")
	}
	if err := c.docket.mayRemove(now.Subject.Prefix, c.now()); err != nil {
		return k, err
	}
	removed := now.step(criteria.StepRemoved, selfService+" "+id, "removed by whoever controls the address")
	removed.Dispute.Proof = string(ByTXT)
	delist := criteria.Decision{Act: criteria.ActDelist, Who: removed.Who, Network: now.Subject.Prefix,
		Name: id, Reason: "control of the address was proven"}
	if err := c.record(ctx, delist, removed); err != nil {
		return k, fmt.Errorf("remove listing: %w", err)
	}
	return c.docket[id].clone(), nil
}
