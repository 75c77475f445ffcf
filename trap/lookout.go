package trap

import "bytes"

// lookout watches content for an end of data that we do not believe and other servers might: a
// dot alone between any two of <CRLF>, <LF> and <CR>, with or without NULs, which some drop. The
// true end never comes by here, since it is no content.
type lookout struct {
	step step
	seen bool
}

// step is how much of a look-alike has passed.
type step uint8

const (
	none      step = iota
	afterLine      // the end of a line, or what could be taken for one
	afterDot       // behind that a dot
)

// watch looks at the next piece, which holds a line feed at its end or nowhere.
func (l *lookout) watch(piece []byte) {
	if l.isOrdinary(piece) {
		l.step = afterLine
		return
	}
	for _, c := range piece {
		l.pass(c)
	}
}

// isOrdinary tells a line that can hold nothing of interest but its end, so that mail is not
// looked at byte by byte: one longer than a dot, ending in <CRLF> or <LF>, without <CR> or NUL
// elsewhere.
func (l *lookout) isOrdinary(piece []byte) bool {
	end := len(piece) - 2
	return l.step != afterDot && end > 1 && piece[end+1] == '\n' &&
		bytes.IndexByte(piece[:end], '\r') < 0 && bytes.IndexByte(piece, 0) < 0
}

func (l *lookout) pass(c byte) {
	switch {
	case c == 0:
	case c == '\r' || c == '\n':
		l.seen = l.seen || l.step == afterDot
		l.step = afterLine
	case c == '.' && l.step == afterLine:
		l.step = afterDot
	default:
		l.step = none
	}
}
