package parser

import (
	"strings"
	"testing"
)

// lineOf makes a Received line of a value without a date.
func lineOf(value string) string {
	return "Received: " + value + "; Tue, 15 Mar 2022 10:30:00 +0000\n"
}

// Lines as a source may write them.
var (
	plainLine    = lineOf("from h (r [203.0.113.9]) by m (Postfix) with ESMTP id A")
	authLine     = lineOf("from h (r [203.0.113.9]) by m (Postfix) with ESMTPSA id A")
	loopbackLine = lineOf("from h (localhost [127.0.0.1]) by m (Postfix) with ESMTP id A")
	filterLine   = lineOf("from m ([127.0.0.1]) by localhost (m [127.0.0.1]) (amavisd-new, " +
		"port 10024) with ESMTP id A")
	useridLine = lineOf("by m (Postfix, from userid 33) id A")
)

// TestInjectionLines: the ways of injection that show in a Received line of the source.
func TestInjectionLines(t *testing.T) {
	for _, c := range []struct {
		name, line string
		cause      Cause
		mark       string
	}{
		{"none", "", Direct, markAlone},
		{"unreadable", lineOf("nonsense"), Relay, markBelow},
		{"plain", plainLine, Relay, markBelow},
		{"plain below a queue's", lineOf("(qmail 1 invoked from network)") +
			lineOf("from r (HELO h) (203.0.113.9) by m with SMTP"), Relay, markBelow},

		// SMTP AUTH, by the protocol.
		{"ESMTPA", lineOf("from h (r [203.0.113.9]) by m (Postfix) with ESMTPA id A"), Submission,
			"with ESMTPA"},
		{"ESMTPSA", authLine, Submission, "with ESMTPSA"},
		{"Exim's esmtpsa", lineOf("from r ([203.0.113.9]:5 helo=h) by m with esmtpsa (TLS1.2) tls X " +
			"(Exim 4.96) (envelope-from <a@example>) id 1"), Submission, "with esmtpsa"},
		{"Exim's asmtp", lineOf("from r ([203.0.113.9] helo=h) by m with asmtp (Exim 4.50) id 1"),
			Submission, "with asmtp"},
		{"Gmail's SMTPSA", lineOf("from h (r. [203.0.113.9]) by smtp.gmail.com with SMTPSA id A"),
			Submission, "with SMTPSA"},
		{"UTF8SMTPSA", lineOf("from h (r. [203.0.113.9]) by smtp.gmail.com with UTF8SMTPSA id A"),
			Submission, "with UTF8SMTPSA"},
		{"maddy's UTF8ESMTPSA", lineOf("from h (r [203.0.113.9]) by m (envelope-sender <a@example>) " +
			"with UTF8ESMTPSA id 1"), Submission, "with UTF8ESMTPSA"},
		{"a hidden client", lineOf("by m (Postfix) with ESMTPSA id A"), Submission, "with ESMTPSA"},
		{"mapi", lineOf("from a ([203.0.113.9]) by b ([203.0.113.8]) with mapi id 15.1"), Submission,
			"with mapi"},
		{"Exchange 5.5's mailbox", lineOf("by m with Internet Mail Service (5.5.2653.19) id A"),
			Submission, "with Internet Mail Service"},
		{"ESMTPS is no AUTH", lineOf("from h (r [203.0.113.9]) by m (Postfix) with ESMTPS id A"), Relay,
			markBelow},

		// SMTP AUTH, by the account.
		{"Postfix's account", lineOf("from h (r [203.0.113.9]) (using TLSv1.3 with cipher X) " +
			"(Authenticated sender: sales) by m (Postfix) with ESMTPSA id A"), Submission,
			"(Authenticated sender: sales)"},
		{"ZoneMTA's account", lineOf("from h ([203.0.113.9] r) (Authenticated sender: sales) by m " +
			"(ZoneMTA) with ESMTPSA id 1"), Submission, "(Authenticated sender: sales)"},
		{"Sendmail", lineOf("from h (r [203.0.113.9]) (authenticated bits=0) by m (8.17.1/8.17.1) with " +
			"ESMTP id A"), Submission, "(authenticated bits=0)"},
		{"Haraka", lineOf("from h (r [203.0.113.9]) by m (Haraka/2.8) with ESMTPSA id A.1 " +
			"envelope-from <a@example> (authenticated bits=0)"), Submission, "(authenticated bits=0)"},
		{"Cyrus", lineOf("from h ([203.0.113.9]) (authenticated user=sales bits=0) by m with ESMTP id " +
			"A"), Submission, "(authenticated user=sales bits=0)"},
		{"Critical Path", lineOf("from h ([203.0.113.9]) by m (5.8.807) (authenticated as sales) id A"),
			Submission, "(authenticated as sales)"},
		{"Courier", lineOf("from h (r [::ffff:203.0.113.9]) (AUTH: LOGIN sales, TLS: X) by m with " +
			"ESMTPSA id A"), Submission, "(AUTH: LOGIN sales, TLS: X)"},
		{"CommuniGate Pro", lineOf("from [203.0.113.9] (account sales HELO h) by m (CommuniGate Pro " +
			"SMTP 5.1) with ESMTP id 1"), Submission, "(account sales HELO h)"},
		{"OpenSMTPD", lineOf("from h (r [203.0.113.9]) by m (OpenSMTPD) with ESMTPSA id 1 " +
			"(TLSv1.3:X:256:NO) auth=yes user=sales"), Submission, "auth=yes user=sales"},
		{"qpsmtpd", lineOf("from r (HELO h) (203.0.113.9) (smtp-auth username sales, mechanism " +
			"login) by m with ESMTP"), Submission, "(smtp-auth username sales, mechanism login)"},
		{"Plesk's qmail", lineOf("from r (HELO h) (sales@203.0.113.9) by m with ESMTPA"), Submission,
			"(sales@203.0.113.9)"},
		{"Yahoo", lineOf("from h (sales@203.0.113.9 with login) by smtp1.mail.yahoo.example with SMTP"),
			Submission, "(sales@203.0.113.9 with login)"},
		{"an account in the HELO is none", lineOf("from Authenticated?sender:?x (r [203.0.113.9]) by m " +
			"(Postfix) with ESMTP id A"), Relay, markBelow},
		{"a comment in the HELO is none", lineOf("from a (authenticated bits=0) (r [203.0.113.9]) by m " +
			"(Haraka/2.8) with ESMTP id A.1"), Relay, markBelow},
		{"an ident is no account", lineOf("from r (HELO h) (sales@203.0.113.9) by m with SMTP"), Relay,
			markBelow},
		{"a filter's line above", loopbackLine + filterLine + authLine, Submission, "with ESMTPSA"},

		// Web servers.
		{"SquirrelMail", lineOf("from 203.0.113.9 (SquirrelMail authenticated user sales) by m with HTTP"),
			Webmail, "(SquirrelMail authenticated user sales)"},
		{"Roundcube", lineOf("from [203.0.113.9] by m with HTTP (HTTP/1.1 POST)"), Webmail, "with HTTP"},
		{"Horde", lineOf("from 203.0.113.9 ([203.0.113.9]) by m (Horde Framework) with HTTPS"), Webmail,
			"with HTTPS"},
		{"via HTTP", lineOf("from [203.0.113.9] by web1.mail.yahoo.example via HTTP"), Webmail,
			"via HTTP"},
		{"SendGrid", lineOf("from MjA3 (unknown) by g (SG) with HTTP id A"), Webmail, "with HTTP"},
		{"Gmail's API", lineOf("from 1 named unknown by gmailapi.google.com with HTTPREST"), Webmail,
			"with HTTPREST"},
		{"machines that speak HTTPS", lineOf("from a (203.0.113.9) by b (203.0.113.8) with HTTPS"), Relay,
			markBelow},

		// Programs.
		{"Postfix's pickup", useridLine, Script, "(Postfix, from userid 33)"},
		{"Exim's local", lineOf("from www-data by m with local (Exim 4.96) (envelope-from <a@m>) id 1"),
			Script, "with local"},
		{"qmail's queue", lineOf("(qmail 1 invoked by uid 48)"), Script, "(qmail 1 invoked by uid 48)"},
		{"Sendmail's submit", lineOf("(from www-data@localhost) by m (8.15.2/8.15.2/Submit) id A"),
			Script, "(from www-data@localhost)"},
		{"OpenSMTPD's local", lineOf("from m (localhost [local]) by m (OpenSMTPD) with ESMTPA id 1"),
			Script, "(localhost [local])"},
		{"IIS's pickup", lineOf("from mail pickup service by m with Microsoft SMTPSVC"), Script,
			"mail pickup service"},
		{"loopback", loopbackLine, Script, "from 127.0.0.1"},
		{"loopback, IPv6", lineOf("from h (localhost [IPv6:::1]) by m (Postfix) with ESMTP id A"), Script,
			"from ::1"},
		{"pickup behind a filter", loopbackLine + filterLine + useridLine, Script,
			"(Postfix, from userid 33)"},
		{"a filter is no program", loopbackLine + filterLine + plainLine, Relay, markBelow},
		{"too many lines to itself", strings.Repeat(loopbackLine, maxClaims), Relay, markBelow},
		{"loopback above nonsense", loopbackLine + lineOf("nonsense"), Relay, markBelow},
		{"an alias is no program", lineOf("(qmail 1 invoked by alias)"), Relay, markBelow},
		{"a mailbox is no program", lineOf("from m ([unix socket]) by m (Cyrus 2.4) with LMTPA"), Relay,
			markBelow},
		{"loopback with an account", lineOf("from h (localhost [127.0.0.1]) (Authenticated sender: s) " +
			"by m (Postfix) with ESMTPA id A"), Submission, "(Authenticated sender: s)"},
	} {
		causeCase{c.name, fromMailbox, c.line + headerFields + plainBody, c.cause,
			[]string{c.mark}}.run(t)
	}
}

