package dispute

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Challenge is the TXT record that shows who controls an address.
type Challenge struct {
	Name  string          `json:"name"`  // ends in a dot
	Text  string          `json:"text"`  // the whole of the record
	Until criteria.Second `json:"until"` // it proves nothing from then on
}

// Bounds of a check: the reverse zone is in the hands of whoever claims to control
// it, and may answer anything, or nothing.
const (
	tokenFor     = 24 * time.Hour
	checkEvery   = time.Minute // of one dispute
	checkTimeout = 3 * time.Second
	mostChecks   = 8   // at the same time
	mostRecords  = 32  // of an answer
	mostRecord   = 255 // bytes of a record
	tokenPrefix  = "trapline-proof="
)

// base is for what people copy: no capitals, and nothing that looks like another.
var base = base32.StdEncoding.WithPadding(base32.NoPadding)

func spell(b []byte) string { return strings.ToLower(base.EncodeToString(b)) }

// newID gives an id that nobody guesses: 80 random bits.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails: crypto/rand
	return spell(b[:])
}

// nameOf is where the token of an address or network stands: `_trapline.` before
// the name of its reverse zone (RFC 1035 section 3.5, RFC 3596 section 2.5). Of a
// network that ends within a hexadecimal digit it is the zone around it.
func nameOf(n netip.Prefix) string {
	name := strings.Builder{}
	name.WriteString("_trapline.")
	if b := n.Addr().AsSlice(); n.Addr().Is4() {
		fmt.Fprintf(&name, "%d.%d.%d.%d.in-addr.arpa.", b[3], b[2], b[1], b[0])
		return name.String()
	}
	const digits = "0123456789abcdef"
	b := n.Addr().As16()
	for i := n.Bits()/4 - 1; i >= 0; i-- {
		digit := b[i/2] >> 4
		if i%2 == 1 {
			digit = b[i/2] & 15
		}
		name.WriteByte(digits[digit])
		name.WriteByte('.')
	}
	name.WriteString("ip6.arpa.")
	return name.String()
}

// tokens makes and knows tokens. They are not kept anywhere: each says when it
// ends, and is signed with the address and the dispute that it is for.
type tokens struct{ key []byte }

// newTokens takes a key of its own from a secret that has other uses.
func newTokens(secret []byte) tokens {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("trapline dispute proof"))
	return tokens{mac.Sum(nil)}
}

// challenge gives the record for a case. Within an hour it is the same.
func (t tokens) challenge(c *Case, now criteria.Second) Challenge {
	end := hourDown(now) + criteria.Second(tokenFor/time.Second)
	return Challenge{nameOf(c.Subject.Prefix), t.token(c, end), end}
}

func (t tokens) token(c *Case, end criteria.Second) string {
	mac := hmac.New(sha256.New, t.key)
	fmt.Fprintf(mac, "%s\n%s\n%d", c.ID, c.Subject.Prefix, end)
	return fmt.Sprintf("%s%d-%s", tokenPrefix, end, spell(mac.Sum(nil)[:16]))
}

// proves tells whether a record is the token of a case, and still holds.
func (t tokens) proves(record string, c *Case, now criteria.Second) bool {
	record = strings.TrimSpace(record)
	rest, ours := strings.CutPrefix(record, tokenPrefix)
	if !ours || len(record) > mostRecord {
		return false
	}
	number, _, _ := strings.Cut(rest, "-")
	end, err := strconv.ParseInt(number, 10, 64)
	if err != nil || end <= int64(now) || end > int64(now)+int64(tokenFor/time.Second) {
		return false
	}
	return hmac.Equal([]byte(record), []byte(t.token(c, criteria.Second(end))))
}

// check looks for the token of a case in the DNS.
func (c *Clerk) check(ctx context.Context, k Case) error {
	select {
	case c.checks <- struct{}{}:
		defer func() { <-c.checks }()
	default:
		return refuse(Busy, "try again in a minute", "too many checks are under way")
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	name, now := nameOf(k.Subject.Prefix), c.now()
	records, err := c.cfg.TXT(ctx, name)
	for _, record := range records[:min(len(records), mostRecords)] {
		if c.tokens.proves(record, &k, now) {
			return nil
		}
	}
	var dns *net.DNSError
	switch {
	case err != nil && (!errors.As(err, &dns) || !dns.IsNotFound):
		return refuse(NoProof, "see that its servers answer, and check again in a minute",
			"the DNS gives no answer for %s", name)
	case len(records) == 0:
		return refuse(NoProof, "resolvers may remember for a while that there was none; check again then",
			"there is no TXT record at %s", name)
	}
	return refuse(NoProof, "copy it from this page anew: a token holds for a day, for one address "+
		"and one dispute", "none of the TXT records at %s is the token of this dispute", name)
}
