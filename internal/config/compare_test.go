package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// whole has every key once, and another value for it.
var whole = []struct{ key, line, other string }{
	{"hostname", `hostname = "mx.traps.example"`, `hostname = "mx2.traps.example"`},
	{"data_dir", `data_dir = "/d/one"`, `data_dir = "/d/two"`},
	{"persona", `persona = "exim"`, `persona = "plain"`},
	{"trap_files", `trap_files = ["no.d/*.toml"]`, `trap_files = ["none.d/*.toml"]`},
	{"log.level", "[log]\nlevel = \"info\"", "[log]\nlevel = \"debug\""},
	{"log.format", `format = "json"`, `format = "console"`},
	{"", "[[listen]]\naddress = \"127.0.0.1:24\"", ""},
	{"listen.protocol", `protocol = "smtp"`, `protocol = "lmtp"`},
	{"listen.hostname", `hostname = "mx.traps.example"`, `hostname = "mx3.traps.example"`},
	{"listen.persona", `persona = "exim"`, `persona = "postfix"`},
	{"listen.tls", `tls = "off"`, `tls = "auto"`},
	{"listen.proxy_from", `proxy_from = ["192.0.2.1/32"]`, `proxy_from = []`},
	{"limits.connections", "[limits]\nconnections = 10", "[limits]\nconnections = 11"},
	{"limits.connections_per_ip", "connections_per_ip = 5", "connections_per_ip = 6"},
	{"limits.connections_per_network", "connections_per_network = 7", "connections_per_network = 8"},
	{"limits.connections_per_minute", "connections_per_minute = 7", "connections_per_minute = 8"},
	{"limits.connections_per_minute_per_network", "connections_per_minute_per_network = 7",
		"connections_per_minute_per_network = 8"},
	{"limits.messages_per_minute", "messages_per_minute = 7", "messages_per_minute = 8"},
	{"limits.message_bytes", "message_bytes = 1000", "message_bytes = 1001"},
	{"limits.session_bytes", "session_bytes = 5000", "session_bytes = 5001"},
	{"limits.recipients", "recipients = 7", "recipients = 8"},
	{"limits.session_timeout", `session_timeout = "7m"`, `session_timeout = "8m"`},
	{"limits.command_timeout", `command_timeout = "7s"`, `command_timeout = "8s"`},
	{"limits.data_timeout", `data_timeout = "7s"`, `data_timeout = "8s"`},
	{"limits.memory_bytes", "memory_bytes = 7000", "memory_bytes = 8000"},
	{"limits.free_bytes", "free_bytes = 7", "free_bytes = 8"},
	{"", "[[trap]]\naddress = \"one@traps.example\"", ""},
	{"trap.kind", `kind = "typo"`, `kind = "pristine"`},
	{"trap.weight", `weight = 0.5`, `weight = 0.6`},
	{"trap.state", `state = "active"`, `state = "watching"`},
	{"trap.active_from", `active_from = 2026-01-01`, `active_from = 2026-01-02`},
	{"", "[[reporter]]\nname = \"noc\"", ""},
	{"reporter.address", `address = "s1@reports.example"`, `address = "s2@reports.example"`},
	{"reporter.peers", `peers = ["192.0.2.0/28"]`, `peers = ["192.0.2.0/29"]`},
	{"reporter.hosts", `hosts = ["mx1.example.net"]`, `hosts = ["mx2.example.net"]`},
	{"reporter.relays", `relays = ["192.0.2.9/32"]`, `relays = ["192.0.2.8/32"]`},
	{"trust.hosts", "[trust]\nhosts = [\"mx1.example.net\"]", "[trust]\nhosts = []"},
	{"trust.loopback", `loopback = false`, `loopback = true`},
	{"trust.local_submission", `local_submission = false`, `local_submission = true`},
	{"", "[[trust.relay]]\nnetwork = \"192.0.2.7/32\"", ""},
	{"trust.relay.by", `by = ["b.example.net"]`, `by = ["b.example.net", "c.example.net"]`},
	{"criteria.fresh_weight", "[criteria]\nfresh_weight = 4", "[criteria]\nfresh_weight = 4.5"},
	{"criteria.fresh_window", `fresh_window = "48h"`, `fresh_window = "47h"`},
	{"criteria.max_age", `max_age = "168h"`, `max_age = "167h"`},
	{"criteria.trap_factor", "trap_factor = 5", "trap_factor = 4"},
	{"criteria.trap_square_at", "trap_square_at = 6", "trap_square_at = 7"},
	{"criteria.report_factor", "report_factor = 1", "report_factor = 2"},
	{"criteria.threshold", "threshold = 25", "threshold = 26"},
	{"criteria.reputation_ratio", "reputation_ratio = 0.02", "reputation_ratio = 0.03"},
	{"criteria.min_reports", "min_reports = 2", "min_reports = 3"},
	{"criteria.min_traps", "min_traps = 2", "min_traps = 3"},
	{"criteria.min_trap_domains", "min_trap_domains = 1", "min_trap_domains = 2"},
	{"criteria.max_hits_per_trap", "max_hits_per_trap = 5", "max_hits_per_trap = 6"},
	{"criteria.max_reports_per_reporter", "max_reports_per_reporter = 3",
		"max_reports_per_reporter = 4"},
	{"criteria.max_counted", "max_counted = 1000", "max_counted = 900"},
	{"criteria.repeat_window", `repeat_window = "24h"`, `repeat_window = "23h"`},
	{"criteria.delist_after", `delist_after = "24h"`, `delist_after = "23h"`},
	{"criteria.delist_after_few", `delist_after_few = "12h"`, `delist_after_few = "11h"`},
	{"criteria.ipv6_prefix", "ipv6_prefix = 64", "ipv6_prefix = 56"},
	{"criteria.cause_weight", "cause_weight = { bounce = 0.5 }", "cause_weight = { bounce = 0.6 }"},
	{"criteria.network.min_listed", "network.min_listed = 0", "network.min_listed = 9"},
	{"", "[[except]]\nnetwork = \"203.0.113.0/24\"", ""},
	{"except.reason", `reason = "ours"`, `reason = "theirs"`},
	{"reputation.clients", "[reputation]\nclients = [\"192.0.2.53/32\"]", "[reputation]\nclients = []"},
	{"reputation.cap", "cap = 1000", "cap = 999"},
	{"zone.dir", "[zone]\ndir = \"zone\"", "[zone]\ndir = \"zones\""},
	{"zone.origin", `origin = "bl.example.net"`, `origin = "bl2.example.net"`},
	{"zone.ns", `ns = ["mx.example.net"]`, `ns = ["mx.example.net", "ns.example.net"]`},
	{"zone.contact", `contact = "h.example.net"`, `contact = "i.example.net"`},
	{"zone.ttl", `ttl = "5m"`, `ttl = "6m"`},
	{"zone.negative_ttl", `negative_ttl = "1m"`, `negative_ttl = "2m"`},
	{"zone.text", `text = "Listed: $"`, `text = "Blocked: $"`},
	{"zone.min_interval", `min_interval = "30s"`, `min_interval = "31s"`},
	{"zone.valid_for", `valid_for = "48h"`, `valid_for = "47h"`},
	{"zone.max_change", "max_change = 0.5", "max_change = 0.6"},
	{"zone.max_change_floor", "max_change_floor = 1000", "max_change_floor = 1001"},
	{"zone.keep", "keep = 5", "keep = 6"},
	{"web.address", "[web]\naddress = \"127.0.0.1:8080\"", "[web]\naddress = \"127.0.0.1:8081\""},
	{"web.base_url", `base_url = "https://bl.example.net"`, `base_url = "https://bl2.example.net"`},
	{"web.evidence", `evidence = "none"`, `evidence = "subject"`},
	{"web.trust_proxy", `trust_proxy = []`, `trust_proxy = ["192.0.2.80/32"]`},
	{"web.self_removal", `self_removal = "off"`, `self_removal = "verified"`},
	{"ops.address", "[ops]\naddress = \"127.0.0.1:9090\"", "[ops]\naddress = \"127.0.0.1:9091\""},
	{"ops.disputes", `disputes = "off"`, `disputes = "read"`},
	{"admin.socket", "[admin]\nsocket = \"/d/admin.sock\"", "[admin]\nsocket = \"/d/other.sock\""},
	{"retention.hits", "[retention]\nhits = \"720h\"", "[retention]\nhits = \"721h\""},
	{"retention.evidence", `evidence = "200h"`, `evidence = "201h"`},
}

