package criteria

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestDisputesDoNotList: what happens to disputes, and who is trusted, is kept as it was decided and
// changes nothing in the list.
func TestDisputesDoNotList(t *testing.T) {
	n := netip.MustParsePrefix("198.51.100.7/32")
	e := NewEngine(DefaultPolicy(), Corrections{})
	for i, d := range []Decision{
		{Act: ActDispute, Name: "id", Network: n, Dispute: &Dispute{Step: StepOpened, Address: n.Addr(),
			Claim: "technical", Proof: "txt", Filed: 5}},
		{Act: ActDispute, Name: "id", Network: n, Dispute: &Dispute{Step: StepReread, Read: 3}, Reason: "why"},
		{Act: ActTrust, Trust: &Trust{Hosts: []string{"a"}, Relays: []TrustedRelay{{n, []string{"b"}}},
			Loopback: true, LocalSubmission: true, Reporters: []TrustedReporter{{"noc", []string{"c"},
				[]netip.Prefix{n}}}}},
	} {
		d.Seq = uint64(i + 1)
		if changes, err := e.Decide(d); err != nil || len(changes) > 0 {
			t.Errorf("%+v: %v, %v", d, changes, err)
		}
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again Decision
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, again, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
			t.Errorf("through JSON: %s", diff)
		}
	}
}

func TestDisputesOfAWrongForm(t *testing.T) {
	n := netip.MustParsePrefix("198.51.100.7/32")
	opened := &Dispute{Step: StepOpened}
	for name, d := range map[string]Decision{
		"no step":      {Act: ActDispute, Name: "id", Network: n},
		"unknown step": {Act: ActDispute, Name: "id", Network: n, Dispute: &Dispute{Step: "begun"}},
		"no id":        {Act: ActDispute, Network: n, Dispute: opened},
		"no network":   {Act: ActDispute, Name: "id", Dispute: opened},
		"host bits":    {Act: ActDispute, Name: "id", Network: netip.MustParsePrefix("198.51.100.7/24"), Dispute: opened},
		"no trust":     {Act: ActTrust},
	} {
		if d.Check() == nil {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
}
