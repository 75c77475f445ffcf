package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/config"
)

func TestPointsWarning(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	const week = 168 * time.Hour
	imported := func(ago ...time.Duration) (s admin.Safeguards) {
		for _, a := range ago {
			s.Points = append(s.Points, admin.PointsImport{At: criteria.At(now.Add(-a))})
		}
		return s
	}
	for _, c := range []struct {
		name string
		s    admin.Safeguards
		want string
	}{
		{"never", imported(), "no reputation points"},
		{"just now", imported(0), ""},
		{"as long ago as a day may count", imported(week + 48*time.Hour), ""},
		{"longer ago", imported(week + 48*time.Hour + time.Second), "imported at 2026-11-15T08:59:59Z"},
		{"one of two", imported(2*week, 3*time.Hour), ""},
	} {
		got := pointsWarning(c.s, week, now)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestBareProviders: what the file excepts counts as it is in the file now; what was excepted by
// verb, as it is in force.
func TestBareProviders(t *testing.T) {
	excepted := func(origin criteria.Origin, network string) criteria.Exception {
		return criteria.Exception{Network: netip.MustParsePrefix(network), Origin: origin}
	}
	c := &config.Config{Except: []config.Except{{Network: netip.MustParsePrefix("17.58.0.0/16")}}}
	got := bareProviders(c, []criteria.Exception{
		excepted(criteria.FromOperator, "74.125.0.0/16"),
		excepted(criteria.FromConfig, "40.92.0.0/15"), // taken out of the file meanwhile
		excepted("import:dnswl", "198.51.100.0/24"),
		excepted("import:dnswl", "54.240.8.0/24"), // a few servers are not the provider
	})
	if want := []string{"Microsoft", "Amazon"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWeightWarnings(t *testing.T) {
	p := criteria.DefaultPolicy()
	if got := weightWarnings(p); len(got) != 0 {
		t.Errorf("of the default policy: %q", got)
	}
	if err := p.Set("cause_weight.bounce", "0"); err != nil {
		t.Fatal(err)
	}
	if got := weightWarnings(p); len(got) != 1 || !strings.Contains(got[0], "cause_weight.bounce is 0:") {
		t.Errorf("of one that does not count bounces: %q", got)
	}
}
