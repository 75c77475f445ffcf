package dispute

import (
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
)

// Bounds of what a stranger may write, in bytes.
const (
	MostStatement = 2000
	MostRelation  = 200
	MostContact   = 320
)

// Form is a dispute as somebody fills it in.
type Form struct {
	Address   netip.Addr // that is said to be listed in error
	Peer      netip.Addr // that the form comes from
	Claim     Claim
	Statement string // why, in plain text of several lines
	Relation  string // of the requester to the address
	Contact   string // a mail address or the URL of a page; nothing is sent there
}

// tidy puts a form's addresses and texts into plain terms, and says what is wrong
// with them.
func (f Form) tidy() (Form, error) {
	f.Address, f.Peer = address.Unwrap(f.Address), address.Unwrap(f.Peer)
	f.Statement, f.Relation = plain(f.Statement, true), plain(f.Relation, false)
	f.Contact = plain(f.Contact, false)
	switch {
	case !f.Address.IsValid():
		return f, refuse(BadForm, "give an IPv4 or IPv6 address", "the address is missing")
	case f.Claim != Technical && f.Claim != Mail && f.Claim != Fixed:
		return f, refuse(BadForm, "choose one of those offered", "the reason is missing")
	case f.Statement == "" && f.Claim != Fixed:
		return f, refuse(BadForm, "say what is wrong, and how you know", "the statement is empty")
	case len(f.Statement) > MostStatement:
		return f, tooLong("statement", len(f.Statement), MostStatement)
	case f.Relation == "":
		return f, refuse(BadForm, "say what you have to do with the address",
			"the relation to the address is empty")
	case len(f.Relation) > MostRelation:
		return f, tooLong("relation", len(f.Relation), MostRelation)
	case len(f.Contact) > MostContact:
		return f, tooLong("contact", len(f.Contact), MostContact)
	case !isContact(f.Contact):
		return f, refuse(BadForm, "give one mail address, or a page as https://…",
			"the contact is neither")
	}
	return f, nil
}

func tooLong(field string, length, most int) error {
	return refuse(BadForm, "say it shorter", "the %s has %d bytes, at most %d are kept", field,
		length, most)
}

// plain leaves of a text what prints: no control character, no change of the
// direction of writing. Lines are kept where there may be several.
func plain(text string, lines bool) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\r\n", "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || lines && r == '\n' {
			return r
		}
		return ' '
	}, text))
}

// isContact tells whether a text is one mail address, or the URL of a page. Neither is
// ever asked whether it exists.
func isContact(text string) bool {
	if a, err := mail.ParseAddress(text); err == nil {
		return a.Name == "" && a.Address == text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.User == nil
}

// customer is the length of an IPv6 network that is one customer's.
const customer = 64

// fromAddress tells whether a peer speaks for an address: it is the address, or in
// IPv6 lies in the same /64.
func fromAddress(peer, a netip.Addr) bool {
	return peer.IsValid() && address.Unit(peer, customer) == address.Unit(a, customer)
}

// network stands for all addresses that one requester may have: a /24 or /48. Where the
// form comes from the address itself it is that alone, or its /64, since neighbours must
// not use up what its owner may file.
func (f Form) network() netip.Prefix {
	if fromAddress(f.Peer, f.Address) {
		return address.Unit(f.Peer, customer)
	}
	bits := 48
	if f.Peer.Is4() {
		bits = 24
	}
	n, _ := f.Peer.Prefix(bits) // the zero Prefix of no address
	return n
}

// caseOf makes a case of a form that is in order.
func (f Form) caseOf(id string, subject criteria.Source, now criteria.Second) *Case {
	return &Case{ID: id, State: Filed, Address: f.Address, Subject: subject, Claim: f.Claim,
		Filed: now, Private: &Private{f.Statement, f.Relation, f.Contact, f.network()}}
}