// TestAttested: what a trusted host's own line shows about the source comes before anything that
// the source claims.
func TestAttested(t *testing.T) {
	for _, c := range []causeCase{
		{"AUTH at our relay", fromRelay,
			lineOf("from h (r [203.0.113.9]) by backup.example (Postfix) with ESMTPSA id A") + useridLine +
				headerFields + plainBody, Submission, []string{"with ESMTPSA"}},
		{"AUTH at our relay, with a script's field", fromRelay,
			lineOf("from h (r [203.0.113.9]) (Authenticated sender: s) by backup.example (Postfix) with "+
				"ESMTPSA id A") + "X-PHP-Script: h/x.php for 203.0.113.7\nX-AuthUserIP: 203.0.113.9\n" +
				headerFields + plainBody, Submission,
			[]string{"(Authenticated sender: s)", "X-AuthUserIP: 203.0.113.9"}},
		{"HTTP at our relay", fromRelay, lineOf("from 203.0.113.9 by backup.example with HTTP") +
			headerFields + plainBody, Webmail, []string{"with HTTP"}},
		{"ident squid", fromRelay, lineOf("from h (HELO x) (squid@203.0.113.9) by backup.example with "+
			"SMTP") + headerFields + plainBody, Proxy, []string{"ident squid"}},
		{"ident nobody", fromRelay, lineOf("from h (IDENT:nobody@r [203.0.113.9]) by backup.example "+
			"(8.9.3/8.9.3) with SMTP id A") + headerFields + plainBody, Proxy, []string{"ident nobody"}},
		{"ident of a person", fromRelay, lineOf("from h (HELO x) (al@203.0.113.9) by backup.example "+
			"with SMTP") + headerFields + plainBody, Direct, []string{markAlone}},
		{"ident of the next one's proxy", fromMailbox, lineOf("from h (HELO x) (squid@203.0.113.9) by m "+
			"with SMTP") + headerFields + plainBody, Relay, []string{markBelow}},
	} {
		c.run(t)
	}
}

