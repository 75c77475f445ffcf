package daemon

import (
	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
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
	return nil
}

// list is what the publisher publishes: nothing while the list is incomplete.
func (d *Daemon) list() (zone.Snapshot, error) {
	if err := d.incomplete(); err != nil {
		return zone.Snapshot{}, err
	}
	list, err := d.judge.Listings()
	if err == nil {
		d.countListings(list.Listings)
	}
	return zone.Snapshot{Listings: list.Listings, Exceptions: list.Exceptions, At: list.At}, err
}

// report tells of a publication what was not told before.
func (d *Daemon) report(r zone.Result, err error) {
	d.tellOrder()
	d.unpublished.Store(&err)
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
