package parser

import "fmt"

// Reason tells why the walk stopped. Only UntrustedPeer comes with a source.
type Reason uint8

// The reasons.
const (
	UntrustedPeer      Reason = iota // the first host outside the trusted ones: the normal case
	NoReceived                       // a trusted host handed over a message without a Received line
	UnreadableReceived               // a trusted host's line fits no grammar, or shows no address
	WrongBy                          // a line that the trusted relay did not write, by its name
	SpecialAddress                   // the peer's address belongs to nobody on the internet
	AllTrusted                       // the chain ended before it left the trusted hosts
	LocalSubmission                  // a line that records a user instead of a peer
	NoTrustedStart                   // no connection, and the topmost line is by no trusted host
)

var reasonNames = [...]string{
	UntrustedPeer: "untrusted-peer", NoReceived: "no-received",
	UnreadableReceived: "unreadable-received", WrongBy: "wrong-by",
	SpecialAddress: "special-address", AllTrusted: "all-trusted",
	LocalSubmission: "local-submission", NoTrustedStart: "no-trusted-start",
}

// ParseReason reads the word that String writes, and says whether it is one.
func ParseReason(word string) (Reason, bool) {
	for i, name := range reasonNames {
		if name == word {
			return Reason(i), true
		}
	}
	return UntrustedPeer, false
}

// String gives the word used in JSON.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// MarshalText writes the word. A value that is no reason is an error, so that it is never stored.
func (r Reason) MarshalText() ([]byte, error) {
	if int(r) >= len(reasonNames) {
		return nil, fmt.Errorf("write reason: no such reason %d", uint8(r))
	}
	return []byte(reasonNames[r]), nil
}

// UnmarshalText reads the word; any other word is an error that names it.
func (r *Reason) UnmarshalText(text []byte) error {
	reason, ok := ParseReason(string(text))
	if !ok {
		return fmt.Errorf("read reason: no such reason %q", text)
	}
	*r = reason
	return nil
}