// TestInjectionFields: the fields of hosts, panels, webmails and providers. Each stands in a
// message that its source wrote no Received line into, and in one that it did.
func TestInjectionFields(t *testing.T) {
	unseen := map[string]bool{}
	for _, m := range markers {
		unseen[m.name] = true
	}
	for _, c := range []struct {
		name, field  string
		alone, below Cause
	}{
		{"SquirrelMail's hash", "X-Squirrel-UserHash: AQ==", Webmail, Webmail},
		{"SquirrelMail's other hash", "X-Squirrel-FromHash: AQ==", Webmail, Webmail},
		{"SquirrelMail behind a proxy", "X-Squirrel-ProxyHash: AQ==", Webmail, Webmail},
		{"Roundcube", "User-Agent: Roundcube Webmail/1.6", Direct, Webmail},
		{"SquirrelMail", "User-Agent: SquirrelMail/1.4.22", Direct, Webmail},
		{"Horde", "User-Agent: Horde Application Framework 5", Direct, Webmail},
		{"IMP", "User-Agent: Internet Messaging Program (IMP) H3", Direct, Webmail},
		{"a mail client", "User-Agent: Mozilla Thunderbird", Direct, Relay},
		{"Zimbra", "X-Mailer: Zimbra 8.8 (ZimbraWebClient - GC96)", Direct, Webmail},
		{"a Zimbra client", "X-Mailer: Zimbra 8.8 (Zimbra-ZCO)", Direct, Relay},
		{"Yahoo", "X-Mailer: WebService/1.1.16 YMailNorrin", Direct, Webmail},
		{"AOL", "X-Mailer: WebService/1.1.16 AolMailNorrin", Direct, Webmail},
		{"AfterLogic", "X-Mailer: AfterLogic webmail client", Direct, Webmail},
		{"RainLoop", "X-Mailer: RainLoop/1.12", Direct, Webmail},
		{"Open-Xchange", "X-Mailer: Open-Xchange Mailer v7", Direct, Webmail},
		{"Open-Xchange's suite", "X-Originating-Client: open-xchange-appsuite", Direct, Webmail},

		{"PHP", "X-PHP-Originating-Script: 33:mailer.php", Script, Script},
		{"PHP web shell", "X-PHP-Originating-Script: 33:index.php(3) : eval()'d code", Script, Script},
		{"cPanel's PHP", "X-PHP-Script: h.example/x.php for 203.0.113.7", Script, Script},
		{"cPanel's arguments", "X-Source-Args: php-fpm: pool sales", Script, Script},
		{"cPanel's folder", "X-Source-Dir: h.example:/public_html/x", Script, Script},
		{"cPanel's program", "X-Source: /usr/bin/php-cgi", Script, Script},
		{"cPanel's program, none", "X-Source:", Direct, Relay},
		{"cPanel's caller", "X-AntiAbuse: Originator/Caller UID/GID - [1005 990] / [47 12]", Script,
			Script},
		{"cPanel's caller by SMTP", "X-AntiAbuse: Originator/Caller UID/GID - [47 12] / [47 12]", Direct,
			Relay},
		{"cPanel's other notes", "X-AntiAbuse: Primary Hostname - h.example", Direct, Relay},
		{"cPanel's user", "X-Get-Message-Sender-Via: h: acl_c_authenticated_local_user: sales", Script,
			Script},
		{"Sendmail's warning", "X-Authentication-Warning: h: www-data set sender to a@b using -f", Script,
			Script},
		{"Sendmail's other warning", "X-Authentication-Warning: h: Host r [203.0.113.9] claimed to be x",
			Direct, Relay},
		{"a library's name", "X-Mailer: PHPMailer 6.5.0 (https://github.com/PHPMailer/PHPMailer)", Direct,
			Relay},

		{"cPanel's account", "X-Authenticated-Sender: h: sales", Submission, Submission},
		{"cPanel's account id", "X-Get-Message-Sender-Via: h: authenticated_id: sales", Submission,
			Submission},
		{"cPanel's relay hosts", "X-Get-Message-Sender-Via: h: acl_c_relayhosts", Direct, Relay},
		{"account id", "X-Authenticated-Id: sales", Submission, Submission},
		{"account, one word", "X-AuthUser: sales", Submission, Submission},
		{"account, two words", "X-Auth-User: sales", Submission, Submission},
		{"account, other id", "X-Auth-ID: sales", Submission, Submission},
		{"account of a webmail", "X-WM-AuthUser: sales", Submission, Submission},
		{"account number", "X-UserID: 7", Submission, Submission},
		{"MailChannels", "X-MailChannels-Auth-Id: sales", Submission, Submission},
		{"SpamExperts", "X-SpamExperts-Username: 203.0.113.9", Submission, Submission},
		{"relaying domain", "X-Relaying-Domain: sales.example", Submission, Submission},
		{"pair", "X-pair-Authenticated: 203.0.113.9", Submission, Submission},
		{"Exchange, inside", "X-MS-Exchange-Organization-AuthAs: Internal", Submission, Submission},
		{"Exchange's machine", "X-MS-Exchange-Organization-AuthSource: m.example", Direct, Relay},
		{"Exchange's proxy", "X-ClientProxiedBy: m.example", Direct, Relay},
		{"Exchange's organisation", "X-OriginatorOrg: sales.example", Direct, Relay},
		{"Exchange, anybody", "X-MS-Exchange-Organization-AuthAs: Anonymous", Direct, Relay},
		{"hMailServer's client", "X-AuthUserIP: 203.0.113.9", Direct, Relay},

		{"Amazon, of the source", "X-SES-Outgoing: 2017.04.29-198.51.100.7", Relay, Relay},
		{"Amazon, of another", "X-SES-Outgoing: 2017.04.29-203.0.113.7", Direct, Relay},
		{"Mailgun, of the source", "X-Mailgun-Sending-Ip: 198.51.100.7", Relay, Relay},
		{"Mailgun, of another", "X-Mailgun-Sending-Ip: 203.0.113.7", Direct, Relay},
		{"SendGrid", "X-SG-EID: abc", Direct, Relay},
		{"Mailchimp's user", "X-MC-User: abc", Direct, Relay},
		{"Mailchimp's relay", "X-MC-Relay: Neutral", Direct, Relay},
		{"Mailjet", "X-MJ-Mid: abc", Direct, Relay},
		{"Postmark", "X-PM-Message-Id: 1", Direct, Relay},
		{"certified senders", "X-CSA-Complaints: x@example", Direct, Relay},
		{"a desk for abuse", "X-Report-Abuse: x@example", Direct, Relay},
		{"Cloudmark", "X-CMAE-Envelope: abc", Direct, Relay},
		{"Yahoo's filter", "X-YMail-OSG: abc", Direct, Relay},
		{"feedback id", "Feedback-ID: 1:2:3:x", Direct, Relay},
		{"1&1", "UI-OutboundReport: notjunk:1", Direct, Relay},

		{"a client", "X-Originating-IP: [203.0.113.9]", Direct, Relay},
		{"a client, one word", "X-OriginatingIP: 203.0.113.9", Direct, Relay},
		{"a sender's address", "X-Sender-IP: 203.0.113.9", Direct, Relay},
		{"a sender's address, one word", "X-SenderIP: 203.0.113.9", Direct, Relay},
		{"a source", "X-Source-IP: 203.0.113.9", Direct, Relay},
		{"a client's address", "X-Client-IP: 203.0.113.9", Direct, Relay},
		{"a remote address", "X-Remote-IP: 203.0.113.9", Direct, Relay},
		{"MDaemon's client", "X-MDRemoteIP: 203.0.113.9", Direct, Relay},
		{"Yahoo's client", "X-Yahoo-Post-IP: 203.0.113.9", Direct, Relay},
		{"AOL's client", "X-AOL-IP: 203.0.113.9", Direct, Relay},
		{"an apparent account", "X-Apparently-From: a@example", Direct, Relay},
		{"an encrypted address", "X-EIP: abc", Direct, Relay},
		{"FortiMail's public client", "X-FE-Last-Public-Client-IP: 203.0.113.9", Direct, Relay},
		{"FortiMail's client", "X-FEAS-Client-IP: 203.0.113.9", Direct, Relay},
		{"Exchange's client", "X-MS-Exchange-CrossPremises-OriginalClientIPAddress: 203.0.113.9", Direct,
			Relay},
		{"Exchange's connecting host", "X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp: " +
			"TenantId=1;Ip=[203.0.113.9];Helo=[h]", Direct, Relay},
		{"another field of that name", "X-Originating-IPs: 203.0.113.9", Direct, Relay},

		{"a proxy's field", "X-Forwarded-For: 203.0.113.9", Proxy, Relay},
		{"a proxy's own field", "Proxy-Connection: keep-alive", Proxy, Relay},
		{"a proxy's name", "Via: 1.1 squid", Proxy, Relay},
	} {
		name, _, _ := strings.Cut(c.field, ":")
		delete(unseen, name)
		alone, below := []string{markAlone}, []string{markBelow}
		if c.alone != Direct {
			alone = []string{c.field}
		}
		if c.below != Relay {
			below = []string{c.field}
		} else if c.alone == Relay || supportsRelay(c.field) {
			below = append(below, c.field)
		}
		message := c.field + "\n" + headerFields + plainBody
		causeCase{c.name, fromMailbox, message, c.alone, alone}.run(t)
		causeCase{c.name + ", below a line", fromMailbox, plainLine + message, c.below, below}.run(t)
	}
	for name := range unseen {
		t.Errorf("%s has no case", name)
	}
}

