package admin

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
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
	Name    string          `json:"name,omitempty"`
	Serial  uint32          `json:"serial,omitempty"` // of a zone
}

// KeyChange is one key of a policy that became another.
type KeyChange struct {
	Key  string `json:"key"`
	From string `json:"from"` // as the configuration spells it; "" in the first policy
	To   string `json:"to"`
}

// Before is the exception or the operator's listing that stood before.
type Before struct {
	Seq    uint64          `json:"seq"`
	Who    string          `json:"who"`
	Reason string          `json:"reason"`
	Until  criteria.Second `json:"until"` // null: without end
}

// AuditFilter chooses decisions; zero fields choose all.
type AuditFilter struct {
	Since     criteria.Second // made at or after it
	Limit     int             // at most so many; 0: all
	Act       criteria.Act
	ShowTraps bool // trap addresses instead of their keyed hashes
}

// Acts are the kinds of decisions, in the order of their documentation.
func Acts() []criteria.Act {
	return []criteria.Act{criteria.ActPolicy, criteria.ActExcept, criteria.ActUnexcept,
		criteria.ActList, criteria.ActDelist, criteria.ActBurn, criteria.ActUnburn,
		criteria.ActReweigh, criteria.ActUncount, criteria.ActRecount, criteria.ActPoints,
		criteria.ActRollback, criteria.ActRetire, criteria.ActResume, criteria.ActForce}
}

// Audit gives the chosen decisions, newest first.
func (d *Desk) Audit(f AuditFilter) iter.Seq2[Decision, error] {
	all := d.Store.Decisions(0, d.Store.Mark().Decision)
	h := history{policy: nil, standing: map[standingKey]*criteria.Decision{}}
	entries := make([]Decision, 0, len(all))
	for i := range all {
		entry := h.entryOf(&all[i])
		if entry.At >= f.Since && (f.Act == "" || f.Act == entry.Act) {
			entries = append(entries, entry)
		}
	}
	return func(yield func(Decision, error) bool) {
		given := 0
		for _, entry := range slices.Backward(entries) {
			if !f.ShowTraps {
				d.hideTrap(&entry)
			}
			if !yield(entry, nil) {
				return
			}
			if given++; given == f.Limit {
				return
			}
		}
	}
}

// hideTrap puts a pseudonym in a trap's place.
func (d *Desk) hideTrap(n *Decision) {
	if n.Trap == "" {
		return
	}
	n.Reason = d.redactorFor(n.Trap).Words(n.Reason)
	n.Trap = d.pseudonym(n.Trap)
}

// standingKey is what a later decision replaces: one exception for each origin,
// one listing by the operator.
type standingKey struct {
	network netip.Prefix
	origin  criteria.Origin
	listed  bool
}

// history reads a ledger from its begin and knows what stood before each entry.
type history struct {
	policy   *criteria.Policy
	standing map[standingKey]*criteria.Decision
}

func (h *history) entryOf(d *criteria.Decision) Decision {
	n := Decision{Seq: d.Seq, At: d.At, After: d.After, Who: d.Who, Act: d.Act, Reason: d.Reason,
		Origin: d.Origin, Until: d.Until, Trap: d.Trap, Since: d.Since, Hits: d.Hits, Name: d.Name,
		Serial: d.Serial}
	if d.Network.IsValid() {
		n.Network = &d.Network
	}
	switch d.Act {
	case criteria.ActPolicy:
		n.Changed = keysChanged(h.policy, d.Policy)
		h.policy = d.Policy
	case criteria.ActReweigh:
		n.Weight = &d.Weight
	case criteria.ActExcept, criteria.ActUnexcept:
		key := standingKey{d.Network, d.Origin, false}
		n.Before = h.replace(key, d, d.Act == criteria.ActExcept)
	case criteria.ActList, criteria.ActDelist:
		key := standingKey{d.Network, "", true}
		n.Before = h.replace(key, d, d.Act == criteria.ActList)
	}
	return n
}

// replace puts a decision where another may have stood and has not ended.
func (h *history) replace(key standingKey, d *criteria.Decision, stays bool) *Before {
	old := h.standing[key]
	delete(h.standing, key)
	if stays {
		h.standing[key] = d
	}
	if old == nil || old.Until > 0 && old.Until <= d.At {
		return nil
	}
	return &Before{old.Seq, old.Who, old.Reason, old.Until}
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
