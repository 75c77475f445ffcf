package parser

import "fmt"

// Cause is the way a message got out, as far as it shows: what the listed party is told to mend.
type Cause uint8

// The causes. Bounce, Autoreply and List are what a message is, the others how it was injected.
const (
	Unknown    Cause = iota // nothing decides, or there is no source
	Direct                  // straight from the source, which wrote no Received line
	Relay                   // through the source, from somebody behind it
	Submission              // by a mail account, with SMTP AUTH
	Webmail                 // through a web interface or an HTTP API
	Script                  // by a program on the source itself
	Proxy                   // through an open or planted proxy
	Bounce                  // a delivery report to a forged sender (RFC 3464)
	Autoreply               // an automatic answer to a forged sender (RFC 3834, 5965, 8098)
	List                    // a mailing list (RFC 2919)
)

var causeNames = [...]string{
	Unknown: "unknown", Direct: "direct", Relay: "relay", Submission: "submission",
	Webmail: "webmail", Script: "script", Proxy: "proxy", Bounce: "bounce",
	Autoreply: "autoreply", List: "list",
}

// Causes lists every cause in order, Unknown first.
func Causes() []Cause {
	all := make([]Cause, len(causeNames))
	for i := range all {
		all[i] = Cause(i)
	}
	return all
}

// ParseCause reads the word that String writes, and says whether it is one.
func ParseCause(word string) (Cause, bool) {
	for i, name := range causeNames {
		if name == word {
			return Cause(i), true
		}
	}
	return Unknown, false
}

// String gives the word used in config, JSON and URLs.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return fmt.Sprintf("cause(%d)", uint8(c))
}

// MarshalText writes the word. A value that is no cause is an error, so that it is never stored.
func (c Cause) MarshalText() ([]byte, error) {
	if int(c) >= len(causeNames) {
		return nil, fmt.Errorf("write cause: no such cause %d", uint8(c))
	}
	return []byte(causeNames[c]), nil
}

// UnmarshalText reads the word; any other word is an error that names it.
func (c *Cause) UnmarshalText(text []byte) error {
	cause, ok := ParseCause(string(text))
	if !ok {
		return fmt.Errorf("read cause: no such cause %q", text)
	}
	*c = cause
	return nil
}
