package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"path/filepath"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

// values are those of a gauge, by the word of its label.
type values = map[string]float64

// watch shows with the metrics how each part stands; docs/metrics.md says what each means.
func (d *Daemon) watch(b *trap.Budget) {
	d.watchDaemon()
	d.watchMail(b)
	d.watchStore()
	d.watchJudge()
	d.watchZone()
	d.watchDisputes()
}

func (d *Daemon) watchDaemon() {
	d.options.Events.Watch(
		ops.Gauge{Name: "ready", Help: "1 while /readyz gives no reason.",
			Values: ops.Truth(func() bool { return len(d.health().Reasons) == 0 })},
		ops.Gauge{Name: "taking_mail", Help: "1 while there is room for messages.",
			Values: ops.Truth(func() bool { return d.store.Room() == nil })},
		ops.Gauge{Name: "limit", Help: "What the configuration allows.", Label: "key",
			Values: func() values {
				l := d.current.Load().config.Limits
				return values{"connections": float64(l.Connections),
					"memory_bytes": float64(l.MemoryBytes), "free_bytes": float64(l.FreeBytes)}
			}},
		ops.Gauge{Name: "retention_seconds", Help: "How long is kept.", Label: "of",
			Values: func() values {
				r := d.current.Load().config.Retention
				return values{"hits": r.Hits.Seconds(), "evidence": r.Evidence.Seconds()}
			}},
		ops.Gauge{Name: "traps", Help: "Entries of the configuration.", Label: "state",
			Values: func() values { return trapsOf(d.current.Load().config) }},
		ops.Gauge{Name: "certificate_expiry_timestamp_seconds", Label: "listener",
			Help:   "When the certificate of a listener expires.",
			Values: func() values { return d.current.Load().expiries() }})
}

func trapsOf(c *config.Config) values {
	v := values{string(config.Active): 0, string(config.Resting): 0, string(config.Watching): 0}
	for _, t := range c.Traps {
		v[string(t.State)]++
	}
	return v
}

