package admin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/trapline/trapline/criteria"
)

// Import is a list of exceptions that somebody else keeps. It replaces what the
// same source brought before, so bringing it again is harmless.
type Import struct {
	Source   string            `json:"source"` // whose list it is
	Networks []ImportedNetwork `json:"networks"`
	For      int64             `json:"for"`     // seconds; 0: without end
	Reason   string            `json:"reason"`  // of taking back what the list no longer has
	DryRun   bool              `json:"dry_run"` // only tell what it would do
	Remove   bool              `json:"remove"`  // take back all: there are no networks
}

// ImportedNetwork is one network of a list.
type ImportedNetwork struct {
	Network netip.Prefix `json:"network"`
	Reason  string       `json:"reason"`
}

// Imported is what became of a list.
type Imported struct {
	Source  string          `json:"source"`
	DryRun  bool            `json:"dry_run"`
	First   uint64          `json:"first"` // numbers of the decisions; 0: there was nothing to decide
	Last    uint64          `json:"last"`
	At      criteria.Second `json:"at"`
	Who     string          `json:"who"`
	Added   int             `json:"added"`
	Renewed int             `json:"renewed"` // with another reason or end
	Removed int             `json:"removed"`
	Kept    int             `json:"kept"`
	// Changes are the listings that began or ended; of a dry run those that
	// would end.
	Changes []Change `json:"changes"`
}

const (
	importPrefix = "import:"
	mostSource   = 64 // bytes of its name
)

// importedFrom names the list that an exception was imported from.
func importedFrom(o criteria.Origin) (source string, ok bool) {
	return strings.CutPrefix(string(o), importPrefix)
}

// Check tells what is wrong with a list by itself.
func (i Import) Check() error {
	if err := CheckSource(i.Source); err != nil {
		return err
	}
	if err := checkReason(i.Reason); err != nil {
		return err
	}
	if i.Remove && len(i.Networks) > 0 {
		return badRequest("networks to import and to take back at once", "do one after the other")
	}
	for _, n := range i.Networks {
		order := Order{Act: criteria.ActExcept, Network: n.Network, Reason: n.Reason, For: i.For}
		if err := order.Check(); err != nil {
			return fmt.Errorf("%s: %w", n.Network, err)
		}
	}
	return nil
}

// CheckSource keeps the name of a list, or of who counted points, fit for a
// command line.
func CheckSource(name string) error {
	unfit := func(r rune) bool {
		return !unicode.IsPrint(r) || r == ' ' || r == unicode.ReplacementChar
	}
	if name == "" || len(name) > mostSource || strings.ContainsFunc(name, unfit) {
		return badRequest(fmt.Sprintf("%q is no name of a source", name),
			"give a word of 64 bytes at most")
	}
	return nil
}

// Import makes the exceptions of a source those of its list. All of it is one
// batch of the ledger. A list without networks is refused while the source has
// some: more likely it was cut off than emptied.
func (d *Desk) Import(ctx context.Context, who string, i Import) (Imported, error) {
	if err := i.Check(); err != nil {
		return Imported{}, err
	}
	d.deciding.Lock()
	defer d.deciding.Unlock()
	before, err := d.Judge.Listings()
	if err != nil {
		return Imported{}, err
	}
	done := Imported{Source: i.Source, DryRun: i.DryRun, At: before.At, Who: who, Changes: []Change{}}
	decisions := done.draft(i, before.Exceptions, d.untilOf(i.For))
	switch {
	case i.Remove && len(decisions) == 0:
		return done, none(fmt.Sprintf("nothing is imported from %q", i.Source),
			"see trapline except list")
	case !i.Remove && len(i.Networks) == 0 && done.Removed > 0:
		return done, refused(fmt.Sprintf("the list is empty, and %d networks are imported from %q",
			done.Removed, i.Source), "was it cut off? take them back with except rm --source")
	}
	err = d.carryOut(ctx, &done, decisions, before.Listings)
	return done, err
}

// draft gives the decisions that are missing until a source's exceptions are
// those of its list, and counts them.
func (n *Imported) draft(
	i Import, except []criteria.Exception, until criteria.Second,
) []criteria.Decision {
	origin := criteria.Origin(importPrefix + i.Source)
	in := map[netip.Prefix]criteria.Exception{}
	for _, x := range except {
		if x.Origin == origin {
			in[x.Network] = x
		}
	}
	var decisions []criteria.Decision
	for _, w := range i.Networks {
		old, known := in[w.Network]
		delete(in, w.Network)
		switch {
		case known && old.Reason == w.Reason && old.Until == criteria.Never && until == 0:
			n.Kept++
			continue
		case known:
			n.Renewed++
		default:
			n.Added++
		}
		decisions = append(decisions, criteria.Decision{Act: criteria.ActExcept, Who: n.Who,
			Network: w.Network, Reason: w.Reason, Origin: origin, Until: until})
	}
	for _, x := range except { // in their order
		if _, over := in[x.Network]; over && x.Origin == origin {
			n.Removed++
			decisions = append(decisions, criteria.Decision{Act: criteria.ActUnexcept, Who: n.Who,
				Network: x.Network, Reason: i.Reason, Origin: origin})
		}
	}
	return decisions
}

func (d *Desk) carryOut(
	ctx context.Context, n *Imported, decisions []criteria.Decision, before []criteria.Listing,
) error {
	switch {
	case len(decisions) == 0:
		return nil
	case n.DryRun:
		n.Changes = endingsOf(decisions, before)
		return nil
	}
	after, err := d.enact(ctx, decisions)
	first, last := decisions[0], decisions[len(decisions)-1]
	n.First, n.Last, n.At = first.Seq, last.Seq, last.At
	n.Changes = changes(before, after.Listings)
	return err
}

// endingsOf gives the listings that lie in networks to be excepted.
func endingsOf(decisions []criteria.Decision, listings []criteria.Listing) []Change {
	networks := map[netip.Prefix]bool{}
	lengths := map[int]bool{}
	for _, d := range decisions {
		if d.Act == criteria.ActExcept {
			networks[d.Network] = true
			lengths[d.Network.Bits()] = true
		}
	}
	ends := func(l criteria.Listing) bool {
		for bits := range lengths {
			wide, err := l.Source.Addr().Prefix(bits)
			if err == nil && bits <= l.Source.Bits() && networks[wide] {
				return true
			}
		}
		return false
	}
	return changes(slices.DeleteFunc(slices.Clone(listings), func(l criteria.Listing) bool {
		return !ends(l)
	}), nil)
}
