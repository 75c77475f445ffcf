package admin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
)

// TrapOrder is what the operator decides about the hits of one trap.
type TrapOrder struct {
	Act    criteria.Act    `json:"act"`    // burn, unburn or reweigh
	Trap   string          `json:"trap"`   // its address, however spelled
	Since  criteria.Second `json:"since"`  // of a burn: hits received at or after it; null: all
	Weight criteria.Micro  `json:"weight"` // to reweigh: hits up to now have it
	Reason string          `json:"reason"`
	DryRun bool            `json:"dry_run"` // only tell what it would do
}

// Corrected is a TrapOrder that was carried out.
type Corrected struct {
	Seq    uint64          `json:"seq"` // number of the decision; 0 of a dry run
	At     criteria.Second `json:"at"`
	Who    string          `json:"who"`
	Act    criteria.Act    `json:"act"`
	Trap   string          `json:"trap"`  // as hits spell it
	State  string          `json:"state"` // of the [[trap]] that covers it; "": none does
	Since  criteria.Second `json:"since"` // null: all hits
	Weight *criteria.Micro `json:"weight,omitempty"`
	Reason string          `json:"reason"`
	DryRun bool            `json:"dry_run"`
	Hits   int             `json:"hits"` // on the trap, concerned and young enough to count
	// Alone are those of the hits that name no other trap that counts.
	Alone   int      `json:"alone"`
	Changes []Change `json:"changes"` // listings of the hits' sources that began, ended or changed
}

// Check tells what is wrong with an order by itself.
func (o TrapOrder) Check() error {
	switch o.Act {
	case criteria.ActBurn, criteria.ActUnburn, criteria.ActReweigh:
	default:
		return badRequest(fmt.Sprintf("%q is no order about a trap", o.Act),
			"give burn, unburn or reweigh")
	}
	switch {
	case o.Trap == "":
		return badRequest("no trap is named", "give its address")
	case o.Since < 0:
		return badRequest(fmt.Sprintf("since %s lies before 1970", o.Since), "leave it out for all hits")
	case o.Weight < 0 || o.Weight > criteria.MaxTrapWeight:
		return badRequest(fmt.Sprintf("weight %s", o.Weight),
			fmt.Sprintf("give 0 to %s", criteria.MaxTrapWeight))
	}
	if o.DryRun && o.Reason == "" {
		return nil // nothing is decided that it could be the reason of
	}
	return checkReason(o.Reason)
}

// Correct carries out an order about a trap, as Decide does: the answer comes
// when the log was read anew and the list has followed.
func (d *Desk) Correct(ctx context.Context, who string, o TrapOrder) (Corrected, error) {
	if err := o.Check(); err != nil {
		return Corrected{}, err
	}
	d.rewriting.Lock()
	defer d.rewriting.Unlock()
	done := Corrected{Who: who, Act: o.Act, Since: o.Since, Reason: o.Reason, DryRun: o.DryRun,
		Changes: []Change{}}
	if err := d.findTrap(ctx, o, &done); err != nil {
		return done, err
	}
	decision := criteria.Decision{Act: o.Act, Who: who, Trap: done.Trap, Since: o.Since,
		Weight: o.Weight, Reason: o.Reason}
	switch o.Act {
	case criteria.ActReweigh:
		done.Weight, decision.Since, done.Since = &o.Weight, 0, 0
	case criteria.ActUnburn:
		decision.Since, decision.Weight, done.Since = 0, 0, d.correctionOf(done.Trap).Burnt.Since
	case criteria.ActBurn:
		decision.Weight = 0
	}
	sources, err := d.countConcerned(ctx, &done)
	if err != nil {
		return done, err
	}
	before, after, err := d.follow(ctx, &done, decision)
	done.Changes = sources.only(changes(before.Listings, after.Listings))
	return done, err
}

