package parser

import (
	"net/netip"
	"strconv"
	"strings"
)

// mta prints a Received line as a mail server does, with what that server lets pass of the words
// that a stranger chooses: `{helo neuter}` is the HELO as the filter neuter leaves it. Where it
// shows a peer, that is 198.51.100.7.
type mta struct {
	name, form string
}

// line fills the words into the form.
func (m *mta) line(w words) string {
	var b strings.Builder
	form := m.form
	for {
		before, rest, found := strings.Cut(form, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		place, after, _ := strings.Cut(rest, "}")
		word, filter, _ := strings.Cut(place, " ")
		b.WriteString(filters[filter](w[word]))
		form = after
	}
}

// words are a stranger's, by their names: helo; ident, the reply of his own host; ptr, the name
// that he publishes for his address; sender, the reverse path or its local part; account, with
// which he authenticated; forwarded, in X-Forwarded-For; subject, of his certificate.
type words map[string]string

var wordNames = []string{"helo", "ident", "ptr", "sender", "account", "forwarded", "subject"}

// same gives one word for everything.
func same(word string) words {
	w := words{}
	for _, name := range wordNames {
		w[name] = word
	}
	return w
}

// filters are what servers make of a word before they print it.
var filters = map[string]func(string) string{
	"raw":      func(s string) string { return s }, // James, IceWarp, Exim with helo_accept_junk_hosts, …
	"neuter":   neuter,
	"comment":  commentSanitize,
	"sendmail": sendmailHelo,
	"safeput":  safeput,
	"notqmail": notqmailSafeput,
	"valid":    func(s string) string { return valid(s, "h.example") },
	"unknown":  func(s string) string { return valid(s, "unknown") },
	"toBlank":  toBlank,
	"field":    firstField,
	"name":     ptrName,
	"ident":    identReply,
	"path":     quotedPath,
	"quoted":   strconv.Quote,
}

// keep leaves the allowed bytes and puts a question mark for each other one.
func keep(s string, allowed func(byte) bool) string {
	b := []byte(s)
	for i, c := range b {
		if !allowed(c) {
			b[i] = '?'
		}
	}
	return string(b)
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= lower(c) && lower(c) <= 'z'
}

func isGraphic(c byte) bool { return c > ' ' && c < 127 }

// neuter is Postfix' for a HELO (smtpd.c), with printable before it.
func neuter(s string) string {
	return keep(s, func(c byte) bool { return isGraphic(c) && strings.IndexByte(` <>()\";@`, c) < 0 })
}

// commentSanitize is Postfix' for accounts and certificates: comments in comments may stand, and
// those that do not close are closed.
func commentSanitize(s string) string {
	b := []byte(keep(s, func(c byte) bool { return (c == ' ' || isGraphic(c)) && c != '\\' }))
	depth := 0
	for i, c := range b {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ')':
			b[i] = '?'
		}
	}
	return string(b) + strings.Repeat(")", depth)
}

// sendmailHelo is Sendmail's (srvrsmtp.c); with AllowBogusHELO it is toBlank.
func sendmailHelo(s string) string {
	return keep(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte("[].-_#:", c) >= 0 })
}

// safeput is qmail's (received.c); notqmail lets brackets pass too.
func safeput(s string) string {
	return keep(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte(".@%+/=:-", c) >= 0 })
}

func notqmailSafeput(s string) string {
	return keep(s, func(c byte) bool { return isAlnum(c) || strings.IndexByte(".@%+/=:-[]", c) >= 0 })
}

// valid is of servers that parse a HELO and refuse others (OpenSMTPD, mox, Exim unless it has
// helo_accept_junk_hosts), or print a word of their own instead (Dovecot).
func valid(s, instead string) string {
	inner := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if ip, err := netip.ParseAddr(inner); err == nil && "["+ip.WithZone("").String()+"]" == s {
		return s
	}
	if s == "" || strings.Trim(keep(s, func(c byte) bool {
		return isAlnum(c) || c == '.' || c == '-' || c == '_'
	}), ".") != s {
		return instead
	}
	return s
}

