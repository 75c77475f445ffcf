package parser

import (
	"os"
	"strings"
	"testing"
)

const (
	headerFields = "From: a@example\nTo: t@example\nSubject: x\n"
	htmlBody     = "\n<a href=x>buy</a>\n"

	deliveryReport = `Content-Type: multipart/report; report-type=delivery-status;
 boundary="b1"

--b1
Content-Type: text/plain

Sorry.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; x@example
Action: failed
--b1
Content-Type: message/rfc822

From: t@example
--b1--
`
	abuseReportBody = `Content-Type: multipart/report; report-type=feedback-report; boundary=b1

--b1
Content-Type: message/feedback-report

Feedback-Type: abuse
--b1
Content-Type: message/rfc822

Received: x
--b1--
`
	receiptBody = `Content-Type: multipart/report; report-type=disposition-notification; boundary=b1

--b1
Content-Type: message/disposition-notification

Disposition: automatic-action/MDN-sent-automatically; displayed
--b1--
`
)

func TestCauses(t *testing.T) {
	null := Connection{Peer: peer, NullSender: true}
	from := Connection{Peer: peer, MailFrom: "a@example"}
	relay := Connection{Peer: trusted().Relays[0].Network.Addr(), MailFrom: "a@example"}
	line := func(s string) string { return "Received: " + s + "; Tue, 15 Mar 2022 10:30:00 +0000\n" }
	for _, c := range []struct {
		name    string
		conn    Connection
		message string
		cause   Cause
		mark    string // one that must be there
	}{
		{"direct", from, headerFields + htmlBody, Direct, "nothing-below"},
		{"relay", from, line("from h (r [203.0.113.9]) by m (Postfix) with ESMTP id A") + headerFields +
			htmlBody, Relay, "received-below"},
		{"relay, unreadable line", from, line("nonsense") + headerFields + htmlBody, Relay,
			"received-below"},
		{"submission below", from, line("from h (r [203.0.113.9]) by m (Postfix) with ESMTPSA id A") +
			headerFields + htmlBody, Submission, "auth:postfix"},
		{"submission below, comment", from,
			line("from h (r [203.0.113.9]) (Authenticated sender: u) by m (Postfix) with ESMTP id A") +
				headerFields + htmlBody, Submission, "auth:postfix"},
		{"submission at our relay", relay,
			line("from h (r [203.0.113.9]) by backup.example (Postfix) with ESMTPSA id A") + headerFields +
				htmlBody, Submission, "auth:postfix"},
		{"submission in the HELO is none", from,
			line("from Authenticated?sender:?x (r [203.0.113.9]) by m (Postfix) with ESMTP id A") +
				headerFields + htmlBody, Relay, "received-below"},
		{"submission, field", from, "X-Authenticated-Sender: m: u\n" + headerFields + htmlBody,
			Submission, "x-authenticated-sender"},
		{"webmail", from, line("from 203.0.113.9 (SquirrelMail authenticated user u) by m with HTTP") +
			headerFields + htmlBody, Webmail, "http:squirrelmail"},
		{"webmail, API", from, line("from MjA3 (unknown) by g (SG) with HTTP id A") + headerFields +
			htmlBody, Webmail, "http:webmail"},
		{"machines that speak HTTPS", from,
			line("from a.example (203.0.113.9) by b.example (203.0.113.8) with HTTPS") + headerFields +
				htmlBody, Relay, "received-below"},
		{"script, local line", from, line("by m (Postfix, from userid 33) id A") + headerFields +
			htmlBody, Script, "local:postfix"},
		{"script, queue line", from, line("(qmail 1 invoked by uid 48)") + headerFields + htmlBody,
			Script, "local:qmail"},
		{"script behind a queue line", from, line("(qmail 1 invoked from network)") +
			line("from r (HELO h) (203.0.113.9) by m with SMTP") + headerFields + htmlBody, Relay,
			"received-below"},
		{"script, loopback", from, line("from h (localhost [127.0.0.1]) by m (Postfix) with ESMTP id A") +
			headerFields + htmlBody, Script, "loopback:postfix"},
		{"filter is no script", from,
			line("from h (localhost [127.0.0.1]) by m (Postfix) with ESMTP id A") +
				line("from h (r [203.0.113.9]) by m (Postfix) with ESMTP id A") + headerFields + htmlBody,
			Relay, "received-below"},
		{"script, PHP", from, "X-PHP-Originating-Script: 33:index.php(3) : eval()'d code\n" +
			headerFields + htmlBody, Script, "x-php-originating-script"},
		{"empty field of a panel", from, "X-Source-Args:\n" + headerFields + htmlBody, Direct,
			"nothing-below"},
		{"proxy, field", from, "X-Forwarded-For: 203.0.113.9\n" + headerFields + htmlBody, Proxy,
			"x-forwarded-for"},
		{"proxy, ident", relay, line("from h (HELO x) (squid@203.0.113.9) by backup.example with SMTP") +
			headerFields + htmlBody, Proxy, "ident:squid"},

		{"bounce", null, "From: MAILER-DAEMON@example\n" + deliveryReport, Bounce, "delivery-status"},
		{"bounce that calls itself automatic", null, "Auto-Submitted: auto-replied\nIn-Reply-To: <x>\n" +
			deliveryReport, Bounce, "delivery-status"},
		{"bounce of Exim", null,
			"From: Mail Delivery System <Mailer-Daemon@example>\nX-Failed-Recipients: x@example\n\nfailed\n",
			Bounce, "x-failed-recipients"},
		{"bounce of qmail", null,
			"From: MAILER-DAEMON@example\n\nSorry.\n--- Below this line is a copy of the message.\n\nReturn-Path: <t@example>\nReceived: x\n", Bounce, "original-message"},
		{"bounce from a mailbox", from, "From: MAILER-DAEMON@example\n" + deliveryReport, Direct,
			"nothing-below"},
		{"null sender alone", null, headerFields + htmlBody, Direct, "nothing-below"},
		{"daemon's name alone", null, "From: MAILER-DAEMON@example\nSubject: Undelivered Mail\n" +
			htmlBody, Direct, "nothing-below"},
		{"report without a report", null, "From: MAILER-DAEMON@example\n" +
			strings.ReplaceAll(deliveryReport, "message/", "text/"), Direct, "nothing-below"},
		{"empty delivery status", null, "Content-Type: message/delivery-status\n" + htmlBody, Direct,
			"nothing-below"},

		{"abuse report", null, headerFields + abuseReportBody, Autoreply, "abuse-report"},
		{"abuse report from a mailbox", from, headerFields + abuseReportBody, Direct, "abuse-report"},
		{"read receipt", null, headerFields + receiptBody, Autoreply, "disposition-notification"},
		{"read receipt from a mailbox", from, headerFields + receiptBody, Direct, "nothing-below"},
		{"vacation", null, "Auto-Submitted: auto-replied (vacation)\nIn-Reply-To: <x>\n" + headerFields +
			htmlBody, Autoreply, "auto-submitted"},
		{"vacation, other field", null, "X-Autoreply: yes\nReferences: <x>\n" + headerFields + htmlBody,
			Autoreply, "x-autoreply"},
		{"automatic, but sent by nobody's question", null, "Auto-Submitted: auto-replied\n" +
			headerFields + htmlBody, Direct, "nothing-below"},
		{"automatic, but from a mailbox", from, "Auto-Submitted: auto-replied\nIn-Reply-To: <x>\n" +
			headerFields + htmlBody, Direct, "nothing-below"},
		{"not automatic", null, "Auto-Submitted: no\nIn-Reply-To: <x>\n" + headerFields + htmlBody,
			Direct, "nothing-below"},
		{"asks for no answers", null,
			"X-Auto-Response-Suppress: All\nPrecedence: bulk\nIn-Reply-To: <x>\n" + headerFields + htmlBody,
			Direct, "nothing-below"},

		{"list", Connection{Peer: peer, MailFrom: "l-bounces@example"},
			"List-Id: <l.example>\nList-Post: x\nList-Unsubscribe: x\n" + headerFields + htmlBody, List,
			"list-id"},
		{"list by its fields alone", from, "List-Id: <l.example>\nList-Post: x\nList-Unsubscribe: x\n" +
			headerFields + htmlBody, Direct, "nothing-below"},
		{"bulk alone", Connection{Peer: peer, MailFrom: "l-bounces@example"}, "Precedence: bulk\n" +
			headerFields + htmlBody, Direct, "nothing-below"},

		{"no source", Connection{Peer: trusted().Relays[0].Network.Addr(), MailFrom: "a@example"},
			headerFields + htmlBody, Unknown, ""},
		{"no connection, bounce", Connection{}, "Return-Path: <>\n" + "From: MAILER-DAEMON@example\n" +
			deliveryReport, Bounce, "null-sender"},
		{"no connection, bounce in an mbox", Connection{},
			"From MAILER-DAEMON Tue Mar 15 10:30:00 2022\nFrom: MAILER-DAEMON@example\n" + deliveryReport,
			Bounce, "null-sender"},
		{"a stranger's Return-Path", from, "Return-Path: <>\n" + "From: MAILER-DAEMON@example\n" +
			deliveryReport, Direct, "nothing-below"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Parse([]byte(c.message), c.conn, trusted())
			if got.Cause != c.cause {
				t.Errorf("cause = %s %v, want %s", got.Cause, got.Marks, c.cause)
			}
			if c.mark != "" && !strings.Contains(" "+strings.Join(got.Marks, " ")+" ", " "+c.mark+" ") {
				t.Errorf("marks = %v, want %q among them", got.Marks, c.mark)
			}
		})
	}
}

// TestBounces counts how far the classes of real bounces agree with our causes, told what their
// session must have known: a bounce or an answer comes with the null reverse path. One of the two
// rows of class not-bounce counts as a bounce: a postmaster's <> notice that returns the message,
// in no standard form.
func TestBounces(t *testing.T) {
	type row struct{ File, Class string }
	counts := map[string]map[string]int{}
	for _, r := range readLines[row](t, corpus(t, "bounces/manifest.jsonl")) {
		message, err := os.ReadFile(corpus(t, "bounces/"+r.File))
		if err != nil {
			t.Fatal(err)
		}
		got := Parse(message, Connection{Peer: peer, NullSender: true}, Trust{})
		if counts[r.Class] == nil {
			counts[r.Class] = map[string]int{}
		}
		counts[r.Class][got.Cause.String()]++
		if os.Getenv("VERBOSE") != "" && r.Class == "dsn" && got.Cause != Bounce {
			t.Logf("%s: %s %v", r.File, got.Cause, got.Marks)
		}
	}
	t.Logf("class: causes: %v", counts)
	if dsn := counts["dsn"]; dsn["bounce"] < 190 {
		t.Errorf("%d bounces known, want 190 at least", dsn["bounce"])
	}
}
