package parser

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/address"
)

// origin tells how a line's client came to the host that wrote it.
type origin uint8

const (
	network origin = iota // over a connection; no address if the line hides it
	local                 // as a user or program of the host itself
	queued                // a bookkeeping line: the line below has the client
	mailbox               // the server of a mailbox that the mail was fetched from
)

// client is what a line says about whoever handed the message over. Only ip is the host's own
// knowledge; the rest is decoration.
type client struct {
	origin origin
	ip     netip.Addr
	rdns   string // "" for none and for the many words that mean none
	helo   string
	ident  string // ident reply, or the account where a mail server puts it there
}

// hidden is the client of a line that shows no address.
func hidden(c *clauses) (client, bool) { return client{helo: c.firstWord()}, true }

// onHost is the client of a line that records a user or program.
func onHost(c *clauses) (client, bool) { return client{origin: local, helo: c.firstWord()}, true }

// unfit is the client of a line that a grammar does not fit.
func unfit() (client, bool) { return client{}, false }

// Four positions of the peer serve most grammars.

// afterHelo reads `from HELO (NAME [PEER]) …`, reckoned from the left: right where a HELO can
// hold neither blanks nor parentheses of its own.
func afterHelo(c *clauses) (client, bool) {
	isOther := func(t token) bool { return !saysRemark(&t) || isPeer(&t) }
	if len(c.from) < 2 || c.from[0].kind != word || slices.ContainsFunc(c.from[2:], isOther) {
		return unfit()
	}
	p, ok := bracketPeer(&c.from[1])
	if c.from[1].glued {
		return unfit()
	}
	p.helo = c.from[0].text
	return p, ok
}

// beforeBy reads `from HELO (NAME [PEER]) … by`, reckoned from the right: the last comment that
// is no remark. Right where a HELO can hold anything and nothing else of the sender's follows it.
func beforeBy(c *clauses) (client, bool) {
	i := lastNoRemark(c.from)
	if i < 0 || c.from[i].glued {
		return unfit()
	}
	p, ok := bracketPeer(&c.from[i])
	if i > 0 {
		p.helo = c.firstWord()
	}
	return p, ok
}

// soleBracket reads as beforeBy, and only if nothing before that comment could be the peer's: for
// products of which it is not known what a HELO or a name can hold, or on which side of the peer
// it stands.
func soleBracket(c *clauses) (client, bool) {
	before := c.from[:max(lastNoRemark(c.from), 0)]
	isComment := func(t token) bool { return t.kind == group && !isRemark(&t) }
	isStart := func(t token) bool { return startsWithPeer(&t) }
	if slices.ContainsFunc(before, isComment) && slices.ContainsFunc(before, isStart) ||
		len(before) > 1 && slices.ContainsFunc(before[1:], isStart) {
		return unfit()
	}
	return beforeBy(c)
}

// lastNoRemark is the place of the last token that is no remark; -1 if there is none.
func lastNoRemark(tokens []token) int {
	i := len(tokens) - 1
	for i >= 0 && isRemark(&tokens[i]) {
		i--
	}
	return i
}

// startsWithPeer knows what servers begin a line with that write the peer first, and comments in
// which they write the client's words behind it, or that have swallowed another.
func startsWithPeer(t *token) bool {
	if t.kind == word {
		_, ok := parseHost(t.text)
		return ok
	}
	return isPeer(t) || t.glued || t.isGroup("[") || t.isGroup("account ") ||
		isEximComment(t) || isHello(t) || strings.IndexByte(t.text, '(') >= 0
}

// bareParen reads `from HELO (PEER) by` and nothing else.
func bareParen(c *clauses) (client, bool) {
	if len(c.from) != 2 || c.from[0].kind != word || c.from[1].glued {
		return unfit()
	}
	p, ok := barePeer(&c.from[1])
	p.helo = c.from[0].text
	return p, ok
}

// firstToken reads `from PEER by` or `from [PEER] by`, and nothing else.
func firstToken(c *clauses) (client, bool) {
	if !c.hasFrom || len(c.from) != 1 || c.from[0].kind != word {
		return unfit()
	}
	ip, ok := parseHost(c.from[0].text)
	return client{ip: ip}, ok
}

// bracketPeer reads a comment with one address in brackets: `NAME [PEER]`, `IDENT:x@NAME [PEER]`,
// `[PEER] unverified` and the like. More than one word before the bracket, or a second bracket,
// is somebody's text.
func bracketPeer(t *token) (client, bool) {
	if t.kind != group || isEximComment(t) {
		return unfit()
	}
	text, _ := cutPrefix(t.text, "[UNAVAILABLE]. ") // stands for a missing name
	open, end := brackets(text)
	if end < 0 {
		return unfit()
	}
	name := strings.TrimSpace(text[:open])
	ip, ok := parseLiteral(text[open : end+1])
	if !ok || strings.ContainsAny(name, " ()") {
		return unfit()
	}
	ident, host := cutIdent(name)
	return client{ip: ip, rdns: hostName(host), ident: ident}, true
}

