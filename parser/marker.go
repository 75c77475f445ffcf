package parser

import (
	"net/netip"
	"strings"
)

// weight is how much a field shows.
type weight uint8

const (
	shows    weight = iota // the cause, by itself
	ifBelow                // the cause, below a Received line: spam programs that write none forge it
	ifOwn                  // the cause, if it tells the source's own address
	supports               // nothing, but it tells more where something else shows the cause
)

// marker is a field that tells how a message was injected. Whoever writes it below the source can
// write anything, so it explains and no more.
type marker struct {
	name   string
	cause  Cause // Unknown: it supports any
	weight weight
	says   func(value string) bool // nil: any value but none
}

// markers are the fields of hosts, panels, webmails and providers.
var markers = [...]marker{
	{"X-Squirrel-UserHash", Webmail, shows, nil},
	{"X-Squirrel-FromHash", Webmail, shows, nil},
	{"X-Squirrel-ProxyHash", Webmail, shows, nil},
	{"User-Agent", Webmail, ifBelow, isWebmail},
	{"X-Mailer", Webmail, ifBelow, isWebmail},
	{"X-Originating-Client", Webmail, ifBelow, isWebmail},

	{"X-PHP-Originating-Script", Script, shows, nil},
	{"X-PHP-Script", Script, shows, nil},
	{"X-Source-Args", Script, shows, nil},
	{"X-Source-Dir", Script, shows, nil},
	{"X-Source", Script, shows, nil},
	{"X-AntiAbuse", Script, shows, isLocalCaller},
	{"X-Get-Message-Sender-Via", Script, shows, isLocalUserOfPanel},
	{"X-Authentication-Warning", Script, shows, isSetSender},
	{"X-Mailer", Script, supports, isLibrary},

	{"X-Authenticated-Sender", Submission, shows, nil},
	{"X-Get-Message-Sender-Via", Submission, shows, isAccountOfPanel},
	{"X-Authenticated-Id", Submission, shows, nil},
	{"X-AuthUser", Submission, shows, nil},
	{"X-Auth-User", Submission, shows, nil},
	{"X-Auth-ID", Submission, shows, nil},
	{"X-WM-AuthUser", Submission, shows, nil},
	{"X-UserID", Submission, shows, nil},
	{"X-MailChannels-Auth-Id", Submission, shows, nil},
	{"X-SpamExperts-Username", Submission, shows, nil},
	{"X-Relaying-Domain", Submission, shows, nil},
	{"X-pair-Authenticated", Submission, shows, nil},
	{"X-MS-Exchange-Organization-AuthAs", Submission, shows, isInternal},
	{"X-MS-Exchange-Organization-AuthSource", Submission, supports, nil},
	{"X-AuthUserIP", Submission, supports, nil},
	{"X-ClientProxiedBy", Submission, supports, nil},
	{"X-OriginatorOrg", Submission, supports, nil},

	{"X-SES-Outgoing", Relay, ifOwn, nil},
	{"X-Mailgun-Sending-Ip", Relay, ifOwn, nil},
	{"X-SG-EID", Relay, supports, nil},
	{"X-MC-User", Relay, supports, nil},
	{"X-MC-Relay", Relay, supports, nil},
	{"X-MJ-Mid", Relay, supports, nil},
	{"X-PM-Message-Id", Relay, supports, nil},
	{"X-CSA-Complaints", Relay, supports, nil},
	{"X-Report-Abuse", Relay, supports, nil},
	{"X-CMAE-Envelope", Relay, supports, nil},
	{"X-YMail-OSG", Relay, supports, nil},
	{"Feedback-ID", Relay, supports, nil},
	{"UI-OutboundReport", Relay, supports, nil},

	// Whom the host says it took the message from: a browser, a customer, or anything at all.
	{"X-Originating-IP", Unknown, supports, nil},
	{"X-OriginatingIP", Unknown, supports, nil},
	{"X-Sender-IP", Unknown, supports, nil},
	{"X-SenderIP", Unknown, supports, nil},
	{"X-Source-IP", Unknown, supports, nil},
	{"X-Client-IP", Unknown, supports, nil},
	{"X-Remote-IP", Unknown, supports, nil},
	{"X-MDRemoteIP", Unknown, supports, nil},
	{"X-Yahoo-Post-IP", Unknown, supports, nil},
	{"X-AOL-IP", Unknown, supports, nil},
	{"X-Apparently-From", Unknown, supports, nil},
	{"X-EIP", Unknown, supports, nil},
	{"X-FE-Last-Public-Client-IP", Unknown, supports, nil},
	{"X-FEAS-Client-IP", Unknown, supports, nil},
	{"X-MS-Exchange-CrossPremises-OriginalClientIPAddress", Unknown, supports, nil},
	{"X-MS-Exchange-CrossTenant-OriginalAttributedTenantConnectingIp", Unknown, supports, nil},
}

