package daemon

import (
	"errors"
	"fmt"

	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
)

// health says how the daemon stands, for whoever watches it.
func (d *Daemon) health() ops.Health {
	h := ops.Health{Alive: true}
	reason := func(part string, err error) {
		if err != nil {
			h.Reasons = append(h.Reasons, fmt.Sprintf("%s: %s", part, err))
		}
	}
	room := d.store.Room()
	h.Alive = !errors.Is(room, store.ErrFailed)
	reason("mail", room)
	if h.Alive {
		reason("list", d.incomplete())
	}
	if err := d.unpublished.Load(); err != nil {
		reason("zone", *err)
	}
	if o := d.zone.State().Order; o != nil {
		h.Notes = append(h.Notes, "the zone is "+o.String())
	}
	if held := d.zone.State().Held; held.Additions+held.Removals > 0 {
		h.Notes = append(h.Notes, fmt.Sprintf("the zone's guard holds %d additions and %d removals",
			held.Additions, held.Removals))
	}
	for _, gap := range d.store.Missing() {
		h.Notes = append(h.Notes, fmt.Sprintf("hits %d to %d are missing", gap.First, gap.Last))
	}
	return h
}
