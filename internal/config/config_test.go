package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trapline/trapline/criteria"
)

// smallest is the least that can be served.
const smallest = "hostname = \"mx.traps.example\"\n[[trap]]\ndomain = \"traps.example\"\n"

var byValue = cmpopts.EquateComparable(netip.Prefix{})

// mustParse parses a text that has to be good.
func mustParse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("trapline.toml", []byte(text))
	if err != nil {
		t.Fatalf("parse config: %v", err)
	}
	return c
}

// faultsOf parses a text and gives its faults, none for a good one.
func faultsOf(t *testing.T, text string) Faults {
	t.Helper()
	_, err := Parse("trapline.toml", []byte(text))
	var faults Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("got %v, want Faults", err)
	}
	return faults
}

// defaults is the configuration of smallest, written out from the documentation.
func defaults() *Config {
	return &Config{
		Path: "trapline.toml", Hostname: "mx.traps.example", DataDir: "data",
		Persona: "postfix",
		Log:     Log{Level: "info", Format: "json"},
		Listen: []Listen{
			{Address: Address{"tcp", ":2525"}, Hostname: "mx.traps.example", Persona: "postfix",
				TLS: TLSAuto},
		},
		Limits: Limits{
			Connections: 2000, ConnectionsPerIP: 20, ConnectionsPerNetwork: 400,
			ConnectionsPerMinute: 120_000, ConnectionsPerMinutePerNetwork: 2_400_000,
			MessagesPerMinute: 1_200_000, MessageBytes: 10485760, SessionBytes: 104857600, Recipients: 100,
			SessionTimeout: 10 * time.Minute, CommandTimeout: 60 * time.Second,
			DataTimeout: 5 * time.Minute, MemoryBytes: 268435456, FreeBytes: 268435456,
		},
		Traps: []Trap{
			{Domain: "traps.example", Kind: Pristine, Weight: criteria.One, State: Active},
		},
		Policy:     criteria.DefaultPolicy(),
		Reputation: Reputation{Cap: 1000},
		Zone: Zone{
			Dir: "data/zone", Origin: "bl.mx.traps.example", NS: []string{"mx.traps.example"},
			Contact: "hostmaster.mx.traps.example", TTL: 5 * time.Minute, NegativeTTL: time.Minute,
			MinInterval: 30 * time.Second, ValidFor: 48 * time.Hour,
			Text:      "Listed by bl.mx.traps.example: $",
			MaxChange: criteria.One / 2, MaxChangeFloor: 1000, Keep: 5,
		},
		Web:       Web{Address: Address{"tcp", "127.0.0.1:8080"}, Evidence: EvidenceNone},
		Ops:       Ops{Address: Address{"tcp", "127.0.0.1:9090"}, Disputes: HearingOff},
		Admin:     Admin{Socket: "data/admin.sock"},
		Retention: Retention{Hits: 720 * time.Hour, Evidence: 168 * time.Hour},
	}
}

func TestDefaults(t *testing.T) {
	if diff := cmp.Diff(defaults(), mustParse(t, smallest), byValue); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
}

