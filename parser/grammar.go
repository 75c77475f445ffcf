package parser

// grammar is how one family of mail servers writes its Received lines.
type grammar struct {
	name string // Hop.Format

	// example is a line as the family writes it. In every example the peer is 198.51.100.7, if it
	// shows one. A test reads them all.
	example string

	// mark knows the family by what the sender cannot choose: by what stands behind the `by`, or
	// by the shape of the whole. The first grammar whose mark is there has the say: if it cannot
	// read the line nobody can.
	mark func(*clauses) bool

	// read takes the client from the peer's position, and fails on any other shape.
	read func(*clauses) (client, bool)

	// anyHelo is set where a HELO may hold blanks, and so a `by` of its own, but nothing of the
	// sender's follows the real one unquoted: then the last one is the real one, though another
	// client could be read at an earlier one.
	anyHelo bool

	// strictHelo is set where a HELO holds neither blanks nor parentheses nor quotes: no word of
	// the sender's stands before the real `by` that could open a comment.
	strictHelo bool
}

// grammars is the ordered table: shapes that nothing else has, then products that name
// themselves right behind the `by` or by its name, where no word of a stranger's can stand, then
// those that do so further back, then the protocols of webmail, last the shapes that many products
// share.
var grammars = [...]*grammar{
	&qmailQueue, &googleQueue, &slmail,
	&postfix, &sendmail, &gmail,
	&qpsmtpd, &qmailLDAP, &james,
	&haraka, &opensmtpd, &chasquid, &maddy, &stalwart, &zonemta,
	&communigate, &domino, &kumomta, &powermta, &icewarp, &cyrus,
	&ccMail, &proxyPlus, &smail, &altaVista, &os400, &jetMail, &vpop3, &caffeine, &mailSweeper, &lsmtp,
	&mandrill, &navgw, &avMailGate, &mailEssentials, &intermail,
	&exim,
	&smtpsvc, &exchange55, &exchangeMapi, &exchange,
	&mox, &momentum, &zmailer, &xmail,
	&mdaemon, &imail, &slmailNT, &xwall, &netMail,
	&amavis, &smap, &obtuse, &gateway,
	&fetchmail,
	&yahooBullet, &yahooMX, &yahooLogin,
	&squirrelmail, &webmail,
	&cpmta, &gmx, &ironport, &qmail, &qmailSameName,
	&paren, &bracket,
}

// reading is what one grammar makes of a line.
type reading struct {
	grammar *grammar
	clauses clauses
	client  client
}

// read finds the grammar of a line and reads it. It fails, giving the clauses if the line has
// any, where no grammar fits or where the line can be read in two ways.
func (l *line) read() (reading, bool) {
	bys, ok := l.bys()
	if !ok {
		return reading{}, false
	}
	last := bys.at[bys.n-1]
	r, ok := l.readAt(last)
	if l.isSwallowed(&r) || hasTorn(l.tokens[last+1:]) {
		return reading{}, false
	}
	for i := 0; ok && i < bys.n-1; i++ {
		ok = l.agrees(&r, bys.at[i], bys.at[i+1])
	}
	return r, ok
}

// agrees tells whether the reading holds in spite of a `by` before the one it was read at. The
// earlier one may be a HELO's, but then the last one may as well be an envelope sender's, printed
// as it came. So the earlier one must lead to the same client, or stand where only a HELO can.
func (l *line) agrees(r *reading, place, next int) bool {
	other, ok := l.readAt(place)
	if ok && other.client.ip == r.client.ip {
		return true
	}
	return l.isEndOfHelo(place, next) && (!ok || r.grammar.anyHelo)
}

// isEndOfHelo tells whether a `by` can be the last words of a HELO: what follows it is a name and
// then at once the comment with the peer, where a server would have told how it got the message.
func (l *line) isEndOfHelo(place, next int) bool {
	behind := l.tokens[place+1 : next]
	return len(behind) == 1 || len(behind) > 1 && isPeer(&behind[1]) && allRemarks(behind[2:])
}

// readAt reads the line as if its `by` stood at the place.
func (l *line) readAt(place int) (reading, bool) {
	l.clauses = l.clausesAt(place)
	r := reading{clauses: l.clauses}
	if hasQuoted(r.clauses.from) { // no server quotes there: it is a HELO
		return r, false
	}
	for _, g := range grammars {
		if g.mark(&l.clauses) {
			c, ok := g.read(&l.clauses)
			r.grammar, r.client = g, c
			return r, ok
		}
	}
	return r, false
}
