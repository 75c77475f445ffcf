package notice

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// Config is what an Office works with; all is required.
type Config struct {
	Store *store.Store
	Judge *judge.Judge
	Now   func() time.Time
	// Rules are those in force now.
	Rules func() Rules
	// Zone is how the publication stands.
	Zone func() Zone
	// Published gives the serial of the zone that lists an address.
	Published func(netip.Addr) (uint32, bool)
}

// Rules are what the configuration says of notices.
type Rules struct {
	Evidence Amount
	Redactor *redact.Redactor // knows the traps and reporters
	Trust    parser.Trust     // to read again what was kept of a message
}

// Office answers the public. It is safe for use by many at once; what a look-up
// costs does not grow with the log.
type Office struct {
	cfg     Config
	history *history
	list    cachedList

	mu    sync.Mutex
	marks map[criteria.Second]uint64 // first LSN of an hour; under mu
}

// New makes an office; Serve reads the log for its history.
func New(c Config) *Office {
	return &Office{cfg: c, history: newHistory(), marks: map[criteria.Second]uint64{}}
}

// Look gives the notice of an address, or judge.ErrNotReady.
func (o *Office) Look(a netip.Addr) (Notice, error) {
	v, err := o.view(a)
	if err != nil {
		return Notice{}, err
	}
	n := Notice{Address: a, Scope: v.entry.Source, AsOf: v.hour, State: v.state(a),
		Causes: map[criteria.Cause]int{}, Hits: []Hit{}}
	o.tellZone(&n)
	if n.State == Excepted || n.State == Special || n.State == Unseen {
		return n, nil
	}
	n.Answer, n.Since, n.Barred = v.entry.Answer, down(v.entry.Since), v.then.Barred
	if n.State.IsListed() {
		v.tellEnd(&n)
		n.Reason = v.reason(o.cfg.Rules().Redactor)
	}
	days, several := o.history.of(v.entry.Source.Prefix, v.cut)
	if !v.tells(several) {
		if n.State == Unlisted {
			n.State = Unseen
		}
		return n, nil
	}
	n.Days = days
	v.tellSum(&n)
	n.Hits, err = o.hitsOf(&v)
	return n, err
}

// tellZone says whether the published zone has the address.
func (o *Office) tellZone(n *Notice) {
	if serial, ok := o.cfg.Published(n.Address); ok {
		n.Published = &serial
	}
}

// Policy gives the rules of listing that are in force.
func (o *Office) Policy() (p criteria.Policy, err error) {
	err = o.cfg.Judge.View(func(e *criteria.Engine) { p, _ = e.Policy() })
	return p, err
}

// Zone says how the publication stands.
func (o *Office) Zone() Zone {
	z := o.cfg.Zone()
	age := criteria.At(o.cfg.Now()) - z.Published
	z.Stale = z.Published > 0 && z.ValidFor > 0 && age > criteria.Second(z.ValidFor/time.Second)/3
	z.Published = down(z.Published)
	return z
}

// firstOf gives the first LSN that was stamped at a full hour or later. That
// never changes once the log is past it, and many ask for the same hour.
func (o *Office) firstOf(at criteria.Second) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if lsn, known := o.marks[at]; known {
		return lsn, nil
	}
	lsn, err := o.cfg.Store.Since(at)
	if err != nil {
		return 0, fmt.Errorf("find the hour in the log: %w", err)
	}
	const enough = 64 // hours that anybody asks for: the last one and six more
	if len(o.marks) >= enough {
		clear(o.marks)
	}
	o.marks[at] = lsn
	return lsn, nil
}
