package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/zone"
)

// ZoneDesk carries out what the operator orders of the zone, and says how it
// stands. What an order puts in the list's place is read from the ledger.
type ZoneDesk struct {
	Store     *store.Store
	Publisher *zone.Publisher
	Origin    string
	// List copies the list, or says why it is not complete.
	List func() (zone.Snapshot, error)
	// Report is told of every publication that an order brings about.
	Report func(zone.Result, error)

	ordering sync.Mutex // one order after the other

	reading sync.Mutex // owns what follows
	orders  zone.Orders
}

// order is what the ledger says now.
func (z *ZoneDesk) order() zone.Order {
	z.reading.Lock()
	defer z.reading.Unlock()
	for _, d := range z.Store.Decisions(z.orders.Read(), z.Store.Mark().Decision) {
		z.orders.Heed(d, z.Origin)
	}
	return z.orders.Order()
}

// Snapshot is what is to be published: the list, and what stands in its place.
// That a retired zone lists nobody holds whatever the list is.
func (z *ZoneDesk) Snapshot() (zone.Snapshot, error) {
	order := z.order()
	if order.Act() == criteria.ActRetire {
		return zone.Snapshot{Order: order}, nil
	}
	s, err := z.List()
	if err != nil {
		return s, fmt.Errorf("%w: %w", zone.ErrIncomplete, err)
	}
	s.Order = order
	return s, nil
}

// State says how the zone stands.
func (z *ZoneDesk) State() Zone {
	s := z.Publisher.State()
	return Zone{Serial: s.Serial, Published: s.Published, Entries: s.Entries, Held: s.Held,
		Order: orderOf(z.order(), s)}
}

// orderOf is an order beside what is published.
func orderOf(o zone.Order, s zone.State) *ZoneOrder {
	d := o.Decision
	pending := d.Seq != s.Order
	if o.Act() == "" && !pending {
		return nil
	}
	return &ZoneOrder{Act: d.Act, Serial: d.Serial, Seq: d.Seq, At: d.At, Who: d.Who,
		Reason: d.Reason, Pending: pending}
}

// Zone is the state of the publication.
type Zone struct {
	Serial    uint32          `json:"serial"`    // 0: nothing published yet
	Published criteria.Second `json:"published"` // null where the zone does not say it
	Entries   int             `json:"entries"`
	Held      zone.Held       `json:"held"`  // changes that the guard holds back
	Order     *ZoneOrder      `json:"order"` // null: the list stands
}

// ZoneOrder is a decision about the zone: one that is in force there, or one
// that is not published yet.
type ZoneOrder struct {
	Act     criteria.Act    `json:"act"`    // rollback or retire; resume while it is pending
	Serial  uint32          `json:"serial"` // that is rolled back to, else 0
	Seq     uint64          `json:"seq"`
	At      criteria.Second `json:"at"`
	Who     string          `json:"who"`
	Reason  string          `json:"reason"`
	Pending bool            `json:"pending"` // ordered, and not published yet
}

// String says it to people, of the zone.
func (o *ZoneOrder) String() string {
	switch {
	case o.Pending && o.Act == criteria.ActRetire:
		return "ordered to be retired, which is not published yet"
	case o.Pending && o.Act == criteria.ActRollback:
		return fmt.Sprintf("ordered back to serial %d, which is not published yet", o.Serial)
	case o.Pending:
		return "ordered to follow the list again, which is not published yet"
	case o.Act == criteria.ActRetire:
		return "retired for good and lists nobody"
	}
	return fmt.Sprintf("rolled back to serial %d, so the list is not published", o.Serial)
}

// mend says how an order is taken back.
func (z *ZoneDesk) mend(o *ZoneOrder) string {
	if o.Act == criteria.ActRetire {
		return "trapline zone resume --yes " + z.Origin + " brings the list back"
	}
	return "trapline zone resume brings the list back"
}

