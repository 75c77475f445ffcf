package zone

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseNamesEveryMalformedLine(t *testing.T) {
	good := string(Render(header(), sample(), 7, noon))
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatalf("a good zone: %v", err)
	}
	for _, c := range []struct {
		name, old, new string
		want           []string // of each fault, a part
	}{
		{"another title", "# bl.example by", "# bl.example from", []string{`line 1 "# bl.example from`}},
		{"no stamp where it has a time", "$TIMESTAMP 20261123115500", "$TIMESTAMP", []string{"line 2"}},
		{"stamp as RFC 3339", "20261123115500", "2026-11-23T11:55:00Z", []string{"line 2"}},
		{"serial is no number", " 7 3600", " seven 3600", []string{"line 3"}},
		{"serial 0", " 7 3600", " 0 3600", []string{"line 3"}},
		{"no $NS", "$NS 300 mx.example ns2.example\n", "", []string{"is missing: $NS"}},
		{"two $NS", "$TTL 300\n", "$TTL 300\n$NS 1 x.example\n",
			[]string{`"$NS 1 x.example": has no place`}},
		{"no $MAXRANGE4", "$MAXRANGE4 /24\n", "", []string{"is missing"}},
		{"a wider $MAXRANGE4", "$MAXRANGE4 /24", "$MAXRANGE4 /8", []string{`"$MAXRANGE4 /8"`}},
		{"ttl with a leading 0", "$TTL 300", "$TTL 0300", []string{`"$TTL 0300"`}},
		{"CRLF", "203.0.113.7\n", "203.0.113.7\r\n", []string{`"203.0.113.7\r"`, "# end"}},
		{"bare octets", "9.0.0.1\n", "9.1\n", []string{`"9.1"`, "# end"}},
		{"three octets", "9.0.0.1\n", "9.0.0\n", []string{`"9.0.0"`, "# end"}},
		{"octal", "9.0.0.1\n", "011.0.0.1\n", []string{`"011.0.0.1"`, "# end"}},
		{"host bits", "198.51.100.0/24", "198.51.100.1/24",
			[]string{`"198.51.100.1/24"`, "has no entries", "# end"}},
		{"too wide", "198.51.100.0/24", "198.51.100.0/23",
			[]string{`wider`, "has no entries", "# end"}},
		{"too wide, IPv6", "2001:db8:1:2::/64", "2001:db8::/32", []string{`wider`, "# end"}},
		{"a single address with its length", "9.0.0.1\n", "9.0.0.1/32\n", []string{"in full", "# end"}},
		{"capitals", "2001:db8:1:2::/64", "2001:DB8:1:2::/64", []string{"in full", "# end"}},
		{"a value of its own", "9.0.0.1\n", "9.0.0.1 :127.0.0.9:x\n", []string{"in full", "# end"}},
		{"exclusion", "9.0.0.1\n", "!9.0.0.1\n", []string{`"!9.0.0.1"`, "# end"}},
		{"comment", "9.0.0.1\n", "# 9.0.0.1\n", []string{`"# 9.0.0.1"`, "# end"}},
		{"empty line", "9.0.0.1\n", "\n", []string{`line 10 ""`, "# end"}},
		{"foreign directive", "9.0.0.1\n", "$TTL 1\n", []string{`"$TTL 1"`, "# end"}},
		{"mapped IPv4", "2001:db8:1:2::/64", "::ffff:198.51.100.7",
			[]string{"::ffff:198.51.100.7", "# end"}},
		{"the other family", "9.0.0.1\n", "2001:db8:1::/64\n", []string{"other family", "# end"}},
		{"twice in a group", "9.0.0.1\n", "9.0.0.1\n9.0.0.1\n", []string{`line 11 "9.0.0.1"`}},
		{"not in order", "9.0.0.1\n203.0.113.7\n", "203.0.113.7\n9.0.0.1\n",
			[]string{"after the line before", "# end"}},
		{"twice in two groups", "192.0.2.99\n", "203.0.113.7\n",
			[]string{"203.0.113.7/32: is listed with two"}},
		{"no test entry", "127.0.0.2\n9", "9", []string{"has no test entry 127.0.0.2"}},
		{"test entry twice", "127.0.0.2\n9", "127.0.0.2\n127.0.0.2\n9", []string{"elsewhere"}},
		{"test entry elsewhere", "127.0.0.2\n9.0.0.1\n", "9.0.0.1\n127.0.0.2\n", []string{"elsewhere"}},
		{"no IPv6 test entry", "::ffff:7f00:2\n", "", []string{"has no test entry ::ffff:7f00:2"}},
		{"unknown answer", ":127.0.0.4:", ":127.0.0.9:", []string{"no answer", "no answer"}},
		{"groups out of order", ":127.0.0.3:", ":127.0.0.2:",
			[]string{"same or a later", "same or a later"}},
		{"another text in one group", ":127.0.0.3:Listed", ":127.0.0.3:Seen",
			[]string{"another text", "another text"}},
		{"a text with a variable", "ip/$\n", "ip/$1\n", repeat("not plain", 7)},
		{"group without entries", "192.0.2.99\n", "", []string{"has no entries", "# end"}},
		{"entries below nothing",
			":127.0.0.2:Listed, see https://bl.example/ip/$\n127.0.0.2\n9.0.0.1\n203.0.113.7\n:127.0.0.3",
			"9.0.0.1\n:127.0.0.3", []string{"below no default", "has no test entry", "# end"}},
		{"another dataset", "$DATASET ip4trie @", "$DATASET ip4set @", []string{`"$DATASET ip4set @"`}},
		{"a third dataset", "# end of", "$DATASET generic @\n# end of",
			[]string{`"$DATASET generic @": is not the last`}},
		{"wrong count", ": 10 entries", ": 8 entries", []string{"# end"}},
		{"no end", "# end of bl.example: 10 entries\n", "", []string{"at the end"}},
		{"something after the end", "10 entries\n", "10 entries\n1.2.3.4\n", []string{`"1.2.3.4"`}},
		{"no last line break", "10 entries\n", "10 entries", []string{"cut off"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.ReplaceAll(good, c.old, c.new)
			if bad == good {
				t.Fatalf("%q is not in\n%s", c.old, good)
			}
			_, err := Parse([]byte(bad))
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != len(c.want) {
				t.Fatalf("%d faults, want %d: %v", len(faults), len(c.want), err)
			}
			for i, f := range faults {
				if !strings.Contains(f.Error(), c.want[i]) {
					t.Errorf("fault %d is %q, want %q in it", i, f.Error(), c.want[i])
				}
			}
		})
	}
}

