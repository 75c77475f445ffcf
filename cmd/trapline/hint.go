package main

import (
	"fmt"
	"strings"

	"github.com/trapline/trapline/parser"
)

// hintFor names what would let a search go on that found no source: a flag, or what the operator
// must mend. What it repeats of the message is a claim, for the operator to judge.
func hintFor(t parser.Trace) string {
	if len(t.Hops) == 0 {
		if t.Reason == parser.NoReceived {
			return "if you know who handed it over, give --peer"
		}
		return ""
	}
	last := t.Hops[len(t.Hops)-1]
	switch t.Reason {
	case parser.NoTrustedStart:
		return hintForHost(last)
	case parser.WrongBy:
		return hintForName(t.Hops)
	case parser.NoReceived:
		return fmt.Sprintf("if %s writes no Received line, do not name it as a relay: it is the "+
			"source of what it relays", last.IP)
	case parser.UnreadableReceived:
		return "no flag makes the line readable: have the host that wrote it write its usual one"
	case parser.SpecialAddress:
		return hintForAddress(last, t.Claims)
	case parser.LocalSubmission:
		return "if nobody submits there but programs that hand on mail, give --trust-local"
	}
	return ""
}

// hintForHost tells how the host that claims the topmost line is named.
func hintForHost(last parser.Hop) string {
	if !isHostName(last.By) {
		return ""
	}
	return fmt.Sprintf("if you know that %s wrote line %d, give --trust-host %s",
		last.By, last.N, last.By)
}

// hintForName tells how a relay is given the name by which the next line is.
func hintForName(hops []parser.Hop) string {
	last := hops[len(hops)-1]
	if len(hops) < 2 || !isHostName(last.By) {
		return ""
	}
	above := len(hops) - 2
	for above > 0 && !hops[above].IP.IsValid() { // its queue wrote a line of its own
		above--
	}
	relay := hops[above].IP
	if !relay.IsValid() {
		return ""
	}
	return fmt.Sprintf("if %s is your relay %s, give --trust %s=%s", relay, last.By, relay, last.By)
}

// hintForAddress tells how a host within is walked past. Of the other special addresses none is
// anybody's relay.
func hintForAddress(last parser.Hop, claims []parser.Hop) string {
	switch {
	case last.IP.IsLoopback():
		return "if only content filters submit over loopback there, give --trust-loopback"
	case !last.IP.IsPrivate():
		return ""
	case len(claims) > 0 && isHostName(claims[0].By):
		return fmt.Sprintf("if %s is your own relay %s, give --trust %s=%s",
			last.IP, claims[0].By, last.IP, claims[0].By)
	}
	return fmt.Sprintf("if %s is your own relay, give --trust %s=NAME, the name behind its by",
		last.IP, last.IP)
}

// isHostName tells whether a name may stand in a command line that somebody copies: letters,
// digits, dots, hyphens and underscores, not the address of a machine inside of a mail service.
func isHostName(name string) bool {
	const others = "-._"
	for i := range len(name) {
		c := name[i] | 0x20
		if ('a' > c || c > 'z') && (name[i] < '0' || name[i] > '9') &&
			strings.IndexByte(others, name[i]) < 0 {
			return false
		}
	}
	return name != "" && name[0] != '-' && len(name) <= 255
}
