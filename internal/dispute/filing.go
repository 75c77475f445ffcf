package dispute

import (
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
)

// filings are who filed in the last day, the oldest first. They are apart from the
// forms, so that one that had to go for another is not filed for nothing.
type filings []filing

type filing struct {
	from netip.Prefix // Private.Network
	at   criteria.Second
}

const (
	mostFilings   = 20000 // that are noted; the oldest are forgotten first
	mostOfNetwork = 5     // filed from a network in a day

	seconds24 criteria.Second = 24 * hour
)

// filingsOf are those whose forms are still there.
func filingsOf(k docket) (f filings) {
	for _, c := range k.chosen(func(c *Case) bool { return c.Private != nil }) {
		f.note(c.Private.Network, c.Filed)
	}
	return f
}

// note adds a form, and forgets what is a day old.
func (f *filings) note(from netip.Prefix, at criteria.Second) {
	*f = append(*f, filing{from, at})
	old := slices.IndexFunc(*f, func(one filing) bool { return one.at > at-seconds24 })
	*f = slices.Delete(*f, 0, max(old, len(*f)-mostFilings))
}

// room says why a network cannot file another form.
func (f filings) room(from netip.Prefix, now criteria.Second) error {
	first, n := criteria.Never, 0
	for _, one := range f {
		if one.from == from && one.at > now-seconds24 {
			first, n = min(first, one.at), n+1
		}
	}
	if n < mostOfNetwork {
		return nil
	}
	return refuse(TooMany, "the disputes that were filed can still be proven",
		"%d disputes came from your network in a day", n).until(first + seconds24)
}