// expiries gives the end of each listener's certificate, as the next handshake would show it.
func (s *settings) expiries() values {
	v := values{}
	for i, l := range s.listeners {
		if l.TLS == nil {
			continue
		}
		cert, err := l.TLS.GetCertificate(new(tls.ClientHelloInfo))
		if err != nil {
			continue
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err == nil {
			v[s.config.Listen[i].Address.Name] = float64(leaf.NotAfter.Unix())
		}
	}
	return v
}

func (d *Daemon) watchMail(b *trap.Budget) {
	d.options.Events.Watch(
		ops.Gauge{Name: "connections", Help: "Connections that are open.",
			Values: ops.One(b.Connections)},
		ops.Gauge{Name: "content_bytes",
			Help:   "Bytes of messages held in memory, as limits.memory_bytes counts.",
			Values: ops.One(b.Memory)},
		ops.Gauge{Name: "content_waiting",
			Help:   "Messages that wait for memory, their senders held up.",
			Values: ops.One(b.Waiting)})
}

func (d *Daemon) watchStore() {
	sizes := func(of func(store.Size) float64) func() values {
		return func() values {
			return values{"hits": of(d.store.SizeOfHits()), "ledger": of(d.store.SizeOfLedger())}
		}
	}
	d.options.Events.Watch(
		ops.Gauge{Name: "store_bytes", Help: "Size of the files.", Label: "of",
			Values: sizes(func(s store.Size) float64 { return float64(s.Bytes) })},
		ops.Gauge{Name: "store_free_pages", Help: "Pages of the files that hold nothing.", Label: "of",
			Values: sizes(func(s store.Size) float64 { return float64(s.FreePages) })},
		ops.Gauge{Name: "disk_free_bytes", Help: "Free where a folder is.", Label: "of",
			Values: d.freeBytes},
		ops.Gauge{Name: "log_records", Help: "Number of the newest record.",
			Values: ops.One(func() uint64 { return d.store.Mark().LSN })},
		ops.Gauge{Name: "ledger_decisions", Help: "Number of the newest decision.",
			Values: ops.One(func() uint64 { return d.store.Mark().Decision })},
		ops.Gauge{Name: "log_record_timestamp_seconds", Label: "of",
			Help: "When a record came.", Values: d.recordTimes},
		ops.Gauge{Name: "snapshot_timestamp_seconds", Help: "When the engine's state was kept.",
			Values: func() values {
				at := d.store.SavedAt()
				if at.IsZero() {
					return nil
				}
				return values{"": float64(at.Unix())}
			}})
}

// freeBytes asks the file systems; one that does not answer is left out.
func (d *Daemon) freeBytes() values {
	v, c := values{}, d.current.Load().config
	for of, dir := range map[string]string{"data": c.DataDir, "zone": filepath.Dir(c.Zone.Dir)} {
		if free, err := store.FreeBytes(dir); err == nil {
			v[of] = float64(free)
		}
	}
	return v
}

// recordTimes gives when the oldest and the newest record came, nothing of an empty log.
func (d *Daemon) recordTimes() values {
	v, mark := values{}, d.store.Mark()
	for r, err := range d.store.Newest(mark.LSN) {
		if err == nil {
			v["newest"] = float64(r.Stamp)
		}
		break
	}
	for r, err := range d.store.Records(1, mark.LSN) {
		if err == nil {
			v["oldest"] = float64(r.Stamp)
		}
		break
	}
	return v
}

func (d *Daemon) watchJudge() {
	sources := func(of func(*criteria.Engine) int) func() values {
		return func() values {
			n := 0
			if d.judge.View(func(e *criteria.Engine) { n = of(e) }) != nil {
				return nil // nobody knows yet
			}
			return values{"": float64(n)}
		}
	}
	d.options.Events.Watch(
		ops.Gauge{Name: "judge_lag_seconds", Help: "How far the list's instant is behind the clock.",
			Values: d.lag(func(mark store.Mark) float64 {
				return max(0, d.options.Now().Sub(mark.At.Time()).Seconds())
			})},
		ops.Gauge{Name: "judge_behind_records", Help: "Records that the list does not know yet.",
			Values: d.lag(func(mark store.Mark) float64 {
				return float64(d.store.Mark().LSN - mark.LSN)
			})},
		ops.Gauge{Name: "sources", Help: "Sources that are remembered.",
			Values: sources((*criteria.Engine).Sources)},
		ops.Gauge{Name: "sources_listed", Help: "Sources listed by their score.",
			Values: sources((*criteria.Engine).Listed)},
		ops.Gauge{Name: "listings", Help: "Listings by answer, when the zone last asked for them.",
			Label: "answer", Values: func() values {
				if counts := d.listed.Load(); counts != nil {
					return maps.Clone(*counts)
				}
				return nil
			}})
}

// lag measures how far the judge is, nothing while it reads the log for the first time.
func (d *Daemon) lag(of func(store.Mark) float64) func() values {
	return func() values {
		mark, err := d.judge.Position()
		if err != nil {
			return nil
		}
		return values{"": of(mark)}
	}
}

// countListings notes how many there are of each answer.
func (d *Daemon) countListings(all []criteria.Listing) {
	counts := values{}
	for _, a := range []criteria.Answer{criteria.Spam, criteria.Backscatter, criteria.Operator,
		criteria.Network} {
		counts[a.String()] = 0
	}
	for _, l := range all {
		counts[l.Answer.String()]++
	}
	d.listed.Store(&counts)
}

func (d *Daemon) watchZone() {
	one := func(name, help string, value func(admin.Zone) float64) ops.Gauge {
		return ops.Gauge{Name: name, Help: help,
			Values: ops.One(func() float64 { return value(d.zone.State()) })}
	}
	d.options.Events.Watch(
		one("zone_serial", "Serial of the zone in place.",
			func(z admin.Zone) float64 { return float64(z.Serial) }),
		one("zone_entries", "Entries of the zone in place.",
			func(z admin.Zone) float64 { return float64(z.Entries) }),
		one("zone_published_timestamp_seconds", "When the zone in place was published.",
			func(z admin.Zone) float64 { return float64(z.Published) }),
		ops.Gauge{Name: "zone_valid_for_seconds",
			Help: "After so long without a publication copies fall silent; 0: never.",
			Values: ops.One(func() float64 {
				return d.current.Load().config.Zone.ValidFor.Seconds()
			})},
		ops.Gauge{Name: "zone_held", Help: "Changes that the publish guard holds back.", Label: "of",
			Values: func() values {
				held := d.zone.State().Held
				return values{"additions": float64(held.Additions), "removals": float64(held.Removals)}
			}},
		ops.Gauge{Name: "zone_order", Help: "1 while it is ordered in the place of the list.",
			Label: "of", Values: func() values {
				v := values{string(criteria.ActRollback): 0, string(criteria.ActRetire): 0}
				if o := d.zone.State().Order; o != nil && o.Act != criteria.ActResume {
					v[string(o.Act)] = 1
				}
				return v
			}})
}
