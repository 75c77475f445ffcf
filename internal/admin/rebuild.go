package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/zone"
)

// RebuildOrder is what is to be done with a replay of the whole log.
type RebuildOrder struct {
	Compare bool   `json:"compare"` // only compare: nothing is changed
	Reason  string `json:"reason"`  // for the ledger; may be empty
}

// Rebuilding is one line of the answer: how far the replay is, or what came of it.
type Rebuilding struct {
	Done    uint64   `json:"done,omitempty"` // records
	Total   uint64   `json:"total,omitempty"`
	Rebuilt *Rebuilt `json:"rebuilt,omitempty"`
}

// Rebuilt is what a replay of the log gave, beside what was there.
type Rebuilt struct {
	Decision uint64          `json:"decision"` // in the ledger; 0: only compared
	LSN      uint64          `json:"lsn"`      // the last hit of the replay
	At       criteria.Second `json:"at"`
	Sources  int             `json:"sources"` // that the replay remembers
	Listed   int             `json:"listed"`  // by the replay
	State    string          `json:"state"`   // that it was compared with: engine, snapshot, or none
	Why      string          `json:"why,omitempty"`
	Equal    bool            `json:"equal"`   // to the last bit
	Differ   int             `json:"differ"`  // sources with another answer
	Changes  []Change        `json:"changes"` // the first of them: from the state to the replay
	// Zone is what of the zone the replay does not say; null where it was not compared.
	Zone *ZoneCompared `json:"zone"`
}

// ZoneCompared is how the published zone differs from the list of a replay. What has
// come or ended since the zone was published is no difference.
type ZoneCompared struct {
	Serial  uint32     `json:"serial"`
	Missing []Listing  `json:"missing"` // in the zone
	Extra   []Listing  `json:"extra"`   // likewise
	Changed []Listing  `json:"changed"` // the answer; as the replay has it
	Order   *ZoneOrder `json:"order"`   // stands in the list's place, so that nothing was compared
}

// Same tells whether nothing differs but what the log cannot know.
func (r Rebuilt) Same() bool { return r.Differ == 0 && (r.Zone == nil || r.Zone.same()) }

func (z *ZoneCompared) same() bool { return len(z.Missing)+len(z.Extra)+len(z.Changed) == 0 }

// Rebuild replays the log beside the engine that answers; one replay at a time. With
// Compare it says what differs, and changes nothing. Without, the rebuild is a decision
// of the ledger, and the answer comes when the new engine has taken over.
func (d *Desk) Rebuild(ctx context.Context, who string, o RebuildOrder) iter.Seq2[Rebuilding, error] {
	return func(yield func(Rebuilding, error) bool) {
		if err := o.check(); err != nil {
			yield(Rebuilding{}, err)
			return
		}
		if !d.simulating.TryLock() {
			yield(Rebuilding{}, refused("a simulation or a check is under way", "ask again when it is done"))
			return
		}
		defer d.simulating.Unlock()
		a, ctx, cancel := listening(ctx, yield)
		defer cancel()
		work := d.replaced
		if o.Compare {
			work = d.compared
		}
		done, err := work(ctx, who, o, func(n, total uint64) { a.tell(Rebuilding{Done: n, Total: total}, nil) })
		a.tell(Rebuilding{Rebuilt: &done}, rebuildError(err))
	}
}

func (o RebuildOrder) check() error {
	if o.Reason == "" {
		return nil
	}
	return checkReason(o.Reason)
}

func rebuildError(err error) error {
	if errors.Is(err, context.Canceled) {
		return refused("the replay was cut off", "the daemon stops: ask again when it is up")
	}
	return err
}

// compared holds the engine that answers, and the zone, against a replay.
func (d *Desk) compared(ctx context.Context, _ string, _ RebuildOrder, p store.Progress) (Rebuilt, error) {
	c, err := d.Judge.Compare(ctx, p)
	if err != nil {
		return Rebuilt{}, err
	}
	return d.withZone(rebuiltOf(c, "engine"), c.List)
}

// withZone compares the published zone as well, where there is one.
func (d *Desk) withZone(r Rebuilt, list judge.List) (Rebuilt, error) {
	if d.CompareZone == nil {
		return r, nil
	}
	compared, err := d.CompareZone(list)
	r.Zone = &compared
	return r, err
}

func rebuiltOf(c judge.Compared, state string) Rebuilt {
	r := Rebuilt{LSN: c.At.LSN, At: c.At.At, Sources: c.Sources, Listed: c.Listed, State: state,
		Equal: c.Equal, Differ: len(c.Changes), Changes: []Change{}}
	if c.Why != nil {
		r.State, r.Why = "none", c.Why.Error()
	}
	for _, change := range c.Changes[:min(len(c.Changes), mostShown)] {
		r.Changes = append(r.Changes, Change{Source: change.Source, From: change.From, To: change.To})
	}
	return r
}

// replayEvery is how often it is told how far the engine is that is made anew.
const replayEvery = 250 * time.Millisecond