// brackets finds the only pair of brackets in a text; -1 if there is none, or another one, or if it
// stands in a comment.
func brackets(s string) (open, end int) {
	open, end = -1, -1
	for i, depth := 0, 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '[' && open < 0 && depth == 0:
			open = i
		case c == ']' && open >= 0 && end < 0 && depth == 0:
			end = i
		case c == '[' || c == ']':
			return -1, -1
		}
	}
	return open, end
}

// barePeer reads a comment that is an address, perhaps in brackets, perhaps with an ident reply
// before an @. The ident may hold an @ and an address of its own: the last @ counts.
func barePeer(t *token) (client, bool) {
	if isEximComment(t) {
		return unfit()
	}
	return identPeer(t)
}

// identPeer reads as barePeer where no comment of Exim's can stand.
func identPeer(t *token) (client, bool) {
	if t.kind != group {
		return unfit()
	}
	ident, host := cutIdent(t.text)
	ip, ok := parseHost(host)
	return client{ip: ip, ident: ident}, ok && !strings.ContainsAny(ident, " ()")
}

// cutIdent parts an ident reply from the host behind the last @.
func cutIdent(s string) (ident, host string) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", s
	}
	ident = s[:at]
	if hasPrefix(ident, "IDENT:") {
		ident = ident[len("IDENT:"):]
	}
	return ident, s[at+1:]
}

// hostName gives a PTR name without its final dot, and "" for the words that stand for none.
func hostName(s string) string {
	s = strings.TrimSuffix(s, ".")
	for _, none := range [...]string{"unknown", "<unknown>", "unverified", "softdnserr",
		"Unknown_Domain", "nodnsquery", "[UNAVAILABLE]", "HELO", "EHLO", "LHLO"} {
		if equal(s, none) {
			return ""
		}
	}
	return s
}

// isPeer tells whether a comment can be read as a peer's.
func isPeer(t *token) bool {
	_, bracket := bracketPeer(t)
	_, bare := barePeer(t)
	return bracket || bare
}

// isRemark knows the comments that mail servers put between the peer and the `by`. What can be read
// as a peer is none: anybody may call his host `tls` or `client`. Nor is one that may hide the peer.
func isRemark(t *token) bool { return saysRemark(t) && !isPeer(t) && !hidesPeer(t) }

// hidesPeer tells whether a comment and an address stand in a comment: a HELO that opened it may have
// swallowed the peer's.
func hidesPeer(t *token) bool {
	return t.kind == group && strings.IndexByte(t.text, '(') >= 0 && hasAddress(t.text)
}

// saysRemark knows a remark by its first words.
func saysRemark(t *token) bool {
	if t.kind != group {
		return false
	}
	for _, start := range [...]string{"using ", "client ", "no client", "authenticated", "auth: ",
		"ident: ", "tls", "envelope-sender ", "envelope-from ", "smtp-auth "} {
		if hasPrefix(t.text, start) {
			return true
		}
	}
	return false
}

func allRemarks(tokens []token) bool {
	for i := range tokens {
		if !isRemark(&tokens[i]) {
			return false
		}
	}
	return true
}

// parseLiteral reads an address in brackets.
func parseLiteral(s string) (netip.Addr, bool) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return netip.Addr{}, false
	}
	return parseAddr(strings.TrimSpace(s[1 : len(s)-1]))
}

// parseHost reads an address, bare or in brackets, with or without a port.
func parseHost(s string) (netip.Addr, bool) {
	if open, end := brackets(s); open == 0 && end > 0 {
		if after := s[end+1:]; after != "" && !isPort(after) {
			return netip.Addr{}, false
		}
		s = s[:end+1]
		return parseLiteral(s)
	}
	return parseAddr(s)
}

// parseAddr reads an address as mail servers write them: an `IPv6:` tag (RFC 5321, section 4.1.3)
// or none, a zone, and with IPv4 a port behind a colon or, QUIRK of old Exim, behind a dot.
func parseAddr(s string) (netip.Addr, bool) {
	if hasPrefix(s, "IPv6:") {
		s = s[len("IPv6:"):]
	}
	s, _, _ = strings.Cut(s, "%")
	if dots, colons := strings.Count(s, "."), strings.Count(s, ":"); dots == 3 && colons == 1 {
		s = cutPort(s, strings.LastIndexByte(s, ':'))
	} else if dots == 4 && colons == 0 {
		s = cutPort(s, strings.LastIndexByte(s, '.'))
	}
	if !looksNumeric(s) {
		return netip.Addr{}, false // spares the error that ParseAddr would make
	}
	ip, err := netip.ParseAddr(s)
	return address.Unwrap(ip), err == nil
}

// cutPort takes away the port at a place, if it is one.
func cutPort(s string, at int) string {
	if isPort(s[at:]) {
		return s[:at]
	}
	return s
}

// isPort knows a separator and up to five digits.
func isPort(s string) bool {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' && s[0] != '.' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// looksNumeric tells whether only digits, dots and colons of an address occur, and a separator.
func looksNumeric(s string) bool {
	separators := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.' || c == ':':
			separators++
		case '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'f':
		default:
			return false
		}
	}
	return separators >= 2
}
