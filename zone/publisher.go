package zone

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Snapshot is the list at one instant.
type Snapshot struct {
	Listings   []criteria.Listing
	Exceptions []criteria.Exception
	At         criteria.Second // when the list stood so; 0: now
	Order      Order           // what stands in the zone instead
}

// Source takes the list when a publication's turn has come, so that none brings back what a later
// one has replaced. An error is that there is no complete list: see ErrIncomplete.
type Source func() (Snapshot, error)

// ErrIncomplete says that the list is not to be published: the engine has not caught up, or the
// store is faulty. The zone stays as it is, and in the end falls silent.
var ErrIncomplete = errors.New("the list is not complete")

// Result says what a publication did.
type Result struct {
	Serial    uint32          `json:"serial"`    // of the zone that is published now
	Published criteria.Second `json:"published"` // when that was; 0: a zone without a stamp does not say
	Entries   int             `json:"entries"`   // in it; test entries are none
	Added     int             `json:"added"`
	Removed   int             `json:"removed"`
	Changed   int             `json:"changed"`   // answers
	Unchanged bool            `json:"unchanged"` // nothing was written
	Held      Held            `json:"held"`      // by the guard
	Faults    []Fault         `json:"faults"`    // listings left out, and what was wrong with the old files
}

// Publisher writes the folder. Its methods may be called from several goroutines; publications take
// their turn.
type Publisher struct {
	disk    disk
	renewed chan struct{} // of one: cfg is another

	mu       sync.Mutex // owns what follows
	cfg      Config
	loaded   bool // hold and serial are known, published is what is on disk
	hold     Hold
	serial   uint32 // the last one given out
	damaged  Faults // what was wrong with the folder when it was read
	files    fileTimes
	modified time.Time // of the last files
	kept     set       // the publication that is rolled back to

	published atomic.Pointer[publication] // nil: none, or none that could be read
	held      atomic.Pointer[Held]        // by the last publication; nil before it
}

// publication is a list that stands in the folder.
type publication struct {
	header   Header
	serial   uint32
	at       criteria.Second // 0: unknown, for the zone has no stamp
	order    uint64          // number of the decision that it carries out; 0: none, or unknown
	listings []criteria.Listing
}

// New checks the configuration; it touches no file.
func New(c Config) (*Publisher, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &Publisher{cfg: c.whole(), disk: osDisk{}, renewed: make(chan struct{}, 1)}, nil
}

// Load reads what stands in the folder, so that Published can answer before the first publication.
func (p *Publisher) Load() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load()
}

// Publish brings the folder to a snapshot, as far as the guard lets it. It writes nothing when the
// folder already says the same, is undamaged, and is younger than a quarter of Header.ValidFor.
// After an error the folder holds, file by file, the old or the new publication, never
// anything half written; the next call mends it.
func (p *Publisher) Publish(take Source) (Result, error) { return p.publish(take, true) }

// Force is Publish without the guard: all that it holds back goes out.
func (p *Publisher) Force(take Source) (Result, error) { return p.publish(take, false) }

// unguarded lets everything through.
var unguarded = Guard{Floor: math.MaxInt}

// Preview is what Publish would do now.
type Preview struct {
	Difference
	Waiting Difference      // what the guard would hold back: Added and Removed
	Next    criteria.Second // when it lets out more of what is to be added; 0: nothing waits for that
}

// Preview says what Publish would do, without doing it.
func (p *Publisher) Preview(s Snapshot) (Preview, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil {
		return Preview{}, err
	}
	passed, _, err := p.pass(&s, p.cfg.Guard)
	if err != nil {
		return Preview{}, err
	}
	v := Preview{Difference: Diff(p.List(), passed.Listings), Waiting: passed.Waiting}
	if len(v.Waiting.Added) > 0 {
		v.Next = passed.Hold.Since + anHour
	}
	return v, nil
}

// State is the publication that stands.
type State struct {
	Serial    uint32          // 0: none, or none that could be read
	Published criteria.Second // 0: a zone without a stamp does not say
	Entries   int
	Held      Held
	// Order is the number of the last decision about the zone (Order.Decision) that it carries out;
	// 0: none. As long as the ledger has another one, what that says is not published yet.
	Order uint64
}

// State never waits for a publication.
func (p *Publisher) State() State {
	var s State
	if now := p.published.Load(); now != nil {
		s = State{Serial: now.serial, Published: now.at, Entries: len(now.listings),
			Order: now.order}
	}
	if held := p.held.Load(); held != nil {
		s.Held = *held
	}
	return s
}

// Published gives the serial of the zone if it lists an address; false when it does not, or nothing
// was read or published yet. It never waits for a publication.
func (p *Publisher) Published(a netip.Addr) (serial uint32, listed bool) {
	now := p.published.Load()
	a = a.WithZone("").Unmap()
	if now == nil || !a.IsValid() {
		return 0, false
	}
	return now.serial, lists(now.listings, a)
}

