package zone

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Header is what a zone says of itself, in the operator's words.
type Header struct {
	Origin      string        // the zone's name, and that of its files; no final dot
	NS          []string      // name servers; the first is the primary in $SOA
	Contact     string        // $SOA's mailbox, in its form of a name
	TTL         time.Duration // of every record
	NegativeTTL time.Duration // $SOA's minimum: how long "not listed" may be cached (RFC 2308)
	Text        string        // of the TXT record; $ stands for the address asked for, $$ for $
	ValidFor    time.Duration // copies older than this fall silent; 0: never
	Retired     bool          // the zone lists nobody, for good
}

// retiredText is what the test entries of a retired zone say, the only ones that it has.
const retiredText = "This list is retired and lists nobody: take it out of your configuration"

// retired is the header of the zone once it is retired (RFC 6471, section 3.4: it goes on being
// served and never lists the world).
func (h Header) retired() Header {
	h.Retired, h.Text = true, retiredText
	return h
}

// Bounds of a header's values.
const (
	maxName  = 253 // RFC 1035, section 2.3.4, as text
	maxLabel = 63  // likewise
	maxNS    = 32  // rbldnsd ignores the rest
	maxTXT   = 254 // bytes that rbldnsd sends of a text, after $ is replaced
	maxAddr  = 39  // bytes of the longest IPv6 address, which $ may become

	maxTTL   = 7 * 24 * time.Hour // longer, and nobody would notice a delisting
	minValid = time.Hour          // shorter, and a pause of rsync would silence the mirrors
	maxValid = 366 * 24 * time.Hour
)

// Check gives everything that is wrong with the header; nil means that Render writes it as it is.
func (h Header) Check() error {
	var faults Faults
	faults.want(isName(h.Origin), "origin", fmt.Sprintf("%q is not a domain name", h.Origin))
	faults.want(!strings.EqualFold(h.Origin, sumsName), "origin", "is the name of another file")
	faults.want(isName(h.Contact), "contact", fmt.Sprintf("%q is not a domain name", h.Contact))
	faults.want(len(h.NS) > 0 && len(h.NS) <= maxNS, "ns", fmt.Sprintf("give 1 to %d names", maxNS))
	for _, ns := range h.NS {
		faults.want(isName(ns), "ns", fmt.Sprintf("%q is not a domain name", ns))
	}
	faults.want(wholeSeconds(h.TTL, time.Second, maxTTL), "ttl", "give whole seconds, 1s to 168h")
	faults.want(wholeSeconds(h.NegativeTTL, 0, maxTTL), "negative_ttl",
		"give whole seconds, 0s to 168h")
	faults.want(h.ValidFor == 0 || wholeSeconds(h.ValidFor, minValid, maxValid), "valid_for",
		"give 0, or whole seconds, 1h to 8784h")
	faults.want(h.Text == safeText(h.Text), "text",
		"give printable ASCII that starts with neither : nor =, with $ for the address and $$ for $")
	n := textLen(h.Text)
	faults.want(n <= maxTXT, "text",
		fmt.Sprintf("is %d bytes with an IPv6 address, give %d at most", n, maxTXT))
	return faults.orNil()
}

// Equal tells whether two headers write the same zone.
func (h Header) Equal(o Header) bool {
	return reflect.DeepEqual(h, o)
}

func wholeSeconds(d, lowest, highest time.Duration) bool {
	return d >= lowest && d <= highest && d%time.Second == 0
}

// isName tells whether s is a domain name that means the same to us and to rbldnsd: a name with a
// leading minus would be a name server that is switched off.
func isName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || !all(label, isNameByte) {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// safeName gives s, or where it is no name one that stands for nothing (RFC 2606, section 2).
func safeName(s string) string {
	if !isName(s) {
		return "invalid"
	}
	return s
}

// safeNames gives at least one name.
func safeNames(names []string) string {
	if len(names) == 0 {
		return safeName("")
	}
	safe := make([]string, len(names))
	for i, n := range names {
		safe[i] = safeName(n)
	}
	return strings.Join(safe, " ")
}

// safeText gives a template that rbldnsd reads as one line and sends as it stands. A colon in front
// would be read as part of the value before it and an equals sign is swallowed; a dollar before a
// digit or an equals sign would ask for a variable, and becomes a plain one.
func safeText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case c == '$' && next == '$':
			b.WriteString("$$")
			i++
		case c == '$' && (next == '=' || next >= '0' && next <= '9'):
			b.WriteString("$$")
		case c < ' ' || c > '~':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimRight(strings.TrimLeft(b.String(), " :="), " ")
}

// textLen is the length in bytes of a template's longest text.
func textLen(s string) int {
	dollars := strings.Count(s, "$$")
	addresses := strings.Count(s, "$") - 2*dollars
	return len(s) - dollars + addresses*(maxAddr-1)
}

// seconds prints a duration as a number, never less than 0.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(max(0, d)/time.Second), 10)
}
