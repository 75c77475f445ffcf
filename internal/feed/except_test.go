package feed

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func exceptions(t *testing.T, o ExceptionOptions, text string) ([]string, *Stats) {
	t.Helper()
	all, stats, err := Exceptions(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, x := range all {
		told = append(told, x.Network.String()+" "+x.Reason)
	}
	checkSums(t, stats)
	return told, stats
}

func TestNetworks(t *testing.T) {
	o := ExceptionOptions{Path: "in", Reason: "imported"}
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"no reason", "198.51.100.7\n", []string{"198.51.100.7/32 imported"}},
		{"no reason but a mark", "198.51.100.7 #\n", []string{"198.51.100.7/32 imported"}},
		{"reasons", "198.51.100.7 a b\n198.51.100.8\t# c # d\n198.51.100.9#e\n", []string{
			"198.51.100.7/32 a b", "198.51.100.8/32 c # d", "198.51.100.9/32 e"}},
		{"the first reason", "198.51.100.7 a\n198.51.100.7/32 b\n", []string{"198.51.100.7/32 a"}},
		{"nested, sorted", "2001:db8::/32\n198.51.100.7\n198.51.100.0/24\n", []string{
			"198.51.100.0/24 imported", "198.51.100.7/32 imported", "2001:db8::/32 imported"}},
		{"IPv4 in IPv6", "::ffff:198.51.100.0/120\n", []string{"198.51.100.0/24 imported"}},
		{"as wide as can be", "17.0.0.0/8\n2630::/16\n", []string{"17.0.0.0/8 imported",
			"2630::/16 imported"}},
		{"nobody's", "10.0.0.0/8\nfe80::/16\n127.0.0.1\n", nil},
		{"a long reason", "198.51.100.7 " + strings.Repeat("é", 150) + "\n",
			[]string{"198.51.100.7/32 " + strings.Repeat("é", 100)}},
		{"a reason cut in a letter", "198.51.100.7 x" + strings.Repeat("é", 150) + "\n",
			[]string{"198.51.100.7/32 x" + strings.Repeat("é", 99)}},
		{"odd bytes in a reason", "198.51.100.7 \x1b[2J\xff\n",
			[]string{`198.51.100.7/32 "\x1b[2J\xff"`}},
		{"CRLF", "198.51.100.7 x\r\n", []string{"198.51.100.7/32 x"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := exceptions(t, o, tt.in)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExceptionFaults(t *testing.T) {
	auto := ExceptionOptions{Path: "in"}
	dnswlOnly := ExceptionOptions{Path: "in", Format: DNSWL}
	for _, tt := range []struct {
		name string
		o    ExceptionOptions
		in   string
		want string
	}{
		{"the internet", auto, "198.51.100.7\n0.0.0.0/0\n",
			"in:2: 0.0.0.0/0 is wider than /8: name the networks in it that send mail"},
		{"half of it", auto, "0.0.0.0/1\n",
			"in:1: 0.0.0.0/1 is wider than /8: name the networks in it that send mail"},
		{"the other one", auto, "::/0\n",
			"in:1: ::/0 is wider than /16: name the networks in it that send mail"},
		{"all unicast", auto, "2000::/3\n",
			"in:1: 2000::/3 is wider than /16: name the networks in it that send mail"},
		{"IPv4 in IPv6", auto, "::ffff:0.0.0.0/96\n",
			"in:1: 0.0.0.0/0 is wider than /8: name the networks in it that send mail"},
		{"more than IPv4 in IPv6", auto, "::ffff:0:0/95\n",
			"in:1: ::ffff:0.0.0.0/95 has bits beyond /95: write ::fffe:0:0/95, or the address alone"},
		{"DNSWL's too wide", auto, "198.51.100.7 :127.0.5.2:x\n192.0.0.0/7 :127.0.5.2:x\n",
			"in:2: 192.0.0.0/7 is wider than /8: name the networks in it that send mail"},
		{"bits beyond", auto, "192.0.2.7/24\n",
			"in:1: 192.0.2.7/24 has bits beyond /24: write 192.0.2.0/24, or the address alone"},
		{"three numbers", auto, "198.51.100.7\n192.0.2\n",
			`in:2: "192.0.2" is neither an address nor a network as 192.0.2.0/24: write one a line`},
		{"octal", auto, "198.51.100.7\n010.0.0.1\n",
			`in:2: "010.0.0.1" is neither an address nor a network as 192.0.2.0/24: write one a line`},
		{"a range", auto, "198.51.100.7\n192.0.2.1-192.0.2.9\n",
			`in:2: "192.0.2.1-192.0.2.9" is neither an address nor a network as ` +
				"192.0.2.0/24: write one a line"},
		{"a zone", auto, "198.51.100.7\nfe80::1%eth0\n",
			`in:2: "fe80::1%eth0" is neither an address nor a network as 192.0.2.0/24: write one a line`},
		{"cut", auto, "198.51.100.7\n192.0.2.0/2", "in:2: the last line does not end: " +
			"get the file again if it was cut, else end the line"},
		{"a list of bad senders", auto, "198.51.100.7 :127.0.0.2:Listed\n",
			`in:1: "198.51.100.7 :127.0.0.2:Listed" is an entry for a name server, maybe of those ` +
				"that are to be blocked: only DNSWL's format is read as exceptions"},
		{"a list of bad senders, called DNSWL's", dnswlOnly, "198.51.100.7 :127.0.0.2:Listed\n",
			`in: not one line of format "dnswl": name the right one`},
		{"no list", auto, "<html>\n",
			`in: "<html>" is of none of the formats dnswl, networks: name the format`},
		{"a list of points", ExceptionOptions{Path: "in", Format: List}, "",
			`in: format "list" is none of dnswl, networks`},
		{"no such trust", ExceptionOptions{Path: "in", Trust: 4}, "", "in: trust 4 is not 0 to 3"},
		{"compressed", auto, "\x1f\x8b\x08\x00", "in: compressed: unpack it first, as zcat does"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, _, err := Exceptions(strings.NewReader(tt.in), tt.o)
			if err == nil || err.Error() != "read "+tt.want {
				t.Errorf("got %v\nwant read %s", err, tt.want)
			}
			if all != nil {
				t.Errorf("exceptions in spite of it: %v", all)
			}
		})
	}
}

func TestBlankLines(t *testing.T) {
	const blank = "\n \t\n\f\v\n\r\r\n\u0085\u3000\n # x\n\t; x\n"
	for _, f := range []Format{Networks, DNSWL} {
		if _, stats := exceptions(t, ExceptionOptions{Format: f}, blank); stats.Skipped[Blank] != 7 {
			t.Errorf("%s: %v", f, stats)
		}
	}
	for _, f := range []Format{List, QueryLog, MailLog} {
		if _, stats := points(t, pointOptions(f), blank); stats.Skipped[Blank] != 7 {
			t.Errorf("%s: %v", f, stats)
		}
	}
}

// TestTrust holds that each level leaves out those below it.
func TestTrust(t *testing.T) {
	const in = "203.0.113.0 :127.0.5.0:x\n203.0.113.1 :127.0.5.1:x\n203.0.113.2 :127.0.5.2:x\n" +
		"203.0.113.3 :127.0.5.3:x\n"
	all := []string{"203.0.113.0/32 dnswl.org, trust 0: x", "203.0.113.1/32 dnswl.org, trust 1: x",
		"203.0.113.2/32 dnswl.org, trust 2: x", "203.0.113.3/32 dnswl.org, trust 3: x"}
	for least := range 4 {
		got, stats := exceptions(t, ExceptionOptions{Path: "in", Trust: least}, in)
		if diff := cmp.Diff(all[least:], got); diff != "" {
			t.Errorf("trust %d: %s", least, diff)
		}
		if stats.Skipped[LowTrust] != int64(least) {
			t.Errorf("trust %d: %v", least, stats)
		}
	}
}

func TestTooManyNetworks(t *testing.T) {
	n := &networks{Stats: newStats(), limit: 1, found: map[netip.Prefix]string{}}
	p := &plain{networks: n}
	first, second := p.take("198.51.100.7"), p.take("198.51.100.8")
	if first != nil || second == nil || second.Error() != "more than 1 networks: split the file" {
		t.Errorf("got %v and %v", first, second)
	}
}
