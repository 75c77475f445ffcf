package config

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Setting is one key of a configuration and its value, spelled so that equal values are equal
// texts.
type Setting struct {
	Key   string // as Keys has it; of a table of a list also the table's own, with no value
	Of    string // which table of a list: its address, network or name; else ""
	Value string

	secret bool // Value is not to be shown
}

// settings collects them.
type settings struct {
	all   []Setting
	table string         // that is being collected, as "trust.relay"
	of    string         // which of a list of such tables
	seen  map[string]int // tables of a list, by what they are called
}

// Settings gives every key with its value, in the order in which keys are documented. Values that
// the file does not have are the defaults.
func (c *Config) Settings() []Setting {
	s := &settings{seen: map[string]int{}}
	s.text("hostname", c.Hostname)
	s.text("data_dir", c.DataDir)
	s.in("log").text("level", c.Log.Level).text("format", c.Log.Format)
	s.in("").text("persona", c.Persona).text("trap_files", strings.Join(c.TrapFiles, ", "))
	s.listeners(c.Listen)
	s.limits(c.Limits)
	s.traps(c.Traps)
	s.reporters(c.Reporters)
	s.trust(c.Trust)
	s.in("criteria")
	for _, key := range criteria.Keys() {
		if value, err := c.Policy.Get(key); err == nil && key != criteria.CapKey {
			s.text(key, value)
		}
	}
	for _, x := range c.Except {
		s.each("except", x.Network.String()).text("reason", x.Reason)
	}
	s.in("reputation").networks("clients", c.Reputation.Clients).number("cap", c.Reputation.Cap)
	s.zone(c.Zone)
	s.web(c.Web)
	s.in("ops").text("address", c.Ops.Address.String()).text("disputes", string(c.Ops.Disputes))
	s.in("admin").text("socket", c.Admin.Socket)
	s.in("retention").span("hits", c.Retention.Hits).span("evidence", c.Retention.Evidence)
	return s.all
}

func (s *settings) listeners(all []Listen) {
	for _, l := range all {
		protocol := "smtp"
		if l.LMTP {
			protocol = "lmtp"
		}
		s.each("listen", l.Address.String()).text("protocol", protocol).text("hostname", l.Hostname).
			text("persona", l.Persona).text("tls", string(l.TLS)).text("cert_file", l.CertFile).
			text("key_file", l.KeyFile).networks("proxy_from", l.ProxyFrom)
	}
}

func (s *settings) limits(l Limits) {
	s.in("limits").number("connections", l.Connections).
		number("connections_per_ip", l.ConnectionsPerIP).
		number("connections_per_network", l.ConnectionsPerNetwork).
		number("connections_per_minute", l.ConnectionsPerMinute).
		number("connections_per_minute_per_network", l.ConnectionsPerMinutePerNetwork).
		number("messages_per_minute", l.MessagesPerMinute).
		number("message_bytes", l.MessageBytes).number("session_bytes", l.SessionBytes).
		number("recipients", l.Recipients).span("session_timeout", l.SessionTimeout).
		span("command_timeout", l.CommandTimeout).span("data_timeout", l.DataTimeout).
		number("memory_bytes", l.MemoryBytes).number("free_bytes", l.FreeBytes)
}

func (s *settings) traps(all []Trap) {
	for _, t := range all {
		from := ""
		if !t.ActiveFrom.IsZero() {
			from = t.ActiveFrom.Format(time.RFC3339)
		}
		s.each("trap", t.Address+t.Domain).text("kind", string(t.Kind)).
			text("weight", t.Weight.String()).text("state", string(t.State)).text("active_from", from)
	}
}

func (s *settings) reporters(all []Reporter) {
	for _, r := range all {
		s.each("reporter", r.Name).secret("address", r.Address).networks("peers", r.Peers).
			list("hosts", r.Hosts).networks("relays", r.Relays)
	}
}

func (s *settings) trust(t Trust) {
	for _, r := range t.Relays {
		s.each("trust.relay", r.Network.String()).list("by", r.By)
	}
	s.in("trust").list("hosts", t.Hosts).flag("loopback", t.Loopback).
		flag("local_submission", t.LocalSubmission)
}

func (s *settings) zone(z Zone) {
	s.in("zone").text("dir", z.Dir).text("origin", z.Origin).list("ns", z.NS).
		text("contact", z.Contact).span("ttl", z.TTL).span("negative_ttl", z.NegativeTTL).
		text("text", z.Text).span("min_interval", z.MinInterval).span("valid_for", z.ValidFor).
		text("max_change", z.MaxChange.String()).number("max_change_floor", z.MaxChangeFloor).
		number("keep", z.Keep)
}

func (s *settings) web(w Web) {
	removal := "off"
	if w.SelfRemoval {
		removal = "verified"
	}
	s.in("web").text("address", w.Address.String()).text("base_url", w.BaseURL).
		text("evidence", string(w.Evidence)).networks("trust_proxy", w.TrustProxy).
		text("self_removal", removal)
}

// in begins a table; "" is the top of the file.
func (s *settings) in(table string) *settings {
	s.table, s.of = table, ""
	return s
}

// each begins one table of a list. Two listeners may both ask for any free port: then the second
// one is called so.
func (s *settings) each(table, of string) *settings {
	id := table + " " + of
	if s.seen[id]++; s.seen[id] > 1 {
		of = fmt.Sprintf("%s (%d)", of, s.seen[id])
	}
	s.table, s.of = table, of
	s.all = append(s.all, Setting{Key: table, Of: of})
	return s
}

func (s *settings) text(key, value string) *settings {
	path := strings.TrimPrefix(s.table+"."+key, ".") // a key of the policy may have a dot in it
	s.all = append(s.all, Setting{Key: path, Of: s.of, Value: value})
	return s
}

func (s *settings) secret(key, value string) *settings {
	s.text(key, value).all[len(s.all)-1].secret = true
	return s
}

func (s *settings) number(key string, n any) *settings { return s.text(key, fmt.Sprint(n)) }

func (s *settings) span(key string, d time.Duration) *settings { return s.text(key, short(d)) }

func (s *settings) flag(key string, b bool) *settings { return s.text(key, strconv.FormatBool(b)) }

func (s *settings) list(key string, all []string) *settings {
	return s.text(key, strings.Join(all, ", "))
}

func (s *settings) networks(key string, all []netip.Prefix) *settings {
	names := make([]string, len(all))
	for i, n := range all {
		names[i] = n.String()
	}
	return s.list(key, names)
}
