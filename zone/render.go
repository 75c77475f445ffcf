package zone

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Test entries of RFC 5782, section 5. netip prints the second with a dotted tail, which rbldnsd
// does not read.
const (
	test4 = "127.0.0.2"
	test6 = "::ffff:7f00:2"
)

// Fixed parts of a zone.
const (
	titleEnd   = " by trapline: edits are lost at the next publication"
	retiredEnd = " by trapline: retired, it lists nobody"
	stampForm  = "20060102150405" // in UTC
	// Of $SOA refresh, retry and expire: nobody transfers the zone, RFC 1912 wants sane values.
	soaTimes = "3600 900 604800"
	maxRange = "$MAXRANGE4 /24"
)

// stampAge is how far in the past a zone is stamped: a mirror whose clock is behind ours by more
// refuses to serve it.
const stampAge = 5 * time.Minute

// family is one of the zone's two datasets.
type family struct {
	name string
	test string
	has  func(netip.Addr) bool
}

var families = [...]family{
	{"ip4trie", test4, netip.Addr.Is4},
	{"ip6trie", test6, netip.Addr.Is6},
}

// inFile is the answers in the order of their groups in the file.
var inFile = [...]criteria.Answer{criteria.Spam, criteria.Backscatter, criteria.Operator,
	criteria.Network}

// networkLead begins the text of a network's entry: who asks about an address in it must see that
// the address itself is not accused.
const networkLead = "In a network of many listed addresses. "

// textOf is the text of a group: the zone's, and for networks with a lead where there is room.
func textOf(a criteria.Answer, text string) string {
	if a != criteria.Network || textLen(networkLead+text) > maxTXT {
		return text
	}
	return strings.TrimSpace(networkLead + text)
}

// entryBytes is a generous guess at what one entry takes, so that the buffer is made once.
const entryBytes = 24

// Render gives the zone of listings as Resolve gives them. The serial is never written as 0, which
// rbldnsd would replace; what is not fit to be published, in the header too, is not written.
func Render(h Header, listings []criteria.Listing, serial uint32, now criteria.Second) []byte {
	if h.Retired {
		listings = nil
	}
	b := make([]byte, 0, 1024+entryBytes*len(listings))
	b = appendHead(b, h, serial, now)
	entries := 0
	for _, f := range families {
		b = append(b, "$DATASET "+f.name+" @\n"...)
		for _, a := range inFile {
			var n int
			b, n = appendGroup(b, f, a, textOf(a, safeText(h.Text)), listings)
			entries += n
		}
	}
	return append(b, sentinel(safeName(h.Origin), entries)+"\n"...)
}

// sentinel is the last line: it follows the last entry, so that no entry can be cut short unseen.
func sentinel(origin string, entries int) string {
	return "# end of " + origin + ": " + strconv.Itoa(entries) + " entries"
}

func appendHead(b []byte, h Header, serial uint32, now criteria.Second) []byte {
	ttl, ns := seconds(h.TTL), safeNames(h.NS)
	primary, _, _ := strings.Cut(ns, " ")
	b = fmt.Appendf(b, "%s\n", titleOf(h))
	if h.ValidFor > 0 {
		stamp := now.Time().Add(-stampAge).Format(stampForm)
		b = fmt.Appendf(b, "$TIMESTAMP %s +%ss\n", stamp, seconds(h.ValidFor))
	}
	b = fmt.Appendf(b, "$SOA %s %s %s %d %s %s\n", ttl, primary, safeName(h.Contact),
		max(1, serial), soaTimes, seconds(h.NegativeTTL))
	return fmt.Appendf(b, "$NS %s %s\n$TTL %s\n%s\n", ttl, ns, ttl, maxRange)
}

// titleOf is the first line.
func titleOf(h Header) string {
	if h.Retired {
		return "# " + safeName(h.Origin) + retiredEnd
	}
	return "# " + safeName(h.Origin) + titleEnd
}

// appendGroup appends the entries of one answer below their default line, and counts them. The test
// entry opens the first group, which therefore always stands.
func appendGroup(b []byte, f family, a criteria.Answer, text string,
	listings []criteria.Listing,
) ([]byte, int) {
	start, entries := len(b), 0
	b = append(b, ":"+a.String()+":"+text+"\n"...)
	if a == criteria.Spam {
		b = append(b, f.test+"\n"...)
	}
	for i := range listings {
		if l := &listings[i]; l.Answer == a && f.has(l.Source.Addr()) && unfit(*l, nil) == "" {
			b = append(appendSource(b, l.Source), '\n')
			entries++
		}
	}
	if entries == 0 && a != criteria.Spam {
		return b[:start], 0
	}
	return b, entries
}

// appendSource writes a network as all our files do: one address without its length.
func appendSource(b []byte, p netip.Prefix) []byte {
	if p.IsSingleIP() {
		return p.Addr().AppendTo(b)
	}
	return p.AppendTo(b)
}
