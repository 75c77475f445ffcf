package parser

import "strings"

// The ways of injection. The lowest believed line is a trusted host's word about the source; the
// claim below it and the fields are the source's own, or forged, and only ever explain.

// witness is what a line tells of the way a message was injected: what records it, as it stands in
// the line, "" for nothing.
type witness struct {
	web     string // HTTP
	account string // SMTP AUTH
	program string // a program on the host itself
	ident   string // the client's ident reply
}

func (r *reading) witness() witness {
	if r.grammar == nil {
		return witness{}
	}
	return witness{r.web(), r.account(), r.program(), r.client.ident}
}

// web gives what shows a web server. Exchange speaks HTTPS between its own machines.
func (r *reading) web() string {
	c := &r.clauses
	switch via := c.clause("via"); {
	case r.grammar == &squirrelmail:
		return c.from[len(c.from)-1].shown()
	case r.grammar == &exchange:
		return ""
	case c.with("HTTP", "REST", "ECSTREAM", "XIMSS"):
		return "with " + c.how
	case hasPrefix(via, "HTTP"), equal(via, "CGI"):
		return "via " + via
	}
	return ""
}

// account gives what shows SMTP AUTH: the comment that names the account where there is one, else
// the protocol. Before the `by` only comments behind the peer's count, for a HELO may hold others.
func (r *reading) account() string {
	c := &r.clauses
	if r.client.origin == local && r.grammar != &exchange55 {
		return ""
	}
	peer := len(c.from) - 1
	for peer >= 0 && isRemark(&c.from[peer]) {
		peer--
	}
	switch remark := authRemark(c.from[peer+1:]) + authRemark(c.rest); {
	case remark != "":
		return remark
	case peer >= 0 && r.namesAccount(&c.from[peer]):
		return c.from[peer].shown()
	case isAuthProtocol(c.how), r.client.origin == local:
		return "with " + c.how
	}
	return ""
}

// namesAccount knows the servers that put the account beside the peer.
func (r *reading) namesAccount(peer *token) bool {
	return r.grammar == &yahooLogin || r.grammar == &communigate && peer.isGroup("account ") ||
		r.grammar == &qmail && isAuthProtocol(r.clauses.how) && r.client.ident != ""
}

// isAuthProtocol knows the protocols with SMTP AUTH (RFC 3848, 6531, and what came before them).
func isAuthProtocol(how string) bool {
	protocol, _, _ := strings.Cut(how, " ")
	for _, name := range [...]string{"ESMTPA", "ESMTPSA", "SMTPSA", "UTF8SMTPA", "UTF8SMTPSA",
		"UTF8ESMTPA", "UTF8ESMTPSA", "LMTPA", "LMTPSA", "UTF8LMTPA", "UTF8LMTPSA", "ASMTP", "mapi"} {
		if equal(protocol, name) {
			return true
		}
	}
	return false
}

// authRemark finds the comment in which a server names the account.
func authRemark(tokens []token) string {
	for i := range tokens {
		t := &tokens[i]
		switch {
		case t.isGroup("authenticated"), t.isGroup("AUTH: "), t.isGroup("smtp-auth "):
			return t.shown()
		case t.is("auth=yes") && i+1 < len(tokens):
			return t.text + " " + tokens[i+1].text
		}
	}
	return ""
}

// program gives what shows a program or user of the host itself. A mailbox of Exchange is none, a
// delivery over LMTP or by an alias is nobody's submission.
func (r *reading) program() string {
	c := &r.clauses
	switch {
	case r.client.ip.IsLoopback() && r.account() == "":
		return "from " + r.client.ip.String()
	case r.client.origin != local || r.grammar == &exchange55 || c.with("LMTP"):
		return ""
	case r.grammar == &qmailQueue && hasSuffix(c.from[0].text, " by alias"):
		return ""
	case c.product("Postfix"):
		return c.rest[0].shown()
	case len(c.from) > 0 && c.from[len(c.from)-1].kind == group:
		return c.from[len(c.from)-1].shown()
	case r.grammar == &smtpsvc:
		return "mail pickup service"
	case c.how != "":
		return "with " + c.how
	}
	return "by " + c.by
}

// shown is a comment as it stands in the line.
func (t *token) shown() string { return "(" + t.text + ")" }

// attested knows what the line of a trusted host shows about its client.
func attested(e *evidence) (Cause, bool) {
	w := &e.lowest
	switch {
	case w.web != "":
		return e.injected(Webmail, w.web)
	case w.account != "":
		return e.injected(Submission, w.account)
	case isProxyUser(w.ident):
		e.mark("ident " + w.ident)
		return Proxy, true
	}
	return Unknown, false
}

// injected tells the cause with the part of a line and with the fields that show it.
func (e *evidence) injected(c Cause, inLine string) (Cause, bool) {
	e.mark(inLine)
	if e.claims != nil {
		e.mark(e.claims.show[c])
		e.mark(e.claims.support[c]...)
		e.mark(e.claims.support[Unknown]...)
	}
	return c, true
}

// isProxyUser knows the users under which proxies run. In `nobody` many a web server's runs.
func isProxyUser(ident string) bool {
	for _, user := range [...]string{"squid", "proxy", "socks", "wingate", "cacheflow", "nobody"} {
		if equal(ident, user) {
			return true
		}
	}
	return false
}

// webmailed knows lines written by a web server, and the fields that webmails write. It comes
// before scripts and accounts: a webmail is a script, and submits with an account.
func webmailed(e *evidence) (Cause, bool) {
	if e.claim.web == "" && !e.claims.shows(Webmail) {
		return Unknown, false
	}
	return e.injected(Webmail, e.claim.web)
}

// scripted knows lines that record a program, and the fields that PHP and hosting panels add.
func scripted(e *evidence) (Cause, bool) {
	if e.claim.program == "" && !e.claims.shows(Script) {
		return Unknown, false
	}
	return e.injected(Script, e.claim.program)
}

// submitted knows lines that record SMTP AUTH, and the fields that name the account.
func submitted(e *evidence) (Cause, bool) {
	if e.claim.account == "" && !e.claims.shows(Submission) {
		return Unknown, false
	}
	return e.injected(Submission, e.claim.account)
}

// proxied knows the fields of HTTP on a message that nobody relayed. Open proxies leave no other
// trace.
func proxied(e *evidence) (Cause, bool) {
	if e.trace.Ignored > 0 {
		return Unknown, false
	}
	for _, name := range [...]string{"X-Forwarded-For", "Proxy-Connection", "Via"} {
		if e.header.has(name) {
			e.markField(name)
			return Proxy, true
		}
	}
	return Unknown, false
}

// relayed knows mail that came through the source: from a host of which it wrote a line, or from a
// customer, where a provider writes none but tells its own address in a field.
func relayed(e *evidence) (Cause, bool) {
	if e.trace.Ignored > 0 {
		return e.injected(Relay, "Received lines below the source's")
	}
	if e.claims.shows(Relay) {
		return e.injected(Relay, "")
	}
	return Unknown, false
}

// direct is what is left. The name of a machine as it is set up shows which one to look for.
func direct(e *evidence) (Cause, bool) {
	e.mark("no Received line below the source's")
	if isMachineName(e.helo) {
		e.mark("HELO " + e.helo)
	}
	return Direct, true
}

func isMachineName(helo string) bool {
	for _, name := range [...]string{"WIN-", "DESKTOP-", "LAPTOP-", "vultr-guest", "["} {
		if hasPrefix(helo, name) {
			return true
		}
	}
	return equal(helo, "User") || equal(helo, "localhost")
}
