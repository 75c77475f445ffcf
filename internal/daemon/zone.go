package daemon

import (
	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/zone"
)

// makeZone makes what publishes, and what carries out orders about it.
func (d *Daemon) makeZone(c *config.Config) error {
	publisher, err := zone.New(ZoneConfig(c, d.options.Now, d.judge.Explains))
	if err != nil {
		return err
	}
	d.zone = &admin.ZoneDesk{Store: d.store, Publisher: publisher, Origin: c.Zone.Origin,
		List: d.list, Report: d.report}
	d.watchZone(publisher)
	return nil
}

// watchZone shows with the metrics how the publication stands.
func (d *Daemon) watchZone(p *zone.Publisher) {
	for _, g := range []struct {
		name, help, of string
		value          func(zone.State) int64
	}{
		{"zone_serial", "Serial of the zone in place.", "",
			func(s zone.State) int64 { return int64(s.Serial) }},
		{"zone_entries", "Entries of the zone in place.", "",
			func(s zone.State) int64 { return int64(s.Entries) }},
		{"zone_published_timestamp_seconds", "When the zone in place was published.", "",
			func(s zone.State) int64 { return int64(s.Published) }},
		{"zone_held", "Changes that the publish guard holds back.", "additions",
			func(s zone.State) int64 { return int64(s.Held.Additions) }},
		{"zone_held", "Changes that the publish guard holds back.", "removals",
			func(s zone.State) int64 { return int64(s.Held.Removals) }},
	} {
		d.options.Events.Watch(ops.Gauge{Name: g.name, Help: g.help, Of: g.of,
			Value: func() float64 { return float64(g.value(p.State())) }})
	}
	for _, act := range []criteria.Act{criteria.ActRollback, criteria.ActRetire} {
		d.options.Events.Watch(ops.Gauge{Name: "zone_order", Of: string(act),
			Help: "1 while it is ordered in the place of the list.",
			Value: func() float64 {
				if o := d.zone.State().Order; o != nil && o.Act == act {
					return 1
				}
				return 0
			}})
	}
}

// list is what the publisher publishes: nothing while the list is incomplete.
func (d *Daemon) list() (zone.Snapshot, error) {
	if err := d.incomplete(); err != nil {
		return zone.Snapshot{}, err
	}
	list, err := d.judge.Listings()
	return zone.Snapshot{Listings: list.Listings, Exceptions: list.Exceptions, At: list.At}, err
}

// report tells of a publication what was not told before.
func (d *Daemon) report(r zone.Result, err error) {
	d.tellOrder()
	if err != nil {
		d.options.Events.ZoneFailed(err)
		return
	}
	if !r.Unchanged {
		d.options.Events.ZonePublished(r.Serial, r.Entries, r.Added, r.Removed)
	}
	old := d.held.Swap(&r.Held)
	if old == nil {
		old = new(zone.Held)
	}
	if *old != r.Held {
		d.options.Events.ZoneHeld(r.Held.Additions, r.Held.Removals)
	}
	d.tellFaults(r.Faults)
}

// tellOrder tells what is ordered in the place of the list, when it is something
// else than the last time: a daemon that starts tells it of an order that was
// given before.
func (d *Daemon) tellOrder() {
	order := d.zone.State().Order
	if order == nil || order.Act == criteria.ActResume {
		order = &admin.ZoneOrder{}
	}
	old := d.ordered.Swap(order)
	if old == nil && order.Act != "" || old != nil && old.Seq != order.Seq {
		d.options.Events.ZoneOrdered(string(order.Act), order.Serial, order.Seq, order.Who)
	}
}

// tellFaults tells of listings that cannot be published, when they are others
// than the last time.
func (d *Daemon) tellFaults(faults []zone.Fault) {
	text := zone.Faults(faults).Error()
	if old := d.faults.Swap(&text); text != "" && (old == nil || *old != text) {
		d.options.Events.ZoneFaults(text)
	}
}

// note is what an operator should know of a daemon that is ready.
func (d *Daemon) note() string {
	if o := d.zone.State().Order; o != nil {
		return "the zone is " + o.String()
	}
	return ""
}