func TestEveryKey(t *testing.T) {
	got, err := Load("testdata/good/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	policy := criteria.DefaultPolicy()
	policy.FreshWeight, policy.DelistAfter = 3_999_999, 36*time.Hour
	policy.ReputationCap, policy.MinListed = 500, 8
	for key, weight := range map[string]string{"bounce": "0.5", "autoreply": "1.0"} {
		if err := policy.Set("cause_weight."+key, weight); err != nil {
			t.Fatal(err)
		}
	}
	want := &Config{
		Path: "testdata/good/full.toml", Hostname: "mx.traps.example", DataDir: "/var/lib/trapline",
		Persona:   "exim",
		TrapFiles: []string{"no.d/*.toml", "/etc/trapline/more.d/*.toml"},
		Log:       Log{Level: "debug", Format: "console"},
		Listen: []Listen{
			{Address: Address{"tcp", ":25"}, Hostname: "mx.traps.example", Persona: "exim",
				TLS:       TLSAuto,
				ProxyFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}},
			{Address: Address{"unix", "/run/trapline/lmtp.sock"}, LMTP: true,
				Hostname: "mx.other.example", Persona: "plain", TLS: TLSOff},
			{Address: Address{"tcp", "[::1]:2525"}, Hostname: "mx.traps.example", Persona: "exim",
				TLS: TLSAuto},
		},
		Limits: Limits{
			Connections: 3000, ConnectionsPerIP: 30, ConnectionsPerNetwork: 300,
			ConnectionsPerMinute: 600, ConnectionsPerMinutePerNetwork: 6000,
			MessagesPerMinute: 3000, MessageBytes: 20971520, SessionBytes: 41943040, Recipients: 200,
			SessionTimeout: 20 * time.Minute, CommandTimeout: 90 * time.Second,
			DataTimeout: 10 * time.Minute, MemoryBytes: 536870912, FreeBytes: 0,
		},
		Traps: []Trap{
			{Domain: "traps.example", Kind: Pristine, Weight: 2 * criteria.One, State: Watching},
			{Domain: "*.xn--bcher-kva.example", Kind: Recycled, Weight: criteria.One / 2,
				State: Active, ActiveFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			{Address: "old.sales@corp.example", Kind: Typo, Weight: criteria.One / 4,
				State: Resting, ActiveFrom: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)},
		},
		Reporters: []Reporter{{
			Name: "noc", Address: "submit.4k7qz2@reports.example",
			Peers: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/28")},
			Hosts: []string{"mx1.corp.example"},
			Relays: []netip.Prefix{
				netip.MustParsePrefix("198.51.100.25/32"), netip.MustParsePrefix("2001:db8::/32"),
			},
		}},
		Trust: Trust{
			Relays: []Relay{{Network: netip.MustParsePrefix("192.0.2.10/32"),
				By: []string{"backup.traps.example"}}},
			Hosts:    []string{"mx1.corp.example", "odd_name"},
			Loopback: true, LocalSubmission: true,
		},
		Policy: policy,
		Except: []Except{
			{Network: netip.MustParsePrefix("203.0.113.0/24"), Reason: "our own outbound"},
		},
		Reputation: Reputation{
			Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.53/32")}, Cap: 500,
		},
		Zone: Zone{
			Dir: "/srv/zone", Origin: "bl.example.net", Contact: "keeper.example.net",
			NS:  []string{"ns1.example.net", "ns2.example.net"},
			TTL: 10 * time.Minute, NegativeTTL: 2 * time.Minute, MinInterval: time.Minute,
			Text:      "Listed for $$0, see https://bl.example/ip/$",
			MaxChange: criteria.One / 4, MaxChangeFloor: 10, Keep: 9,
		},
		Web: Web{
			BaseURL: "https://bl.example", Evidence: EvidenceHeaders, SelfRemoval: true,
			TrustProxy: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		},
		Ops:       Ops{Address: Address{"tcp", "127.0.0.1:9999"}, Disputes: HearingWrite},
		Admin:     Admin{Socket: "/run/trapline/admin.sock"},
		Retention: Retention{Hits: 8784 * time.Hour, Evidence: 200 * time.Hour},
	}
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
}

// The file of TestEveryKey must not fall behind the keys.
func TestEveryKeyIsInTheFullFile(t *testing.T) {
	text, err := os.ReadFile("testdata/good/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	tree, fault := parseTree(text)
	if fault != nil {
		t.Fatal(fault)
	}
	lines := map[string]int{}
	tree.index("", lines)
	have := map[string]bool{}
	for path := range lines {
		have[withoutIndexes(path)] = true
	}
	// Of the policy two keys and the table will do: its own tests read the others.
	for _, key := range Keys() {
		elsewhere := strings.HasPrefix(key, "criteria.") || strings.HasSuffix(key, "_file")
		if !have[key] && !elsewhere {
			t.Errorf("no %s in full.toml", key)
		}
	}
}

// A number of the policy is what was written, not what a float makes of it.
func TestPolicyNumbersAreExact(t *testing.T) {
	tests := map[string]criteria.Micro{
		"4": 4_000_000, "4.0": 4_000_000, "1.1": 1_100_000, "0.123456": 123_456,
		"1_000.000001": 1_000_000_001, "+2.5": 2_500_000,
	}
	for text, want := range tests {
		c := mustParse(t, smallest+"[criteria]\ntrap_square_at = 1000.0\nreport_factor = "+text)
		if got := c.Policy.ReportFactor; got != want {
			t.Errorf("report_factor = %s: got %d millionths, want %d", text, got, want)
		}
	}
}

func TestActiveFrom(t *testing.T) {
	midnight := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := map[string]time.Time{
		"2026-01-01":                midnight,
		"2026-01-01T00:00:00":       midnight,
		"2026-01-01 00:00":          midnight,
		"2026-01-01T00:00Z":         midnight,
		"2026-01-01t00:00:00z":      midnight,
		"2026-01-01 02:00:00+02:00": midnight,
		"2026-01-01T00:00:00.5Z":    midnight.Add(time.Second / 2),
	}
	for text, want := range tests {
		got := mustParse(t, smallest+"active_from = "+text).Traps[0].ActiveFrom
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("active_from = %s: got %v, want %v", text, got, want)
		}
	}
}

