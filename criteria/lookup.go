package criteria

import (
	"net/netip"
	"slices"

	"github.com/trapline/trapline/internal/address"
)

// Entry is all that the engine says of one address at its present second.
type Entry struct {
	Verdict
	Since  Second      // of the listing; 0 when not listed
	Except []Exception // in force for the address
	Manual *Manual     // the operator's listing that covers it
}

// Lookup answers for any address. It changes nothing.
func (e *Engine) Lookup(a netip.Addr) Entry {
	unit := e.rules.unitOf(a)
	s := e.sources[unit.Addr()]
	if s == nil {
		s = &source{unit: unit.Addr(), index: -1}
	}
	o := e.outlook(s, newCounter())
	o.except = slices.Concat(o.except, exceptSpecial(unit.Addr()))
	entry := Entry{Verdict: o.verdict(e.now)}
	if entry.Listed {
		entry.Since = s.since
	}
	for _, x := range e.overlay.exceptionsOf(unit) {
		if x.Until > e.now && (x.Network.Contains(a.Unmap()) || x.Network.Bits() <= unit.Bits()) {
			entry.Except = append(entry.Except, x)
		}
	}
	entry.heedExcept(a.Unmap())
	if m, ok := e.overlay.manualOf(a.Unmap()); ok {
		entry.takeManual(m)
	}
	return entry
}

// exceptSpecial excepts what is no address of a mail server: private, reserved
// and tunnelled space. Mail is never blamed on it, but files and questions may
// name it.
func exceptSpecial(a netip.Addr) []Exception {
	if !address.Special(a) {
		return nil
	}
	return []Exception{{Network: netip.PrefixFrom(a, 0).Masked(), Until: Never,
		Reason: "special-purpose address space"}}
}

// heedExcept frees an address that an exception covers though its unit is
// listed: the zone is written around it.
func (n *Entry) heedExcept(a netip.Addr) {
	for _, x := range n.Except {
		if n.Listed && x.Network.Contains(a) {
			n.Listed, n.Answer, n.Since, n.Until, n.EndsBy = false, Unlisted, 0, 0, Open
			n.Why = "never listed: " + x.Reason
		}
	}
}

// takeManual lets the operator's listing stand over the score, under any
// exception.
func (n *Entry) takeManual(m Manual) {
	n.Manual = &m
	if len(n.Except) > 0 {
		return
	}
	n.Listed, n.Answer, n.Since, n.Until, n.EndsBy = true, Operator, m.Since, m.Until, ManualEnd
	n.Why = "listed by the operator: " + m.Reason
}

// Exceptions gives every exception in force, sorted by network.
func (e *Engine) Exceptions() []Exception { return e.overlay.all() }

// Explains tells whether the engine knows why a source is not listed: it still
// has the source's hits, an exception covers it, or it is no unit of the
// policy in force. A listing that went without any of that was lost.
func (e *Engine) Explains(source netip.Prefix) bool {
	unit := e.rules.unitOf(source.Addr())
	return unit != source || e.sources[unit.Addr()] != nil ||
		len(e.overlay.exceptionsOf(unit)) > 0
}
