package parser

import "strings"

// Bounds of one Received line. Beyond them a line is unreadable: cutting it would let a long HELO
// push the peer out of sight.
const (
	maxLine   = 16 << 10 // bytes
	maxTokens = 128
	maxDepth  = 16 // of comments in comments
	maxBys    = 8
)

// kind is the kind of a token.
type kind uint8

const (
	word      kind = iota // anything without blanks, quoted strings inside it included
	group                 // a comment, with the comments in it
	semicolon             // outside of comments
)

// token is a piece of a Received line at comment depth 0.
type token struct {
	text   string // of a group what is inside its parentheses
	at     int32  // where it stands in the line
	kind   kind
	glued  bool // no blank stands before it
	quoted bool // a word with a quoted string in it
}

// end is where the token ends in the line, parentheses included.
func (t *token) end() int {
	if t.kind == group {
		return int(t.at) + len("(") + len(t.text) + len(")")
	}
	return int(t.at) + len(t.text)
}

// line is the value of a Received field, unfolded and cut into tokens. It is large, and made to be
// used again for the next value.
type line struct {
	text string
	buf  [maxTokens]token
	n    int
}

func (l *line) tokens() []token { return l.buf[:l.n] }

// lex takes an unfolded value and cuts it into tokens. It fails on a line with two readings:
// parentheses or quotes that do not pair, or a backslash before a parenthesis, which is a quoted
// pair by RFC 5322 (section 3.2.2) and a plain one in what mail servers print.
func (l *line) lex(text string) bool {
	l.text, l.n = text, 0
	if len(text) > maxLine {
		return false
	}
	for at := 0; at < len(text); {
		if text[at] == ' ' {
			at++
			continue
		}
		t, size := next(text[at:])
		if size == 0 || l.n == maxTokens {
			return false
		}
		t.at = int32(at)
		t.glued = at > 0 && text[at-1] != ' '
		l.buf[l.n] = t
		l.n++
		at += size
	}
	return true
}

// next reads one token and tells how long it was; 0 if it is none.
func next(s string) (token, int) {
	switch s[0] {
	case '(':
		size := groupLen(s)
		if size == 0 {
			return token{}, 0
		}
		return token{text: s[1 : size-1], kind: group}, size
	case ')':
		return token{}, 0
	case ';':
		return token{text: s[:1], kind: semicolon}, 1
	}
	size, quoted := wordLen(s)
	return token{text: s[:size], kind: word, quoted: quoted}, size
}

// groupLen measures a comment with its parentheses; 0 if it does not close.
func groupLen(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		default:
			continue
		}
		if depth > maxDepth || i > 0 && s[i-1] == '\\' {
			return 0
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// wordLen measures a word; 0 if a quote in it does not close. A quoted string may hold blanks and
// parentheses, as in `for <"a (b) c"@example>`.
func wordLen(s string) (size int, quoted bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ' ', '(', ')', ';':
			return i, quoted
		case '"':
			n := quotedLen(s[i:])
			if n == 0 {
				return 0, false
			}
			i += n - 1
			quoted = true
		}
	}
	return len(s), quoted
}

// quotedLen measures a quoted string with its quotes (RFC 5322, section 3.2.4); 0 if it does not
// close.
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// unfold gives a field's value as one line: any run of white space and line ends is one blank,
// NULs are gone, nothing stands at either end.
func unfold(value []byte) string {
	var b strings.Builder
	b.Grow(len(value))
	blank := false
	for _, c := range value {
		switch c {
		case 0:
		case ' ', '\t', '\r', '\n', '\v', '\f':
			blank = true
		default:
			if blank && b.Len() > 0 {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteByte(c)
		}
	}
	return b.String()
}
