package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/zone"
)

// OrderOfZone is what is to stand in the zone: a rollback, a retire, or a
// resume, which takes either back.
type OrderOfZone struct {
	Act    criteria.Act `json:"act"`
	Serial uint32       `json:"serial"` // to roll back to; 0: the last one before
	Reason string       `json:"reason"`
	Origin string       `json:"origin"` // of the zone, typed by whoever retires it or takes that back
}

// EffectOnZone is an order about the zone that was carried out.
type EffectOnZone struct {
	Seq     uint64       `json:"seq"`
	Act     criteria.Act `json:"act"`
	Serial  uint32       `json:"serial"` // that is rolled back to, else 0
	Who     string       `json:"who"`
	Added   int          `json:"added"` // to the zone, by this order
	Removed int          `json:"removed"`
	Changed int          `json:"changed"` // answers
	Pending bool         `json:"pending"` // the list is still being read: the zone follows it later
	Zone    Zone         `json:"zone"`    // as it stands then
}

// Order puts an order about the zone into the ledger and publishes what it
// says. A ProblemError says why it is refused: nothing was decided then. After
// any other error the order is in force when the ledger has it, and the next
// publication carries it out.
func (z *ZoneDesk) Order(ctx context.Context, who string, o OrderOfZone) (EffectOnZone, error) {
	z.ordering.Lock()
	defer z.ordering.Unlock()
	if err := checkReason(o.Reason); err != nil {
		return EffectOnZone{}, err
	}
	d, err := z.decisionOf(o)
	if err != nil {
		return EffectOnZone{}, err
	}
	d.Who = who
	made, before := []criteria.Decision{d}, z.Publisher.List()
	if err := z.Store.Decide(ctx, made...); err != nil {
		return EffectOnZone{}, fmt.Errorf("write the ledger: %w", err)
	}
	done := EffectOnZone{Seq: made[0].Seq, Act: d.Act, Serial: d.Serial, Who: who}
	result, err := z.Publisher.Publish(z.Snapshot)
	done.Pending = errors.Is(err, zone.ErrIncomplete)
	// Compared with what stood before: the daemon may have heeded the ledger already.
	diff := zone.Diff(before, z.Publisher.List())
	done.Added, done.Removed, done.Changed = len(diff.Added), len(diff.Removed), len(diff.Changed)
	if !done.Pending {
		z.Report(result, err)
	}
	done.Zone = z.State()
	if err != nil && !done.Pending {
		return done, fmt.Errorf("decision %d is in the ledger: %w", done.Seq, err)
	}
	return done, nil
}

// decisionOf puts an order into the terms of the zone as it stands, or says why
// it cannot be carried out.
func (z *ZoneDesk) decisionOf(o OrderOfZone) (criteria.Decision, error) {
	d := criteria.Decision{Act: o.Act, Name: z.Origin, Reason: o.Reason}
	order := z.order()
	retired := order.Act() == criteria.ActRetire
	switch {
	case o.Act == criteria.ActRollback:
		serial, err := z.rollback(order, o.Serial)
		d.Serial = serial
		return d, err
	case o.Act == criteria.ActRetire && retired:
		standing := z.State().Order
		return d, none("the zone is already "+standing.String(), z.mend(standing))
	case o.Act == criteria.ActRetire:
		return d, z.confirmed(o.Origin, "empties the zone for good")
	case o.Act != criteria.ActResume:
		return d, badRequest(fmt.Sprintf("%q is no order about the zone", o.Act),
			"give rollback, retire or resume")
	case order.Act() == "":
		return d, none("no rollback and no retirement is in force", "see trapline zone diff")
	case retired:
		return d, z.confirmed(o.Origin, "lets a retired zone list again")
	}
	return d, nil
}

// confirmed wants the zone's name typed before what cannot be a slip.
func (z *ZoneDesk) confirmed(origin, what string) error {
	if origin != z.Origin {
		return badRequest("this "+what, "say so with --yes "+z.Origin)
	}
	return nil
}

func (z *ZoneDesk) rollback(order zone.Order, named uint32) (uint32, error) {
	if order.Act() == criteria.ActRetire {
		return 0, z.barred()
	}
	if _, err := z.Snapshot(); err != nil { // its exceptions and removals hold in an old zone, too
		return 0, refused(err.Error(), "see readyz")
	}
	serial, err := z.Publisher.Target(order, named)
	if errors.Is(err, zone.ErrNoGeneration) {
		return 0, none(err.Error(), "see trapline zone generations")
	}
	return serial, err
}

// Generation is a publication that is kept, and what rolling back to it would
// change now.
type Generation struct {
	Serial    uint32          `json:"serial"`
	Published criteria.Second `json:"published"`
	Entries   int             `json:"entries"` // as it was published
	Stands    bool            `json:"stands"`  // it is the zone that is published now
	Added     int             `json:"added"`
	Removed   int             `json:"removed"`
	Changed   int             `json:"changed"` // answers
	Fault     string          `json:"fault"`   // why it cannot be rolled back to; "": it can
}

// Generations gives what may be rolled back to, newest first.
func (z *ZoneDesk) Generations() ([]Generation, error) {
	s, err := z.Snapshot()
	if err != nil {
		return nil, incomplete(err)
	}
	kept, err := z.Publisher.Generations(s)
	all := make([]Generation, 0, len(kept))
	for _, g := range kept {
		d := g.Difference
		all = append(all, Generation{Serial: g.Serial, Published: g.Published, Entries: g.Entries,
			Stands: g.Serial == z.Publisher.State().Serial, Added: len(d.Added), Removed: len(d.Removed),
			Changed: len(d.Changed), Fault: zone.Faults(g.Faults).Error()})
	}
	return all, err
}

// routeZone serves questions and orders about the zone.
func routeZone(mux *http.ServeMux, z *ZoneDesk) {
	mux.HandleFunc("POST /v1/zone", answer(ordered(z.Build)))
	mux.HandleFunc("POST /v1/zone/order", answer(ordered(z.Order)))
	mux.HandleFunc("GET /v1/zone/diff", answer(func(*http.Request) (any, error) { return z.Diff() }))
	mux.HandleFunc("GET /v1/zone/generations", answer(func(*http.Request) (any, error) {
		return z.Generations()
	}))
}

// BuildZone has the zone published now.
func (c *Client) BuildZone(ctx context.Context, o BuildOrder) (now Built, err error) {
	return now, c.order(ctx, "zone", o, &now)
}

// OrderZone has an order about the zone carried out.
func (c *Client) OrderZone(ctx context.Context, o OrderOfZone) (done EffectOnZone, err error) {
	return done, c.order(ctx, "zone/order", o, &done)
}

// DiffZone asks what publishing now would change.
func (c *Client) DiffZone() (d ZoneDiff, err error) {
	return d, c.ask(context.Background(), "GET", "zone/diff", url.Values{}, nil, &d)
}

// Generations asks what may be rolled back to.
func (c *Client) Generations() (all []Generation, err error) {
	return all, c.ask(context.Background(), "GET", "zone/generations", url.Values{}, nil, &all)
}