// replaced has the judge make its engine anew.
func (d *Desk) replaced(ctx context.Context, who string, o RebuildOrder, p store.Progress) (Rebuilt, error) {
	d.rewriting.Lock()
	defer d.rewriting.Unlock()
	before, err := d.Judge.Listings()
	if err != nil {
		return Rebuilt{}, err
	}
	decisions := []criteria.Decision{{Act: criteria.ActRebuild, Who: who, Reason: cmp.Or(o.Reason, byHand)}}
	if err := d.Store.Decide(ctx, decisions...); err != nil {
		return Rebuilt{}, fmt.Errorf("write the ledger: %w", err)
	}
	seq := decisions[0].Seq
	if err := d.awaitReplay(ctx, seq, p); err != nil {
		return Rebuilt{}, fmt.Errorf("decision %d is in the ledger: await the list: %w", seq, err)
	}
	after, err := d.Judge.Listings()
	if err != nil {
		return Rebuilt{}, err
	}
	all := changes(before.Listings, after.Listings)
	r := Rebuilt{Decision: seq, LSN: decisions[0].After, At: decisions[0].At, State: "engine", Differ: len(all),
		Equal: len(all) == 0, Changes: all[:min(len(all), mostShown)]}
	err = d.Judge.View(func(e *criteria.Engine) { r.Sources, r.Listed = e.Sources(), e.Listed() })
	return r, err
}

// byHand is the reason of a rebuild for which none was given.
const byHand = "by hand"

// awaitReplay waits for a rebuild, and tells how far it is.
func (d *Desk) awaitReplay(ctx context.Context, seq uint64, p store.Progress) error {
	done := make(chan error, 1)
	go func() { done <- d.Judge.Await(ctx, seq) }()
	tick := time.NewTicker(replayEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			p(d.Judge.Replayed(), d.Store.Mark().LSN)
		}
	}
}

// RebuildFiles is Rebuild for the store of a daemon that is down: what is compared, or
// replaced, is the state on disk. To replace it the store's writer must be at work.
func (d *Desk) RebuildFiles(ctx context.Context, who string, o RebuildOrder, p store.Progress) (Rebuilt, error) {
	if err := o.check(); err != nil {
		return Rebuilt{}, err
	}
	if o.Compare {
		c, err := judge.CompareSnapshot(ctx, d.Store, p)
		if errors.Is(err, judge.ErrNoSnapshot) {
			return Rebuilt{State: "none", Why: err.Error(), Changes: []Change{}}, nil
		}
		if err != nil {
			return Rebuilt{}, err
		}
		return d.withZone(rebuiltOf(c, "snapshot"), c.List)
	}
	decisions := []criteria.Decision{{Act: criteria.ActRebuild, Who: who, Reason: cmp.Or(o.Reason, byHand)}}
	if err := d.Store.Decide(ctx, decisions...); err != nil {
		return Rebuilt{}, fmt.Errorf("write the ledger: %w", err)
	}
	c, err := judge.Rebuild(ctx, d.Store, p)
	r := rebuiltOf(c, "snapshot")
	r.Decision = decisions[0].Seq
	return r, err
}

// Compare says how the published zone differs from a list that a replay gave. hasLeft
// tells whether the engine that answers does not list a network any more, and knows why.
func (z *ZoneDesk) Compare(list judge.List, hasLeft func(netip.Prefix) bool) (ZoneCompared, error) {
	order, state := z.order(), z.Publisher.State()
	c := ZoneCompared{Serial: state.Serial, Order: orderOf(order, state), Missing: []Listing{},
		Extra: []Listing{}, Changed: []Listing{}}
	if c.Order != nil || state.Serial == 0 {
		return c, nil
	}
	v, err := z.Publisher.Preview(zone.Snapshot{Listings: list.Listings, Exceptions: list.Exceptions,
		At: list.At, Order: order})
	if err != nil {
		return c, err
	}
	missing, extra := slices.Concat(v.Added, v.Waiting.Added), slices.Concat(v.Removed, v.Waiting.Removed)
	c.Missing = ListingsOf(slices.DeleteFunc(missing, func(l criteria.Listing) bool {
		return l.Since >= state.Published
	}))
	c.Extra = ListingsOf(slices.DeleteFunc(extra, func(l criteria.Listing) bool {
		return l.Until <= list.At || hasLeft(l.Source)
	}))
	c.Changed = ListingsOf(v.Changed)
	return c, nil
}

// routeHouse serves orders about the housekeeping of the store.
func routeHouse(mux *http.ServeMux, d *Desk) {
	mux.HandleFunc("POST /v1/rebuild", stream(func(r *http.Request) (iter.Seq2[Rebuilding, error], error) {
		q := r.URL.Query()
		o := RebuildOrder{Compare: q.Get("compare") == "true", Reason: q.Get("reason")}
		return d.Rebuild(r.Context(), whoIn(r.Context()), o), o.check()
	}))
	mux.HandleFunc("POST /v1/compact", stream(func(r *http.Request) (iter.Seq2[Compaction, error], error) {
		return d.Compact(r.Context(), store.BesideWriter), nil
	}))
}

// Rebuild has the daemon replay its log.
func (c *Client) Rebuild(ctx context.Context, o RebuildOrder) iter.Seq2[Rebuilding, error] {
	return linesOf[Rebuilding](ctx, c, "POST", "rebuild",
		url.Values{"compare": {strconv.FormatBool(o.Compare)}, "reason": {o.Reason}})
}
