package zone

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
)

// sample has every kind of entry.
func sample() []criteria.Listing {
	odd := listed("203.0.113.7", criteria.Spam)
	odd.Since, odd.Until = noon-1, noon+20*3600+1
	odd.Causes = map[parser.Cause]int{parser.Webmail: 3, parser.Bounce: 1, parser.Unknown: 12}
	byHand := listed("198.51.100.0/24", criteria.Operator)
	byHand.Until, byHand.Causes = criteria.Never, nil
	list, _ := Resolve([]criteria.Listing{
		odd, byHand, listed("192.0.2.99", criteria.Backscatter), listed("9.0.0.1", criteria.Spam),
		listed("2001:db8:1:2::/64", criteria.Spam), listed("2001:db8:5::1", criteria.Operator),
		listed("2001:db8:7::/64", criteria.Backscatter), listed("2001:db8:9::/64", criteria.Spam),
		listed("203.0.113.0/24", criteria.Network), listed("2001:db8:9::/48", criteria.Network),
	}, except("2001:db8:9:0:4000::/66"), special, noon)
	return list
}

func TestRenderGolden(t *testing.T) {
	golden(t, "bl.example", Render(header(), sample(), 1795435200, noon))
	golden(t, "bl.example.txt", RenderText(header(), sample()))
	golden(t, "bl.example.json", RenderJSON(header(), sample(), 1795435200))
	golden(t, "SHA256SUMS", renderAll(header(), sample(), 1795435200, noon)[3])
}

func TestRenderEmpty(t *testing.T) {
	h := header()
	h.ValidFor = 0
	golden(t, "empty", Render(h, nil, 0, noon))
	same(t, "text", string(RenderText(header(), nil)), "")
	golden(t, "empty.json", RenderJSON(header(), nil, 0))
}

// TestRenderEndsWhole: a file cut off after any byte is no zone of ours.
func TestRenderEndsWhole(t *testing.T) {
	whole := Render(header(), sample(), 7, noon)
	for i := range whole {
		if _, err := Parse(whole[:i]); err == nil {
			t.Fatalf("Parse takes the zone cut off after %d of %d bytes", i, len(whole))
		}
	}
}

// TestRenderIsSafe: whatever a header and a list hold, the zone has no line of theirs.
func TestRenderIsSafe(t *testing.T) {
	evil := "x\n$NS 0 evil.example\r\n127.0.0.9\x00\u2028"
	h := Header{Origin: evil, NS: []string{evil, "-off.example"}, Contact: evil,
		Text: ":=" + evil + "$1$=",
		TTL:  -time.Hour, NegativeTTL: -1, ValidFor: time.Hour}
	list := append(sample(), criteria.Listing{}, listed("10.0.0.0/8", criteria.Spam),
		listed("::ffff:198.51.100.7", criteria.Spam), listed("198.51.100.7", 0))
	got, err := Parse(Render(h, list, 7, noon))
	if err != nil {
		t.Fatalf("Parse = %v", err)
	}
	same(t, "networks", networks(got.Listings), networks(sample()))
	same(t, "header", got.Header, Header{Origin: "invalid", NS: []string{"invalid", "invalid"},
		Contact: "invalid", Text: "x $NS 0 evil.example  127.0.0.9    $$1$$=", ValidFor: time.Hour})
	if h.NS = nil; !strings.Contains(string(Render(h, nil, 7, noon)), "\n$NS 0 invalid\n") {
		t.Error("a header without name servers has no $NS of its own")
	}
}

func TestRenderNothingWide(t *testing.T) {
	list := spam("10.0.0.0/8", "2001:db8::/32", "198.51.100.0/24")
	for name, data := range map[string][]byte{
		"zone": Render(header(), list, 7, noon), "text": RenderText(header(), list),
		"json": RenderJSON(header(), list, 7),
	} {
		if bytes.Contains(data, []byte("/8")) || bytes.Contains(data, []byte("/32")) {
			t.Errorf("%s has a wide network:\n%s", name, data)
		}
	}
}

func TestRenderTextHasNoBackscatter(t *testing.T) {
	same(t, "text", string(RenderText(header(), sample())), strings.Join([]string{"9.0.0.1",
		"198.51.100.0/24", "203.0.113.7", "2001:db8:1:2::/64", "2001:db8:5::1",
		"2001:db8:9::/66", "2001:db8:9:0:8000::/65", ""}, "\n"))
}

