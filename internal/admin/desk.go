// Package admin answers the operator.
//
// In come questions and orders, from the command line over a unix socket (HTTP
// and JSON) or, with the daemon down, from the same process; out come answers
// whose JSON forms are the contract of the command line. Desk knows the
// answers, Server speaks them, Client asks.
//
// Exact seconds and, on request, trap addresses pass here and nowhere else, so
// the socket is for the operator's group alone.
package admin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/store"
)

// Desk answers from a store and the judge of its log.
type Desk struct {
	Store *store.Store
	Judge *judge.Judge
	// Zone is the state of the publication; nil without a publisher.
	Zone func() Zone
	// Published gives the serial of the zone that lists a source.
	Published func(netip.Prefix) (uint32, bool)
	// Provider names the mail provider that a network belongs to; nil: nobody
	// knows any.
	Provider func(netip.Prefix) (name string, known bool)
	// Roster is what the configuration in force says of traps; nil: nothing.
	Roster func() Roster
	// Disputes keeps them; nil: there are none.
	Disputes *dispute.Clerk
	// CompareZone holds the published zone against a list; nil without a publisher.
	CompareZone func(judge.List) (ZoneCompared, error)
	// Redactor knows the secrets of the configuration; nil: there are none but the
	// traps that a record names.
	Redactor func() *redact.Redactor

	deciding   sync.Mutex // one order after the other
	rewriting  sync.Mutex // likewise, of those that read the log anew: others need not wait
	simulating sync.Mutex // one simulation at a time
	checking   sync.Mutex // one check of the store
	backing    sync.Mutex // one backup
	compacting sync.Mutex // one compaction
}

// Policy gives the policy in force.
func (d *Desk) Policy() (Policy, error) {
	var p Policy
	err := d.Judge.View(func(e *criteria.Engine) {
		policy, decision := e.Policy()
		p = Policy{decision.Seq, decision.At, decision.Who, policy}
	})
	return p, err
}

// ListingFilter chooses listings; zero fields choose all.
type ListingFilter struct {
	Since criteria.Second // began at or after it
	Cause string          // has a counted report of this cause
	CIDR  netip.Prefix    // shares an address with it
}

// Listings gives the chosen listings, sorted by source.
func (d *Desk) Listings(f ListingFilter) ([]Listing, error) {
	list, err := d.Judge.Listings()
	if err != nil {
		return nil, err
	}
	return ListingsOf(slices.DeleteFunc(list.Listings, func(l criteria.Listing) bool {
		return !f.takes(l)
	})), nil
}

func (f ListingFilter) takes(l criteria.Listing) bool {
	if l.Since < f.Since || f.CIDR.IsValid() && !f.CIDR.Overlaps(l.Source) {
		return false
	}
	if f.Cause == "" {
		return true
	}
	for cause := range l.Causes {
		if cause.String() == f.Cause {
			return true
		}
	}
	return false
}

// Exceptions gives the exceptions in force that share an address with a network,
// or all; sorted by network.
func (d *Desk) Exceptions(within netip.Prefix) (found []criteria.Exception, err error) {
	err = d.Judge.View(func(e *criteria.Engine) {
		found = slices.DeleteFunc(e.Exceptions(), func(x criteria.Exception) bool {
			return within.IsValid() && !within.Overlaps(x.Network)
		})
	})
	return found, err
}

// HitFilter chooses records; zero fields choose all.
type HitFilter struct {
	CIDR         netip.Prefix    // the source lies in it
	Since        criteria.Second // received at or after it
	Until        criteria.Second // received before it; 0: no end
	Limit        int             // at most so many; 0: all
	OldestFirst  bool            // in the order of the log, else newest first
	Unattributed bool            // only those without a source
	ShowTraps    bool            // trap addresses instead of their keyed hashes
}

// clockSkew is how much later than its commit a record's time may be.
const clockSkew = 300

