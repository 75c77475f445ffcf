package judge

import (
	"slices"

	"github.com/trapline/trapline/criteria"
)

// trusting gives the decision that notes who is trusted from now on, where the last
// one says otherwise. Nobody is trusted before the first.
func trusting(ledger []criteria.Decision, want criteria.Trust, who string) []criteria.Decision {
	var in criteria.Trust
	for _, d := range slices.Backward(ledger) {
		if d.Act == criteria.ActTrust {
			in = *d.Trust
			break
		}
	}
	if in.Equal(want) {
		return nil
	}
	return []criteria.Decision{{Act: criteria.ActTrust, Who: who, Trust: &want,
		Reason: "configuration"}}
}
