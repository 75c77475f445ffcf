package admin

import (
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

// Lookup is what is known of one address: the verdict with its sum, and what
// people decided.
type Lookup struct {
	criteria.Verdict
	Since     criteria.Second        `json:"since"`    // null when not listed
	LastHit   criteria.Second        `json:"last_hit"` // newest counted report; null without
	Causes    map[criteria.Cause]int `json:"causes"`
	Except    []criteria.Exception   `json:"except"`
	Manual    *criteria.Manual       `json:"manual"`
	Policy    uint64                 `json:"policy"`    // version: the decision that put it in force
	Published *uint32                `json:"published"` // serial of the zone that lists it; null: none does
	Terms     []Term                 `json:"terms"`     // the sum, newest first
	Sum       string                 `json:"sum"`       // how the terms make the score
	WhatIf    WhatIf                 `json:"what_if"`   // what one more trap hit would do now
}

// WhatIf is what one more hit would do, by where it comes.
type WhatIf struct {
	NewTrap   Prospect  `json:"new_trap"`   // at a trap that never caught the address
	KnownTrap *Prospect `json:"known_trap"` // at the trap of its newest counted hit; null without one
}

// Prospect is a verdict that does not stand.
type Prospect struct {
	Score  criteria.Number `json:"score"`
	Listed bool            `json:"listed"`
	Until  criteria.Second `json:"until"` // null when not listed
	Why    string          `json:"why"`
}

// Term is one counted report's part of the sum.
type Term struct {
	ID           uint64          `json:"id"`
	Time         criteria.Second `json:"time"`
	Age          int64           `json:"age"` // seconds
	Kind         criteria.Kind   `json:"kind"`
	Cause        criteria.Cause  `json:"cause"`
	Weight       criteria.Number `json:"weight"`
	Contribution criteria.Number `json:"contribution"`
}

// Hit is a record as the operator sees it.
type Hit struct {
	ID       uint64          `json:"id"`
	Time     criteria.Second `json:"time"`
	Source   *netip.Addr     `json:"source"` // null when unattributed
	Reason   string          `json:"reason"`
	Peer     *netip.Addr     `json:"peer"` // null without a connection
	Port     uint16          `json:"port"`
	Helo     string          `json:"helo"`
	MailFrom string          `json:"mail_from"`
	Kind     string          `json:"kind"`  // trap, report, inbox
	Traps    []string        `json:"traps"` // keyed hashes, or the addresses where asked for
	Cause    criteria.Cause  `json:"cause"`
	TLS      string          `json:"tls"`
	Size     int64           `json:"size"`
	Digest   string          `json:"digest"`
}

// Listing is one entry of the list.
type Listing struct {
	Source criteria.Source        `json:"source"`
	Answer criteria.Answer        `json:"answer"`
	Since  criteria.Second        `json:"since"`
	Until  criteria.Second        `json:"until"`
	Causes map[criteria.Cause]int `json:"causes"`
}

// Policy is the policy in force and how it came to be.
type Policy struct {
	Version  uint64          `json:"version"`
	Since    criteria.Second `json:"since"`
	Who      string          `json:"who"`
	Criteria criteria.Policy `json:"criteria"`
}

// Stats is the daemon at a glance.
type Stats struct {
	At        criteria.Second        `json:"at"` // up to which the engine has read the log
	Ready     bool                   `json:"ready"`
	Records   uint64                 `json:"records"`   // LSN of the newest
	Decisions uint64                 `json:"decisions"` // number of the newest
	Sources   int                    `json:"sources"`   // remembered by the engine
	Listed    int                    `json:"listed"`
	Answers   map[string]int         `json:"answers"` // entries of the list by answer
	Causes    map[criteria.Cause]int `json:"causes"`  // counted reports of listed sources
	Policy    uint64                 `json:"policy"`
	Zone      Zone                   `json:"zone"`
	Storage   string                 `json:"storage"` // "ok", or why messages are not taken
	Day       Pulse                  `json:"day"`     // what came in the last 24 hours
}

// ListingsOf puts listings into the form of an answer.
func ListingsOf(listings []criteria.Listing) []Listing {
	all := make([]Listing, 0, len(listings))
	for _, l := range listings {
		all = append(all,
			Listing{criteria.Source{Prefix: l.Source}, l.Answer, l.Since, l.Until, l.Causes})
	}
	return all
}

// Ingested is what became of one message from a file.
type Ingested struct {
	ID     uint64          `json:"id"`
	Time   criteria.Second `json:"time"`
	Source *netip.Addr     `json:"source"`
	Reason string          `json:"reason"`
	Cause  criteria.Cause  `json:"cause"`
}

// IngestedOf tells what a record says to the one who brought its message.
func IngestedOf(r *store.Record) Ingested {
	return Ingested{r.LSN, r.Time, addrOrNil(r.Source), r.Reason, r.Cause}
}

func addrOrNil(a netip.Addr) *netip.Addr {
	if !a.IsValid() {
		return nil
	}
	return &a
}
