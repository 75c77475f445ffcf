package config

import (
	"net/netip"
	"path/filepath"
	"time"
)

func newReader(file string) *reader {
	return &reader{
		file: file, lines: map[string]int{}, marred: map[string]bool{}, claims: map[string]string{},
	}
}

// config reads the whole file, table by table, in the order in which they are documented.
func (r *reader) config(top section) *Config {
	c := &Config{Path: r.file}
	c.Hostname = top.required("hostname")
	c.DataDir = top.file("data_dir", "data")
	c.Log = top.section("log").log()
	c.Persona = top.persona("postfix")
	c.TrapFiles = top.patterns("trap_files")
	c.Listen = top.listeners(c.Hostname, c.Persona)
	c.Limits = top.section("limits").limits()
	c.Traps = top.traps()
	c.Reporters = top.reporters()
	c.Traps = append(c.Traps, top.filedTraps(c.TrapFiles)...)
	top.needTraps(c.Traps)
	c.Trust = top.section("trust").trust()
	c.Policy = top.section("criteria").policy()
	c.Except = top.except()
	c.Reputation = top.section("reputation").reputation()
	c.Policy.ReputationCap = int(c.Reputation.Cap)
	c.Zone = top.section("zone").zone(c.Hostname, c.DataDir)
	c.Web = top.section("web").web()
	c.Ops = top.section("ops").ops()
	c.Admin = top.section("admin").admin(c.DataDir)
	c.Retention = top.section("retention").retention()
	r.checkZoneText(c)
	r.checkConflicts(c)
	return c
}

// required reads a name that has no default.
func (s section) required(key string) string {
	name := s.fullName(key, "")
	if name == "" && s.sound(s.at(key)) {
		s.fault(s.at(key), "is missing", "write "+key+` = "mx.example.net" at the top`)
	}
	return name
}

// file reads a path.
func (s section) file(key, otherwise string) string {
	path := s.text(key, otherwise)
	if path == "" {
		s.fault(s.at(key), "is empty", "give a path, or take the line out")
		return otherwise
	}
	return path
}

// resolved reads a path that is relative to a folder.
func (s section) resolved(key, otherwise, folder string) string {
	path := s.file(key, otherwise)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}

func (s section) log() Log {
	return Log{
		Level:  s.word("level", "a level", "info", "debug", "warn", "error"),
		Format: s.word("format", "a format", "json", "console"),
	}
}

func (s section) limits() Limits {
	const (
		large   = 1 << 40
		longest = 24 * time.Hour
	)
	l := s.crowdLimits()
	l.MessageBytes = s.number("message_bytes", 10<<20, 1, 1<<30)
	l.SessionBytes = s.number("session_bytes", 10*max(l.MessageBytes, 1<<20), 1, large)
	l.Recipients = s.count("recipients", 100)
	l.SessionTimeout = s.span("session_timeout", 10*time.Minute, time.Second, longest)
	l.CommandTimeout = s.span("command_timeout", time.Minute, time.Second, longest)
	l.DataTimeout = s.span("data_timeout", 5*time.Minute, time.Second, longest)
	l.MemoryBytes = s.number("memory_bytes", 256<<20, 1, large)
	l.FreeBytes = s.number("free_bytes", 256<<20, 0, large)
	return l
}

// crowdLimits are those on how many may come. Each follows from the one before it, so that
// whoever raises one need not know of the rest.
func (s section) crowdLimits() (l Limits) {
	const turns = 6000 // a place may be taken anew a hundred times a second
	l.Connections = s.count("connections", 2000)
	l.ConnectionsPerIP = s.count("connections_per_ip", 20)
	l.ConnectionsPerNetwork = s.count("connections_per_network", 20*l.ConnectionsPerIP)
	l.ConnectionsPerMinute = s.count("connections_per_minute", turns*l.ConnectionsPerIP)
	l.ConnectionsPerMinutePerNetwork = s.count("connections_per_minute_per_network",
		turns*l.ConnectionsPerNetwork)
	l.MessagesPerMinute = s.count("messages_per_minute", 10*l.ConnectionsPerMinute)
	return l
}

// count reads how many of something there may be.
func (s section) count(key string, otherwise int) int {
	return int(s.number(key, int64(otherwise), 1, max(100_000_000, int64(otherwise))))
}

func (s section) trust() Trust {
	var t Trust
	for _, relay := range s.sections("relay") {
		t.Relays = append(t.Relays, relay.relay())
	}
	t.Hosts = s.hosts("hosts")
	t.Loopback = s.flag("loopback")
	t.LocalSubmission = s.flag("local_submission")
	return t
}

func (s section) relay() Relay {
	r := Relay{Network: s.ownNetwork("network"), By: s.hosts("by")}
	s.refuseAll(s.at("network"), r.Network)
	s.need(len(r.By) > 0, "by", "what the relay calls itself, as by = [\"backup.example.net\"]")
	return r
}

// need records that something is missing, unless its key has a fault already.
func (s section) need(have bool, key, mend string) {
	if !have && s.sound(s.at(key), element(s.at(key), 0)) {
		s.fault(s.at(key), "is missing", "write "+mend)
	}
}

// ownNetwork reads the network that a table is about: required, and in no other such table.
func (s section) ownNetwork(key string) netip.Prefix {
	it, ok := s.one(key, "192.0.2.0/24")
	if !ok {
		s.need(false, key, key+` = "192.0.2.0/24"`)
		return netip.Prefix{}
	}
	network := s.network(it)
	if network.IsValid() {
		s.claim(it.path, withoutIndexes(it.path)+" "+network.String())
	}
	return network
}

func (s section) except() []Except {
	var all []Except
	for _, one := range s.sections("except") {
		all = append(all, Except{one.ownNetwork("network"), one.text("reason", "configured")})
	}
	return all
}

func (s section) reputation() Reputation {
	return Reputation{
		Clients: s.networks("clients"),
		Cap:     s.number("cap", 1000, 1, 1_000_000_000),
	}
}

func (s section) ops() Ops {
	return Ops{
		Address:  s.socket("address", "127.0.0.1:9090"),
		Disputes: Hearing(s.word("disputes", "a way to hear disputes", "off", "read", "write")),
	}
}

func (s section) admin(dataDir string) Admin {
	a := Admin{Socket: s.resolved("socket", "admin.sock", dataDir)}
	s.checkUnix(s.firstGiven(s.at("socket"), "data_dir"), a.Socket)
	return a
}

func (s section) retention() Retention {
	const day, tenYears = 24 * time.Hour, 10 * 366 * 24 * time.Hour
	return Retention{
		Hits:     s.span("hits", 30*day, time.Second, tenYears),
		Evidence: s.span("evidence", 7*day, time.Second, tenYears),
	}
}