// TestParseOfARetiredZoneThatLists: what a zone says of itself goes before what it lists.
func TestParseOfARetiredZoneThatLists(t *testing.T) {
	title := titleOf(header())
	bad := strings.Replace(string(Render(header(), spam("9.0.0.1"), 7, noon)), title,
		titleOf(header().retired()), 1)
	z, err := Parse([]byte(bad))
	if err == nil || !strings.Contains(err.Error(), `"9.0.0.1": is listed in a zone that is retired`) ||
		len(z.Listings) > 0 {
		t.Errorf("Parse = %v, %v", z, err)
	}
}

func repeat(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

func TestParseOfNothing(t *testing.T) {
	for _, s := range []string{"", "\n", "\r\n", "# end", "$DATASET ip4trie @", "1.2.3.4\n"} {
		if _, err := Parse([]byte(s)); err == nil {
			t.Errorf("Parse(%q) finds no fault", s)
		}
	}
}

// TestParseOfAForeignFile: every line is named, in time that grows with their number alone.
func TestParseOfAForeignFile(t *testing.T) {
	const lines = 100_000
	var b bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&b, "%d.example\n", i)
	}
	_, err := Parse(b.Bytes())
	var faults Faults
	if !errors.As(err, &faults) || len(faults) < lines {
		t.Errorf("%d faults of %d lines", len(faults), lines)
	}
	if n := len(faults.brief()); n != 11 {
		t.Errorf("%d faults in brief, want 11", n)
	}
}

// FuzzParse: no input panics, and what is taken is what Render writes, byte for byte.
func FuzzParse(f *testing.F) {
	f.Add(Render(header(), sample(), 7, noon))
	f.Add(Render(header(), nil, 7, noon))
	all := sample()
	for i, answer := range answers {
		all[i].Answer = answer
	}
	f.Add(Render(header(), all, 7, noon))
	f.Add(Render(header().retired(), nil, 7, noon))
	h := header()
	h.ValidFor, h.Text = 0, ""
	f.Add(Render(h, spam("198.51.100.0/24"), 7, noon))
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := Parse(data)
		if err != nil {
			return
		}
		if again := Render(z.Header, z.Listings, z.Serial, z.Published); !bytes.Equal(again, data) {
			t.Errorf("taken\n%q\nwritten\n%q", data, again)
		}
		_, faults := Resolve(withoutEnd(z.Listings), nil, nil, 0)
		if len(faults) > 0 {
			t.Errorf("taken, but unfit: %v", faults)
		}
	})
}

// FuzzParseJSON: no input panics, and what is taken is what RenderJSON writes.
func FuzzParseJSON(f *testing.F) {
	f.Add(RenderJSON(header(), sample(), 7))
	f.Add(RenderJSON(header(), nil, 7))
	f.Add(RenderJSON(header().retired(), nil, 7))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, listings, err := parseJSON(data)
		if err != nil {
			return
		}
		if again := RenderJSON(list.header(), listings, list.Serial); !bytes.Equal(again, data) {
			t.Errorf("taken\n%q\nwritten\n%q", data, again)
		}
	})
}
