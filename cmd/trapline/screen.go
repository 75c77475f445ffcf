package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// screen is what stdout is shown on. The zero value is a file or a pipe: 80
// columns, no colours.
type screen struct {
	columns int // 0 = not known
	colour  bool
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
	return screen{columns: int(size.Col), colour: !dumb}
}

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

// paragraph is a text that hangs from its lead. Both are plain ASCII.
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

// wrap cuts a text at its blanks into lines of a width, at least one of them;
// inside of a word only if it alone is too wide.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		for ; len(word) > width; word = word[width:] {
			lines = append(lines, word[:width])
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