// What a fault says may be logged: it must not give a trap or a reporter away.
func TestFaultsKeepSecrets(t *testing.T) {
	const canary = "canary.4k7qz2"
	for name, text := range map[string]string{
		"twice":           "[[trap]]\naddress = 'A@x.example'\n[[trap]]\naddress = 'A@X.example'\n",
		"no address":      "[[trap]]\naddress = 'A'\n",
		"bad local part":  "[[trap]]\naddress = 'A A@x.example'\n",
		"bad domain":      "[[trap]]\naddress = 'A@x_.example'\n",
		"domain twice":    "[[trap]]\ndomain = 'A.example'\n[[trap]]\ndomain = 'A.example'\n",
		"bad trap domain": "[[trap]]\ndomain = 'A .example'\n",
		"both":            "[[trap]]\ndomain = 'A.example'\naddress = 'A@x.example'\n",
		"in a list":       "[[trap]]\naddress = ['A@x.example']\n",
		"bad reporter":    "[[reporter]]\nname = 'A\\n'\naddress = 'A@'\n",
		"both kinds": "[[trap]]\naddress = 'A@x.example'\n" +
			"[[reporter]]\nname = 'A'\naddress = 'A@x.example'\n",
		"not closed": "[[trap]]\naddress = 'A@x.example\n",
		"no quotes":  "[[trap]]\naddress = A@x.example\n",
		"half quote": "[[trap]]\naddress = A@x.example'\n",
	} {
		t.Run(name, func(t *testing.T) {
			faults := faultsOf(t, smallest+strings.ReplaceAll(text, "A", canary))
			if len(faults) == 0 {
				t.Fatal("no fault")
			}
			if strings.Contains(strings.ToLower(faults.Error()), "4k7qz2") {
				t.Errorf("a fault tells: %v", faults)
			}
		})
	}
}

func TestParseIsDeterministic(t *testing.T) {
	text, err := os.ReadFile("testdata/bad/unknown.toml")
	if err != nil {
		t.Fatal(err)
	}
	first := faultsOf(t, string(text))
	for range 20 {
		if diff := cmp.Diff(first, faultsOf(t, string(text))); diff != "" {
			t.Fatalf("faults differ between two runs:\n%s", diff)
		}
	}
}

func TestParseSkipsTheByteOrderMark(t *testing.T) {
	mustParse(t, "\ufeff"+smallest)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	good, huge := filepath.Join(dir, "good.toml"), filepath.Join(dir, "huge.toml")
	if err := os.WriteFile(good, []byte(smallest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(good); err != nil || c.Path != good {
		t.Errorf("got %v, %v", c, err)
	}
	if _, err := Load(huge); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("got %v, want a fault about the size", err)
	}
	if _, err := Load(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder gave no error")
	}
}

func TestFind(t *testing.T) {
	if _, err := os.Stat("/etc/trapline/trapline.toml"); err == nil {
		t.Skip("this host has an /etc/trapline/trapline.toml")
	}
	t.Chdir(t.TempDir())
	unset := func(string) string { return "" }
	set := func(name string) string { return map[string]string{"TRAPLINE_CONFIG": "env.toml"}[name] }

	if path, err := Find("", unset); err == nil {
		t.Errorf("got %q, want an error where there is nothing", path)
	}
	if err := os.WriteFile("trapline.toml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, flag string
		getenv     func(string) string
		want       string
	}{
		{"the flag first", "flag.toml", set, "flag.toml"},
		{"then the variable", "", set, "env.toml"},
		{"then the working directory", "", unset, "trapline.toml"},
	} {
		if got, err := Find(test.flag, test.getenv); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

func TestKeys(t *testing.T) {
	keys := Keys()
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	if len(slices.Compact(sorted)) != len(keys) {
		t.Error("a key is asked for twice")
	}
	for _, key := range criteria.Keys() {
		if key != criteria.CapKey {
			key = "criteria." + key
		}
		if !slices.Contains(keys, key) {
			t.Errorf("no %s", key)
		}
	}
	for _, key := range []string{"hostname", "listen.address", "trust.relay.by", "retention.hits"} {
		if !slices.Contains(keys, key) {
			t.Errorf("no %s", key)
		}
	}
}

// The causes that a mend names are causes that the policy knows.
func TestCausesAreKnown(t *testing.T) {
	separator := func(r rune) bool { return r == ',' || r == ' ' }
	for _, cause := range strings.FieldsFunc(causes, separator) {
		if cause == "or" {
			continue
		}
		var p criteria.Policy
		if err := p.Set("cause_weight."+cause, "1"); err != nil {
			t.Error(err)
		}
	}
}