// findTrap spells the trap as hits do, and says why nothing can be decided
// about it. Nothing here repeats an address: what was typed may be another's.
func (d *Desk) findTrap(ctx context.Context, o TrapOrder, done *Corrected) error {
	roster := d.roster()
	spelled, name := roster.Find(o.Trap)
	done.Trap = spelled
	for _, t := range roster.Traps {
		if t.Name() == name {
			done.State = t.State
		}
	}
	if name == "" {
		if err := d.wasHit(ctx, spelled); err != nil {
			return err
		}
	}
	burnt := d.correctionOf(spelled).Burnt
	switch {
	case o.Act == criteria.ActUnburn && burnt == nil:
		return none("the trap is not burnt", "see trapline trap list")
	case o.Act == criteria.ActBurn && o.Since > d.Store.Mark().At:
		return badRequest(fmt.Sprintf("since %s is yet to come", o.Since), "give a time that has passed")
	case o.Act == criteria.ActBurn && burnt != nil && burnt.Since == o.Since:
		return none(fmt.Sprintf("the trap is burnt since then already, by %s: %s (decision %d)",
			burnt.Who, burnt.Reason, burnt.Seq), "see trapline trap list")
	}
	return nil
}

// wasHit looks for a trap that no [[trap]] covers any more in the whole log.
func (d *Desk) wasHit(ctx context.Context, trap string) error {
	for r, err := range d.Store.Newest(d.Store.Mark().LSN) {
		switch {
		case err != nil:
			return fmt.Errorf("read the log: %w", err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if slices.ContainsFunc(r.Recipients, func(to store.Recipient) bool {
			return to.Address == trap && isTrap(to)
		}) {
			return nil
		}
	}
	return none("no [[trap]] covers the address, and no hit names it", "see trapline trap stats")
}

// units are listing units, and the networks around them.
type units map[netip.Prefix]bool

// countConcerned counts the hits that an order concerns, and gives their
// sources.
func (d *Desk) countConcerned(ctx context.Context, done *Corrected) (units, error) {
	policy, err := d.Policy()
	if err != nil {
		return nil, err
	}
	now := d.Store.Mark().At
	oldest := now - criteria.Second(policy.Criteria.MaxAge.Seconds()) + 1
	found, corrected := units{}, d.counting()
	err = d.eachTrapHit(ctx, max(oldest, done.Since), func(r *store.Record) {
		if !r.Source.IsValid() || !slices.Contains(r.Traps, done.Trap) {
			return
		}
		done.Hits++
		found.take(r.Source, policy.Criteria.IPv6Prefix)
		if !slices.ContainsFunc(r.Traps, func(trap string) bool {
			return trap != done.Trap && corrected.counts(trap, r)
		}) {
			done.Alone++
		}
	})
	return found, err
}

// counting knows what decisions say of each trap.
type counting map[string]CorrectedTrap

func (d *Desk) counting() counting {
	c := counting{}
	for _, corrected := range d.corrected() {
		c[corrected.Address] = corrected
	}
	return c
}

func (c counting) counts(trap string, r *store.Record) bool {
	burnt, reweighed := c[trap].Burnt, c[trap].Reweighed
	return (burnt == nil || r.Time < burnt.Since) &&
		(reweighed == nil || *reweighed.Weight > 0 || r.LSN > reweighed.after)
}

// follow puts the decision in the ledger, or only supposes it, and gives the
// list of before and after.
func (d *Desk) follow(
	ctx context.Context, done *Corrected, decision criteria.Decision,
) (before, after judge.List, err error) {
	if done.DryRun {
		if !d.simulating.TryLock() {
			return before, after, refused("a simulation is under way", "ask again when it is done")
		}
		defer d.simulating.Unlock()
		before, after, err = d.Judge.Suppose(ctx, decision)
		done.At = before.At
		return before, after, err
	}
	if before, err = d.Judge.Listings(); err != nil {
		return before, after, err
	}
	decisions := []criteria.Decision{decision}
	after, err = d.enact(ctx, decisions)
	done.Seq, done.At = decisions[0].Seq, decisions[0].At
	return before, after, err
}

// take notes a source, and the network that may be listed for it.
func (u units) take(source netip.Addr, ipv6 int) {
	unit := address.Unit(source, ipv6)
	u[unit] = true
	network, err := unit.Addr().Prefix(familyOf(unit, widestList4, widestList6))
	if err == nil {
		u[network] = true
	}
}

// only leaves out what changed meanwhile for another reason: new mail, or time.
func (u units) only(all []Change) []Change {
	return slices.DeleteFunc(all, func(c Change) bool { return !u[c.Source.Prefix] })
}
