package criteria

import (
	"net/netip"
	"slices"

	"github.com/trapline/trapline/parser"
)

// Prospect is what one more hit would do to an address, now, by the score: a
// trap hit of weight 1, by the cause "direct", with content of its own.
type Prospect struct {
	NewTrap   Verdict  `json:"new_trap"`   // at a trap and trap domain that never caught it
	KnownTrap *Verdict `json:"known_trap"` // at the trap of its newest counted hit; null without
}

// supposed is the number of a set that is in no registry.
const supposed = 1<<32 - 1

// WhatIf tells what one more hit would do. It changes nothing.
func (e *Engine) WhatIf(a netip.Addr) Prospect {
	p := Prospect{NewTrap: e.suppose(a, memberOf(TrapHit, "a trap that no address can spell"))}
	if known, ok := e.lastTrap(a); ok {
		v := e.suppose(a, known)
		p.KnownTrap = &v
	}
	return p
}

// suppose gives the verdict that a hit on a trap would bring about.
func (e *Engine) suppose(a netip.Addr, trap member) Verdict {
	o := e.outlookOf(a)
	trap.weight, trap.out = uint32(One), false
	set := setOf([]member{trap})
	alone := newRoll()
	s := alone.add(o.source.unit)
	s.entries, s.answer, s.since = slices.Clone(o.source.entries), o.source.answer, o.source.since
	alone.hosts[s.number] = slices.Clone(o.hosts)
	h := Hit{LSN: 1<<48 - 1, Time: e.now, Source: a, Cause: parser.Direct}
	alone.insert(s, entryOf(&h, supposed), a)
	o.source, o.hosts, o.extra = s, alone.hosts[s.number], &set
	return o.verdict(e.now)
}

// lastTrap is the trap of the newest counted hit.
func (e *Engine) lastTrap(a netip.Addr) (member, bool) {
	o := e.outlookOf(a)
	o.tallyAt(e.now, false)
	for _, i := range o.count.counted {
		n := &o.source.entries[i]
		for _, m := range o.set(n).members() {
			if !n.has(isReport) && !m.out {
				return m, true
			}
		}
	}
	return member{}, false
}