func (p *Publisher) publish(take Source, guarded bool) (Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	guard := unguarded
	if guarded {
		guard = p.cfg.Guard
	}
	s, err := take()
	if err != nil {
		return Result{}, err
	}
	if err := p.load(); err != nil {
		return Result{}, err
	}
	passed, faults, err := p.pass(&s, guard)
	if err != nil {
		return Result{}, fmt.Errorf("publish zone %s: %w", p.cfg.Header.Origin, err)
	}
	p.held.Store(&passed.Held)
	result := p.resultOf(passed, faults)
	now := criteria.At(p.cfg.Now())
	header := p.headerOf(s.Order)
	if !p.due(header, passed.Listings, &s, now) {
		p.hold = passed.Hold
		result.Unchanged = true
		return result, nil
	}
	if err := p.write(header, passed, s.Order, now); err != nil {
		p.loaded = false // what stands in the folder is to be seen
		return Result{}, fmt.Errorf("publish zone %s: %w", p.cfg.Header.Origin, err)
	}
	result.Serial, result.Published = p.serial, now
	return result, nil
}

// headerOf is what the zone says of itself under an order.
func (p *Publisher) headerOf(o Order) Header {
	if o.retired() {
		return p.cfg.Header.retired()
	}
	return p.cfg.Header
}

// wanted is the listings of a snapshot, or what an order puts in their place.
func (p *Publisher) wanted(s *Snapshot) ([]criteria.Listing, error) {
	switch {
	case s.Order.retired():
		return nil, nil
	case s.Order.serial() == 0:
		return s.Listings, nil
	}
	kept, err := p.keptSet(s.Order.serial())
	if err != nil {
		return nil, err
	}
	return backTo(kept.listings, s.Listings, s.Order.Delisted), nil
}

// pass resolves a snapshot and lets the guard look at it. A first publication has nothing that it
// could be compared with, and what an order changes has its reason.
func (p *Publisher) pass(s *Snapshot, guard Guard) (Passed, []Fault, error) {
	if s.At == 0 {
		s.At = criteria.At(p.cfg.Now())
	}
	listings, err := p.wanted(s)
	if err != nil {
		return Passed{}, nil, err
	}
	wanted, faults := Resolve(listings, s.Exceptions, p.cfg.Special, s.At)
	hold := p.hold
	if guard == unguarded || p.published.Load() == nil || s.Order.Act() != "" {
		guard, hold = unguarded, Hold{}
	}
	excepted := exceptedAt(s.Exceptions, s.At)
	return guard.Pass(Turn{
		Published: p.List(), Wanted: wanted, At: s.At, Hold: hold,
		Explained: func(l criteria.Listing) bool {
			return l.Until <= s.At || excepted.OverlapsPrefix(l.Source) || p.cfg.Explained(l.Source)
		},
	}), faults, nil
}

// List is what is published, sorted; nobody may change it.
func (p *Publisher) List() []criteria.Listing {
	if now := p.published.Load(); now != nil {
		return now.listings
	}
	return nil
}

func (p *Publisher) resultOf(passed Passed, faults []Fault) Result {
	r := Result{Entries: len(passed.Listings), Held: passed.Held, Faults: append(faults, p.damaged...)}
	d := Diff(p.List(), passed.Listings)
	r.Added, r.Removed, r.Changed = len(d.Added), len(d.Removed), len(d.Changed)
	if now := p.published.Load(); now != nil {
		r.Serial, r.Published = now.serial, now.at
	}
	return r
}

// due tells whether the folder must be written: it is damaged or somebody changed it, it says
// something else, a published end has passed without ending, or its stamp grows old. A stamp ahead
// of the clock would silence the zone and is replaced too. Every order is a publication, so that
// what it is known to carry out outlives a restart.
func (p *Publisher) due(h Header, list []criteria.Listing, s *Snapshot, now criteria.Second) bool {
	old := p.published.Load()
	if old == nil || len(p.damaged) > 0 || !p.files.stand(p.cfg.Dir, p.cfg.Header.Origin) {
		return true
	}
	if old.order != s.Order.Decision.Seq || !old.header.Equal(h) ||
		saysOtherwise(old.listings, list, s.At) {
		return true
	}
	age := now - old.at
	return p.cfg.Header.ValidFor > 0 && (age < 0 || age >= criteria.Second(p.refresh()/time.Second))
}

// refresh is the age at which an unchanged zone is published again.
func (p *Publisher) refresh() time.Duration { return p.cfg.Header.ValidFor / 4 }

// pace is how long to wait between two publications, and at most for one.
func (p *Publisher) pace() (least, refresh time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cfg.MinInterval, p.refresh()
}

// saysOtherwise tells whether a published list misleads about what is listed, or until when.
func saysOtherwise(old, list []criteria.Listing, at criteria.Second) bool {
	otherwise := false
	walk(old, list, func(s step) {
		switch {
		case s.before == nil || s.after == nil || s.before.Answer != s.after.Answer:
			otherwise = true
		case hourUp(s.before.Until) <= at && s.after.Until > s.before.Until:
			otherwise = true
		}
	})
	return otherwise
}

// errNoSerial: somebody gave out a serial that time would reach in the year 2106.
var errNoSerial = errors.New("the last serial is the highest there is: remove zone and state")

// nextSerial is greater than every serial before and, where the clock allows, the time.
func (p *Publisher) nextSerial(now criteria.Second) (uint32, error) {
	if p.serial == math.MaxUint32 {
		return 0, errNoSerial
	}
	return max(p.serial+1, uint32(min(max(now, 1), math.MaxUint32))), nil
}
