package feed

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/address"
)

// seed adds the files in testdata, each with a number for its format.
func seed(f *testing.F, names ...string) {
	f.Helper()
	for i, name := range names {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint8(i))
		f.Add(text, uint8(len(names))) // told by its lines
		for line := range bytes.Lines(text) {
			f.Add(line, uint8(i))
		}
	}
}

// checkFault holds that an error names the stream and lets no byte of it through that could move a
// terminal.
func checkFault(t *testing.T, err error, found int) {
	t.Helper()
	if found > 0 {
		t.Errorf("%d found in spite of %v", found, err)
	}
	odd := func(r rune) bool { return r < ' ' || r > '~' && r != '…' }
	if text := err.Error(); !strings.HasPrefix(text, "read in:") || strings.ContainsFunc(text, odd) {
		t.Errorf("error %q", text)
	}
	var at *LineError
	if errors.As(err, &at) && (at.Line < 1 || at.Path != "in") {
		t.Errorf("error at %+v", at)
	}
}

// FuzzPoints feeds any bytes: every line is accounted for, no address is counted that could not be
// a source, and no log gives more points than it has lines.
func FuzzPoints(f *testing.F) {
	seed(f, "points.txt", "queries.log", "mail.log")
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		format := []Format{List, QueryLog, MailLog, Auto}[n%4]
		counts, stats, err := Points(bytes.NewReader(data), pointOptions(format))
		if err != nil {
			checkFault(t, err, len(counts))
			return
		}
		checkSums(t, stats)
		var sum int64
		for i, c := range counts {
			if address.Special(c.Address) || c.Address.Is4In6() || c.Address.Zone() != "" {
				t.Errorf("%s has points", c.Address)
			}
			if c.Points < 0 || c.Points > MaxPoints || dayOf(c.Day) != c.Day {
				t.Errorf("count %+v", c)
			}
			if i > 0 && (counts[i-1].Day > c.Day ||
				counts[i-1].Day == c.Day && counts[i-1].Address.Compare(c.Address) >= 0) {
				t.Errorf("%+v before %+v", counts[i-1], c)
			}
			sum += c.Points
		}
		if stats.Format != List && sum != stats.Taken {
			t.Errorf("%d points of %d lines", sum, stats.Taken)
		}
	})
}

// FuzzExceptions feeds any bytes: what comes out is never wide, always masked, sorted, and safe to
// show.
func FuzzExceptions(f *testing.F) {
	seed(f, "networks.txt", "dnswl.txt")
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		o := ExceptionOptions{Path: "in", Format: []Format{Networks, DNSWL, Auto}[n%3],
			Trust: int(n) / 64}
		all, stats, err := Exceptions(bytes.NewReader(data), o)
		if err != nil {
			checkFault(t, err, len(all))
			return
		}
		checkSums(t, stats)
		if int64(len(all)) != stats.Taken {
			t.Errorf("%d networks of %d lines", len(all), stats.Taken)
		}
		for i, x := range all {
			if bits := x.Network.Bits(); bits < 8 || bits < 16 && x.Network.Addr().Is6() {
				t.Errorf("%s is excepted", x.Network)
			}
			if x.Network.Masked() != x.Network || i > 0 && all[i-1].Network.Compare(x.Network) >= 0 {
				t.Errorf("%s is in the wrong form or place", x.Network)
			}
			for _, r := range x.Reason {
				if !strconv.IsPrint(r) || r == '\ufffd' && !strings.Contains(string(data), "\ufffd") {
					t.Errorf("reason %q", x.Reason)
				}
			}
		}
	})
}

// FuzzReversed holds that an address is read only from the one spelling that names it.
func FuzzReversed(f *testing.F) {
	for _, s := range []string{"7.100.51.198", "07.1.1.1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "",
		"...",
		strings.Repeat("0.", 31) + "f", strings.Repeat("F.", 31) + "f", strings.Repeat("0", 63)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, labels string) {
		a, ok := reversed(labels)
		if !ok {
			return
		}
		mapped := netip.AddrFrom16(a.As16())
		if got := strings.ToLower(labels); got != spelled(a) && got != spelled(mapped) {
			t.Errorf("%q is read as %s", labels, a)
		}
	})
}

// spelled is how a mail server asks for an address.
func spelled(a netip.Addr) string {
	var labels []string
	for _, b := range a.AsSlice() {
		if a.Is4() {
			labels = append([]string{strconv.Itoa(int(b))}, labels...)
			continue
		}
		const hex = "0123456789abcdef"
		labels = append([]string{hex[b&15 : b&15+1], hex[b>>4 : b>>4+1]}, labels...)
	}
	return strings.Join(labels, ".")
}

func TestReversed(t *testing.T) {
	for _, s := range []string{"198.51.100.7", "0.0.0.0", "255.255.255.255", "2001:db8::7", "::",
		"2001:db8:89ab:cdef:123:4567:fedc:ba98"} {
		want := netip.MustParseAddr(s)
		for _, labels := range []string{spelled(want), strings.ToUpper(spelled(want))} {
			if a, ok := reversed(labels); !ok || a != want {
				t.Errorf("%s: got %s, %v; want %s", labels, a, ok, want)
			}
		}
	}
}
