package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trapline/trapline/criteria"
)

func TestStarterHasTheDefaults(t *testing.T) {
	want := defaults()
	if diff := cmp.Diff(want, mustParse(t, starterText(t)), byValue); diff != "" {
		t.Errorf("starter differs from the defaults (-want +got):\n%s", diff)
	}
}

// commented is a line that shows a key or a table without putting it in force.
var commented = regexp.MustCompile(`(?m)^#(\[+[a-z_.]+\]+|[a-z0-9_]+ = .*)$`)

// What the starter shows as a default is one: with every # taken away nothing changes but what has
// no default.
func TestStarterShowsTheDefaults(t *testing.T) {
	text := starterText(t)
	got := mustParse(t, commented.ReplaceAllString(text, "$1"))
	want := defaults()
	want.Traps[0].ActiveFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	weights := cmpopts.IgnoreFields(criteria.Policy{}, "CauseWeight") // compared below, by Equal
	examples := cmpopts.IgnoreFields(Config{}, "Reporters", "Trust", "Except")
	firstTrap := cmp.Transformer("first", func(traps []Trap) Trap { return traps[0] })
	empty := cmpopts.EquateEmpty()
	if diff := cmp.Diff(want, got, byValue, weights, examples, firstTrap, empty); diff != "" {
		t.Errorf("a default is documented wrongly (-want +got):\n%s", diff)
	}
	examplesRead := []int{
		len(got.Traps), len(got.Reporters), len(got.Trust.Relays), len(got.Except),
	}
	if !slices.Equal(examplesRead, []int{2, 1, 1, 1}) {
		t.Errorf("an example is missing: %+v", got)
	}
	if !got.Policy.Equal(want.Policy) {
		t.Error("the policy shown is not the default one")
	}
}

// Every key stands in the starter, in its table, with a comment above it or above its group.
func TestStarterDocumentsEveryKey(t *testing.T) {
	table, explained := "", false
	documented := map[string]bool{}
	for line := range strings.Lines(starterText(t)) {
		line = strings.TrimRight(line, "\n")
		bare := strings.TrimPrefix(line, "#")
		key, _, assigns := strings.Cut(bare, " = ")
		switch {
		case line == "":
			explained = false
		case strings.HasPrefix(line, "# "):
			explained = true
		case strings.HasPrefix(bare, "["):
			table = strings.Trim(bare, "[]")
		case assigns && explained:
			documented[join(table, key)] = true
		}
	}
	for _, key := range Keys() {
		if !documented[key] {
			t.Errorf("%s is not explained", key)
		}
	}
}

func TestStarterForADomain(t *testing.T) {
	tests := []struct{ name, domain, want, problem string }{
		{"a domain", "spam.example.net", "spam.example.net", ""},
		{"another spelling", "BÜCHER.example.", "xn--bcher-kva.example", ""},
		{"no name", "no_name", "", "is not a DNS name"},
		{"a whole address", "a@traps.example", "", "is not a DNS name"},
		{"an injection", "x\"\n[[except]]\nnetwork = \"0.0.0.0/0", "", "is not a DNS name"},
		{"too long with more before it", strings.Repeat("a.", 120) + "example", "", "is longer than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, err := Starter(Basics{Domain: test.domain})
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got %v, want %q", err, test.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			c := mustParse(t, string(text))
			if c.Hostname != "mx."+test.want || c.Traps[0].Domain != test.want {
				t.Errorf("got %s and %s", c.Hostname, c.Traps[0].Domain)
			}
			if strings.Contains(string(text), "DOMAIN") {
				t.Error("the domain is not filled in everywhere")
			}
		})
	}
}

