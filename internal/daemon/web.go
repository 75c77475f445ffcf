package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/notice"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/web"
)

// webConnections bounds how many visitors, or their proxies, are connected at once.
// Each costs what its headers cost, for seconds.
const webConnections = 512

// webIdle is for how long a visitor who asks nothing more keeps his connection: a page and what
// belongs to it are asked for within it, and the place is for others then.
const webIdle = 5 * time.Second

// openWeb serves the public pages.
func (d *Daemon) openWeb(c *config.Config) error {
	if c.Web.Address == (config.Address{}) {
		return nil
	}
	office := notice.New(notice.Config{Store: d.store, Judge: d.judge, Now: d.options.Now,
		Rules: d.noticeRules, Zone: d.publicZone,
		Published: func(a netip.Addr) (uint32, bool) { return d.zone.Publisher.Published(a) }})
	site, err := web.New(web.Config{Lookup: office, Disputes: d.clerk, Settings: d.webSettings,
		Observer: d.options.Events, Now: d.options.Now,
		Clean: func(words string) string { return d.current.Load().redactor.Words(words) }})
	if err != nil {
		return err
	}
	l, err := net.Listen(c.Web.Address.Network, c.Web.Address.Name)
	if err != nil {
		return fmt.Errorf("listen for web: %w", err)
	}
	server := ops.NewServer(site.Handler())
	server.IdleTimeout = webIdle
	d.stack.push(serveHTTP(site.Listener(netutil.LimitListener(l, webConnections)), server))
	stop := background(func(ctx context.Context) error {
		if err := office.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
			d.options.Events.PageFailed(err)
		}
		return nil
	})
	d.stack.push(func(context.Context) error { return stop() })
	return nil
}

func (d *Daemon) noticeRules() notice.Rules {
	s := d.current.Load()
	return notice.Rules{Evidence: notice.Amount(s.config.Web.Evidence), Redactor: s.redactor,
		Trust: s.trust}
}

// publicZone is how the publication stands, for everybody.
func (d *Daemon) publicZone() notice.Zone {
	state, c := d.zone.State(), d.current.Load().config.Zone
	z := notice.Zone{Origin: c.Origin, Serial: state.Serial, Published: state.Published,
		Entries: state.Entries, TTL: c.TTL, MinInterval: c.MinInterval, ValidFor: c.ValidFor}
	if o := state.Order; o != nil && !o.Pending {
		z.Retired, z.Replaced = o.Act == criteria.ActRetire, o.Act == criteria.ActRollback
	}
	return z
}

func (d *Daemon) webSettings() web.Settings {
	c := d.current.Load().config
	return web.Settings{BaseURL: c.Web.BaseURL, TrustProxy: c.Web.TrustProxy,
		Contact: mailboxOf(c.Zone.Contact), Evidence: notice.Amount(c.Web.Evidence),
		SelfRemoval: c.Web.SelfRemoval, KeepHits: c.Retention.Hits, KeepHeads: c.Retention.Evidence}
}

// mailboxOf gives the mail address that a zone spells as a name, RFC 1035 section 8.
func mailboxOf(contact string) string {
	local, domain, _ := strings.Cut(contact, ".")
	return local + "@" + domain
}

var _ web.Observer = (*ops.Events)(nil)