func TestRenderJSONRoundsTimes(t *testing.T) {
	for _, c := range []struct {
		name         string
		since, until criteria.Second
		want         string
	}{
		{"on the hour", noon, noon, `"since":"2026-11-23T12:00:00Z","until":"2026-11-23T12:00:00Z"`},
		{"a second after", noon + 1, noon + 1,
			`"since":"2026-11-23T12:00:00Z","until":"2026-11-23T13:00:00Z"`},
		{"a second before", noon - 1, noon - 1,
			`"since":"2026-11-23T11:00:00Z","until":"2026-11-23T12:00:00Z"`},
		{"no end", noon, criteria.Never, `"until":null`},
		{"nearly no end", noon, criteria.Never - 1, `"until":`},
		{"no beginning", 0, noon, `"since":null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listed("198.51.100.7", criteria.Spam)
			l.Since, l.Until = c.since, c.until
			got := string(RenderJSON(header(), []criteria.Listing{l}, 7))
			if !strings.Contains(got, c.want) {
				t.Errorf("RenderJSON = %s, want %s in it", got, c.want)
			}
		})
	}
}

// TestRenderParseSame: what is written is read back, and is written again byte for byte.
func TestRenderParseSame(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		list := randomList(random, random.IntN(40))
		h := header()
		if random.IntN(2) == 0 {
			h.ValidFor, h.Text = 0, ""
		}
		serial, at := random.Uint32()|1, noon+criteria.Second(random.IntN(1e8))
		data := Render(h, list, serial, at)
		got, err := Parse(data)
		if err != nil {
			t.Fatalf("Parse = %v, of\n%s", err, data)
		}
		want := Zone{Header: h, Serial: serial, Listings: bare(list)}
		if h.ValidFor > 0 {
			want.Published = at
		}
		same(t, "zone", got, want)
		if again := Render(got.Header, got.Listings, got.Serial, at); !bytes.Equal(again, data) {
			t.Errorf("rendered again:\n%s\nwant\n%s", again, data)
		}
		list2, err := readBack(RenderJSON(h, list, serial))
		if err != nil || !Diff(list, list2).Empty() {
			t.Errorf("JSON read back: %v, %v", err, Diff(list, list2))
		}
	}
}

func readBack(data []byte) ([]criteria.Listing, error) {
	_, list, err := parseJSON(data)
	return list, err
}

func TestRenderIsDeterministic(t *testing.T) {
	list := sample()
	slices.Reverse(list)
	list, _ = Resolve(list, nil, special, noon)
	got, want := Render(header(), list, 7, noon), Render(header(), sample(), 7, noon)
	same(t, "zone", string(got), string(want))
	a := strings.Split(string(Render(header(), list, 7, noon)), "\n")
	b := strings.Split(string(Render(header(), list, 8, noon+60)), "\n")
	for i := range a {
		stamped := strings.HasPrefix(a[i], "$TIMESTAMP") || strings.HasPrefix(a[i], "$SOA")
		if (a[i] != b[i]) != stamped {
			t.Errorf("line %d: %q and %q", i+1, a[i], b[i])
		}
	}
}

// bare is what a zone says of listings.
func bare(list []criteria.Listing) []criteria.Listing {
	var bare []criteria.Listing
	for _, l := range list {
		bare = append(bare, criteria.Listing{Source: l.Source, Answer: l.Answer})
	}
	return bare
}

func randomList(random *rand.Rand, n int) []criteria.Listing {
	var list []criteria.Listing
	for range n {
		var p netip.Prefix
		if random.IntN(2) == 0 {
			a := netip.AddrFrom4([4]byte{198, 51, byte(random.IntN(3)), byte(random.IntN(256))})
			p = netip.PrefixFrom(a, 24+random.IntN(9)).Masked()
		} else {
			b := [16]byte{0x20, 1, 0xd, 0xb8, 0, byte(random.IntN(2)), 15: byte(random.IntN(256))}
			p = netip.PrefixFrom(netip.AddrFrom16(b), 48+random.IntN(81)).Masked()
		}
		list = append(list, listed(p.String(), answers[random.IntN(len(answers))]))
	}
	list, _ = Resolve(list, nil, special, noon)
	return list
}
