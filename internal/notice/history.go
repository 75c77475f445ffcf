package notice

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/store"
)

// Bounds of the history: days that are shown, cells that are kept in memory (about
// 50 bytes each), and records that a start reads.
const (
	daysShown   = 30
	mostCells   = 4 << 20
	mostRecords = 20 << 20
	lookEvery   = 10 * time.Second
)

// history counts messages by source and day, as the log grows. An hour's worth stays
// apart until every notice may count it.
type history struct {
	seed maphash.Seed

	mu     sync.RWMutex // guards what follows; only Serve's goroutine takes it whole
	ready  bool         // the log was read to its end once
	bits   int          // of an IPv6 source
	days   map[criteria.Day]map[uint64]cell
	hours  []hourly     // ascending
	cells  int          // of days and hours
	most   int          // of them
	since  criteria.Day // nothing is known of earlier ones
	marked store.Mark
}

// hourly is what was stamped within an hour.
type hourly struct {
	start criteria.Second
	cells map[dayKey]cell
}

// dayKey is a source, by its hash, and a day that it sent on.
type dayKey struct {
	source uint64
	day    criteria.Day
}

// cell is what came of one source on one day.
type cell struct {
	spam, backscatter, reports uint32
	first                      uint32 // stands for the first trap or reporter
	several                    bool   // there was another one
}

func (c *cell) add(d cell) {
	if c.spam+c.backscatter+c.reports == 0 {
		c.first = d.first
	}
	c.several = c.several || d.several || c.first != d.first
	c.spam, c.backscatter, c.reports = c.spam+d.spam, c.backscatter+d.backscatter, c.reports+d.reports
}

func newHistory() *history {
	return &history{seed: maphash.MakeSeed(), days: map[criteria.Day]map[uint64]cell{}, most: mostCells}
}

// Serve reads the log as it grows, until the context ends. An error is damage in
// the log; the history then stays as it is.
func (o *Office) Serve(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := o.follow(ctx); err != nil {
			return fmt.Errorf("read the log for its history: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follow brings the history to the mark, and begins it anew where IPv6 is counted by
// another network than before.
func (o *Office) follow(ctx context.Context) error {
	policy, err := o.Policy()
	if err != nil {
		return nil // the judge is still reading; after it
	}
	h, mark := o.history, o.cfg.Store.Mark()
	if h.bits != policy.IPv6Prefix {
		from, err := o.firstOf(criteria.DayOf(mark.At).Start() - daysShown*24*hour)
		if err != nil {
			return err
		}
		from = max(from, 1, mark.LSN-min(mark.LSN, mostRecords))
		h.begin(policy.IPv6Prefix, store.Mark{LSN: from - 1, Decision: mark.Decision})
	}
	for e, err := range o.cfg.Store.Events(h.marked, mark) {
		if err != nil || ctx.Err() != nil {
			return err
		}
		if e.Hit != nil && e.Hit.Source.IsValid() && len(e.Hit.Traps) > 0 {
			h.take(e.Hit)
		}
	}
	h.pass(mark)
	return nil
}

func (h *history) begin(bits int, at store.Mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bits, h.marked, h.ready, h.hours, h.cells, h.since = bits, at, false, nil, 0, 0
	clear(h.days)
}

func (h *history) take(hit *criteria.Hit) {
	one := cell{first: uint32(maphash.String(h.seed, hit.Traps[0])), several: len(hit.Traps) > 1}
	switch classOf(hit.Kind, hit.Cause) {
	case Spam:
		one.spam = 1
	case Backscatter:
		one.backscatter = 1
	case Reported:
		one.reports = 1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	start := down(hit.Stamp)
	if n := len(h.hours); n == 0 || h.hours[n-1].start < start {
		h.hours = append(h.hours, hourly{start, map[dayKey]cell{}})
		h.release(start)
	}
	h.marked.LSN = hit.LSN
	key := dayKey{h.key(hit.Source), criteria.DayOf(hit.Time)}
	if key.day < h.since {
		return
	}
	now := h.hours[len(h.hours)-1].cells
	c, known := now[key]
	c.add(one)
	now[key] = c
	if !known {
		h.cells++
		h.fit()
	}
}

// key stands for a source.
func (h *history) key(a netip.Addr) uint64 {
	unit := address.Unit(a, h.bits).Addr().As16()
	return maphash.Bytes(h.seed, unit[:])
}

// pass notes how far the log was read.
func (h *history) pass(m store.Mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.marked, h.ready = m, true
	h.release(down(m.At))
}

// release puts hours that every notice may count into their days, and forgets the days
// that no notice shows any more.
func (h *history) release(hour criteria.Second) {
	for len(h.hours) > 0 && h.hours[0].start < hour-quiet {
		for key, c := range h.hours[0].cells {
			if h.days[key.day] == nil {
				h.days[key.day] = map[uint64]cell{}
			}
			sum, known := h.days[key.day][key.source]
			if known {
				h.cells--
			}
			sum.add(c)
			h.days[key.day][key.source] = sum
		}
		h.hours = h.hours[1:]
	}
	h.forget(criteria.DayOf(max(hour, daysShown*24*3600)) - daysShown)
}

// fit forgets the oldest days until the others have room, be it the present one: rather
// nothing is known of a day than that it has a part of its sources.
func (h *history) fit() {
	for h.cells > h.most {
		h.forget(h.oldest() + 1)
	}
}

// oldest is the first day of which there is anything.
func (h *history) oldest() criteria.Day {
	first := criteria.Day(1<<16 - 2)
	for day := range h.days {
		first = min(first, day)
	}
	for _, hour := range h.hours {
		for key := range hour.cells {
			first = min(first, key.day)
		}
	}
	return first
}

// forget drops all that is known of the days before one.
func (h *history) forget(before criteria.Day) {
	if before <= h.since {
		return
	}
	h.since = before
	for day, cells := range h.days {
		if day < before {
			h.cells -= len(cells)
			delete(h.days, day)
		}
	}
	for _, hour := range h.hours {
		all := len(hour.cells)
		maps.DeleteFunc(hour.cells, func(key dayKey, _ cell) bool { return key.day < before })
		h.cells -= all - len(hour.cells)
	}
}

// of gives the days of a source up to a full hour, the newest first, and whether they
// show more than one trap or reporter; nil while the log is being read, or where
// there was nothing.
func (h *history) of(source netip.Prefix, cut criteria.Second) (days []Day, several bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.ready {
		return nil, false
	}
	var all cell
	key, today := h.key(source.Addr()), criteria.DayOf(cut)
	for day := today; day > 0 && day+daysShown > today && day >= h.since; day-- {
		c := h.days[day][key]
		for _, hour := range h.hours {
			if hour.start < cut {
				if d := hour.cells[dayKey{key, day}]; d != (cell{}) {
					c.add(d)
				}
			}
		}
		if c != (cell{}) {
			all.add(c)
		}
		days = append(days, Day{day.String(), int(c.spam), int(c.backscatter), int(c.reports)})
	}
	return days, all.several
}
