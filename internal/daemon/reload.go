package daemon

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/zone"
)

// reload puts the configuration on disk in force, whole or not at all: what can
// fail is done before anything changes. It waits for the list to follow.
func (d *Daemon) reload(ctx context.Context, who string) (admin.Settled, error) {
	d.reloading.Lock() // a signal and the socket may ask at once
	defer d.reloading.Unlock()
	d.tell(Reloading)
	defer d.tell(Reloaded)
	done, err := d.tryReload(ctx, who)
	if err != nil {
		d.options.Events.ReloadFailed(err)
		return done, err
	}
	d.options.Events.Reloaded(done.Policy, done.Begun, done.Ended, done.Changed)
	return done, nil
}

func (d *Daemon) tryReload(ctx context.Context, who string) (done admin.Settled, err error) {
	old := d.current.Load().config
	c, err := config.Load(old.Path)
	if err != nil {
		return done, problem(err.Error(), "")
	}
	differences := config.Compare(old, c)
	if err := mayReload(differences); err != nil {
		return done, err
	}
	r, err := d.prepare(c)
	if err != nil {
		return done, problem(err.Error(), "nothing was changed")
	}
	areas, want, adopted := config.AreasOf(differences), d.wanted(c), false
	want.Note = noteOf(areas)
	done, err = d.desk.Settle(ctx, who, want, func() {
		adopted = true
		d.adopt(r)
		for _, a := range areas {
			d.options.Events.ConfigChanged(a.Name, a.Added, a.Removed, a.Changed, a.Keys)
		}
	})
	if !adopted {
		return done, errors.Join(err, d.abandon(r))
	}
	for _, a := range areas {
		done.Areas = append(done.Areas, admin.Area(a))
	}
	return done, err
}

// mayReload refuses what only a start can bring.
func mayReload(differences []config.Difference) error {
	var keys []string
	for _, d := range differences {
		if d.Restart {
			keys = append(keys, d.Key)
		}
	}
	switch {
	case len(keys) == 0:
		return nil
	case slices.Contains(keys, "zone.origin"):
		return problem("zone.origin changed, and another name is another zone: that takes a restart",
			"nothing was changed; tell the users of the old zone first, see trapline zone retire")
	}
	return problem(strings.Join(keys, " and ")+" changed, which takes a restart", "nothing was changed")
}

// noteOf says in the ledger what is new in a configuration.
func noteOf(areas []config.Area) string {
	var parts []string
	for _, a := range areas {
		parts = append(parts, a.String())
	}
	return strings.Join(parts, "; ")
}

// reform is a configuration whose parts are all made and checked, and none in force.
type reform struct {
	settings *settings
	zone     zone.Config
	doors    turn
	page     *page // where metrics are to be served, nil: nowhere
	moved    bool  // that is another place than now
}

// prepare makes what another configuration needs: it reads certificates and opens
// sockets. What it made is for adopt or abandon.
func (d *Daemon) prepare(c *config.Config) (r reform, err error) {
	if r.settings, err = newSettings(c, d.options.Now(), &d.made); err != nil {
		return r, err
	}
	r.zone = ZoneConfig(c, d.options.Now, d.judge.Explains)
	if err = r.zone.Check(); err != nil {
		return r, err
	}
	if r.moved = c.Ops.Address != d.current.Load().config.Ops.Address; r.moved {
		if r.page, err = openPage(c.Ops.Address); err != nil {
			return r, err
		}
	}
	if r.doors, err = d.doors.prepare(c.Listen); err != nil {
		return r, errors.Join(err, r.page.abandon())
	}
	return r, nil
}

func (d *Daemon) abandon(r reform) error {
	return errors.Join(d.doors.abandon(r.doors), r.page.abandon())
}

// adopt puts a prepared configuration in force. Nothing of it can fail.
func (d *Daemon) adopt(r reform) {
	c := r.settings.config
	if d.options.Log != nil {
		d.options.Log(c.Log)
	}
	d.current.Store(r.settings)
	d.doors.commit(r.doors, r.settings.listeners)
	if r.moved {
		d.movePage(r.page)
	}
	d.store.Retain(store.Retention{Records: c.Retention.Hits, Evidence: c.Retention.Evidence})
	d.store.Reserve(uint64(c.Limits.FreeBytes))
	if err := d.zone.Publisher.Renew(r.zone); err != nil { // checked, and of the same place
		d.options.Events.ZoneFailed(err)
	}
}

// preview says what reload would change if the configuration had this text.
func (d *Daemon) preview(ctx context.Context, name string, text []byte) (admin.Preview, error) {
	c, err := config.Parse(name, text)
	if err != nil {
		return admin.Preview{}, problem(err.Error(), "")
	}
	p, err := d.desk.Preview(ctx, d.wanted(c))
	p.Daemon, p.Differences = true, []admin.Difference{}
	for _, x := range config.Compare(d.current.Load().config, c) {
		p.Differences = append(p.Differences, admin.Difference(x))
	}
	return p, err
}

// wanted is what a configuration wants of the ledger.
func (d *Daemon) wanted(c *config.Config) judge.Settings { return WantedOf(c, d.store.Secret()) }

// versionsOf names what is in a configuration and each part of it: equal contents
// have equal names, and of a name nobody can tell the content who does not have
// the store's secret.
func versionsOf(c *config.Config, secret []byte) (version string, parts map[string]string) {
	lines := map[string][]string{}
	for _, s := range c.Settings() {
		area, _, _ := strings.Cut(s.Key, ".")
		lines[area] = append(lines[area], fmt.Sprintf("%q %q %q\n", s.Key, s.Of, s.Value))
	}
	parts = map[string]string{}
	var all []string
	for area := range lines {
		slices.Sort(lines[area]) // where a table stands in a list means nothing
		parts[area] = versionOf(secret, lines[area])
		all = append(all, area+" "+parts[area])
	}
	slices.Sort(all)
	return versionOf(secret, all), parts
}

func versionOf(secret []byte, lines []string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("configuration\n" + strings.Join(lines, "")))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}
