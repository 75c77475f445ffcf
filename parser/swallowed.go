package parser

import "strings"

// What a stranger can do to a line with two words: one opens a comment or a quoted string, the other
// closes it, and the server's own words between them are gone. The first is a HELO, the second an
// envelope sender or a recipient. Three things give him away: the words that are missing outside
// stand inside; the server ends the second word in its own way; and where it quotes that word, what
// the stranger wrote lies outside of quotes that then do not pair.

// envelopeLen measures the beginning of a comment that holds an envelope sender, as
// `envelope-from <PATH>` or chasquid's `over SMTP, TLS-1.3, envelope from "PATH"`. A quoted local
// part (RFC 5321, section 4.1.2) may hold parentheses: they are no comment's. It is 0 if there is no
// such sender, or if more than it follows.
func envelopeLen(s string) int {
	size := 0
	at := strings.IndexAny(s, `()"<`)
	switch {
	case at < 0:
	case s[at] == '<' && (equal(s[:at], "envelope-from ") || equal(s[:at], "envelope-sender ")):
		size = pathLen(s[at:])
	case s[at] == '"' && hasPrefix(s, "over ") && hasSuffix(s[:at], "envelope from "):
		size = quotedLen(s[at:])
	}
	if end := at + size; size > 0 && end < len(s) && s[end] == ')' {
		return end
	}
	return 0
}

// pathLen measures a path with its brackets; 0 if it is none: outside of quotes it holds no blanks
// and no parentheses.
func pathLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '>':
			return i + 1
		case ' ', '(', ')', '<', '\\':
			return 0
		case '"':
			n := quotedLen(s[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		}
	}
	return 0
}

// isTorn tells whether the quotes in a text do not pair.
func isTorn(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		n := quotedLen(s[i:])
		if n == 0 {
			return true
		}
		i += n - 1
	}
	return false
}

// hasTorn tells whether one of the comments behind the last `by` is torn. No server tears one by
// itself: it is the end of a stranger's word.
func hasTorn(tokens []token) bool {
	for i := range tokens {
		if tokens[i].kind == group && isTorn(tokens[i].text) {
			return true
		}
	}
	return false
}

// isSwallowed tells whether a server's clauses stand in a comment or a quoted string, so that they
// may be the real ones.
func (l *line) isSwallowed(r *reading) bool {
	for i := range l.body {
		t := &l.body[i]
		if (t.quoted || t.kind == group) && hasClauses(t.text) && !l.isWhole(r, t) {
			return true
		}
	}
	return false
}

// isWhole tells whether a text with clauses in it is a stranger's from end to end, and has swallowed
// nothing. Exim shows the peer before all words of strangers; where another's line looks like its
// line, the second word's end stands behind the text. The servers whose HELO is strict have none
// that could open it; where another's line looks like theirs, the text holds that one's peer.
func (l *line) isWhole(r *reading, t *token) bool {
	switch {
	case r.grammar == nil:
	case r.grammar == &exim && t.kind == group:
		return envelopeLen(l.text[t.at+1:]) == len(t.text) && isEximEnd(l.text[t.end():], " id ")
	case r.grammar == &exim:
		closed := int(t.at) + strings.LastIndexByte(t.text, '"') + 1
		return isEximEnd(l.text[closed:], "@")
	case r.grammar.strictHelo:
		return r.client.origin == network && len(r.clauses.from) > 1 && !isHello(&r.clauses.from[1]) && !hasPeer(t.text)
	}
	return false
}

// isEximEnd knows what Exim writes behind an envelope sender or a recipient: what it begins with, the
// date, and nothing that a stranger's word could end with.
func isEximEnd(s, start string) bool {
	return hasPrefix(s, start) && strings.IndexByte(s, ';') > 0 && !strings.ContainsAny(s, `"<>`)
}

// hasClauses tells whether a `by` stands in the text and a clause of a mail server's behind it.
func hasClauses(s string) bool {
	by := false
	for s != "" {
		var w string
		w, s = cutWord(s)
		switch {
		case equal(w, "by"):
			by = true
		case by && isServerClause(w):
			return true
		}
	}
	return false
}

// hasPeer tells whether an address stands before a `by` in the text.
func hasPeer(s string) bool {
	rest := s
	for rest != "" {
		var w string
		w, rest = cutWord(rest)
		if equal(w, "by") && hasAddress(s[:len(s)-len(rest)]) {
			return true
		}
	}
	return false
}

// hasAddress tells whether an address stands in a text, or a bracket.
func hasAddress(s string) bool {
	if strings.IndexByte(s, '[') >= 0 {
		return true
	}
	for s != "" {
		var w string
		w, s = cutWord(s)
		_, host := cutIdent(w)
		host, _, _ = strings.Cut(host, ",")
		if _, ok := parseHost(host); ok {
			return true
		}
	}
	return false
}

// isServerClause knows the words with which a server tells how it got a message.
func isServerClause(w string) bool {
	return equal(w, "with") || equal(w, "via") ||
		equal(w, "id") || hasPrefix(w, "envelope-")
}

// cutWord takes the next word off a text, whatever the comments in it; "" at the end.
func cutWord(s string) (word, rest string) {
	start := 0
	for start < len(s) && isBetween(s[start]) {
		start++
	}
	end := start
	for end < len(s) && !isBetween(s[end]) {
		end++
	}
	return s[start:end], s[end:]
}

func isBetween(c byte) bool { return c == ' ' || c == '(' || c == ')' || c == '"' }
