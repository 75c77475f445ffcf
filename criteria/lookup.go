package criteria

import (
	"fmt"
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
	a = address.Unwrap(a)
	o := e.outlookOf(a)
	entry := Entry{Verdict: o.verdict(e.now)}
	if entry.Listed {
		entry.Since = Second(o.source.since)
	}
	for _, x := range e.overlay.exceptionsOf(o.prefix) {
		if x.Until > e.now && (x.Network.Contains(a) || x.Network.Bits() <= o.prefix.Bits()) {
			entry.Except = append(entry.Except, x)
		}
	}
	if w := e.networks.find(a); w != nil && w.since != 0 {
		entry.heedNetwork(w, e)
	}
	entry.heedExcept(a)
	if m, ok := e.overlay.manualOf(a); ok {
		entry.takeManual(m)
	}
	return entry
}

// outlookOf is how the unit of any address stands, for reading beside others.
func (e *Engine) outlookOf(a netip.Addr) outlook {
	u := e.rules.unitOf(a)
	s := e.roll.find(u)
	if s == nil {
		s = &source{unit: u, number: nobody}
	}
	o := e.outlook(s, new(counter))
	o.except = slices.Concat(o.except, exceptSpecial(u.addr()))
	return o
}

// nobody is the number of no source.
const nobody = 1<<32 - 1

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

// heedNetwork lists an address that is not listed itself with its network.
func (n *Entry) heedNetwork(w *network, e *Engine) {
	if n.Listed {
		return
	}
	n.Listed, n.Answer, n.Since, n.EndsBy = true, Network, w.since, NetworkEnd
	n.Until = e.networkEnd(w, new(counter))
	n.Why = fmt.Sprintf("listed: %d sources of %s are listed, %d needed", w.listed, w.Prefix,
		e.networks.least)
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
// has the source's hits, an exception or a bar covers it, or it is no unit of
// the policy in force. A listing that went without any of that was lost.
func (e *Engine) Explains(source netip.Prefix) bool {
	unit := e.rules.unitOf(source.Addr())
	return e.rules.prefixOf(unit) != source || e.roll.find(unit) != nil ||
		len(e.overlay.exceptionsOf(source)) > 0 || e.overlay.barredUntil(source) > e.now
}