// wholeWith is the text with the second value of one key.
func wholeWith(key string) []byte {
	var lines []string
	for _, w := range whole {
		if w.key == key && key != "" {
			lines = append(lines, w.other)
		} else {
			lines = append(lines, w.line)
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func parsed(t *testing.T, text []byte) *Config {
	t.Helper()
	c, err := Parse("trapline.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// identity is the keys that say which table of a list it is: with another value it is another one.
var identity = []string{"listen.address", "trap.address", "trap.domain", "trust.relay.network",
	"except.network", "reporter.name"}

// certificates are read from files when they are checked: see TestCompareTables.
var certificates = []string{"listen.cert_file", "listen.key_file"}

// TestCompareEveryKey: no key that a configuration can have escapes, and none tells of another.
func TestCompareEveryKey(t *testing.T) {
	base := parsed(t, wholeWith(""))
	if all := Compare(base, base); len(all) > 0 {
		t.Errorf("equal configurations differ in %v", all)
	}
	for _, key := range Keys() {
		switch {
		case slices.Contains(identity, key), slices.Contains(certificates, key):
			continue
		case !slices.ContainsFunc(base.Settings(), func(s Setting) bool { return s.Key == key }):
			if !slices.ContainsFunc(base.Settings(), func(s Setting) bool {
				return strings.HasPrefix(s.Key, key+".")
			}) {
				t.Errorf("%s is not compared", key)
			}
			continue
		case isTable(key):
			continue
		}
		t.Run(key, func(t *testing.T) {
			text := wholeWith(key)
			if string(text) == string(wholeWith("")) {
				t.Fatal("has no other value in this test")
			}
			all := Compare(base, parsed(t, text))
			if !slices.ContainsFunc(all, func(d Difference) bool {
				return d.Key == key && d.Change == Changed && d.From != d.To
			}) {
				t.Errorf("another value gives %+v", all)
			}
			for _, d := range all {
				if d.Key != key && key != "hostname" && key != "data_dir" {
					t.Errorf("it also gives %+v", d)
				}
				if strings.Contains(fmt.Sprint(d), "@reports") {
					t.Errorf("a secret is shown: %+v", d)
				}
			}
		})
	}
}

func isTable(key string) bool {
	return slices.Contains([]string{"listen", "trap", "reporter", "trust.relay", "except"}, key)
}

// TestCompareTables: what comes and goes is told as a whole, in the order of the keys.
func TestCompareTables(t *testing.T) {
	base := parsed(t, wholeWith(""))
	more := slices.Concat(wholeWith(""), []byte(`
[[listen]]
address = "127.0.0.1:0"
tls = "off"
[[listen]]
address = "127.0.0.1:0"
[[trap]]
domain = "*.traps.example"
[[reporter]]
name = "desk"
address = "s3@reports.example"
peers = ["192.0.2.0/28"]
hosts = ["mx1.example.net"]
[[trust.relay]]
network = "192.0.2.6/32"
by = ["d.example.net"]
[[except]]
network = "198.51.100.0/24"
`))
	now := parsed(t, more)
	want := []string{
		"added listen 127.0.0.1:0",
		"added listen 127.0.0.1:0 (2)",
		"added trap *.traps.example: kind pristine, weight 1, state active",
		"added reporter desk: address a secret, peers 192.0.2.0/28, hosts mx1.example.net",
		"added trust.relay 192.0.2.6/32: by d.example.net",
		"added except 198.51.100.0/24: reason configured",
	}
	for _, way := range []struct {
		change string
		all    []Difference
	}{{Added, Compare(base, now)}, {Removed, Compare(now, base)}} {
		var got []string
		for _, d := range way.all {
			line := d.Change + " " + d.Key + " " + d.Of
			if d.Key != "listen" {
				line += ": " + d.From + d.To
			}
			got = append(got, strings.Replace(line, way.change, Added, 1))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", way.change, diff)
		}
	}
}

// TestCompareRestart: the keys that only a start can change say so.
func TestCompareRestart(t *testing.T) {
	base := parsed(t, wholeWith(""))
	for _, key := range Keys() {
		for _, d := range Compare(base, parsed(t, wholeWith(key))) {
			if d.Restart != slices.Contains(forStart, d.Key) {
				t.Errorf("%s: restart is %t", d.Key, d.Restart)
			}
		}
	}
}

// TestCompareOrder: where a table stands in the file means nothing.
func TestCompareOrder(t *testing.T) {
	one := parsed(t, []byte("hostname = \"mx.traps.example\"\n[[trap]]\ndomain = \"a.example\"\n"+
		"[[trap]]\ndomain = \"b.example\"\nweight = 0.5\n"))
	two := parsed(t, []byte("hostname = \"mx.traps.example\"\n[[trap]]\ndomain = \"b.example\"\n"+
		"weight = 0.5\n[[trap]]\ndomain = \"a.example\"\n"))
	if all := Compare(one, two); len(all) > 0 {
		t.Errorf("another order gives %+v", all)
	}
}

// TestAreas: what is counted has no value in it, and no name of a trap or a reporter.
func TestAreas(t *testing.T) {
	base := parsed(t, wholeWith(""))
	text := strings.NewReplacer("weight = 0.5", "weight = 0.6", `state = "active"`, `state = "resting"`,
		"connections = 10", "connections = 12", "recipients = 7", "recipients = 9",
		"s1@reports", "s2@reports").Replace(string(wholeWith("")))
	now := parsed(t, []byte(text+"\n[[trap]]\ndomain = \"secret.example\"\n"))
	want := []string{
		"limits: 2 changed (limits.connections, limits.recipients)",
		"trap: 1 added, 1 changed (trap.weight, trap.state)",
		"reporter: 1 changed (reporter.address)",
	}
	var got []string
	for _, a := range AreasOf(Compare(base, now)) {
		got = append(got, a.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := AreasOf(Compare(now, base)); got[1].Removed != 1 {
		t.Errorf("the other way round: %+v", got[1])
	}
}
