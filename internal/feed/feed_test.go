package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is some hours after the logs in testdata.
var now = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

// resolvers are those whose queries count, in testdata and everywhere in the tests.
var resolvers = []netip.Prefix{netip.MustParsePrefix("192.0.2.53/32"),
	netip.MustParsePrefix("2001:db8::53/128")}

func pointOptions(f Format) PointOptions {
	return PointOptions{Path: "in", Format: f, Now: now, Clients: resolvers, Origin: "bl.example"}
}

// points reads a text that has to be right, and gives the counts as `DAY ADDRESS POINTS`.
func points(t *testing.T, o PointOptions, text string) ([]string, *Stats) {
	t.Helper()
	counts, stats, err := Points(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, c := range counts {
		day := c.Day.Time().Format(time.DateOnly)
		told = append(told, fmt.Sprintf("%s %s %d", day, c.Address, c.Points))
	}
	return told, stats
}

// tell writes what was read as a golden file holds it.
func tell[T any](t *testing.T, all []T, stats *Stats) string {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s\n", stats.Format, stats)
	for _, one := range all {
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.String()
}

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("what was read differs (-want +got), see -update:\n%s", diff)
	}
}

// TestGolden reads each file in testdata by the format that its lines show.
func TestGolden(t *testing.T) {
	for name, want := range map[string]Format{"points.txt": List, "queries.log": QueryLog,
		"mail.log": MailLog, "networks.txt": Networks, "dnswl.txt": DNSWL} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, stats := "", (*Stats)(nil)
			if want == Networks || want == DNSWL {
				var all []Exception
				all, stats, err = Exceptions(bytes.NewReader(text), ExceptionOptions{Path: path, Trust: 1})
				got = tell(t, all, stats)
			} else {
				var all []Count
				all, stats, err = Points(bytes.NewReader(text), pointOptions(Auto))
				got = tell(t, all, stats)
			}
			if err != nil || stats.Format != want {
				t.Errorf("read as %q: %v", stats.Format, err)
			}
			checkSums(t, stats)
			checkGolden(t, strings.TrimSuffix(path, filepath.Ext(path))+".golden", got)
		})
	}
}

// checkSums holds that every line is accounted for.
func checkSums(t *testing.T, s *Stats) {
	t.Helper()
	sum := s.Taken
	for why, n := range s.Skipped {
		if sum += n; n <= 0 {
			t.Errorf("%d lines skipped: %s", n, why)
		}
	}
	if sum != s.Lines {
		t.Errorf("%d lines accounted for in %q, want %d", sum, s, s.Lines)
	}
}

const (
	aQuery = "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/74\n"
	aMail  = "Nov 24 12:02:03 mx postfix/smtpd[145]: 884EF9865C2: client=x.example[198.51.100.7]\n"
)

