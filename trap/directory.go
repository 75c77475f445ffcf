package trap

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
)

// Class is what a recipient is to us.
type Class uint8

// The classes of recipients. Strangers and resting traps are answered alike, 550 5.1.1, so that
// nobody can tell a trap that rests from an address that never was.
const (
	Stranger Class = iota // nobody here
	Trap                  // counted, or recorded only while its rule is watching
	Reporter              // takes reports from its own peers
	Mailbox               // postmaster and abuse: kept for the operator, never counted
	Resting               // a trap that takes no mail now
)

// String returns the class in lower case, as the Observer hears it.
func (c Class) String() string {
	names := [...]string{"stranger", "trap", "reporter", "mailbox", "resting"}
	if int(c) >= len(names) {
		return "unknown"
	}
	return names[c]
}

// State says what a trap does with mail.
type State uint8

// The states of a trap.
const (
	StateActive   State = iota // mail is taken and counts
	StateResting               // mail is refused, 550
	StateWatching              // mail is taken and recorded, and counts 0
)

// Rule is one [[trap]] or [[reporter]] of the configuration. It has an Address or a Domain.
// Class, Kind, Weight, Name, Hosts and Relays are carried along for whoever reads the message.
type Rule struct {
	Address    string    // an exact address, in any spelling
	Domain     string    // "traps.example" for itself, "*.traps.example" for all below it
	Class      Class     // Trap or Reporter
	Kind       string    // pristine, recycled or typo
	Weight     int64     // in millionths
	State      State     // of a trap
	ActiveFrom time.Time // a trap rests before it; zero = always active
	Name       string    // of a reporter
	// Peers may send to a reporter; to everybody else it is a stranger.
	Peers  []netip.Prefix
	Hosts  []string       // of a reporter: by whom the reported message was received
	Relays []netip.Prefix // of a reporter: its own hosts in the reported message
}

// Recipient is one address of a transaction and what the Directory says about it.
type Recipient struct {
	Address string // normalised, as NormalAddress returns it
	Class   Class
	Rule    *Rule // the rule that made it a Trap, Reporter or Resting; else nil
}

// Directory knows which addresses are traps and reporters. It never changes: a reload makes a
// new one.
type Directory struct {
	exact   map[string]*Rule
	domains map[string]*Rule
	below   map[string]*Rule // by the domain without its "*."
}

// NewDirectory indexes rules. It is an error for two rules to name the same address or domain,
// and for a rule to name none, to name both, or to be of a class that no rule can give.
func NewDirectory(rules []Rule) (*Directory, error) {
	d := &Directory{
		exact:   make(map[string]*Rule),
		domains: make(map[string]*Rule),
		below:   make(map[string]*Rule),
	}
	for i := range rules {
		rule := rules[i] // a copy: the caller keeps its slice
		index, key, err := d.place(&rule)
		if err != nil {
			return nil, fmt.Errorf("add rule %d: %w", i+1, err)
		}
		if index[key] != nil {
			return nil, fmt.Errorf("add rule %d: an earlier rule is for the same recipients", i+1)
		}
		index[key] = &rule
	}
	return d, nil
}

// place returns the index a rule belongs into and its key there.
func (d *Directory) place(r *Rule) (index map[string]*Rule, key string, err error) {
	switch {
	case r.Class != Trap && r.Class != Reporter:
		return nil, "", fmt.Errorf("class %s is neither trap nor reporter", r.Class)
	case (r.Address == "") == (r.Domain == ""):
		return nil, "", fmt.Errorf("need either an address or a domain")
	case r.Domain == "":
		if _, domain := splitAddress(r.Address); domain == "" {
			return nil, "", fmt.Errorf("address has no domain")
		}
		return d.exact, NormalAddress(r.Address), nil
	case r.Class == Reporter:
		return nil, "", fmt.Errorf("a reporter needs an exact address")
	}
	if parent, ok := strings.CutPrefix(r.Domain, "*."); ok {
		return d.below, normalDomain(parent), nil
	}
	return d.domains, normalDomain(r.Domain), nil
}

// Match says who the recipient is for a message from peer at now. An exact address goes before
// postmaster and abuse, these before a domain, and a domain before the longest "*.domain". Local
// parts and domains are compared without case, domains in their ASCII form.
func (d *Directory) Match(recipient string, peer netip.Addr, now time.Time) Recipient {
	local, domain := splitAddress(recipient)
	address := joinAddress(local, domain)
	if !isPossible(local, domain) {
		return Recipient{Address: address, Class: Stranger}
	}
	if rule := d.exact[address]; rule != nil {
		return rule.recipient(address, peer, now)
	}
	rule := d.domainRule(domain)
	if isMailbox(local, domain, rule != nil) {
		return Recipient{Address: address, Class: Mailbox}
	}
	if rule == nil {
		return Recipient{Address: address, Class: Stranger}
	}
	return rule.recipient(address, peer, now)
}

// isPossible says whether there can be such a mailbox: RFC 5321 section 4.5.3.1 bounds both parts,
// and section 4.1.2 has no control characters in them. Nobody's list holds one that is not.
func isPossible(local, domain string) bool {
	return len(local) <= 64 && len(domain) <= 255 &&
		!strings.ContainsFunc(local+domain, unicode.IsControl)
}

// domainRule returns the rule for a domain, or nil.
func (d *Directory) domainRule(domain string) *Rule {
	if rule := d.domains[domain]; rule != nil {
		return rule
	}
	for rest := domain; ; {
		_, parent, found := strings.Cut(rest, ".")
		if !found {
			return nil
		}
		if rule := d.below[parent]; rule != nil {
			return rule
		}
		rest = parent
	}
}

// isMailbox: RFC 5321 section 4.5.1 asks for postmaster, with and without a domain; RFC 2142 for
// abuse. They are the operator's wherever the domain is ours, even while its traps rest.
func isMailbox(local, domain string, ours bool) bool {
	switch local {
	case "postmaster":
		return ours || domain == ""
	case "abuse":
		return ours
	}
	return false
}

func (r *Rule) recipient(address string, peer netip.Addr, now time.Time) Recipient {
	to := Recipient{Address: address, Class: r.Class, Rule: r}
	switch {
	case r.Class == Reporter && !within(r.Peers, peer):
		to.Class, to.Rule = Stranger, nil
	case r.Class == Trap && (r.State == StateResting || now.Before(r.ActiveFrom)):
		to.Class = Resting
	}
	return to
}

// within says whether one of the networks holds a; an invalid a is in none.
func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
