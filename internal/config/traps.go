package config

import (
	"strings"

	"github.com/trapline/trapline/criteria"
)

// weightOf is the weight of a kind of trap that sets none.
func weightOf(kind Kind) criteria.Micro {
	switch kind {
	case Recycled:
		return criteria.One / 2
	case Typo:
		return criteria.One / 4
	}
	return criteria.One
}

func (s section) traps() []Trap {
	sections := s.sections("trap")
	traps := make([]Trap, 0, len(sections))
	for _, one := range sections {
		traps = append(traps, one.trap())
	}
	return traps
}

// needTraps: without one there is nothing to do.
func (s section) needTraps(traps []Trap) {
	if len(traps) == 0 && len(s.included) == 0 && s.sound("trap", element("trap", 0)) {
		s.fault("trap", "is missing", "write at least one [[trap]] with the domain that takes the mail")
	}
}

func (s section) trap() Trap {
	t := Trap{
		Domain:  s.trapDomain("domain"),
		Address: s.recipient("address"),
		Kind:    Kind(s.word("kind", "a kind", "pristine", "recycled", "typo")),
		State:   State(s.word("state", "a state", "active", "resting", "watching")),
	}
	t.Weight = s.decimal("weight", weightOf(t.Kind), 0, criteria.MaxTrapWeight)
	t.ActiveFrom = s.instant("active_from")
	s.checkTrap(t)
	return t
}

func (s section) checkTrap(t Trap) {
	domain, address := s.given(s.at("domain")), s.given(s.at("address"))
	switch {
	case domain && address:
		s.fault(s.at("address"), "stands beside domain", "write a [[trap]] for each")
	case !domain && !address:
		s.fault(s.path, "has neither domain nor address", "write domain = \"…\" or address = \"…\"")
	}
	// Mail to a mailbox just given up is not spam yet: only the operator knows since when it is.
	s.need(t.Kind != Recycled || !t.ActiveFrom.IsZero(), "active_from",
		"the day from which the recycled trap counts, as active_from = 2026-01-01")
}

// trapDomain reads a domain, or what is below one. Nothing here quotes what it reads.
func (s section) trapDomain(key string) string {
	it, ok := s.one(key, "traps.example.net")
	if !ok {
		return ""
	}
	parent, below := strings.CutPrefix(it.text, "*.")
	domain, err := hostName(parent)
	if err != nil {
		s.fault(it.path, err.Error(), "write it as traps.example.net or *.traps.example.net")
		return ""
	}
	if below {
		domain = "*." + domain
	}
	s.claim(it.path, "recipient "+domain)
	return domain
}

// recipient reads the address of a trap or a reporter: no two may have the same one. Nothing here
// quotes what it reads.
func (s section) recipient(key string) string {
	it, ok := s.one(key, "name@example.net")
	if !ok {
		return ""
	}
	address, err := mailbox(it.text)
	switch {
	case err != nil:
		s.fault(it.path, err.Error(), "write it as name@example.net")
		return ""
	}
	s.claim(it.path, "recipient "+address)
	return address
}

func (s section) reporters() []Reporter {
	var all []Reporter
	for _, one := range s.sections("reporter") {
		all = append(all, one.reporter())
	}
	return all
}

func (s section) reporter() Reporter {
	r := Reporter{
		Name:    s.text("name", ""),
		Address: s.recipient("address"),
		Peers:   s.networks("peers"),
		Hosts:   s.hosts("hosts"),
		Relays:  s.networks("relays"),
	}
	s.need(r.Name != "", "name", `who reports, as name = "noc"`)
	if r.Name != "" {
		s.claim(s.at("name"), "reporter "+strings.ToLower(r.Name))
	}
	s.need(r.Address != "", "address", "an address that nobody can guess")
	s.need(len(r.Peers) > 0, "peers", `where reports come from, as peers = ["192.0.2.0/28"]`)
	s.need(len(r.Hosts) > 0, "hosts", `who received the mail, as hosts = ["mx1.example.net"]`)
	return r
}
