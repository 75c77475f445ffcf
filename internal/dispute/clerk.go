package dispute

import (
	"context"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Ledger keeps decisions. Decide returns when all of them are on disk, or an
// error and none is; it gives them their number and instant.
type Ledger interface {
	Decide(ctx context.Context, decisions ...criteria.Decision) error
	Decisions(after, to uint64) []criteria.Decision
}

// List says what is listed, and why.
type List interface {
	// Lookup answers for an address at the list's present second.
	Lookup(netip.Addr) (criteria.Entry, error)
	// Await returns when the list heeds a decision.
	Await(ctx context.Context, decision uint64) error
}

// Reading is what came of reading a hit again.
type Reading struct {
	Proves bool       // its source was read from a header, and there is all that it takes to read it anew
	Source netip.Addr // that is found now; zero: none
}

// Observer is told what became of disputes; it must not block. Nothing private
// is among it.
type Observer interface {
	// DisputeStep: something happened to a dispute of a source, by whom.
	DisputeStep(id, source, step, who string)
	// DisputeFailed: what was to be done for disputes could not be.
	DisputeFailed(err error)
}

// Config is what a clerk works with.
type Config struct {
	Dir    string // of what is private; made when there is something to keep
	Secret []byte // for tokens; must stay the same over restarts
	Ledger Ledger
	List   List
	// Reread reads a hit again with today's parser and the trust of then.
	Reread func(lsn uint64) (Reading, error)
	// TXT asks the DNS; the name ends in a dot.
	TXT func(ctx context.Context, name string) ([]string, error)
	// SelfRemoval tells whether whoever controls an address may remove it.
	SelfRemoval func() bool
	Observer    Observer
	Now         func() time.Time
}

// Clerk keeps the disputes. It is safe for use by any goroutine.
type Clerk struct {
	cfg    Config
	tokens tokens
	checks chan struct{} // room for DNS queries under way
	work   chan struct{} // of one: something was opened

	ticking sync.Mutex // one Tick at a time

	mu      sync.Mutex // guards what follows
	docket  docket
	forms   forms
	filings filings
	checked map[string]criteria.Second // id to the last look for its token
}

// Load reads the disputes of a ledger and a folder. A form that cannot be read is
// told of, and its dispute is kept without it. For questions alone, Ledger, Dir,
// Observer and Now are enough.
func Load(cfg Config) *Clerk {
	c := &Clerk{cfg: cfg, tokens: newTokens(cfg.Secret), checks: make(chan struct{}, mostChecks),
		work: make(chan struct{}, 1), docket: docket{}, forms: forms{cfg.Dir},
		checked: map[string]criteria.Second{}}
	for _, d := range cfg.Ledger.Decisions(0, math.MaxUint64) {
		c.docket.take(d)
	}
	all, errs := c.forms.read()
	for _, f := range all {
		c.docket.takeForm(f)
	}
	c.filings = filingsOf(c.docket)
	for _, err := range errs {
		cfg.Observer.DisputeFailed(err)
	}
	c.signal() // something may have been opened and not read again
	return c
}

func (c *Clerk) now() criteria.Second { return criteria.At(c.cfg.Now()) }

func (c *Clerk) signal() {
	select {
	case c.work <- struct{}{}:
	default:
	}
}

// Find gives a dispute by its id.
func (c *Clerk) Find(id string) (Case, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.docket[id]
	if k == nil {
		return Case{}, false
	}
	return k.clone(), true
}

// Cases gives all disputes, those first that have waited longest; among those without
// a decision the ones with a TXT come first, since nobody can make them up.
func (c *Clerk) Cases() []Case {
	c.mu.Lock()
	defer c.mu.Unlock()
	rank := func(k Case) int {
		switch {
		case k.State == Open && k.proven(ByTXT):
			return 0
		case k.State == Open:
			return 1
		case k.State == Filed:
			return 2
		}
		return 3
	}
	all := []Case{}
	for _, k := range c.docket.chosen(func(*Case) bool { return true }) {
		all = append(all, k.clone())
	}
	slices.SortStableFunc(all, func(a, b Case) int { return rank(a) - rank(b) })
	return all
}

// clone shares nothing that changes.
func (k *Case) clone() Case {
	n := *k
	n.Proofs = append([]Proof{}, k.Proofs...)
	if k.Reread != nil {
		r := *k.Reread
		r.Wrong = slices.Clone(r.Wrong)
		n.Reread = &r
	}
	return n
}

// Challenge gives the TXT record that proves control of a dispute's address, as
// long as the dispute has not ended.
func (c *Clerk) Challenge(id string) (Challenge, bool) {
	k, ok := c.Find(id)
	if !ok || k.over() {
		return Challenge{}, false
	}
	return c.tokens.challenge(&k, c.now()), true
}

// record puts decisions in the ledger and into the docket. c.mu is held.
func (c *Clerk) record(ctx context.Context, decisions ...criteria.Decision) error {
	if err := c.cfg.Ledger.Decide(ctx, decisions...); err != nil {
		return err
	}
	for _, d := range decisions {
		c.docket.take(d)
		if d.Act == criteria.ActDispute {
			c.cfg.Observer.DisputeStep(d.Name, criteria.Source{Prefix: d.Network}.String(),
				string(d.Dispute.Step), d.Who)
		}
	}
	return nil
}

// step is the decision that something happened to a case.
func (k *Case) step(step criteria.Step, who, reason string) criteria.Decision {
	d := criteria.Decision{Act: criteria.ActDispute, Who: who, Reason: reason, Name: k.ID,
		Network: k.Subject.Prefix, Dispute: &criteria.Dispute{Step: step}}
	if !k.begun() {
		d.Dispute.Address, d.Dispute.Claim, d.Dispute.Filed = k.Address, string(k.Claim), k.Filed
	}
	return d
}
