package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/store"
)

// PulseFilter says what a pulse is about.
type PulseFilter struct {
	Span      time.Duration // back from now: ShortestSpan to LongestSpan, whole seconds
	Top       int           // so many of the busiest sources and traps, at most MostTop
	ShowTraps bool          // trap addresses instead of their keyed hashes
}

// Bounds of a pulse.
const (
	ShortestSpan = time.Minute
	LongestSpan  = 31 * 24 * time.Hour
	beats        = 60     // parts into which the span is divided
	mostRead     = 50_000 // records, while somebody waits
)

// Pulse is what came in of late. How much came is exact; what it was is counted of
// the newest records, where there are more than mostRead.
type Pulse struct {
	At           criteria.Second        `json:"at"`     // end of the span, in the log's time
	Span         int64                  `json:"span"`   // seconds
	Hits         uint64                 `json:"hits"`   // records of the span
	Series       []uint64               `json:"series"` // in each sixtieth of it, the oldest first
	Read         int                    `json:"read"`   // so many, the newest, are counted below
	Kinds        map[string]int         `json:"kinds"`  // trap, report, inbox
	Causes       map[criteria.Cause]int `json:"causes"` // not of inbox, and so for the rest
	Unattributed int                    `json:"unattributed"`
	SourceCount  int                    `json:"source_count"` // distinct ones
	Sources      []BusySource           `json:"sources"`      // the busiest
	Traps        []BusyTrap             `json:"traps"`        // likewise
}

// BusySource is a source with many hits.
type BusySource struct {
	Source criteria.Source `json:"source"`
	Hits   int             `json:"hits"`
	Answer criteria.Answer `json:"answer"` // null: not listed, or not known yet
}

// BusyTrap is a trap with many hits.
type BusyTrap struct {
	Trap string `json:"trap"` // a keyed hash, or the address where asked for
	Hits int    `json:"hits"`
}

// Live is a pulse with what stands now.
type Live struct {
	Pulse
	Ready      bool   `json:"ready"`
	Remembered int    `json:"remembered"` // sources
	Listed     int    `json:"listed"`     // sources, by their score
	Zone       Zone   `json:"zone"`
	Storage    string `json:"storage"` // "ok", or why messages are not taken
}

// Live looks at what came in a span that ends now, and at what stands.
func (d *Desk) Live(ctx context.Context, f PulseFilter) (Live, error) {
	p, err := d.Pulse(ctx, f)
	if err != nil {
		return Live{}, err
	}
	l := Live{Pulse: p, Storage: "ok"}
	if err := d.Store.Room(); err != nil {
		l.Storage = err.Error()
	}
	if d.Zone != nil {
		l.Zone = d.Zone()
	}
	l.Ready = d.Judge.View(func(e *criteria.Engine) {
		l.Remembered, l.Listed = e.Sources(), e.Listed()
	}) == nil
	return l, nil
}

// Pulse counts what came in a span that ends now.
func (d *Desk) Pulse(ctx context.Context, f PulseFilter) (Pulse, error) {
	if f.Span < ShortestSpan || f.Span > LongestSpan || f.Top < 0 || f.Top > MostTop {
		return Pulse{}, badRequest(fmt.Sprintf("%d busiest in a span of %s", f.Top, f.Span),
			"give a minute to 31 days, and 0 to 1000")
	}
	mark := d.Store.Mark()
	p := Pulse{At: mark.At, Span: int64(f.Span / time.Second), Kinds: map[string]int{},
		Causes: map[criteria.Cause]int{}}
	first, err := d.countBeats(&p, mark)
	if err != nil {
		return p, err
	}
	first = max(first, mark.LSN-min(mark.LSN, mostRead)+1)
	b := d.newBustle()
	for r, err := range d.Store.Records(first, mark.LSN) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return p, fmt.Errorf("read the log: %w", err)
		}
		p.add(&r)
		b.add(&r)
	}
	p.SourceCount = len(b.sources)
	p.Sources, p.Traps = d.busySources(b, f.Top), d.busyTraps(b, f)
	return p, nil
}

// countBeats counts the records of each part of the span by their numbers, and gives the
// number of the first.
func (d *Desk) countBeats(p *Pulse, mark store.Mark) (first uint64, err error) {
	starts := make([]uint64, 0, beats+1)
	for i := range int64(beats) {
		from := p.At - criteria.Second(p.Span-p.Span*i/beats) + 1
		lsn, err := d.Store.Since(from)
		if err != nil {
			return 0, fmt.Errorf("read the log: %w", err)
		}
		starts = append(starts, min(lsn, mark.LSN+1)) // none of what came meanwhile
	}
	starts = append(starts, mark.LSN+1)
	for i := range beats {
		p.Series = append(p.Series, starts[i+1]-starts[i])
	}
	p.Hits = starts[beats] - starts[0]
	return starts[0], nil
}

func (p *Pulse) add(r *store.Record) {
	p.Read++
	if r.Inbox {
		p.Kinds["inbox"]++
		return
	}
	p.Kinds[r.Kind.String()]++
	p.Causes[r.Cause]++
	if !r.Source.IsValid() {
		p.Unattributed++
	}
}

// bustle counts hits by source and by trap; there are no more than records were read.
type bustle struct {
	ipv6    int // by which networks IPv6 is counted
	sources map[netip.Prefix]int
	traps   map[string]int
}

func (d *Desk) newBustle() *bustle {
	b := &bustle{ipv6: criteria.DefaultPolicy().IPv6Prefix, sources: map[netip.Prefix]int{},
		traps: map[string]int{}}
	_ = d.Judge.View(func(e *criteria.Engine) { // not ready: the default will do
		policy, _ := e.Policy()
		b.ipv6 = policy.IPv6Prefix
	})
	return b
}

func (b *bustle) add(r *store.Record) {
	if r.Inbox {
		return
	}
	if r.Source.IsValid() {
		b.sources[address.Unit(r.Source, b.ipv6)]++
	}
	for _, to := range r.Recipients {
		if r.Kind == criteria.TrapHit && isTrap(to) {
			b.traps[to.Address]++
		}
	}
}

// busySources gives the busiest, and what the list answers for each.
func (d *Desk) busySources(b *bustle, top int) []BusySource {
	all := []BusySource{}
	for unit, n := range b.sources {
		all = append(all, BusySource{Source: criteria.Source{Prefix: unit}, Hits: n})
	}
	slices.SortFunc(all, func(a, b BusySource) int {
		return cmp.Or(b.Hits-a.Hits, a.Source.Prefix.Compare(b.Source.Prefix))
	})
	all = all[:min(top, len(all))]
	_ = d.Judge.View(func(e *criteria.Engine) { // not ready: nobody knows yet
		for i := range all {
			all[i].Answer = e.Lookup(all[i].Source.Addr()).Answer
		}
	})
	return all
}

func (d *Desk) busyTraps(b *bustle, f PulseFilter) []BusyTrap {
	all := []BusyTrap{}
	for trap, n := range b.traps {
		all = append(all, BusyTrap{trap, n})
	}
	slices.SortFunc(all, func(a, b BusyTrap) int {
		return cmp.Or(b.Hits-a.Hits, cmp.Compare(a.Trap, b.Trap))
	})
	all = all[:min(f.Top, len(all))]
	for i := range all {
		if !f.ShowTraps {
			all[i].Trap = d.pseudonym(all[i].Trap)
		}
	}
	return all
}
