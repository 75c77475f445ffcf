package config

import (
	"strings"
	"testing"
	"time"
)

func TestSuggestions(t *testing.T) {
	known := newSchema(Keys())
	for _, test := range []struct{ table, key, want string }{
		{"trap", "knid", "write kind"},
		{"", "hostnam", "write hostname"},
		{"", "traps", "write trap"},
		{"zone", "hostname", "take it out"}, // of two tables
		{"zone", "max_age", "it belongs in [criteria]"},
		{"trust.relay", "networks", "write network"},
		{"trust.relay", "x", "take it out; the keys here are network, by"},
		{"zone", "データ", "take it out"},
		{"zone", strings.Repeat("min_interval", 1000), "take it out"},
	} {
		if got := known.suggest(test.table, test.key); !strings.HasPrefix(got, test.want) {
			t.Errorf("%q in [%s]: got %q, want %q", test.key, test.table, got, test.want)
		}
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		48 * time.Hour: "48h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 0: "0s",
		90 * time.Second: "1m30s", 10 * time.Minute: "10m", -time.Minute: "-1m",
		time.Hour + 5*time.Second: "1h0m5s", 1500 * time.Millisecond: "1.5s",
	} {
		if got := short(d); got != want {
			t.Errorf("short(%v) = %s, want %s", d, got, want)
		}
	}
}