// Build publishes now. With force, what the guard holds back goes out, and that
// is a decision when there was any.
func (z *ZoneDesk) Build(ctx context.Context, who string, o BuildOrder) (Built, error) {
	z.ordering.Lock()
	defer z.ordering.Unlock()
	if z.order().Act() != "" {
		return z.built(zone.Held{}), z.barred()
	}
	publish, forced := z.Publisher.Publish, zone.Held{}
	if o.Force {
		publish = z.Publisher.Force
		var err error
		if forced, err = z.decideForce(ctx, who, o.Reason); err != nil {
			return z.built(zone.Held{}), err
		}
	}
	result, err := publish(z.Snapshot)
	if errors.Is(err, zone.ErrIncomplete) {
		return z.built(zone.Held{}), incomplete(err)
	}
	z.Report(result, err)
	return z.built(forced), err
}

// barred says that another thing than the list stands in the zone, or is to.
func (z *ZoneDesk) barred() error {
	standing := z.State().Order
	return refused("the zone is "+standing.String(), z.mend(standing))
}

// Built is the zone after it was published.
type Built struct {
	Zone
	Forced zone.Held `json:"forced"` // what the guard held back, and force let out
}

func (z *ZoneDesk) built(forced zone.Held) Built { return Built{z.State(), forced} }

func incomplete(err error) error {
	return &ProblemError{err.Error(), "see readyz", http.StatusUnprocessableEntity}
}

// BuildOrder is how to publish.
type BuildOrder struct {
	Force  bool   `json:"force"`
	Reason string `json:"reason"` // for the ledger; may be empty
}

// decideForce puts it into the ledger when the guard holds anything back, and
// says what.
func (z *ZoneDesk) decideForce(ctx context.Context, who, reason string) (zone.Held, error) {
	if reason != "" {
		if err := checkReason(reason); err != nil {
			return zone.Held{}, err
		}
	}
	diff, err := z.Diff()
	if err != nil || diff.Held.none() {
		return zone.Held{}, err
	}
	held := zone.Held{Additions: len(diff.Held.Additions), Removals: len(diff.Held.Removals)}
	d := criteria.Decision{Act: criteria.ActForce, Who: who, Serial: z.Publisher.State().Serial,
		Reason: cmp.Or(reason, fmt.Sprintf("let out %d additions and %d removals", held.Additions,
			held.Removals))}
	return held, z.decide(ctx, d)
}

func (z *ZoneDesk) decide(ctx context.Context, d criteria.Decision) error {
	if err := z.Store.Decide(ctx, d); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// ZoneDiff is what publishing now would change, and what the guard would hold
// back.
type ZoneDiff struct {
	Added   []Listing  `json:"added"`
	Removed []Listing  `json:"removed"`
	Changed []Listing  `json:"changed"` // the answer; as it would be
	Held    Waiting    `json:"held"`
	Order   *ZoneOrder `json:"order"` // null: the list stands
}

// Waiting is the changes that the guard holds back.
type Waiting struct {
	Additions []Listing       `json:"additions"` // the oldest first: they go out in this order
	Removals  []Listing       `json:"removals"`  // until they are explained or forced
	Next      criteria.Second `json:"next"`      // when more of the additions go out; null: none wait
}

func (w Waiting) none() bool { return len(w.Additions)+len(w.Removals) == 0 }

// Empty tells whether nothing would change or be held back.
func (d ZoneDiff) Empty() bool {
	return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 && d.Held.none()
}

// Diff says what publishing now would change.
func (z *ZoneDesk) Diff() (ZoneDiff, error) {
	s, err := z.Snapshot()
	if err != nil {
		return ZoneDiff{}, incomplete(err)
	}
	v, err := z.Publisher.Preview(s)
	return ZoneDiff{Added: ListingsOf(v.Added), Removed: ListingsOf(v.Removed),
		Changed: ListingsOf(v.Changed), Order: orderOf(s.Order, z.Publisher.State()),
		Held: Waiting{Additions: ListingsOf(v.Waiting.Added), Removals: ListingsOf(v.Waiting.Removed),
			Next: v.Next}}, err
}
