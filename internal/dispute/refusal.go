package dispute

import (
	"errors"
	"fmt"

	"github.com/trapline/trapline/criteria"
)

// Refusal is why something that a requester wants is not done.
type Refusal string

// The refusals.
const (
	BadForm     Refusal = "bad-form"      // a field is empty, too long or no such thing
	NotListed   Refusal = "not-listed"    // there is nothing to dispute
	NotADispute Refusal = "not-a-dispute" // "fixed, please remove": the listing ends by itself
	AlreadyOpen Refusal = "already-open"  // with as good a proof, or a better one
	CoolingDown Refusal = "cooling-down"  // one was rejected, or removed, a short while ago
	TooMany     Refusal = "too-many"      // from one network
	Busy        Refusal = "busy"          // too many of all, or of DNS queries: later, or by TXT
	Unknown     Refusal = "unknown"       // there is no such dispute, or it was forgotten
	Over        Refusal = "over"          // it has ended
	NoProof     Refusal = "no-proof"      // the token is not in the DNS
	NotOffered  Refusal = "not-offered"   // self-removal is off, or not for such a listing
)

// RefusedError says in kind words why something is not done, and what helps. It
// is fit to be shown to the requester.
type RefusedError struct {
	Why     Refusal
	Message string
	Hint    string
	ID      string          // of the ended dispute that stands in the way; "": none, or not told
	Until   criteria.Second // when that ends, in full hours; 0: nobody knows
}

// Error gives message and hint in one line.
func (r *RefusedError) Error() string {
	if r.Hint == "" {
		return r.Message
	}
	return r.Message + ": " + r.Hint
}

func refuse(why Refusal, hint, format string, args ...any) *RefusedError {
	return &RefusedError{Why: why, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// until completes a refusal with the hour at which its reason ends.
func (r *RefusedError) until(at criteria.Second) *RefusedError {
	if at != criteria.Never {
		r.Until = hourUp(at)
	}
	return r
}

// told leaves out of a refusal which dispute stands in the way, unless the requester
// has shown that the address is his: who knows an id reads its page.
func told(err error, own bool) error {
	var r *RefusedError
	if errors.As(err, &r) && !own {
		r.ID = ""
	}
	return err
}

// barred completes why a proof is not enough with what the better one, a TXT, lacks.
func barred(why, lack error) error {
	var r, better *RefusedError
	if errors.As(why, &r) && errors.As(lack, &better) {
		r.Hint = "a TXT record would be enough, but " + better.Error()
		return r
	}
	return lack
}

// because completes a refusal with the dispute that stands in the way.
func (r *RefusedError) because(c *Case) *RefusedError {
	r.ID = c.ID
	return r
}