// Hits gives the chosen records.
func (d *Desk) Hits(f HitFilter) iter.Seq2[Hit, error] {
	return func(yield func(Hit, error) bool) {
		given := 0
		for r, err := range d.recordsFor(f) {
			if err != nil {
				yield(Hit{}, err)
				return
			}
			if !f.OldestFirst && f.Since > 0 && r.Stamp+clockSkew < f.Since {
				return
			}
			if !f.takes(&r) {
				continue
			}
			if !yield(d.hitOf(&r, f.ShowTraps), nil) {
				return
			}
			if given++; given == f.Limit {
				return
			}
		}
	}
}

// recordsFor gives the records among which the chosen ones are.
func (d *Desk) recordsFor(f HitFilter) iter.Seq2[store.Record, error] {
	last := d.Store.Mark().LSN
	if !f.OldestFirst {
		return d.Store.Newest(last)
	}
	first := uint64(1)
	if f.Since > 0 {
		var err error
		if first, err = d.Store.Since(f.Since - clockSkew); err != nil {
			return func(yield func(store.Record, error) bool) { yield(store.Record{}, err) }
		}
	}
	return d.Store.Records(first, last)
}

func (f HitFilter) takes(r *store.Record) bool {
	return r.Time >= f.Since && (f.Until == 0 || r.Time < f.Until) &&
		!(f.Unattributed && (r.Source.IsValid() || r.Inbox)) &&
		(!f.CIDR.IsValid() || r.Source.IsValid() && f.CIDR.Contains(r.Source))
}

func (d *Desk) hitOf(r *store.Record, showTraps bool) Hit {
	h := Hit{ID: r.LSN, Time: r.Time, Source: addrOrNil(r.Source), Reason: r.Reason,
		Peer: addrOrNil(r.Peer.Addr()), Port: r.Peer.Port(), Helo: r.Helo, MailFrom: r.MailFrom,
		Kind: r.Kind.String(), Traps: []string{}, Cause: r.Cause, TLS: r.TLS, Size: r.Size,
		Digest: hex.EncodeToString(r.Digest[:])}
	if r.Inbox {
		h.Kind = "inbox"
	}
	for _, to := range r.Recipients {
		h.Traps = append(h.Traps, to.Address)
	}
	if !showTraps {
		redactor := d.redactorFor(h.Traps...)
		h.MailFrom, h.Helo = redactor.Address(h.MailFrom), redactor.Address(h.Helo)
		for i, trap := range h.Traps {
			h.Traps[i] = d.pseudonym(trap)
		}
	}
	slices.Sort(h.Traps)
	return h
}

// redactorFor knows the secrets of the configuration and these traps.
func (d *Desk) redactorFor(traps ...string) *redact.Redactor {
	if d.Redactor == nil {
		return redact.New(redact.Secrets{}).For(traps...)
	}
	return d.Redactor().For(traps...)
}

// pseudonym stands for a trap address: always the same for the same address of
// this store, and of no use to anybody who does not have the store's secret.
func (d *Desk) pseudonym(address string) string {
	mac := hmac.New(sha256.New, d.Store.Secret())
	mac.Write([]byte(address))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// Stats gives the daemon at a glance.
func (d *Desk) Stats() (Stats, error) {
	mark := d.Store.Mark()
	s := Stats{At: mark.At, Records: mark.LSN, Decisions: mark.Decision, Storage: "ok",
		Answers: map[string]int{}, Causes: map[criteria.Cause]int{}}
	if err := d.Store.Room(); err != nil {
		s.Storage = err.Error()
	}
	if d.Zone != nil {
		s.Zone = d.Zone()
	}
	var err error
	if s.Day, err = d.Pulse(context.Background(), PulseFilter{Span: 24 * time.Hour, Top: 5}); err != nil {
		return s, err
	}
	list, err := d.Judge.Listings()
	if err != nil {
		return s, nil // it says that it is not ready
	}
	s.Ready, s.At, s.Listed = true, list.At, len(list.Listings)
	for _, l := range list.Listings {
		s.Answers[l.Answer.String()]++
		for cause, n := range l.Causes {
			s.Causes[cause] += n
		}
	}
	return s, d.Judge.View(func(e *criteria.Engine) {
		_, policy := e.Policy()
		s.Sources, s.Policy = e.Sources(), policy.Seq
	})
}
