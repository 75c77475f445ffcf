package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/zone"
)

// busyLive is a minute in which something was the matter everywhere.
func busyLive() admin.Live {
	now := criteria.Second(1_795_550_000)
	l := admin.Live{Ready: true, Remembered: 56_789, Listed: 1234, Storage: "ok",
		Zone: admin.Zone{Serial: 1_795_549_801, Published: now - 192, Entries: 1234,
			Held: zone.Held{Additions: 5}}}
	l.At, l.Span, l.SourceCount, l.Unattributed = now, 60, 321, 41
	for i := range 60 {
		n := uint64(i * i % 37)
		l.Series, l.Hits = append(l.Series, n), l.Hits+n
	}
	l.Causes = map[criteria.Cause]int{parser.Direct: 700, parser.Relay: 120, parser.Bounce: 31,
		parser.Webmail: 31, parser.Unknown: 41}
	for i := range 15 {
		a := netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
		s := admin.BusySource{Source: criteria.Source{Prefix: netip.PrefixFrom(a, 32)}, Hits: 150 - 10*i}
		if i%3 == 0 {
			s.Answer = criteria.Spam
		}
		l.Sources = append(l.Sources, s)
		l.Traps = append(l.Traps, admin.BusyTrap{Trap: fmt.Sprintf("%016x", 0xfeed<<40+i), Hits: 90 - 6*i})
	}
	l.Sources[1].Source.Prefix = netip.MustParsePrefix("2001:db8:1234:5678::/64")
	l.Traps[1].Trap = "a-very-long-trap-address-with\x1b[2J-odd-bytes@traps.example"
	return l
}

// TestPicture: what top shows, on screens of all widths and heights.
func TestPicture(t *testing.T) {
	ready := busyLive()
	reading := admin.Live{Storage: "100 bytes free, 268435456 wanted: disk full"}
	reading.At, reading.Span, reading.Series = ready.At, 3600, make([]uint64, 60)
	retired := busyLive()
	retired.Zone.Order = &admin.ZoneOrder{Act: criteria.ActRetire}
	for _, c := range []struct {
		name          string
		live          admin.Live
		columns, rows int
	}{
		{"narrow", ready, 40, 0}, {"usual", ready, 80, 0}, {"wide", ready, 120, 0},
		{"usual-24", ready, 80, 24}, {"wide-24", ready, 120, 24}, {"tiny", ready, 40, 8},
		{"reading", reading, 80, 24}, {"retired", retired, 120, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := picture{live: c.live, rows: c.rows, keys: c.rows > 0, shades: shades(" .:-=+*%#"),
				screen: screen{columns: c.columns, terminal: true}}
			for _, listed := range []int{1100, 1150, 1234, 1234} {
				p.remember(listed)
			}
			lines := p.lines()
			checkLines(t, lines, c.columns, c.rows)
			checkGolden(t, "top-"+c.name+".txt", strings.Join(lines, "\n")+"\n")
		})
	}
}

// checkLines: no line is wider than the screen, the picture no higher, and all of it is printed.
func checkLines(t *testing.T, lines []string, columns, rows int) {
	t.Helper()
	for _, line := range lines {
		if utf8.RuneCountInString(line) > columns || printable(line) != line {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
	if rows > 0 && len(lines) > rows {
		t.Errorf("%d lines, want %d at most", len(lines), rows)
	}
}

// checkGolden compares with a file of testdata, or writes it.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-) and the picture (+):\n%s", path, diff)
	}
}

// TestPictureColours: colours change what is seen of a picture in nothing but the colours.
func TestPictureColours(t *testing.T) {
	p := picture{live: busyLive(), rows: 30, keys: true, shades: shades(" .:-=+*%#"),
		screen: screen{columns: 120, terminal: true}}
	plain := strings.Join(p.lines(), "\n")
	p.screen.colour = true
	coloured := strings.Join(p.lines(), "\n")
	if !strings.Contains(coloured, "\x1b["+string(blamed)+"m198.51.100.0") {
		t.Error("a listed source has no colour")
	}
	bare := coloured
	for _, look := range []string{string(good), string(blamed), string(boundary), string(odd), "0"} {
		bare = strings.ReplaceAll(bare, "\x1b["+look+"m", "")
	}
	strip := func(text string) (lines []string) {
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		return lines
	}
	if diff := cmp.Diff(strip(plain), strip(bare)); diff != "" {
		t.Error(diff)
	}
}

// TestPictureRemembers as many looks as a minute has.
func TestPictureRemembers(t *testing.T) {
	var p picture
	for i := range 200 {
		p.remember(i)
	}
	if len(p.listed) != 60 || p.listed[59] != 199 {
		t.Errorf("remembers %d, the last %d", len(p.listed), p.listed[len(p.listed)-1])
	}
}

func TestSpanText(t *testing.T) {
	for seconds, want := range map[int64]string{60: "1m", 90: "1m30s", 3600: "1h", 5400: "1h30m",
		86400: "1d", 7 * 86400: "7d", 86460: "24h1m"} {
		if got := spanText(seconds); got != want {
			t.Errorf("%d seconds: %q, want %q", seconds, got, want)
		}
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		n       uint64
		seconds int64
		want    string
	}{{0, 60, "0.0 a minute"}, {3, 60, "3.0 a minute"}, {59, 60, "59.0 a minute"}, {60, 60, "1.0 a second"},
		{1094, 60, "18.2 a second"}, {1, 86400, "0.0 a minute"}} {
		if got := rate(c.n, c.seconds); got != c.want {
			t.Errorf("%d in %d s: %s, want %s", c.n, c.seconds, got, c.want)
		}
	}
}
