package parser

// clauses is a Received line taken apart at one of its `by`s (RFC 5321, section 4.4).
type clauses struct {
	line    string
	hasFrom bool    // the line begins with `from`
	from    []token // what stands before the `by`, without that keyword
	by      string  // the name behind `by`; "" in a line without one
	how     string  // what stands behind `with`
	own     string  // the same, if the server says it by itself
	rest    []token // what stands behind the name, up to the date
	marks   []token // of the rest what the server says by itself: no stranger's words stand there
}

// date is what follows the semicolon outside of comments; "" without one. With two of them either
// may be the sender's, and with it the date.
func (l *line) date() string {
	for i := range l.body {
		if l.body[i].kind == semicolon {
			return ""
		}
	}
	if len(l.body) == len(l.tokens) {
		return ""
	}
	return l.text[l.tokens[len(l.body)].end():]
}

// places are the `by`s of a line, by their index among the tokens.
type places struct {
	at [maxBys]int
	n  int
}

// bys finds all `by`s with a name behind them; a line without one gives the place -1. It fails on
// a line with too many of them.
func (l *line) bys() (places, bool) {
	p := places{}
	for i := range l.body {
		if !l.body[i].is("by") || i+1 == len(l.body) || l.body[i+1].kind != word {
			continue
		}
		if p.n == maxBys {
			return p, false
		}
		p.at[p.n] = i
		p.n++
	}
	if p.n == 0 {
		p.at[0], p.n = -1, 1
	}
	return p, true
}

// clausesAt takes the line apart at a place that bys gave.
func (l *line) clausesAt(place int) clauses {
	c := clauses{line: l.text, from: l.body}
	if place >= 0 {
		body := c.from
		c.from, c.rest = body[:place], body[place+2:]
		c.by, _ = cutSuffix(body[place+1].text, ",") // QUIRK: Obtuse writes `by NAME, id`
		c.marks = c.rest[:strangers(c.rest)]
		c.own, c.how = clauseOf(c.line, c.marks, "with"), clauseOf(c.line, c.rest, "with")
	}
	// QUIRK: some relays write `Received: Received from`, old SMTPSVC `(apparently) from`.
	if len(c.from) > 1 && c.from[1].is("from") &&
		(c.from[0].is("received") || c.from[0].isGroup("apparently")) {
		c.from = c.from[1:]
	}
	if len(c.from) > 0 && c.from[0].is("from") {
		c.hasFrom, c.from = true, c.from[1:]
	}
	// QUIRK: `(NAME [PEER]); by`, made by hand in a Postfix.
	if n := len(c.from); n > 0 && c.from[n-1].kind == semicolon {
		c.from = c.from[:n-1]
	}
	// QUIRK: `by a by b`, left by broken line ends, is one `by`, unless the first one's name is an
	// address: that may be the peer, behind a HELO that ends in `by`.
	for n := len(c.from); n >= 2 && c.from[n-2].is("by") && isName(&c.from[n-1]); n -= 2 {
		c.from = c.from[:n-2]
	}
	return c
}

// strangers is the place of the first token that may hold a stranger's words, and with them
// anything: a recipient, an envelope sender, an account.
func strangers(tokens []token) int {
	for i := range tokens {
		t := &tokens[i]
		if t.kind == semicolon || t.is("for") || t.is("from") || t.is("envelope-from") ||
			t.isGroup("envelope-") || t.isGroup("authenticated ") {
			return i
		}
	}
	return len(tokens)
}

// isName knows a word that is no address.
func isName(t *token) bool {
	_, isAddress := parseHost(t.text)
	return t.kind == word && !isAddress
}

// hasQuoted tells whether there is a quoted string among the tokens.
func hasQuoted(tokens []token) bool {
	for i := range tokens {
		if tokens[i].quoted {
			return true
		}
	}
	return false
}

// firstWord is what stands first before the `by`, if it is a word.
func (c *clauses) firstWord() string {
	if len(c.from) == 0 || c.from[0].kind != word {
		return ""
	}
	return c.from[0].text
}

// product tells whether the comment behind the by name begins with one of the names.
func (c *clauses) product(names ...string) bool {
	if len(c.rest) == 0 || c.rest[0].kind != group {
		return false
	}
	for _, name := range names {
		if hasPrefix(c.rest[0].text, name) {
			return true
		}
	}
	return false
}

// remark tells whether a comment of the server's behind the by name begins with one of the names.
func (c *clauses) remark(names ...string) bool {
	for i := range c.marks {
		for _, name := range names {
			if c.marks[i].isGroup(name) {
				return true
			}
		}
	}
	return false
}

// with tells whether the protocol, as the server says by itself, begins with one of the names.
func (c *clauses) with(names ...string) bool {
	for _, name := range names {
		if hasPrefix(c.own, name) {
			return true
		}
	}
	return false
}

// via is the clause of that name, as the server says by itself.
func (c *clauses) via() string { return clauseOf(c.line, c.marks, "via") }

// clause gives what follows a keyword behind the by name, whoever says it.
func (c *clauses) clause(keyword string) string { return clauseOf(c.line, c.rest, keyword) }

// clauseOf gives what follows a keyword among tokens of a line: one word, of `with` all words up to
// the next keyword or comment.
func clauseOf(line string, tokens []token, keyword string) string {
	for i := range tokens {
		if tokens[i].is(keyword) {
			return phrase(line, tokens[i+1:], keyword == "with")
		}
	}
	return ""
}

func phrase(line string, tokens []token, many bool) string {
	n := 0
	for n < len(tokens) && tokens[n].kind == word && !tokens[n].isKeyword() && (many || n == 0) {
		n++
	}
	if n == 0 {
		return ""
	}
	return line[tokens[0].at:tokens[n-1].end()]
}

// is compares a word, letters in any case.
func (t *token) is(s string) bool { return t.kind == word && equal(t.text, s) }

// isGroup tells whether the token is a comment that begins with the name, letters in any case.
func (t *token) isGroup(name string) bool { return t.kind == group && hasPrefix(t.text, name) }

func (t *token) isKeyword() bool {
	switch len(t.text) {
	case 2:
		return t.is("id")
	case 3:
		return t.is("for") || t.is("via") || t.is("tls")
	case 4:
		return t.is("with") || t.is("from")
	case 13:
		return t.is("envelope-from")
	}
	return false
}
