package judge

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/criteria"
)

// Settings are what a configuration wants of the ledger.
type Settings struct {
	Policy criteria.Policy
	Except map[netip.Prefix]string // [[except]]: network to reason
	Own    map[netip.Prefix]string // our own addresses, relays and proxies: likewise

	Trust criteria.Trust // whose Received lines are believed

	Version string            // of the configuration; "" is not recorded
	Parts   map[string]string // the versions of its parts
	Note    string            // what is new in it; "": the parts that are say so
}

// Settle gives the decisions that are missing in a ledger until it says what
// the configuration wants: a policy where another or none is in force,
// exceptions of the configuration that came or went, who is trusted where that
// changed, and, where it is another
// configuration than the last one, its version. Exceptions made by verb are left
// alone. New exceptions come first and old ones go last, so that at no decision
// in between an address is free to be listed that neither side of the change
// would list; only a ledger without any policy begins with one.
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
	version := append(trusting(ledger, want.Trust, who), versionMissing(ledger, want, who)...)
	if in == nil {
		return slices.Concat(policy, come, leave, version)
	}
	return slices.Concat(come, policy, leave, version)
}

// versionMissing gives the decision that records the configuration, where it is
// another one than the last that the ledger knows.
func versionMissing(ledger []criteria.Decision, want Settings, who string) []criteria.Decision {
	last, _ := LastConfig(ledger)
	if want.Version == "" || last.Name == want.Version {
		return nil
	}
	note := want.Note
	if note == "" {
		note = "the first"
		if changed := PartsChanged(last.Parts, want.Parts); last.Name != "" {
			note = "another " + strings.Join(changed, ", ")
		}
	}
	return []criteria.Decision{{Act: criteria.ActConfig, Who: who, Name: want.Version,
		Parts: want.Parts, Reason: note}}
}

// LastConfig gives the decision that recorded the configuration in force.
func LastConfig(ledger []criteria.Decision) (d criteria.Decision, known bool) {
	for _, d := range slices.Backward(ledger) {
		if d.Act == criteria.ActConfig {
			return d, true
		}
	}
	return d, false
}

// PartsChanged names the parts of which two configurations have different
// versions, sorted.
func PartsChanged(before, after map[string]string) []string {
	var changed []string
	all := map[string]string{}
	maps.Copy(all, before)
	maps.Copy(all, after)
	for _, part := range slices.Sorted(maps.Keys(all)) {
		if before[part] != after[part] {
			changed = append(changed, part)
		}
	}
	return changed
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
