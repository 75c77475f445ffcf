package admin

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"github.com/trapline/trapline/criteria"
)

// Order is what the operator decides over the score.
type Order struct {
	Act     criteria.Act `json:"act"` // except, unexcept, list or delist
	Network netip.Prefix `json:"network"`
	Reason  string       `json:"reason"`
	For     int64        `json:"for"` // seconds; 0: without end
}

// MostReason bounds a reason, in bytes.
const MostReason = 500

// Bounds of an order. Nothing wider than a /24 or /48 is ever published, so
// nothing wider is listed. An exception may be as wide as the largest blocks
// that one operator holds; what is wider is a slip, and would silence the list.
const (
	mostFor                      = 3660 * 24 * time.Hour
	widestList4, widestList6     = 24, 48
	widestExcept4, widestExcept6 = 8, 16
)

// Check tells what is wrong with an order by itself, whatever is listed: a
// ProblemError that says the mend.
func (o Order) Check() error {
	if err := o.checkNetwork(); err != nil {
		return err
	}
	if err := checkFor(o.For); err != nil {
		return err
	}
	if o.Act == criteria.ActUnexcept && o.Reason == "" {
		return nil
	}
	return checkReason(o.Reason)
}

func (o Order) checkNetwork() error {
	n, widest := o.Network, 0
	switch o.Act {
	case criteria.ActExcept:
		widest = familyOf(n, widestExcept4, widestExcept6)
	case criteria.ActList, criteria.ActDelist:
		widest = familyOf(n, widestList4, widestList6)
	case criteria.ActUnexcept:
	default:
		return badRequest(fmt.Sprintf("%q is no order", o.Act),
			"give except, unexcept, list or delist")
	}
	switch {
	case !n.IsValid() || n != n.Masked() || n.Addr().Is4In6():
		return badRequest(fmt.Sprintf("%q is not a network", n), "give it as 192.0.2.0/24")
	case n.Bits() < widest:
		return badRequest(fmt.Sprintf("%s is wider than a /%d", n, widest),
			fmt.Sprintf("%s networks of /%d and longer", o.Act, widest))
	}
	return nil
}

func familyOf(n netip.Prefix, four, six int) int {
	if n.Addr().Is4() {
		return four
	}
	return six
}

func checkFor(seconds int64) error {
	if seconds < 0 || seconds > int64(mostFor/time.Second) {
		return badRequest("the duration is negative or longer than ten years",
			"leave it out for what has no end")
	}
	return nil
}

// checkReason keeps reasons fit for terminals, pages and logs.
func checkReason(reason string) error {
	unfit := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	switch {
	case strings.TrimSpace(reason) == "":
		return badRequest("the reason is empty", "say why, for whoever reads the ledger later")
	case len(reason) > MostReason:
		return badRequest(fmt.Sprintf("the reason has %d bytes", len(reason)),
			fmt.Sprintf("say it in %d", MostReason))
	case strings.ContainsFunc(reason, unfit):
		return badRequest("the reason has a character that does not print",
			"write one line of plain text")
	}
	return nil
}

// Effect is an order that was carried out.
type Effect struct {
	Seq     uint64          `json:"seq"` // number of the decision
	At      criteria.Second `json:"at"`
	Who     string          `json:"who"`
	Act     criteria.Act    `json:"act"`
	Network netip.Prefix    `json:"network"` // of an IPv6 address: the unit that is listed for it
	Reason  string          `json:"reason"`
	Until   criteria.Second `json:"until"`   // null: without end
	Changes []Change        `json:"changes"` // listings that began, ended or changed their answer
	// Left are the listings that still share addresses with the network: those
	// around an exception, and those that other decisions or hits keep.
	Left []Listing `json:"left"`
	// Except are the exceptions that share addresses with the network.
	Except []criteria.Exception `json:"except"`
}

// Change is a listing that became another one.
type Change struct {
	Source criteria.Source `json:"source"`
	From   criteria.Answer `json:"from"` // null: it was not listed
	To     criteria.Answer `json:"to"`   // null: it is not any more
}
