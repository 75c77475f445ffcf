package admin

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// Decision is an entry of the ledger as the operator sees it.
type Decision struct {
	Seq     uint64          `json:"seq"`
	At      criteria.Second `json:"at"`
	After   uint64          `json:"after"` // id of the hit that it follows
	Who     string          `json:"who"`
	Act     criteria.Act    `json:"act"`
	Reason  string          `json:"reason"`
	Network *netip.Prefix   `json:"network,omitempty"`
	Origin  criteria.Origin `json:"origin,omitempty"`
	Until   criteria.Second `json:"until,omitzero"`
	Changed []KeyChange     `json:"changed,omitempty"` // of a policy: keys that became others
	Before  *Before         `json:"before,omitempty"`  // what it replaced or took back
	Trap    string          `json:"trap,omitempty"`    // a keyed hash, or the address where asked for
	Since   criteria.Second `json:"since,omitzero"`
	Weight  *criteria.Micro `json:"weight,omitempty"`
	Hits    []uint64        `json:"hits,omitempty"`
	Name    string          `json:"name,omitempty"`   // of a list, a zone or a dispute; or a version
	Serial  uint32          `json:"serial,omitempty"` // of a zone

	Parts   []string          `json:"parts,omitempty"` // of a configuration: those that became others
	Dispute *criteria.Dispute `json:"dispute,omitempty"`
}

// KeyChange is one key of a policy that became another.
type KeyChange struct {
	Key  string `json:"key"`
	From string `json:"from"` // as the configuration spells it; "" in the first policy
	To   string `json:"to"`
}

// Before is the decision that a later one replaced or took back: an exception, the
// operator's listing, a burn, a weight, an import, an order about the zone, a
// policy, a configuration.
type Before struct {
	Seq    uint64          `json:"seq"`
	Who    string          `json:"who"`
	Reason string          `json:"reason"`
	Until  criteria.Second `json:"until"` // null: without end
	Since  criteria.Second `json:"since,omitzero"`
	Weight *criteria.Micro `json:"weight,omitempty"`
	Name   string          `json:"name,omitempty"` // of a configuration: its version
	Serial uint32          `json:"serial,omitempty"`
}

// AuditFilter chooses decisions; zero fields choose all.
type AuditFilter struct {
	Since       criteria.Second // made at or after it
	Until       criteria.Second // made before it; 0: no end
	Limit       int             // at most so many; 0: all
	Act         criteria.Act
	By          string // who made it: as the ledger has it, or the number or name of a user in that
	OldestFirst bool   // in the order of the ledger, in bounded memory; else newest first
	ShowTraps   bool   // trap addresses instead of their keyed hashes
}

func (f AuditFilter) takes(d *Decision) bool {
	return d.At >= f.Since && (f.Until == 0 || d.At < f.Until) && (f.Act == "" || f.Act == d.Act) &&
		(f.By == "" || f.By == d.Who || strings.HasPrefix(d.Who+" ", "uid "+f.By+" ") ||
			strings.HasSuffix(d.Who, " ("+f.By+")"))
}

// Acts are the kinds of decisions, in the order of their documentation.
func Acts() []criteria.Act {
	return []criteria.Act{criteria.ActPolicy, criteria.ActExcept, criteria.ActUnexcept,
		criteria.ActList, criteria.ActDelist, criteria.ActBurn, criteria.ActUnburn,
		criteria.ActReweigh, criteria.ActUncount, criteria.ActRecount, criteria.ActPoints,
		criteria.ActConfig,
		criteria.ActRollback, criteria.ActRetire, criteria.ActResume, criteria.ActForce,
		criteria.ActRebuild, criteria.ActDispute, criteria.ActTrust, criteria.ActIngest,
		criteria.ActDiscard}
}

// Audit gives the chosen decisions, newest first unless they are wanted otherwise.
func (d *Desk) Audit(f AuditFilter) iter.Seq2[Decision, error] {
	return func(yield func(Decision, error) bool) {
		chosen := d.chosen(f)
		if !f.OldestFirst {
			newest := lastOf(chosen, f.Limit)
			slices.Reverse(newest)
			chosen = slices.Values(newest)
		}
		given := 0
		for entry := range chosen {
			if !f.ShowTraps {
				d.hideTrap(&entry)
			}
			if given++; !yield(entry, nil) || given == f.Limit {
				return
			}
		}
	}
}

// auditPage is how many decisions are read at once.
const auditPage = 1000

// chosen reads the ledger from its begin, since what stood before a decision is
// known only from there.
func (d *Desk) chosen(f AuditFilter) iter.Seq[Decision] {
	return func(yield func(Decision) bool) {
		h, end := history{standing: map[standingKey]criteria.Decision{}}, d.Store.Mark().Decision
		for read := uint64(0); read < end; read += auditPage {
			for _, decision := range d.Store.Decisions(read, min(end, read+auditPage)) {
				entry := h.entryOf(decision)
				if f.takes(&entry) && !yield(entry) {
					return
				}
			}
		}
	}
}

