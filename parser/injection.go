package parser

import "strings"

// The ways of injection. The lowest believed line is a trusted host's word about the source; the
// claim below it is the source's own, or forged, and only ever explains.

// webmailed knows lines written by a web server.
func webmailed(e *evidence) (Cause, bool) {
	for _, w := range [...]*witness{&e.lowest, &e.claim} {
		if w.web {
			e.mark("http:" + w.grammar.name)
			return Webmail, true
		}
	}
	return Unknown, false
}

// scripted knows lines that record a program, and the fields that PHP and hosting panels add.
func scripted(e *evidence) (Cause, bool) {
	if e.claim.grammar != nil && e.claim.client.origin == local {
		e.mark("local:" + e.claim.grammar.name)
		return Script, true
	}
	if e.trace.Ignored == 1 && e.claim.client.ip.IsLoopback() {
		e.mark("loopback:" + e.claim.grammar.name)
		return Script, true
	}
	for _, name := range [...]string{"X-PHP-Originating-Script", "X-PHP-Script", "X-Source-Args"} {
		if e.header.text(name) != "" {
			e.mark(strings.ToLower(name))
			return Script, true
		}
	}
	return Unknown, false
}

// submitted knows lines that record SMTP AUTH, and the fields that name the account.
func submitted(e *evidence) (Cause, bool) {
	for _, w := range [...]*witness{&e.lowest, &e.claim} {
		if w.authenticated && w.client.origin == network {
			e.mark("auth:" + w.grammar.name)
			return Submission, true
		}
	}
	for _, name := range [...]string{"X-Authenticated-Sender", "X-Get-Message-Sender-Via",
		"X-AuthUser", "X-Authenticated-Id", "X-MailChannels-Auth-Id"} {
		if e.header.text(name) != "" {
			e.mark(strings.ToLower(name))
			return Submission, true
		}
	}
	return Unknown, false
}

// authenticated tells whether the line records SMTP AUTH: by its protocol (RFC 3848, 6531, and
// what came before them) or in a comment.
func (c *clauses) authenticated() bool {
	protocol, _, _ := strings.Cut(c.how, " ")
	for _, name := range [...]string{"ESMTPA", "ESMTPSA", "SMTPSA", "UTF8SMTPA", "UTF8SMTPSA",
		"UTF8ESMTPA", "UTF8ESMTPSA", "LMTPA", "LMTPSA", "ASMTP", "mapi"} {
		if strings.EqualFold(protocol, name) {
			return true
		}
	}
	return hasAuthRemark(c.from) || hasAuthRemark(c.rest)
}

// hasAuthRemark looks for the comments in which servers name the account.
func hasAuthRemark(tokens []token) bool {
	for i := range tokens {
		t := &tokens[i]
		if t.isGroup("authenticated") || t.isGroup("AUTH: ") || t.isGroup("account ") ||
			t.isGroup("smtp-auth ") || t.is("auth=yes") || isLogin(t) {
			return true
		}
	}
	return false
}

// proxied knows the few traces of open proxies: an ident reply that names one, or the fields of
// HTTP on a message that nobody relayed.
func proxied(e *evidence) (Cause, bool) {
	switch strings.ToLower(e.lowest.client.ident) {
	case "squid", "proxy", "socks", "wingate", "cacheflow":
		e.mark("ident:" + strings.ToLower(e.lowest.client.ident))
		return Proxy, true
	}
	if e.trace.Ignored > 0 {
		return Unknown, false
	}
	for _, name := range [...]string{"X-Forwarded-For", "Proxy-Connection", "Via"} {
		if e.header.has(name) {
			e.mark(strings.ToLower(name))
			return Proxy, true
		}
	}
	return Unknown, false
}

func relayed(e *evidence) (Cause, bool) {
	if e.trace.Ignored == 0 {
		return Unknown, false
	}
	e.mark("received-below")
	return Relay, true
}

func direct(e *evidence) (Cause, bool) {
	e.mark("nothing-below")
	return Direct, true
}