// supportsRelay tells whether a field is told beside a Received line that shows a relay.
func supportsRelay(field string) bool {
	name, _, _ := strings.Cut(field, ":")
	for _, m := range markers {
		if m.name == name && m.weight == supports && (m.cause == Relay || m.cause == Unknown) {
			return true
		}
	}
	return false
}

// TestInjectionOrder: of several marks the first in order decides, and the others are told where
// they belong to it.
func TestInjectionOrder(t *testing.T) {
	for _, c := range []causeCase{
		{"webmail that submits", fromMailbox, authLine + "User-Agent: Roundcube Webmail/1.6\n" +
			"X-Originating-IP: [203.0.113.9]\nX-AuthUser: sales\n" + headerFields + plainBody, Webmail,
			[]string{"User-Agent: Roundcube Webmail/1.6", "X-Originating-IP: [203.0.113.9]"}},
		{"webmail in PHP", fromMailbox, useridLine + "X-PHP-Originating-Script: 0:rcube.php\n" +
			"X-Squirrel-UserHash: AQ==\n" + headerFields + plainBody, Webmail,
			[]string{"X-Squirrel-UserHash: AQ=="}},
		{"script with its library", fromMailbox, useridLine + "X-PHP-Originating-Script: 33:x.php\n" +
			"X-Mailer: PHPMailer 6.5.0\n" + headerFields + plainBody, Script,
			[]string{"(Postfix, from userid 33)", "X-PHP-Originating-Script: 33:x.php",
				"X-Mailer: PHPMailer 6.5.0"}},
		{"script that submits", fromMailbox, authLine + "X-PHP-Script: h/x.php\n" + headerFields +
			plainBody, Script, []string{"X-PHP-Script: h/x.php"}},
		{"account with its client", fromMailbox, authLine + "X-Authenticated-Sender: h: sales\n" +
			"X-ClientProxiedBy: x\nX-Client-IP: 203.0.113.9\n" + headerFields + plainBody, Submission,
			[]string{"with ESMTPSA", "X-Authenticated-Sender: h: sales", "X-ClientProxiedBy: x",
				"X-Client-IP: 203.0.113.9"}},
		{"relay of a provider", fromMailbox, plainLine + "X-SES-Outgoing: 2017.04.29-198.51.100.7\n" +
			"Feedback-ID: 1\n" + headerFields + plainBody, Relay, []string{markBelow,
			"X-SES-Outgoing: 2017.04.29-198.51.100.7", "Feedback-ID: 1"}},
		{"a machine's name", Connection{Peer: peer, Helo: "WIN-344VU98D3RU"}, headerFields + plainBody,
			Direct, []string{markAlone, "HELO WIN-344VU98D3RU"}},
		{"an address for a name", Connection{Peer: peer, Helo: "[203.0.113.9]"}, headerFields + plainBody,
			Direct, []string{markAlone, "HELO [203.0.113.9]"}},
		{"a host's name", Connection{Peer: peer, Helo: "mx.example"}, headerFields + plainBody, Direct,
			[]string{markAlone}},
		{"nobody's", fromRelay, "X-PHP-Script: h/x.php\n" + headerFields + plainBody, Unknown, nil},
	} {
		c.run(t)
	}
}

// TestMarkers: the table holds what the look at it relies on.
func TestMarkers(t *testing.T) {
	for _, m := range markers {
		if !mayMark([]byte(m.name)) {
			t.Errorf("%s is passed over", m.name)
		}
		if m.weight != supports && m.cause == Unknown {
			t.Errorf("%s shows no cause", m.name)
		}
	}
}