// lastOf gives the last n of a sequence, without holding many more; 0: all.
func lastOf[T any](all iter.Seq[T], n int) (last []T) {
	for value := range all {
		if last = append(last, value); n > 0 && len(last) == 2*n {
			last = append(last[:0], last[n:]...)
		}
	}
	return last[max(0, len(last)-cmp.Or(n, len(last))):]
}

// hideTrap puts a pseudonym in a trap's place.
func (d *Desk) hideTrap(n *Decision) {
	if n.Trap == "" {
		return
	}
	words := d.redactorFor(n.Trap)
	n.Reason = words.Words(n.Reason)
	if n.Before != nil {
		n.Before.Reason = words.Words(n.Before.Reason)
	}
	n.Trap = d.pseudonym(n.Trap)
}

// standingKey is what a later decision replaces: one exception for each origin, one
// listing by the operator, one burn and one weight for each trap, one import for
// each name, one order about each zone, one policy, one configuration.
type standingKey struct {
	act     criteria.Act // that stands
	network netip.Prefix
	origin  criteria.Origin
	name    string
}

// keyOf tells what a decision replaces or takes back, and whether it stands then
// itself; ok is false for one that does neither.
func keyOf(d *criteria.Decision) (key standingKey, stands, ok bool) {
	switch d.Act {
	case criteria.ActExcept, criteria.ActUnexcept:
		return standingKey{criteria.ActExcept, d.Network, d.Origin, ""}, d.Act == criteria.ActExcept, true
	case criteria.ActList, criteria.ActDelist:
		return standingKey{criteria.ActList, d.Network, "", ""}, d.Act == criteria.ActList, true
	case criteria.ActBurn, criteria.ActUnburn:
		return standingKey{act: criteria.ActBurn, name: d.Trap}, d.Act == criteria.ActBurn, true
	case criteria.ActUncount, criteria.ActRecount:
		return standingKey{act: criteria.ActUncount, name: fmt.Sprint(d.Hits)},
			d.Act == criteria.ActUncount, true
	case criteria.ActReweigh:
		return standingKey{act: d.Act, name: d.Trap}, true, true
	case criteria.ActRollback, criteria.ActRetire, criteria.ActResume:
		return standingKey{act: criteria.ActRollback, name: strings.ToLower(d.Name)},
			d.Act != criteria.ActResume, true
	case criteria.ActPoints:
		return standingKey{act: d.Act, name: d.Name}, true, true
	case criteria.ActPolicy, criteria.ActConfig, criteria.ActTrust:
		return standingKey{act: d.Act}, true, true
	}
	return standingKey{}, false, false
}

// history reads a ledger from its begin and knows what stood before each entry.
type history struct {
	standing map[standingKey]criteria.Decision
}

func (h *history) entryOf(d criteria.Decision) Decision {
	n := Decision{Seq: d.Seq, At: d.At, After: d.After, Who: d.Who, Act: d.Act, Reason: d.Reason,
		Origin: d.Origin, Until: d.Until, Trap: d.Trap, Since: d.Since, Hits: d.Hits, Name: d.Name,
		Serial: d.Serial, Dispute: d.Dispute}
	if d.Network.IsValid() {
		n.Network = &d.Network
	}
	key, stands, ok := keyOf(&d)
	old, known := h.standing[key]
	if ok {
		delete(h.standing, key)
	}
	if stands {
		h.standing[key] = d
	}
	if known && (old.Until == 0 || old.Until > d.At) {
		n.Before = beforeOf(old)
	}
	switch d.Act {
	case criteria.ActPolicy:
		n.Changed = keysChanged(old.Policy, d.Policy)
	case criteria.ActConfig:
		n.Parts = judge.PartsChanged(old.Parts, d.Parts)
	case criteria.ActReweigh:
		n.Weight = &d.Weight
	}
	return n
}

func beforeOf(d criteria.Decision) *Before {
	b := &Before{Seq: d.Seq, Who: d.Who, Reason: d.Reason, Until: d.Until, Since: d.Since}
	switch d.Act {
	case criteria.ActReweigh:
		b.Weight = &d.Weight
	case criteria.ActConfig:
		b.Name = d.Name
	case criteria.ActRollback:
		b.Serial = d.Serial
	}
	return b
}

// keysChanged compares two policies; from is nil for the first one.
func keysChanged(from, to *criteria.Policy) []KeyChange {
	var changed []KeyChange
	for _, key := range criteria.Keys() {
		c := KeyChange{Key: key}
		if from != nil {
			c.From, _ = from.Get(key) // a key of the list
		}
		c.To, _ = to.Get(key)
		if c.From != c.To {
			changed = append(changed, c)
		}
	}
	return changed
}
