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
// are left alone. New exceptions come first and old ones go last, so that at no
// decision in between an address is free to be listed that neither side of the
// change would list; only a ledger without any policy begins with one.
func Settle(ledger []criteria.Decision, want Settings, who string) []criteria.Decision {
	var come, policy, leave []criteria.Decision
	for _, origin := range []struct {
		criteria.Origin
		want map[netip.Prefix]string
	}{{criteria.FromConfig, want.Except}, {criteria.FromSelf, want.Own}} {
		in := exceptionsIn(ledger, origin.Origin)
		come = append(come, coming(in, origin.want, origin.Origin, who)...)
		leave = append(leave, going(in, origin.want, origin.Origin, who)...)
	}
	in := policyIn(ledger)
	if in == nil || !in.Equal(want.Policy) {
		policy = []criteria.Decision{{Act: criteria.ActPolicy, Who: who, Policy: &want.Policy,
			Reason: "configuration"}}
	}
	if in == nil {
		return slices.Concat(policy, come, leave)
	}
	return slices.Concat(come, policy, leave)
}

func policyIn(ledger []criteria.Decision) *criteria.Policy {
	for _, d := range slices.Backward(ledger) {
		if d.Act == criteria.ActPolicy {
			return d.Policy
		}
	}
	return nil
}

// exceptionsIn gives the exceptions of an origin that a ledger leaves in force.
func exceptionsIn(ledger []criteria.Decision, origin criteria.Origin) map[netip.Prefix]string {
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
	return in
}

// coming gives the decisions for exceptions that are wanted and not in force.
func coming(in, want map[netip.Prefix]string, origin criteria.Origin, who string) []criteria.Decision {
	var missing []criteria.Decision
	for _, n := range sorted(want) {
		if reason, ok := in[n]; !ok || reason != want[n] {
			missing = append(missing, criteria.Decision{Act: criteria.ActExcept, Who: who, Network: n,
				Origin: origin, Reason: want[n]})
		}
	}
	return missing
}

// going gives the decisions for exceptions that are in force and not wanted.
func going(in, want map[netip.Prefix]string, origin criteria.Origin, who string) []criteria.Decision {
	var over []criteria.Decision
	for _, n := range sorted(in) {
		if _, ok := want[n]; !ok {
			over = append(over, criteria.Decision{Act: criteria.ActUnexcept, Who: who, Network: n,
				Origin: origin, Reason: "no longer configured"})
		}
	}
	return over
}

func sorted(networks map[netip.Prefix]string) []netip.Prefix {
	return slices.SortedFunc(maps.Keys(networks), func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
}
