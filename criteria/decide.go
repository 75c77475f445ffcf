package criteria

import (
	"fmt"
	"net/netip"
	"slices"
)

// Decide takes the next decision of the ledger. It refuses what needs hits that
// the engine may have forgotten: see NeedsHistory. While hits are loaded, any
// policy but the engine's own is one that another has replaced.
func (e *Engine) Decide(d Decision) ([]Change, error) {
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("decision %d: %w", d.Seq, err)
	}
	if e.loading {
		e.pass(d.At)
		e.overlay.expire(d.At)
	} else {
		e.advance(d.At)
	}
	if e.NeedsHistory(d) && !(e.loading && d.Act == ActPolicy) {
		return e.drain(), fmt.Errorf("decision %d: %s needs the hits of the past", d.Seq, d.Act)
	}
	e.carryOut(d)
	e.escalate(ByDecision)
	return e.drain(), nil
}

func (e *Engine) carryOut(d Decision) {
	switch d.Act {
	case ActPolicy:
		e.adoptPolicy(d)
	case ActExcept, ActUnexcept:
		e.overlay.except(d)
		if !e.loading { // else Settle looks at all of them
			e.rejudge(e.overlapping(d.Network))
		}
		e.networks.doubt(d.Network)
	case ActList:
		e.list(d)
	case ActDelist:
		e.delist(d)
	case ActPoints:
		e.rejudge(e.points(d))
	case ActBurn, ActUnburn, ActReweigh, ActUncount, ActRecount:
		e.rejudge(e.correct(d))
	}
}

// adoptPolicy puts a policy in force. While hits are loaded it already is, or
// another has replaced it.
func (e *Engine) adoptPolicy(d Decision) {
	switch {
	case d.Policy.Equal(e.rules.Policy):
		e.policy = d
	case !e.loading:
		e.policy, e.rules = d, compile(*d.Policy)
		e.rejudge(e.roll.sorted())
	}
}

// NeedsHistory tells whether a decision can only be carried out by replaying
// the log into a new engine; Adopt then hands the listings over. That is so of
// a policy that takes hits which the one in force does not keep, and of a
// correction that the engine did not know of when it read the hits: the new one
// is made with CorrectionsOf the ledger, as far as it is known, so that it can
// carry out all the others.
func (e *Engine) NeedsHistory(d Decision) bool {
	return d.Act == ActPolicy && !d.Policy.keepsAs(e.rules.Policy) || !e.known.foresee(d)
}

// rejudge looks anew at sources that a decision concerns.
func (e *Engine) rejudge(sources []*source) {
	if e.loading {
		return
	}
	for _, s := range sources {
		e.judge(s, ByDecision)
	}
}

// overlapping gives the sources that share an address with n, by address.
func (e *Engine) overlapping(n netip.Prefix) []*source {
	u := e.rules.unitOf(n.Addr())
	if e.rules.prefixOf(u).Bits() <= n.Bits() {
		if s := e.roll.find(u); s != nil {
			return []*source{s}
		}
		return nil
	}
	var found []*source
	if a := n.Addr(); a.Is4() && 1<<(a.BitLen()-n.Bits()) < e.Sources() { // fewer to ask for
		for ; n.Contains(a); a = a.Next() {
			if s := e.roll.find(e.rules.unitOf(a)); s != nil {
				found = append(found, s)
			}
		}
		return found
	}
	for s := range e.roll.all() {
		if n.Contains(s.unit.addr()) {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, compareUnits)
	return found
}

func (e *Engine) list(d Decision) {
	if _, listed := e.overlay.manual[d.Network]; !listed {
		e.changes = append(e.changes,
			Change{Source{d.Network}, e.now, Unlisted, Operator, ByDecision})
	}
	e.overlay.list(d)
}

// delist takes the operator's own listings within a network back, has the hits
// of its addresses never count again, and keeps them off the list for a while
// if the decision says so. A unit that the network is only a part of loses the
// hits of that part, and is barred as a whole: it is listed as a whole.
func (e *Engine) delist(d Decision) {
	for _, n := range e.overlay.unlist(d.Network) {
		e.changes = append(e.changes, Change{Source{n}, e.now, Operator, Unlisted, ByDecision})
	}
	if d.Until > e.now {
		e.overlay.bar(d.Network, d.Until)
		e.networks.doubt(d.Network)
	}
	sources := e.overlapping(d.Network)
	for _, s := range sources {
		hosts := e.roll.hosts[s.number]
		for i := range s.entries {
			if hosts == nil || d.Network.Contains(hosts[i].addr()) {
				s.entries[i].strike(isDelisted)
			}
		}
	}
	e.rejudge(sources)
}

// Refuses says why a decision of the right form must not be made: a listing by
// the operator inside an exception or in special space, or a removal from a
// wider listing of the operator's. Nil: it may be. It names the mend.
func (e *Engine) Refuses(d Decision) error {
	if err := d.Check(); err != nil {
		return err
	}
	switch d.Act {
	case ActList:
		for _, x := range exceptSpecial(d.Network.Addr()) {
			return fmt.Errorf("%s is never listed: %s", Source{d.Network}, x.Reason)
		}
		for _, x := range e.overlay.covering(d.Network) {
			return fmt.Errorf("%s is never listed: %s is excepted: %s (%s)", Source{d.Network},
				x.Network, x.Reason, x.Who)
		}
	case ActDelist:
		if m, ok := e.overlay.manualOf(d.Network.Addr()); ok && m.Network.Bits() < d.Network.Bits() {
			return fmt.Errorf("%s is listed by the operator as part of %s: delist %s, or except %s",
				Source{d.Network}, m.Network, m.Network, Source{d.Network})
		}
	}
	return nil
}
