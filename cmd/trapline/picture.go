package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
)

// picture is one look of top.
type picture struct {
	live   admin.Live
	listed []uint64 // as it was at the looks before, the newest last
	screen screen
	shades shades
	rows   int  // of the terminal; 0: as many as it takes
	keys   bool // say how it ends
}

// Bounds of a picture.
const (
	leadWidth = 9  // columns before what a line says
	sideWidth = 76 // from here on the tables stand side by side
	usualRows = 10 // of a table
	mostChart = 40
)

// remember adds to what was listed.
func (p *picture) remember(listed int) {
	p.listed = append(p.listed, uint64(listed))
	p.listed = p.listed[max(0, len(p.listed)-60):]
}

// lines is the picture, a line each, none longer than the screen is wide.
func (p *picture) lines() []string {
	lines := p.head()
	tables := []table{p.causes(), p.sources(), p.traps()}
	room := p.rows - len(lines)
	if p.screen.width() >= sideWidth {
		lines = append(lines, p.beside(tables, p.rowsIn(room-1))...)
	} else {
		lines = append(lines, p.below(tables, p.rowsIn(room/len(tables)-2))...) // a title, an empty line
	}
	if p.rows > 0 {
		lines = lines[:min(len(lines), p.rows)]
	}
	return lines
}

// rowsIn is how many rows a table has where there is room for so many.
func (p *picture) rowsIn(room int) int {
	if p.rows == 0 {
		return usualRows
	}
	return max(1, room)
}

// head is what stands above the tables.
func (p *picture) head() []string {
	l, width := p.live, p.screen.width()
	title := "trapline, " + spanText(l.Span) + " to " + l.At.String()
	if p.keys {
		title = fmt.Sprintf("%-*s%s", max(width-len("q quits"), len(title)+1), title, "q quits")
	}
	lines := []string{p.screen.paint(boundary, cut(title, width)), ""}
	for _, line := range []struct {
		name, text string
		look       style
	}{
		{"hits", fmt.Sprintf("%d, %s", l.Hits, rate(l.Hits, l.Span)), plain},
		{"", strings.TrimRight(p.shades.line(l.Series, width-leadWidth), " "), good},
		{"sources", p.standing(), plain},
		{"listed", p.shades.line(p.listed, width-leadWidth), blamed},
		{"nobody", fmt.Sprintf("%d of %d hits without a source", l.Unattributed, p.counted()), plain},
		{"zone", p.zone(), p.zoneLook()},
		{"storage", printable(l.Storage), lookOf(l.Storage == "ok")},
	} {
		if line.text != "" {
			lines = append(lines, fmt.Sprintf("%-*s", leadWidth, line.name)+
				p.screen.paint(line.look, cut(line.text, width-leadWidth)))
		}
	}
	return append(lines, "")
}

func lookOf(well bool) style {
	if well {
		return plain
	}
	return odd
}

// counted is how many hits the tables are about.
func (p *picture) counted() int {
	n := 0
	for _, hits := range p.live.Causes {
		n += hits
	}
	return n
}

func (p *picture) standing() string {
	l := p.live
	if !l.Ready {
		return fmt.Sprintf("%d here; the log is being read", l.SourceCount)
	}
	return fmt.Sprintf("%d here, %d remembered, %d listed", l.SourceCount, l.Remembered, l.Listed)
}

func (p *picture) zone() string {
	z := p.live.Zone
	text := zoneText(z)
	if z.Order != nil {
		text = z.Order.String()
	}
	if z.Published != 0 {
		text += ", " + span(max(0, p.live.At-z.Published)) + " old"
	}
	return text
}

func (p *picture) zoneLook() style {
	z := p.live.Zone
	return lookOf(z.Order == nil && z.Held.Additions+z.Held.Removals == 0)
}

// spanText says how long a span is: 1m, 90m, 1d.
func spanText(seconds int64) string {
	const day = 86400
	if seconds%day == 0 {
		return fmt.Sprintf("%dd", seconds/day)
	}
	text := (time.Duration(seconds) * time.Second).String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-len(none)+1]
		}
	}
	return text
}

