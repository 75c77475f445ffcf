package parser

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

// usualTokens is the room that a line begins with.
const usualTokens = 32

// line is the value of a Received field, unfolded and cut into tokens. It is made to be used again
// for the next value.
type line struct {
	text    string
	tokens  []token
	body    []token // those before the date: the last semicolon outside of comments ends them
	clauses clauses // of the place that is being read: here, as a grammar could keep a pointer
}

// lex takes an unfolded value and cuts it into tokens. It fails on a line with two readings:
// parentheses or quotes that do not pair, or a backslash before a parenthesis, which is a quoted
// pair by RFC 5322 (section 3.2.2) and a plain one in what mail servers print.
func (l *line) lex(text string) bool {
	if l.tokens == nil {
		l.tokens = make([]token, 0, usualTokens)
	}
	tokens, ok := appendTokens(l.tokens[:0], text)
	l.text, l.tokens, l.body = text, tokens, tokens
	for i := len(tokens) - 1; i >= 0; i-- {
		if tokens[i].kind == semicolon {
			l.body = tokens[:i]
			break
		}
	}
	return ok
}

// appendTokens cuts a text into tokens. It stops where one is none.
func appendTokens(tokens []token, text string) ([]token, bool) {
	if len(text) > maxLine {
		return tokens, false
	}
	for at := 0; at < len(text); {
		if text[at] == ' ' {
			at++
			continue
		}
		if len(tokens) == maxTokens {
			return tokens, false
		}
		tokens = append(tokens, token{})
		t := &tokens[len(tokens)-1]
		size := t.take(text[at:])
		t.at, t.glued = int32(at), at > 0 && text[at-1] != ' '
		if size == 0 {
			return tokens, false
		}
		at += size
	}
	return tokens, true
}

// take reads the token that a text begins with and tells how long it was; 0 if it is none.
func (t *token) take(s string) (size int) {
	switch s[0] {
	case '(':
		if size = groupLen(s); size > 0 {
			t.kind, t.text = group, s[1:size-1]
		}
	case ')':
	case ';':
		size = 1
		t.kind, t.text = semicolon, s[:size]
	default:
		size, t.quoted = wordLen(s)
		t.text = s[:size]
	}
	return size
}

// groupLen measures a comment with its parentheses; 0 if it does not close. Parentheses in a quoted
// envelope sender do not count.
func groupLen(s string) int {
	depth := 1
	for i := 1 + envelopeLen(s[1:]); i < len(s); i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		default:
			continue
		}
		if depth > maxDepth || s[i-1] == '\\' {
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
