package daemon

import (
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/judge"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/trap"
	"github.com/trapline/trapline/zone"
)

// settings are what a session reads at its start: made whole, then swapped in.
type settings struct {
	config    *config.Config
	directory *trap.Directory
	trust     parser.Trust
	redactor  *redact.Redactor
	listeners []*trap.Settings // in the order of config.Listen
}

func newSettings(c *config.Config, now time.Time, made *certificates) (*settings, error) {
	directory, err := trap.NewDirectory(rulesOf(c))
	if err != nil {
		return nil, err
	}
	s := &settings{config: c, directory: directory, trust: TrustOf(c), redactor: RedactorOf(c)}
	for _, l := range c.Listen {
		keys, err := made.tlsOf(l, now)
		if err != nil {
			return nil, err
		}
		s.listeners = append(s.listeners, &trap.Settings{Hostname: l.Hostname, LMTP: l.LMTP,
			Persona: trap.Persona(l.Persona), TLS: keys, ProxyFrom: l.ProxyFrom, Peers: peersOf(c),
			Directory: directory, Limits: limitsOf(c.Limits)})
	}
	return s, nil
}

func rulesOf(c *config.Config) []trap.Rule {
	var rules []trap.Rule
	states := map[config.State]trap.State{config.Active: trap.StateActive,
		config.Resting: trap.StateResting, config.Watching: trap.StateWatching}
	for _, t := range c.Traps {
		rules = append(rules, trap.Rule{Class: trap.Trap, Address: t.Address, Domain: t.Domain,
			Kind: string(t.Kind), Weight: int64(t.Weight), State: states[t.State], ActiveFrom: t.ActiveFrom})
	}
	for _, r := range c.Reporters {
		rules = append(rules, trap.Rule{Class: trap.Reporter, Address: r.Address, Name: r.Name,
			Peers: r.Peers, Hosts: r.Hosts, Relays: r.Relays})
	}
	return rules
}

// TrustOf puts the [trust] of a configuration into the parser's words.
func TrustOf(c *config.Config) parser.Trust {
	t := parser.Trust{Hosts: c.Trust.Hosts, Loopback: c.Trust.Loopback,
		LocalSubmission: c.Trust.LocalSubmission}
	for _, r := range c.Trust.Relays {
		t.Relays = append(t.Relays, parser.TrustedRelay{Network: r.Network, By: r.By})
	}
	return t
}

// RedactorOf knows the traps and reporters of a configuration.
func RedactorOf(c *config.Config) *redact.Redactor {
	var s redact.Secrets
	for _, t := range c.Traps {
		if t.Address != "" {
			s.Addresses = append(s.Addresses, t.Address)
		} else {
			s.Domains = append(s.Domains, t.Domain)
		}
	}
	for _, r := range c.Reporters {
		s.Addresses = append(s.Addresses, r.Address)
	}
	return redact.New(s)
}

// peersOf are who may speak LMTP to us.
func peersOf(c *config.Config) []netip.Prefix {
	var peers []netip.Prefix
	for _, r := range c.Trust.Relays {
		peers = append(peers, r.Network)
	}
	return peers
}

func limitsOf(l config.Limits) trap.Limits {
	return trap.Limits{Connections: l.Connections, ConnectionsPerIP: l.ConnectionsPerIP,
		ConnectionsPerNetwork:          l.ConnectionsPerNetwork,
		ConnectionsPerMinute:           l.ConnectionsPerMinute,
		ConnectionsPerMinutePerNetwork: l.ConnectionsPerMinutePerNetwork,
		MessagesPerMinute:              l.MessagesPerMinute,
		MessageBytes:                   l.MessageBytes, SessionBytes: l.SessionBytes,
		Recipients: l.Recipients, SessionTimeout: l.SessionTimeout, CommandTimeout: l.CommandTimeout,
		DataTimeout: l.DataTimeout, MemoryBytes: l.MemoryBytes}
}

// WantedOf is what a configuration wants of the ledger of a store with this secret.
func WantedOf(c *config.Config, secret []byte) judge.Settings {
	w := judge.Settings{Policy: c.Policy, Except: map[netip.Prefix]string{}, Own: ownNetworks(),
		Trust: trustNoted(c)}
	for _, x := range c.Except {
		w.Except[x.Network] = x.Reason
	}
	for _, r := range c.Trust.Relays {
		w.Own[r.Network] = "our relay"
	}
	for _, r := range c.Reporters {
		for _, n := range r.Relays {
			w.Own[n] = "a reporter's relay"
		}
	}
	for _, l := range c.Listen {
		for _, n := range l.ProxyFrom {
			w.Own[n] = "our proxy"
		}
	}
	w.Version, w.Parts = versionsOf(c, secret)
	return w
}

// ownNetworks are the public addresses of this machine.
func ownNetworks() map[netip.Prefix]string {
	own := map[netip.Prefix]string{}
	addrs, _ := net.InterfaceAddrs() // none known, none excepted
	for _, a := range addrs {
		n, err := netip.ParsePrefix(a.String())
		if err != nil || address.Special(n.Addr().Unmap()) {
			continue
		}
		own[netip.PrefixFrom(n.Addr(), n.Addr().BitLen())] = "our own address"
	}
	return own
}

// ZoneConfig puts the [zone] of a configuration into the publisher's words.
func ZoneConfig(c *config.Config, now func() time.Time, explained func(netip.Prefix) bool) zone.Config {
	z := c.Zone
	return zone.Config{
		Dir: z.Dir, StateDir: filepath.Clean(z.Dir) + ".state",
		Header: zone.Header{Origin: z.Origin, NS: z.NS, Contact: z.Contact, TTL: z.TTL,
			NegativeTTL: z.NegativeTTL, Text: z.Text, ValidFor: z.ValidFor},
		MinInterval: z.MinInterval, Keep: z.Keep,
		Guard: zone.Guard{MaxChange: float64(z.MaxChange) / 1e6, Floor: int(z.MaxChangeFloor)},
		Now:   now, Special: address.Special, Explained: explained,
	}
}