// isWebmail knows the webmails that name themselves.
func isWebmail(value string) bool {
	for _, name := range [...]string{"Roundcube", "SquirrelMail", "Horde", "RainLoop", "AfterLogic",
		"Internet Messaging Program", "Open-Xchange Mailer", "open-xchange-appsuite"} {
		if hasPrefix(value, name) {
			return true
		}
	}
	return strings.Contains(value, "(ZimbraWebClient") || strings.Contains(value, "MailNorrin")
}

// isLibrary knows the libraries that scripts send mail with. Spam programs name them, too, most of
// them in an older form.
func isLibrary(value string) bool {
	return hasPrefix(value, "PHPMailer ") || hasPrefix(value, "MIME::Lite ") ||
		hasPrefix(value, "Perl script") || hasPrefix(value, "class SMTPMail") ||
		strings.Contains(value, "ColdFusion")
}

// isLocalCaller reads `Originator/Caller UID/GID - [ORIGINATOR GROUP] / [CALLER GROUP]`, where the
// mail server's own user, 47, stands for mail that came over SMTP.
func isLocalCaller(value string) bool {
	ids, ok := cutPrefix(value, "Originator/Caller UID/GID - [")
	user, _, _ := strings.Cut(ids, " ")
	return ok && user != "" && user != "47"
}

// isLocalUserOfPanel and isAccountOfPanel read the ways in which cPanel knows a sender: `HOST:
// WAY: NAME`. By other ways it knows hosts only.
func isLocalUserOfPanel(value string) bool {
	return strings.Contains(value, "authenticated_local_user")
}

func isAccountOfPanel(value string) bool { return strings.Contains(value, ": authenticated_id:") }

// isSetSender knows Sendmail's word about a program that chose its own reverse path.
func isSetSender(value string) bool {
	return strings.Contains(value, " set sender to ") && strings.HasSuffix(value, " using -f")
}

func isInternal(value string) bool { return equal(value, "Internal") }

// claims is what the fields tell, by cause: the first field that shows one, and all that support
// it.
type claims struct {
	show    [List + 1]string
	support [List + 1][]string
}

// shows tells whether a field shows the cause.
func (c *claims) shows(cause Cause) bool { return c != nil && c.show[cause] != "" }

// claimsOf reads the fields of a message from a source, which stands below Received lines or not.
// It gives nil where there is no marker.
func claimsOf(h *header, source netip.Addr, below bool) *claims {
	var c *claims
	for i := range h.fields {
		name := h.of(h.fields[i].name)
		if !mayMark(name) {
			continue
		}
		for j := range markers {
			m := &markers[j]
			if !equal(name, m.name) {
				continue
			}
			if c == nil {
				c = new(claims)
			}
			c.add(m, h.of(h.fields[i].value), source, below)
		}
	}
	return c
}

// mayMark tells by its first letter whether a name may be a marker's.
func mayMark(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	first := lower(name[0])
	return first == 'x' || first == 'u' || first == 'f'
}

func (c *claims) add(m *marker, raw []byte, source netip.Addr, below bool) {
	value := unfold(raw[:min(len(raw), 2*maxMark)])
	if value == "" || m.says != nil && !m.says(value) {
		return
	}
	mark := m.name + ": " + value
	switch {
	case m.weight == supports:
		if len(c.support[m.cause]) < maxMarks {
			c.support[m.cause] = append(c.support[m.cause], mark)
		}
	case m.weight == ifBelow && !below:
	case m.weight == ifOwn && !strings.Contains(value, source.String()):
	case c.show[m.cause] == "":
		c.show[m.cause] = mark
	}
}