// TestPointFaults holds what makes a stream of points unusable: the place, the cause, the mend.
func TestPointFaults(t *testing.T) {
	none, noClients, noOrigin := pointOptions(Auto), pointOptions(Auto), pointOptions(QueryLog)
	noClients.Clients, noOrigin.Origin = nil, "."
	for _, tt := range []struct {
		name string
		o    PointOptions
		in   string
		want string
	}{
		{"negative", none, "# x\n198.51.100.7 -5\n",
			`in:2: count "-5" is not a number of messages, 0 or more`},
		{"above 2^53", none, "198.51.100.7 9007199254740993\n",
			`in:1: count "9007199254740993" is more than 9007199254740992`},
		{"above 2^64", none, "198.51.100.7 18446744073709551616\n",
			`in:1: count "18446744073709551616" is more than 9007199254740992`},
		{"sum above 2^53", none, "198.51.100.7 9007199254740992\n198.51.100.7 1\n",
			"in:2: 198.51.100.7 gets more than 9007199254740992 points on one day: give it fewer"},
		{"plus", none, "198.51.100.7 +5\n", `in:1: count "+5" is not a number of messages, 0 or more`},
		{"exponent", none, "198.51.100.7 1e3\n",
			`in:1: count "1e3" is not a number of messages, 0 or more`},
		{"no count", none, "198.51.100.7\n", `in:1: "198.51.100.7" is not ADDRESS COUNT [DATE]`},
		{"too much", none, "198.51.100.7 1 2026-11-24 x\n",
			`in:1: "198.51.100.7 1 2026-11-24 x" is not ADDRESS COUNT [DATE]`},
		{"a network", none, "198.51.100.0/24 1\n",
			`in:1: "198.51.100.0/24" is not an address`},
		{"a zone", pointOptions(List), "fe80::1%eth0 1\n", `in:1: "fe80::1%eth0" is not an address`},
		{"no such day", none, "198.51.100.7 1 2026-02-29\n",
			`in:1: date "2026-02-29" is neither as 2026-01-31 nor as 2026-01-31T23:59:59Z`},
		{"a day to come", none, "198.51.100.7 1 2026-11-26\n",
			"in:1: 2026-11-26 is yet to come: check the date, and this machine's clock"},
		{"hostile bytes", none, "198.51.100.7 1\n\x1b[2J\xff" + strings.Repeat("x", 100) + " 1\n",
			`in:2: "\x1b[2J\xff` + strings.Repeat("x", 55) + `"… is not an address`},
		{"cut", none, "198.51.100.7 1\n198.51.100.7 1", "in:2: the last line does not end: " +
			"get the file again if it was cut, else end the line"},
		{"too long", none, "198.51.100.7 1\n" + strings.Repeat(" ", maxLine) + "\n198.51.100.7 1\n",
			"in:2: longer than 16384 bytes: is this a text file?"},
		{"far too long", none, "198.51.100.7 1\n" + strings.Repeat(" ", 5*lookedAt) + "\n",
			"in:2: longer than 16384 bytes: is this a text file?"},
		{"no format", none, "\nhello world\n",
			`in: "hello world" is of none of the formats list, rbldnsd, postfix: name the format`},
		{"unknown format", pointOptions("exim"), "",
			`in: format "exim" is none of list, rbldnsd, postfix`},
		{"compressed", none, "\x1f\x8b\x08\x00", "in: compressed: unpack it first, as zcat does"},
		{"wrong log", pointOptions(QueryLog), aMail,
			`in: not one line of format "rbldnsd": name the right one`},
		{"wrong log, too", pointOptions(MailLog), aQuery,
			`in: not one line of format "postfix": name the right one`},
		{"no clients", noClients, aQuery, "in: whose queries count is not known: " +
			"name the resolvers in reputation.clients"},
		{"no origin", noOrigin, aQuery, "in: which zone's queries count is not known: set zone.origin"},
		{"backwards", none, aQuery + "1795514399 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/74\n",
			"in:2: more than an hour earlier than a line before it: sort the file with sort -n, " +
				"or import each server's log under a name of its own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			counts, _, err := Points(strings.NewReader(tt.in), tt.o)
			if err == nil || err.Error() != "read "+tt.want {
				t.Errorf("got %v\nwant read %s", err, tt.want)
			}
			if counts != nil {
				t.Errorf("counts in spite of it: %v", counts)
			}
			if errors.Is(err, errCut) != (tt.name == "cut") {
				t.Errorf("cut, or not: %v", err)
			}
			var at *LineError
			if errors.As(err, &at) != !strings.HasPrefix(tt.want, "in: ") {
				t.Errorf("a line at fault: %v", at)
			}
		})
	}
}

func TestStreamFails(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, start := range []string{"", "198.51.100.7 1\n", "198.51.100.7 1\n19", aQuery, aMail,
		"198.51.100.7 1\n" + strings.Repeat("x", 2*lookedAt)} {
		in := io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken))
		counts, _, err := Points(in, pointOptions(Auto))
		if !errors.Is(err, broken) || counts != nil {
			t.Errorf("after %.20q: %v, %v", start, counts, err)
		}
	}
}

// TestEmpty: a log of a quiet day is no fault, whatever its format.
func TestEmpty(t *testing.T) {
	for _, f := range []Format{Auto, List, QueryLog, MailLog} {
		for _, text := range []string{"", "\n", "# nothing\n\r\n"} {
			if got, stats := points(t, pointOptions(f), text); len(got) > 0 || stats.Taken != 0 {
				t.Errorf("%q read as %q: %v, %v", text, f, got, stats)
			}
		}
	}
}

// TestSlowly holds that it does not matter in which pieces the bytes come.
func TestSlowly(t *testing.T) {
	for _, name := range []string{"points.txt", "queries.log", "mail.log"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		atOnce, one, err := Points(bytes.NewReader(text), pointOptions(Auto))
		if err != nil {
			t.Fatal(err)
		}
		slowly, two, err := Points(iotest.OneByteReader(bytes.NewReader(text)), pointOptions(Auto))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tell(t, atOnce, one), tell(t, slowly, two)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