// starterText is the starter for the domain that examples use.
func starterText(t *testing.T) string {
	t.Helper()
	text, err := Starter(Basics{})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPackagedStarter: what the package changes are the folder and the socket, and nothing else.
func TestPackagedStarter(t *testing.T) {
	text, err := Starter(Basics{}.Packaged())
	if err != nil {
		t.Fatal(err)
	}
	got, want := mustParse(t, string(text)), mustParse(t, starterText(t))
	want.DataDir = "/var/lib/trapline"
	want.Listen[0].Address = Address{Network: "fd", Name: "smtp"}
	want.Zone.Dir = "/var/lib/trapline/zone"
	want.Admin.Socket = "/var/lib/trapline/admin.sock"
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Errorf("the package's starter (-want +got):\n%s", diff)
	}
	own := Basics{DataDir: "here", Listen: ":2500"}
	if diff := cmp.Diff(own, own.Packaged()); diff != "" {
		t.Errorf("what was said is changed (-want +got):\n%s", diff)
	}
}

// TestStarterInForce: what the starter is told is in force, and nothing else is.
func TestStarterInForce(t *testing.T) {
	text, err := Starter(Basics{Domain: "old.example", Hostname: "mail.corp.example", DataDir: "/srv/t",
		Listen: ":25", Kind: Recycled, Today: time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC),
		Contact: "noc.corp.example", BaseURL: "https://bl.corp.example"})
	if err != nil {
		t.Fatal(err)
	}
	got := mustParse(t, string(text))
	want := mustParse(t, `hostname = "mail.corp.example"
data_dir = "/srv/t"
[[listen]]
address = ":25"
[[trap]]
domain = "old.example"
kind = "recycled"
active_from = 2027-11-24
[zone]
contact = "noc.corp.example"
[web]
base_url = "https://bl.corp.example"
`)
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !strings.Contains(string(text), `#origin = "bl.mail.corp.example"`) {
		t.Error("defaults that are made of the host name are shown with another")
	}
}

func TestStarterWithWrongWords(t *testing.T) {
	tests := []struct {
		name   string
		basics Basics
		want   string
	}{
		{"host name", Basics{Hostname: "no_name"}, "is not a DNS name"},
		{"host name that ends its line", Basics{Hostname: "a.example\"\nx = \""}, "is not a DNS name"},
		{"kind", Basics{Kind: "other"}, "is not a kind"},
		{"address", Basics{Listen: "nowhere"}, "listen[1].address"},
		{"contact", Basics{Contact: "a@b.example"}, "zone.contact"},
		{"base URL", Basics{BaseURL: "bl.example"}, "web.base_url"},
		{"folder with quotes", Basics{DataDir: "a\x00b"}, "trapline.toml:13"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Starter(test.basics)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestDemo(t *testing.T) {
	c := mustParse(t, string(Demo()))
	loopback := netip.MustParseAddr("127.0.0.1")
	proxied := 0
	for _, l := range c.Listen {
		if host, _, _ := l.Address.endpoint(); host != loopback {
			t.Errorf("%s is open to others", l.Address)
		}
		if len(l.ProxyFrom) > 0 && l.ProxyFrom[0].Contains(loopback) {
			proxied++
		}
	}
	if len(c.Listen) != 2 || proxied != 1 {
		t.Errorf("got %d listeners, %d of them for any client, want 2 and 1", len(c.Listen), proxied)
	}
	if c.Web.Address != (Address{}) || c.Zone.MinInterval != time.Second || c.DataDir != "data" {
		t.Errorf("got %+v", c)
	}
}

// Caller's changes stay the caller's.
func TestDemoIsACopy(t *testing.T) {
	clear(Demo())
	mustParse(t, string(Demo()))
}

// The files a reader of the repository sees keep the width of a terminal.
func TestTemplatesAreNarrow(t *testing.T) {
	paths, err := filepath.Glob("*.toml")
	if err != nil || len(paths) != 2 {
		t.Fatalf("find templates: %v, %v", paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if len(line) > 80 {
				t.Errorf("%s:%d is %d wide", path, i+1, len(line))
			}
		}
	}
}
