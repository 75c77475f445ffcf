package judge

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// Settings are what a configuration wants of the ledger.
type Settings struct {
	Policy criteria.Policy
	Except map[netip.Prefix]string // [[except]]: network to reason
	Own    map[netip.Prefix]string // our own addresses, relays and proxies: likewise
}

// Settle gives the decisions that are missing in a ledger until it says what
// the configuration wants: a policy where another or none is in force, and
// exceptions of the configuration that came or went. Exceptions made by verb
// are left alone.
func Settle(ledger []criteria.Decision, want Settings, who string) []criteria.Decision {
	var missing []criteria.Decision
	if in := policyIn(ledger); in == nil || !in.Equal(want.Policy) {
		missing = append(missing, criteria.Decision{Act: criteria.ActPolicy, Who: who,
			Policy: &want.Policy, Reason: "configuration"})
	}
	missing = append(missing, settleExceptions(ledger, criteria.FromConfig, want.Except, who)...)
	return append(missing, settleExceptions(ledger, criteria.FromSelf, want.Own, who)...)
}

func policyIn(ledger []criteria.Decision) *criteria.Policy {
	for _, d := range slices.Backward(ledger) {
		if d.Act == criteria.ActPolicy {
			return d.Policy
		}
	}
	return nil
}

func settleExceptions(
	ledger []criteria.Decision, origin criteria.Origin, want map[netip.Prefix]string, who string,
) []criteria.Decision {
	in := map[netip.Prefix]string{}
	for _, d := range ledger {
		switch {
		case d.Origin != origin:
		case d.Act == criteria.ActExcept:
			in[d.Network] = d.Reason
		case d.Act == criteria.ActUnexcept:
			delete(in, d.Network)
		}
	}
	var missing []criteria.Decision
	for _, n := range sorted(want) {
		if reason, ok := in[n]; !ok || reason != want[n] {
			missing = append(missing, criteria.Decision{Act: criteria.ActExcept, Who: who, Network: n,
				Origin: origin, Reason: want[n]})
		}
	}
	for _, n := range sorted(in) {
		if _, ok := want[n]; !ok {
			missing = append(missing, criteria.Decision{Act: criteria.ActUnexcept, Who: who, Network: n,
				Origin: origin, Reason: "no longer configured"})
		}
	}
	return missing
}

func sorted(networks map[netip.Prefix]string) []netip.Prefix {
	return slices.SortedFunc(maps.Keys(networks), func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
}
