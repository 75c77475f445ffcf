package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen is what stdout is shown on. The zero value is a file or a pipe: 80
// columns, no colours.
type screen struct {
	columns  int // 0 = not known
	colour   bool
	terminal bool
}

// Bounds of a line, in columns: no terminal is too narrow to be used, and on a
// wide one long lines are hard to read.
const (
	usualColumns = 80
	leastColumns = 40
	mostColumns  = 120
)

// screenOf asks a file whether it is a terminal. NO_COLOR (no-color.org) and
// TERM=dumb are respected.
func screenOf(f *os.File, getenv func(string) string) screen {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return screen{} // no terminal
	}
	dumb := getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
	return screen{columns: int(size.Col), colour: !dumb, terminal: true}
}

// width is how long a line should be at most, in columns.
func (s screen) width() int {
	if s.columns == 0 {
		return usualColumns
	}
	return min(max(s.columns, leastColumns), mostColumns)
}

// style is how words look in a terminal: the parameters of ECMA-48's SGR. What
// a colour means, the words say as well.
type style string

// The palette.
const (
	plain    style = ""
	good     style = "32"   // green: believed
	blamed   style = "1;31" // bold red: the source
	boundary style = "1"    // bold: where belief ends
	doubted  style = "2"    // dim: said by somebody we do not know
	odd      style = "33"   // yellow: worth a look
)

// paint gives a text its look. The text must be printable.
func (s screen) paint(look style, text string) string {
	if !s.colour || look == plain || text == "" {
		return text
	}
	return "\x1b[" + string(look) + "m" + text + "\x1b[0m"
}

// paragraph is a text that hangs from its lead. Both must be printable, the lead ASCII.
type paragraph struct {
	lead, text         string
	leadLook, textLook style
}

// print writes a paragraph, its text in as many lines as it needs.
func (s screen) print(w io.Writer, p paragraph) {
	lead := s.paint(p.leadLook, p.lead)
	for _, line := range wrap(p.text, max(s.width()-len(p.lead), leastColumns/2)) {
		_, _ = io.WriteString(w, // stdout keeps its error
			strings.TrimRight(lead+s.paint(p.textLook, line), " ")+"\n")
		lead = strings.Repeat(" ", len(p.lead))
	}
}

// hang is print for what programs read as well: anywhere but in a terminal it is one line.
func (s screen) hang(w io.Writer, p paragraph) {
	if s.terminal {
		s.print(w, p)
		return
	}
	_, _ = io.WriteString(w, strings.TrimRight(p.lead+p.text, " ")+"\n") // as print
}

// wrap cuts a text at its blanks into lines of a width, at least one of them;
// inside of a word only if it alone is too wide. A character takes a column.
func wrap(text string, width int) []string {
	var words []string
	for _, field := range strings.Fields(text) {
		word := []rune(field)
		for ; len(word) > width; word = word[width:] {
			words = append(words, string(word[:width]))
		}
		words = append(words, string(word))
	}
	return filled(words, width)
}

// filled puts words into lines of a width, at least one of them; what is wider stands alone.
func filled(words []string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