// rate says how many that is, in the unit in which it is at least one, with one decimal, rounded
// down.
func rate(n uint64, seconds int64) string {
	unit, length := "second", uint64(1)
	if n < uint64(seconds) {
		unit, length = "minute", 60
	}
	tenths := 10 * n * length / uint64(max(1, seconds))
	return fmt.Sprintf("%d.%d a %s", tenths/10, tenths%10, unit)
}

// table is a list of names with numbers, the largest first.
type table struct {
	title string
	rows  []tableRow
}

type tableRow struct {
	name string
	n    int
	note string // behind the number
	look style
}

func (p *picture) causes() table {
	t := table{title: "causes"}
	for cause, n := range p.live.Causes {
		t.rows = append(t.rows, tableRow{name: cause.String(), n: n})
	}
	slices.SortFunc(t.rows, func(a, b tableRow) int {
		return cmp.Or(b.n-a.n, cmp.Compare(a.name, b.name))
	})
	return t
}

func (p *picture) sources() table {
	t := table{title: "busiest sources"}
	for _, s := range p.live.Sources {
		row := tableRow{name: s.Source.String(), n: s.Hits}
		if s.Answer != criteria.Unlisted {
			row.note, row.look = " listed", blamed
		}
		t.rows = append(t.rows, row)
	}
	return t
}

func (p *picture) traps() table {
	t := table{title: "busiest traps"}
	for _, trap := range p.live.Traps {
		t.rows = append(t.rows, tableRow{name: foreign(trap.Trap), n: trap.Hits})
	}
	return t
}

// beside lays the three tables side by side, each with so many rows. The names of causes are short.
func (p *picture) beside(tables []table, rows int) []string {
	const gap = "   "
	width := p.screen.width() - 2*len(gap)
	first, rest := width/4, width-width/4
	columns, height := [][]string{}, 0
	for i, width := range []int{first, (rest + 1) / 2, rest / 2} {
		column := p.draw(tables[i], width, rows)
		for len(column) < rows+1 {
			column = append(column, strings.Repeat(" ", width))
		}
		columns, height = append(columns, column), max(height, 1+len(tables[i].rows))
	}
	var lines []string
	for i := range min(height, rows+1) {
		line := columns[0][i] + gap + columns[1][i] + gap + columns[2][i]
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// below lays tables one under the other, each with so many rows.
func (p *picture) below(tables []table, rows int) []string {
	var lines []string
	for i, t := range tables {
		if i > 0 {
			lines = append(lines, "")
		}
		for _, line := range p.draw(t, p.screen.width(), rows) {
			lines = append(lines, strings.TrimRight(line, " "))
		}
	}
	return lines
}

// draw lays out a table, each line as wide as the table: names, numbers, notes where there are
// any, and a chart in what is left.
func (p *picture) draw(t table, width, rows int) []string {
	t.rows = t.rows[:min(len(t.rows), rows)]
	name, number, note := t.widths()
	name = min(name, max(1, width-number-note-1))
	chart := min(width-name-number-note-2, mostChart)
	lines := []string{p.screen.paint(boundary, padded(cut(t.title, width), width))}
	for _, row := range t.rows {
		text := fmt.Sprintf("%s %*d%-*s %s", padded(cut(row.name, name), name), number, row.n, note,
			row.note, p.shades.bar(row.n, t.rows[0].n, chart))
		text = padded(cut(strings.TrimRight(text, " "), width), width)
		lines = append(lines, p.screen.paint(row.look, text))
	}
	return lines
}

// widths are those of names, numbers and notes.
func (t table) widths() (name, number, note int) {
	for _, row := range t.rows {
		name = max(name, utf8.RuneCountInString(row.name))
		number = max(number, len(strconv.Itoa(row.n)))
		note = max(note, len(row.note))
	}
	return name, number, note
}

// cut shortens a text to a width, and shows that it did.
func cut(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:max(0, width-1)]) + "~"
}

// padded fills a text up to a width with blanks.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
