package zone

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the tests' present.
var noon = criteria.At(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

func header() Header {
	return Header{
		Origin: "bl.example", NS: []string{"mx.example", "ns2.example"},
		Contact: "hostmaster.mx.example", TTL: 5 * time.Minute, NegativeTTL: time.Minute,
		Text: "Listed, see https://bl.example/ip/$", ValidFor: 48 * time.Hour,
	}
}

// special is space enough for tests.
func special(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast()
}

// listed is a listing since an hour ago, for a day.
func listed(source string, answer criteria.Answer) criteria.Listing {
	return criteria.Listing{
		Source: network(source), Answer: answer, Since: noon - 3600, Until: noon + 24*3600,
		Causes: map[parser.Cause]int{parser.Relay: 2},
	}
}

func network(s string) netip.Prefix {
	p, err := prefixOf(s)
	if err != nil {
		panic(err)
	}
	return p
}

func networks(list []criteria.Listing) []string {
	var texts []string
	for _, l := range list {
		texts = append(texts, string(appendSource(nil, l.Source)))
	}
	return texts
}

func spam(sources ...string) []criteria.Listing {
	var list []criteria.Listing
	for _, s := range sources {
		list = append(list, listed(s, criteria.Spam))
	}
	return list
}

func except(networks ...string) []criteria.Exception {
	var list []criteria.Exception
	for _, n := range networks {
		list = append(list, criteria.Exception{Network: network(n), Until: criteria.Never})
	}
	return list
}

// same compares by value.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	opts := cmp.Options{
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
	if d := cmp.Diff(want, got, opts); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, name, string(got), string(want))
}

// TestDocument: the head of a zone is as docs/zone.md shows it.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/zone.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```zone\n")
	shown, _, found := strings.Cut(rest, "```\n")
	zone, err := os.ReadFile("testdata/retired.zone")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(zone), "$DATASET")
	if !found || shown != head {
		t.Errorf("docs/zone.md shows\n%s\nthe zone begins\n%s", shown, head)
	}
}