// toBlank is of servers that split the command at blanks only (Haraka, qpsmtpd, go-smtp): tabs
// survive, and parentheses.
func toBlank(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// firstField is chasquid's: the first word, whatever is in it.
func firstField(s string) string {
	if fields := strings.Fields(s); len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// ptrName is what a resolver lets pass. It may look like an address.
func ptrName(s string) string {
	name := keep(s, func(c byte) bool { return isAlnum(c) || c == '.' || c == '-' || c == '_' })
	if name == "" {
		return "unknown"
	}
	return strings.ReplaceAll(name, "?", "-")
}

// identReply is one as most servers print it, cleaned of blanks and brackets.
func identReply(s string) string { return neuter(strings.NewReplacer("[", "?", "]", "?").Replace(s)) }

// quotedPath is a reverse path that a server has parsed: its local part is a quoted string.
func quotedPath(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"@e`
}

// mtas show the peer.
var mtas = []mta{
	{"postfix",
		"from {helo neuter} ({ptr name} [198.51.100.7]) (using TLSv1.3 with cipher X " +
			"(256/256 bits)) (Client CN \"{subject comment}\", Issuer \"{subject comment}\" (not " +
			"verified)) (Authenticated sender: {account comment})\n\tby m.example (Postfix) with " +
			"ESMTPSA id A\n\tfor <{sender path}>"},
	{"postfix without TLS",
		"from {helo neuter} ({ptr name} [198.51.100.7])\r\n\tby m.example (Postfix) with " +
			"ESMTP id A\r\n\tfor <{sender path}>"},
	{"sendmail",
		"from {helo sendmail} (IDENT:{ident ident}@{ptr name} [198.51.100.7] (may be " +
			"forged))\r\n\tby m.example (8.17.1/8.17.1) with ESMTP id A"},
	{"sendmail without a name",
		"from {helo sendmail} (IDENT:{ident ident}@[198.51.100.7]) (authenticated bits=0) by " +
			"m.example (8.17.1/8.17.1) with ESMTPA id A"},
	{"sendmail with AllowBogusHELO",
		"from {helo toBlank} ({ptr name} [198.51.100.7]) by m.example (8.17.1/8.17.1) with " +
			"ESMTP id A"},
	{"exim",
		"from {ptr name} ([198.51.100.7]:3110 helo={helo valid} ident={ident ident})\n\tby " +
			"m.example with esmtp (Exim 4.96)\n\t(envelope-from <{sender path}>)\n\tid A"},
	{"exim with junk",
		"from {ptr name} ([198.51.100.7]:3110 helo={helo raw} ident={ident ident})\n\tby " +
			"m.example with esmtp (Exim 4.96)\n\t(envelope-from <{sender path}>)\n\tid A"},
	{"exim with junk and no name",
		"from [198.51.100.7] (helo={helo raw})\n\tby m.example with esmtp (Exim " +
			"4.96)\n\t(envelope-from <{sender path}>)\n\tid A"},
	{"exim with junk and another name",
		"from [198.51.100.7] (port=3110 helo={helo raw})\n\tby m.example with esmtp " +
			"(Front)\n\t(envelope-from <{sender path}>)\n\tid 1sHw2u-000wPW-18"},
	{"exim with junk and $sender_fullhost",
		"from {ptr name} ({helo raw}) [198.51.100.7] by m.example with esmtp (Exim 3.12 #1) " +
			"id 15F0HM-00019f-00"},
	{"qmail",
		"from {ptr name} (HELO {helo safeput}) ({ident safeput}@198.51.100.7)\n  by " +
			"m.example with SMTP"},
	{"notqmail",
		"from {ptr name} (HELO {helo notqmail}) ({ident notqmail}@198.51.100.7)\n  by " +
			"m.example with SMTP"},
	{"qmail of Plesk",
		"from {ptr name} (HELO {helo safeput}) " +
			"({account safeput}@example.com@198.51.100.7)\n  by m.example with ESMTPA"},
	{"qmail without ident",
		"from {ptr name} (HELO {helo safeput}) (198.51.100.7)\n  by m.example with X " +
			"encrypted SMTP"},
	{"qmail-ldap",
		"from {ptr name} (HELO {helo safeput}) ({ident safeput}@[198.51.100.7]) " +
			"(envelope-sender <{sender raw}>) by m.example (qmail-ldap-1.03) with SMTP for " +
			"<t@example>"},
	{"qpsmtpd",
		"from {ptr name} (HELO {helo toBlank}) (198.51.100.7)\n by m.example (qpsmtpd/0.94) " +
			"with ESMTP"},
	{"ironport", "from {ptr name} (HELO {helo raw}) ([198.51.100.7]) by m.example with ESMTP"},
	{"james",
		"from {ptr name} (EHLO {helo raw}) ([198.51.100.7]) by m.example (JAMES SMTP Server " +
			") with ESMTPSA ID 4711 for <{sender path}>"},
	{"gmx", "from {ptr name} (EHLO {helo raw}) [198.51.100.7] by m.example (mp010) with SMTP"},
	{"zimbra", "from {ptr name} (LHLO {helo raw}) (198.51.100.7) by m.example with LMTP"},
	{"cpmta", "from 198.51.100.7 (HELO {helo raw}) by m.example (192.0.2.1) with SMTP"},
	{"yahoo",
		"from 198.51.100.7 (EHLO {helo raw}) by 10.1.2.3 with SMTPs (version=TLS1_3 cipher=X)"},
	{"yahoo with an account",
		"from {helo raw} ({account raw}@198.51.100.7 with login) by m.example with SMTP"},
	{"haraka",
		"from {helo toBlank} ({ptr name} [198.51.100.7])\n\tby m.example (Haraka/3.0) with " +
			"ESMTP id X.1\n\tenvelope-from <{sender path}>"},
	{"opensmtpd",
		"from {helo valid} ({ptr name} [198.51.100.7])\n\tby m.example (OpenSMTPD) with " +
			"ESMTP id 0689174f for <{sender path}>"},
	{"chasquid",
		"from {helo field} ([198.51.100.7])\n\tby m.example (chasquid) with ESMTPS\n\ttls " +
			"X\n\t(over SMTP, TLS-1.3, envelope from {sender quoted})\n\t"},
	{"mox",
		"from {helo valid} ({ptr name} [198.51.100.7]) by m.example ([192.0.2.1]) via tcp " +
			"with ESMTPS id A"},
	{"maddy",
		"from {helo valid} ({ptr name} [198.51.100.7]) by m.example (envelope-sender " +
			"<{sender raw}>) with ESMTP id A"},
	{"stalwart",
		"from {helo raw} ({ptr name} [198.51.100.7] (AS64500 {subject comment}, ZZ))\n\tby " +
			"m.example (Stalwart SMTP) with ESMTPS id A"},
	{"postal", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example with SMTP"},
	{"postal, web", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example with HTTP"},
	{"zonemta",
		"from {helo raw} ([198.51.100.7] {ptr raw}) (Authenticated sender: {account raw}) by " +
			"m.example (ZoneMTA) with ESMTPSA id A"},
	{"hMailServer", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example with ESMTP"},
	{"dovecot",
		"from {helo unknown} ([198.51.100.7]) (using TLSv1.3 with cipher X (1/1 bits)) by " +
			"m.example with LMTP id A (envelope-from <{sender path}>) for <{sender path}>"},
	{"cyrus",
		"from {helo raw} ([198.51.100.7]) (authenticated user={account raw} bits=0) by " +
			"m.example (Cyrus v2.3.7) with LMTPA"},
	{"courier",
		"from {helo neuter} ({ptr name} [::ffff:198.51.100.7]) (AUTH: PLAIN " +
			"{account neuter}, TLS: X) by m.example with ESMTPSA id A"},
	{"communigate",
		"from [198.51.100.7] (HELO {helo raw}) by m.example (CommuniGate Pro SMTP 5) with " +
			"ESMTP id A for {sender path}"},
	{"communigate with an account",
		"from [198.51.100.7] (account u{account neuter}@e HELO {helo raw}) by m.example " +
			"(CommuniGate Pro SMTP 5) with ESMTPA id A for t@e"},
	{"exchange",
		"from {helo raw} (198.51.100.7) by m.example (192.0.2.1) with Microsoft SMTP Server " +
			"id 15.1"},
	{"exchange 5.5",
		"from {helo raw} ({ptr name} [198.51.100.7]) by m.example with SMTP (Microsoft " +
			"Exchange Internet Mail Service Version 5.5.2653.13) id A"},
	{"smtpsvc",
		"from {helo raw} ([198.51.100.7] unverified) by m.example with Microsoft " +
			"SMTPSVC(6.0.3790.0)"},
	{"smtpsvc of NT", "from {helo raw} - 198.51.100.7 by m.example with Microsoft SMTPSVC"},
	{"gmail",
		"from {helo raw} ({ptr name}. [198.51.100.7]) by mx.google.com with ESMTPS id A for " +
			"<{sender path}> (version=X)"},
	{"domino",
		"from {helo raw} ([198.51.100.7]) by m.example (Lotus Domino Release 8) with ESMTP " +
			"id 2014:1"},
	{"mdaemon",
		"from {helo raw} [(198.51.100.7)] by m.example (192.0.2.1) (MDaemon PRO v19) with " +
			"ESMTP id A"},
	{"mdaemon, old",
		"from {helo raw} [198.51.100.7] by m.example [192.0.2.1] with SMTP (MDaemon.v2.8)"},
	{"imail", "from {helo raw} [198.51.100.7] by m.example with ESMTP (SMTPD32-6.05) id A"},
	{"icewarp", "from {helo raw} ([198.51.100.7]) by m.example (IceWarp 9.4.2) with ASMTP id A"},
	{"kumomta", "from {helo raw} (198.51.100.7) by m.example (KumoMTA 192.0.2.1) with ESMTP id A"},
	{"powermta",
		"from {helo raw} (198.51.100.7) by m.example (PowerMTA(TM) v3.5) id A; Thu, 29 Apr " +
			"2012 23:34:45 +0200 (envelope-from <{sender raw}>)"},
	{"momentum",
		"from {ptr name} ([198.51.100.7:4021] helo={helo raw}) by m.example (envelope-from " +
			"<{sender path}>) (ecelerity 4.2.1 r(x)) with ESMTP id A"},
	{"zmailer",
		"from {ptr name} ([198.51.100.7]:3332 \"EHLO {helo raw}\" ident: \"{ident raw}\") by " +
			"m.example with ESMTP id A"},
	{"xmail",
		"from {helo raw} (198.51.100.7:3124) by m.example (192.0.2.1:25) with [XMail 1.21 " +
			"ESMTP Server] id <A> for <t@e> from <{sender path}>"},
	{"smap", "from {ptr name}(198.51.100.7, HELO {helo raw}) by m.example via smap (V1.3) id A"},
	{"slmail", "by m.example from {helo raw} (198.51.100.7::mail daemon; unverified,SLMail V3.0)"},
	{"netmail",
		"from {helo raw} {account neuter}@m.example [198.51.100.7] by m.example with NetMail " +
			"SMTP Agent"},
	{"squirrelmail",
		"from 198.51.100.7 (proxying for {forwarded raw}) (SquirrelMail authenticated user " +
			"{account raw}) by m.example with HTTP"},
	{"roundcube",
		"from {ptr name} ({forwarded raw}) via {ptr name} ([198.51.100.7]) by m.example with " +
			"HTTP (HTTP/1.1 POST)"},
	{"roundcube, no name",
		"from [{forwarded raw}] via [198.51.100.7] by m.example with HTTP (HTTP/1.1 POST)"},
	{"unknown, sender behind",
		"from {helo toBlank} ({ptr name} [198.51.100.7]) by m.example with ESMTP id A " +
			"(envelope-from <{sender path}>)"},
}

// muteMTAs show no peer: no address may come out, whatever is in the words.
var muteMTAs = []mta{
	{"postfix that hides", "by m.example (Postfix) with ESMTPSA id A for <{sender path}>"},
	{"chasquid with an account",
		"from {helo field} by m.example (chasquid) with ESMTPSA tls X (over submission, " +
			"envelope from {sender quoted})"},
	{"mdaemon that hides",
		"from {helo raw} by m.example with SMTP (MDaemon.PRO.v6.0.7.R) for <{sender path}>"},
	{"mailsweeper",
		"from {helo raw} ({ptr name}) by m.example (Content Technologies SMTPRS 4.2) with " +
			"ESMTP id <A>"},
	{"mailsweeper, no name",
		"from {helo raw} (unverified) by m.example (Content Technologies SMTPRS 4.2) with " +
			"ESMTP id <A>"},
	{"sendgrid", "from {helo raw} (unknown) by geopod (SG) with ESMTP id A"},
	{"horde",
		"from {ptr name} ({ptr name} [{forwarded raw}]) by m.example (Horde Framework) with " +
			"HTTP"},
	{"horde, no name",
		"from {forwarded raw} ([{forwarded raw}]) by m.example (Horde Framework) with HTTPS"},
	{"exim, local",
		"from {account neuter} by m.example with local (Exim 4.96) (envelope-from " +
			"<{sender path}>) id A"},
	{"qmail with an account alone",
		"from {ptr name} (HELO {helo safeput}) (u{account safeput}@example) by m.example " +
			"with ESMTPA"},
	{"unknown, unreadable",
		"from {helo neuter} <198.51.100.7> by m.example with ESMTP (X <{sender path}>) id A"},
}

// namelessMTAs write as products do that are known, but do not say which they are. They may be
// read, or not.
var namelessMTAs = []mta{
	{"exim", "from {ptr name} ([198.51.100.7]:3110 helo={helo raw}) by m.example with esmtp id A"},
	{"exim, no name", "from [198.51.100.7] (port=3110 helo={helo raw}) by m.example with esmtp id A"},
	{"exim, ident first", "from [198.51.100.7] (ident={ident ident} helo={helo raw}) by m.example " +
		"with esmtp id A"},
	{"exim, $sender_fullhost", "from {ptr name} ({helo raw}) [198.51.100.7] by m.example with esmtp"},
	{"exim, HELO first", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example with esmtp " +
		"(envelope-from <{sender path}>) id 1sHw2u-000wPW-18"},
	{"communigate", "from [198.51.100.7] (HELO {helo raw}) by m.example with ESMTP id 9"},
	{"communigate, account", "from [198.51.100.7] (account u{account neuter}@e HELO {helo raw}) by " +
		"m.example with ESMTPA id 9"},
	{"communigate, verified", "from {ptr name} ([198.51.100.7] verified) by m.example with ESMTP id 9"},
	{"momentum", "from {ptr name} ([198.51.100.7:25] helo={helo raw}) by m.example (envelope-from " +
		"<{sender path}>) with ESMTP id A"},
	{"altavista", "from {ptr name} [198.51.100.7] (HELO {helo raw}) by m.example id A"},
	{"smap", "from {ptr name}(198.51.100.7, HELO {helo raw}) by m.example with SMTP id A"},
	{"f-secure", "from [198.51.100.7]:50999 (HELO {helo raw}) by m.example ([192.0.2.1]:25) (X) with SMTP"},
	{"squirrelmail", "from {ptr name} ([198.51.100.7]) (SquirrelMail authenticated user {account raw}) " +
		"by m.example with SMTP"},
	{"yahoo", "from 198.51.100.7 (EHLO {helo raw}) by 10.1.2.3 with SMTP"},
	{"qpsmtpd", "from {ptr name} (HELO {helo toBlank}) (198.51.100.7) by m.example with ESMTP"},
	{"haraka", "from {helo toBlank} ({ptr name} [198.51.100.7]) by m.example with ESMTP id X.1 " +
		"envelope-from <{sender path}>"},
	{"stalwart", "from {helo raw} ({ptr name} [198.51.100.7] (AS1 {subject comment}, ZZ)) by m.example " +
		"with ESMTPS id A"},
	{"zonemta", "from {helo raw} ([198.51.100.7] {ptr raw}) by m.example with ESMTPSA id A"},
	{"exchange", "from {helo raw} (198.51.100.7) by m.example with ESMTP id 15.1"},
	{"imail", "from {helo raw} [198.51.100.7] by m.example with ESMTP id A"},
	{"smail", "from {helo raw} from [198.51.100.7] by m.example with esmtp id A"},
	{"zmailer", "from {ptr name} ([198.51.100.7]:3332 \"EHLO {helo raw}\") by m.example with ESMTP"},
	{"powermta", "from {helo raw} (198.51.100.7) by m.example id A; Thu, 29 Apr 2012 23:34:45 +0200 " +
		"(envelope-from <{sender raw}>)"},
	{"kerio", "from {helo raw} ([198.51.100.7]) by m.example with ESMTP id A for <{sender raw}>"},
	{"sender first", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example (envelope-from " +
		"<{sender raw}>) with ESMTP id A"},
	{"sender first, quoted", "from {helo toBlank} ([198.51.100.7]) by m.example (envelope-from " +
		"<{sender path}>) with ESMTP id A"},
	{"sender last", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example with ESMTP id A " +
		"(envelope-from <{sender raw}>)"},
	{"rockliffe", "from {helo raw} (unverified [198.51.100.7]) by m.example (Rockliffe SMTPRA 4) with " +
		"SMTP id <A>"},
	{"avmailgate", "from {helo raw} ({ptr name} [198.51.100.7]) by m.example (AvMailGate-2.0.0.6) id A"},
	{"obtuse", "from {ptr name}(198.51.100.7) via SMTP by m.example, id smtpdA"},
}
