package admin

import (
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Trap is one [[trap]] of the configuration, and what decisions say of addresses
// that it covers. The last of a list may be no trap of the configuration: it
// has the addresses that none covers any more.
type Trap struct {
	Address    string          `json:"address,omitempty"` // or
	Domain     string          `json:"domain,omitempty"`  // "*.traps.example" for what is below it
	Configured bool            `json:"configured"`
	Kind       string          `json:"kind"`
	Weight     criteria.Micro  `json:"weight"`
	State      string          `json:"state"`
	ActiveFrom criteria.Second `json:"active_from"` // null: always
	Corrected  []CorrectedTrap `json:"corrected"`
}

// Name is the address or the domain.
func (t Trap) Name() string {
	if t.Address != "" {
		return t.Address
	}
	return t.Domain
}

// CorrectedTrap is an address of which decisions say what its hits are worth.
type CorrectedTrap struct {
	Address   string        `json:"address"`
	Burnt     *TrapDecision `json:"burnt"`     // null: it is not
	Reweighed *TrapDecision `json:"reweighed"` // null: hits weigh what they did at receipt
}

// TrapDecision is the decision that is in force.
type TrapDecision struct {
	Seq    uint64          `json:"seq"`
	At     criteria.Second `json:"at"` // of a weight: hits up to then have it
	Who    string          `json:"who"`
	Reason string          `json:"reason"`
	Since  criteria.Second `json:"since,omitzero"` // of a burn: hits from it on; none: all
	Weight *criteria.Micro `json:"weight,omitempty"`

	after uint64 // LSN of the hit that it follows
}

// Roster is what the configuration in force says of traps.
type Roster struct {
	Traps []Trap // in the order of the file, nothing corrected
	// Find spells an address as hits do, and gives the Name of the trap that
	// covers it, "" where none does.
	Find func(address string) (spelled, trap string)
}

// roster is that of the configuration; of none where nobody knows one.
func (d *Desk) roster() Roster {
	if d.Roster == nil {
		return Roster{Find: func(address string) (string, string) { return address, "" }}
	}
	return d.Roster()
}

// Traps gives the traps of the configuration, and what was decided about them.
func (d *Desk) Traps() ([]Trap, error) {
	roster := d.roster()
	traps := append(slices.Clone(roster.Traps), Trap{})
	for i := range traps {
		traps[i].Corrected = []CorrectedTrap{}
	}
	for _, c := range d.corrected() {
		_, name := roster.Find(c.Address)
		of := slices.IndexFunc(traps, func(t Trap) bool { return t.Name() == name })
		traps[of].Corrected = append(traps[of].Corrected, c)
	}
	if rest := len(traps) - 1; len(traps[rest].Corrected) == 0 {
		traps = traps[:rest]
	}
	return traps, nil
}

// corrected gives the addresses whose hits decisions have changed, in the order
// in which that began.
func (d *Desk) corrected() []CorrectedTrap {
	var all []CorrectedTrap
	for _, dec := range d.Store.Decisions(0, d.Store.Mark().Decision) {
		if dec.Trap == "" {
			continue
		}
		i := slices.IndexFunc(all, func(c CorrectedTrap) bool { return c.Address == dec.Trap })
		if i < 0 {
			i, all = len(all), append(all, CorrectedTrap{Address: dec.Trap})
		}
		all[i].take(dec)
	}
	return slices.DeleteFunc(all, func(c CorrectedTrap) bool {
		return c.Burnt == nil && c.Reweighed == nil
	})
}

func (c *CorrectedTrap) take(d criteria.Decision) {
	entry := &TrapDecision{Seq: d.Seq, At: d.At, Who: d.Who, Reason: d.Reason, Since: d.Since,
		after: d.After}
	switch d.Act {
	case criteria.ActBurn:
		c.Burnt = entry
	case criteria.ActUnburn:
		c.Burnt = nil
	case criteria.ActReweigh:
		entry.Weight, entry.Since = &d.Weight, 0
		c.Reweighed = entry
	}
}

// correctionOf gives what decisions say of one address.
func (d *Desk) correctionOf(address string) CorrectedTrap {
	for _, c := range d.corrected() {
		if c.Address == address {
			return c
		}
	}
	return CorrectedTrap{Address: address}
}
