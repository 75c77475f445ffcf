package parser

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	headerFields = "From: a@example\nTo: t@trap.example\nSubject: x\n"
	daemonFields = "From: MAILER-DAEMON@mx.example\nTo: t@trap.example\n"
	plainBody    = "\nSorry.\n"
	htmlBody     = "Content-Type: text/html\n\n<a href=x>buy</a>\n"
)

// multipart makes the end of a header and a body of parts, each with its type and its text.
func multipart(kind string, parts ...string) string {
	return "Content-Type: multipart/" + kind + "; boundary=\"b 1\"\n\npreamble\n--b 1\nContent-Type: " +
		strings.Join(parts, "\n--b 1\nContent-Type: ") + "\n--b 1--\n"
}

// Parts of reports.
const (
	textPart   = "text/plain\n\nSorry."
	htmlPart   = "text/html\n\n<a href=x>buy</a>"
	imagePart  = "image/png\n\nx"
	statusPart = "message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n" +
		"Final-Recipient: rfc822; x@other.example\nAction: failed\nStatus: 5.1.1\n"
	ownPart     = "message/rfc822\n\nReceived: x\nFrom: t@trap.example\n\nhello"
	foreignPart = "message/rfc822\n\nReceived: x\nFrom: y@other.example\n\nhello"

	failedPart = "message/rfc822\n\nFrom: y@other.example\nTo: x@other.example\n\nhello"
	officePart = "text/html\n\n<html xmlns:o=\"urn:x\" xmlns:m=\"http://schemas.microsoft.com/office\" " +
		"xmlns=\"http://www.w3.org/TR/REC-html40\"><a href=\"mailto:b@example\">Sorry.</a></html>"

	feedbackPart = "message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n" +
		"Source-IP: 203.0.113.77\n"
	reportedPart = "message/rfc822\n\nReceived: from h ([203.0.113.77]) by m\n\nhello"
	hotmailPart  = "message/rfc822\n\nX-HmXmrOriginalRecipient: x@other.example\nReceived: x\n\nhello"
	receiptPart  = "message/disposition-notification\n\nFinal-Recipient: rfc822; x@other.example\n" +
		"Disposition: manual-action/MDN-sent-manually; displayed\n"
)

const (
	reportDSN = `report; report-type=delivery-status`
	reportARF = `report; report-type=feedback-report`
	reportMDN = `report; report-type=disposition-notification`
)

var (
	fromNull    = Connection{Peer: peer, NullSender: true}
	fromMailbox = Connection{Peer: peer, MailFrom: "a@sender.example"}
	fromDaemon  = Connection{Peer: peer, MailFrom: "postmaster@mx.example"}
	fromList    = Connection{Peer: peer, MailFrom: "l-bounces@lists.example"}
	fromRelay   = Connection{Peer: trusted().Relays[0].Network.Addr(), MailFrom: "a@sender.example"}
)

type causeCase struct {
	name    string
	conn    Connection
	message string
	cause   Cause
	marks   []string
}

func (c causeCase) run(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		got := Parse([]byte(c.message), c.conn, trusted())
		if got.Cause != c.cause {
			t.Errorf("cause = %s %q, want %s", got.Cause, got.Marks, c.cause)
		}
		if diff := cmp.Diff(c.marks, got.Marks); diff != "" {
			t.Errorf("marks (-want +got):\n%s", diff)
		}
	})
}

// Marks that many cases share.
const (
	markNull     = "reverse path <>"
	markDaemon   = "From: MAILER-DAEMON@mx.example"
	markStatus   = "message/delivery-status"
	markReturned = "returned message"
	markFate     = "a failed delivery, in plain text"
	markAlone    = "no Received line below the source's"
	markBelow    = "Received lines below the source's"
)

// TestAnswers: what a message is, told from envelope and structure, in the order of asking.
func TestAnswers(t *testing.T) {
	const (
		reply        = "In-Reply-To: <1@trap.example>\n"
		exchangeLoop = "X-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: a@example\n"
	)
	for _, c := range []causeCase{
		{"delivery report", fromNull, daemonFields + multipart(reportDSN, textPart, statusPart, ownPart),
			Bounce, []string{markNull, markDaemon, markStatus, markReturned}},
		{"delivery report that calls itself automatic", fromNull, "Auto-Submitted: auto-replied\n" + reply +
			daemonFields + multipart(reportDSN, textPart, statusPart), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report under another name", fromNull, headerFields +
			multipart(reportDSN, textPart, statusPart, ownPart), Bounce,
			[]string{markNull, markStatus, markReturned}},
		{"delivery report under another name, about the message it returns", fromNull, headerFields +
			multipart(reportDSN, textPart, statusPart, failedPart), Bounce,
			[]string{markNull, markStatus, markReturned}},
		{"delivery report by nobody", fromNull, "To: t@trap.example\n" +
			multipart(reportDSN, textPart, statusPart), Bounce, []string{markNull, markStatus}},
		{"delivery report of a delay", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.NewReplacer("failed", "delayed", "5.1.1", "4.4.7").Replace(statusPart)), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report without an action", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "Action: failed\n", "")), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report that does not call itself one", fromNull, daemonFields +
			multipart("mixed", textPart, statusPart, failedPart), Bounce,
			[]string{markNull, markDaemon, markStatus, markReturned}},
		{"delivery report with HTML and a picture", fromNull, daemonFields +
			multipart(reportDSN, textPart, htmlPart, imagePart, statusPart, failedPart), Bounce,
			[]string{markNull, markDaemon, markStatus, markReturned}},
		{"delivery report in HTML without a link", fromNull, daemonFields +
			multipart(reportDSN, "text/html\n\n<a href=mailto:x@other.example>x</a>", statusPart), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"Google's own refusal", fromNull, "X-Failed-Recipients: x@other.example\n" + daemonFields +
			multipart(reportDSN, textPart, htmlPart, imagePart, "message/delivery-status\n\n",
				foreignPart), Bounce, []string{markNull, markDaemon,
			"X-Failed-Recipients: x@other.example", markReturned}},
		{"delivery report, international", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "delivery-status", "global-delivery-status")), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report in base64", fromNull, daemonFields + multipart(reportDSN, textPart,
			"message/delivery-status\nContent-Transfer-Encoding: base64\n\n"+
				"UmVwb3J0aW5nLU1UQTogZG5zOyBteAoKRmluYWwtUmVjaXBpZW50OiByZmM4\n"+
				"MjI7IHhAb3RoZXIuZXhhbXBsZQpBY3Rpb246IGZhaWxlZApTdGF0dXM6IDUuMC4wCg=="), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report in quoted-printable", fromNull, daemonFields + multipart(reportDSN, textPart,
			"message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\nFinal-Recip=\n"+
				"ient: rfc822; x@other.example\nAction: failed\nStatus: 5.1.1\n"), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report sent on", fromMailbox, daemonFields +
			multipart(reportDSN, textPart, statusPart, ownPart), Bounce,
			[]string{markDaemon, markStatus, markReturned}},
		{"report without a status, with the message", fromNull, daemonFields +
			multipart(reportDSN, textPart, "text/html\n\nSorry.", ownPart), Bounce,
			[]string{markNull, markDaemon, markReturned}},
		{"report of which the parts are lost", fromNull, daemonFields +
			"Content-Type: multipart/report; boundary=c\n\nFinal-Recipient: rfc822; x@other.example\n" +
			"Action: failed\n", Bounce, []string{markNull, markDaemon, markFate}},

		{"Exim", fromNull, "X-Failed-Recipients: x@other.example\n" + daemonFields +
			"\nIt could not be delivered:\n\n  x@other.example\n    host mx [192.0.2.9]: 550 Unknown user\n" +
			"\n------ This is a copy ------\n\nReturn-path: <t@trap.example>\nSubject: y\n", Bounce,
			[]string{markNull, markDaemon, "X-Failed-Recipients: x@other.example", markReturned}},
		{"Exim's warning", fromNull, daemonFields + "\nThe address is:\n\n  x@other.example\n" +
			"    Delay reason: SMTP error after MAIL FROM:<t@trap.example>:\n    450 come back later\n", Bounce,
			[]string{markNull, markDaemon, markFate}},
		{"qmail", fromNull, daemonFields + "\nHi.\n\n<x@other.example>:\nhost said: 550 no mailbox " +
			"(#5.1.1)\n\n--- Below this line\n\nReturn-Path: <t@trap.example>\nReceived: x\n", Bounce,
			[]string{markNull, markDaemon, markReturned}},
		{"Exchange 5.5", fromNull, daemonFields + "\nYour message\n\n  To:   x@other.example\n" +
			"  Subject: y\n  Sent:  Thu\n\ndid not reach\n", Bounce,
			[]string{markNull, markDaemon, markReturned}},
		{"a server's reply about a mailbox", fromNull, daemonFields +
			"\nhost said: 550 5.1.1 unknown user\n\nIt is:\nx@other.example\n", Bounce,
			[]string{markNull, markDaemon, markFate}},
		{"a server's reply with a mailbox", fromNull, daemonFields +
			"\n>>> RCPT TO:<x@other.example>\n<<< 550 <x@other.example>: User unknown\n", Bounce,
			[]string{markNull, markDaemon, markFate}},
		{"a mailbox of the server's", fromNull, daemonFields + "\nThis mailbox is full:\n  <x@mx.example>\n",
			Bounce, []string{markNull, markDaemon, markFate}},
		{"a daemon's name without an address", fromNull, "From: \"Mail Delivery System\" <>\n" +
			"To: t@trap.example\n\nReturned:\n\nReceived: x\nFrom: y@other.example\n", Bounce,
			[]string{markNull, "From: \"Mail Delivery System\" <>", markReturned}},
		{"a message of the reader's, by nobody known", fromNull, headerFields +
			"\nUndeliverable:\nFrom: T <t@trap.example>\nTo: x@other.example\nSubject: y\n", Bounce,
			[]string{markNull, markReturned}},
		{"a message returned as a bare part", fromNull, daemonFields + "Content-Type: multipart/mixed; " +
			"boundary=c\n\n--c\n\nSorry.\n--c\nReceived: x\nFrom: t@trap.example\n\nhello\n--c--\n", Bounce,
			[]string{markNull, markDaemon, markReturned}},
		{"old server with a reverse path", fromDaemon, daemonFields +
			"\nReturned:\n\nReceived: x\nFrom: t@trap.example\n", Bounce, []string{markDaemon, markReturned}},
		{"lines of an old Mac", fromNull, strings.ReplaceAll(daemonFields+
			"\nReturned:\n\nReceived: x\nFrom: t@trap.example\n", "\n", "\r"), Bounce,
			[]string{markNull, markDaemon, markReturned}},

		{"feedback report", fromNull, headerFields + multipart(reportARF, textPart, feedbackPart, reportedPart),
			Autoreply, []string{markNull, "message/feedback-report", markReturned}},
		{"feedback report about a message of the reader's", fromNull, headerFields +
			multipart(reportARF, textPart, feedbackPart, ownPart), Autoreply,
			[]string{markNull, "message/feedback-report", markReturned}},
		{"feedback loop with a reverse path", fromMailbox, headerFields +
			multipart(reportARF, textPart, feedbackPart, reportedPart), Autoreply,
			[]string{"message/feedback-report", markReturned}},
		{"feedback report that calls itself a bounce", fromNull, daemonFields +
			multipart(reportARF, textPart, feedbackPart, statusPart, ownPart), Autoreply,
			[]string{markNull, "message/feedback-report", markReturned}},
		{"Hotmail's complaint", fromMailbox, "From: staff@hotmail.com\nTo: t@trap.example\n" +
			"Subject: complaint about message from 203.0.113.77\n" + multipart("mixed", hotmailPart),
			Autoreply, []string{"From: staff@hotmail.com",
				"Subject: complaint about message from 203.0.113.77",
				"X-HmXmrOriginalRecipient in the returned message"}},

		{"read receipt", fromNull, "From: X <x@other.example>\nTo: t@trap.example\n" +
			multipart(reportMDN, textPart, receiptPart), Autoreply,
			[]string{markNull, "message/disposition-notification"}},
		{"read receipt by another of one's mailboxes", fromNull, headerFields + multipart(reportMDN, textPart,
			receiptPart+"Original-Message-ID: <1@trap.example>\n",
			"text/rfc822-headers\n\nMessage-ID: <1@trap.example>\n"), Autoreply,
			[]string{markNull, "message/disposition-notification"}},

		{"vacation", fromNull, "Auto-Submitted: auto-replied (vacation)\n" + reply + headerFields + plainBody,
			Autoreply, []string{markNull, "Auto-Submitted: auto-replied (vacation)",
				"In-Reply-To: <1@trap.example>"}},
		{"vacation in both forms of text", fromNull, "X-Autoreply: yes\nReferences: <1@trap.example>\n" +
			headerFields + multipart("alternative", textPart, officePart), Autoreply,
			[]string{markNull, "X-Autoreply: yes", "References: <1@trap.example>"}},
		{"cPanel", fromNull, "X-Precedence: auto_reply\n" + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "X-Precedence: auto_reply", "In-Reply-To: <1@trap.example>"}},
		{"Apple", fromNull, "X-Apple-Action: VACATION\n" + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "X-Apple-Action: VACATION", "In-Reply-To: <1@trap.example>"}},
		{"Exchange", fromNull, exchangeLoop + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "X-MS-Exchange-Inbox-Rules-Loop: a@example", "In-Reply-To: <1@trap.example>"}},
		{"Exchange, by its subject", fromNull, exchangeLoop + "From: a@example\nTo: t@trap.example\n" +
			"Subject: =?utf-8?q?R=C3=A9ponse?= =?utf-8?q?_automatique?=: y\n" + plainBody, Autoreply,
			[]string{markNull, "X-MS-Exchange-Inbox-Rules-Loop: a@example",
				"Subject: =?utf-8?q?R=C3=A9ponse?= =?utf-8?q?_automatique?=: y"}},

		{"list", fromList, "List-Id: <l.example>\nList-Post: x\nList-Unsubscribe: x\n" + headerFields +
			plainBody, List, []string{"List-Id: <l.example>", "reverse path <l-bounces@lists.example>",
			"List-Unsubscribe", "List-Post"}},
		{"ezmlm", Connection{Peer: peer, MailFrom: "l-return-7-t=trap.example@lists.example"},
			"Mailing-List: contact l-help@lists.example; run by ezmlm\nList-Post: x\nList-Help: x\n" +
				headerFields + plainBody, List, []string{
				"Mailing-List: contact l-help@lists.example; run by ezmlm",
				"reverse path <l-return-7-t=trap.example@lists.example>", "List-Post", "List-Help"}},
		{"vacation behind a list", fromNull, "Auto-Submitted: auto-replied\nList-Id: <l.example>\n" +
			"List-Post: x\nList-Unsubscribe: x\n" + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "Auto-Submitted: auto-replied", "In-Reply-To: <1@trap.example>"}},

		{"no connection, Return-Path", Connection{}, "Return-Path: <>\n" + daemonFields +
			multipart(reportDSN, textPart, statusPart), Bounce, []string{markNull, markDaemon, markStatus}},
		{"no connection, mbox", Connection{}, "From MAILER-DAEMON Tue Mar 15 10:30:00 2022\n" + daemonFields +
			multipart(reportDSN, textPart, statusPart), Bounce, []string{markNull, markDaemon, markStatus}},
		{"no source", fromRelay, headerFields + plainBody, Unknown, nil},
	} {
		c.run(t)
	}
}

// TestReturnPath: without a session the reverse path is what the delivering host wrote, above its
// own Received line. Whatever stands below that came with the message.
func TestReturnPath(t *testing.T) {
	const (
		null    = "Return-Path: <>\n"
		host    = "Received: from h (r [198.51.100.7]) by mx.example (Postfix) with ESMTP id A\n"
		another = "Received: from h (r [203.0.113.9]) by h (Postfix) with ESMTP id B\n"
	)
	report := daemonFields + multipart(reportDSN, textPart, statusPart)
	bounced := []string{markNull, markDaemon, markStatus}
	for _, c := range []causeCase{
		{"above the first line", Connection{}, null + host + report, Bounce, bounced},
		{"above it with others", Connection{}, "Delivered-To: x\n" + null + host + report, Bounce, bounced},
		{"below the first line", Connection{}, host + null + report, Direct, []string{markAlone}},
		{"below the second line", Connection{}, host + another + null + report, Relay, []string{markBelow}},
		{"two of them", Connection{}, "Return-Path: <a@sender.example>\n" + null + host + report, Direct,
			[]string{markAlone}},
		{"one below, in an mbox", Connection{}, "From a@sender.example Tue Mar 15 10:30:00 2022\n" + host +
			null + report, Direct, []string{markAlone}},
		{"none, in an mbox", Connection{}, "From MAILER-DAEMON Tue Mar 15 10:30:00 2022\n" + host + report,
			Bounce, bounced},
		{"with a session", fromMailbox, null + report, Direct, []string{markAlone}},
	} {
		c.run(t)
	}
}

// TestAutoFields: each field that calls a message an automatic answer does so with the null reverse
// path and the message that it answers, and not with another value, nor in spam.
func TestAutoFields(t *testing.T) {
	fields := map[string]struct{ value, other string }{
		"Auto-Submitted":        {"auto-replied; owner-email=a@example", "auto-generated"},
		"X-Autoreply":           {"yes", "no"},
		"X-Autorespond":         {"Away", ""},
		"X-AutoReply-From":      {"a@example", ""},
		"X-Mail-Autoreply":      {"a@example", ""},
		"Precedence":            {"auto_reply", "bulk"},
		"X-Precedence":          {"auto_reply", "list"},
		"X-Autogenerated":       {"Reply", "Mirror"},
		"X-FC-MachineGenerated": {"true", ""},
		"X-POST-MessageClass":   {"9; Autoresponder", "9; Mail"},
		"X-Apple-Action":        {"VACATION", "REDIRECT"},
		"Delivered-To":          {"Autoresponder", "t@trap.example"},
	}
	const rest = "References: <1@trap.example>\n" + headerFields
	for _, f := range autoFields {
		value, other := fields[f.name].value, fields[f.name].other
		causeCase{f.name, fromNull, f.name + ": " + value + "\n" + rest + plainBody, Autoreply,
			[]string{markNull, f.name + ": " + value, "References: <1@trap.example>"}}.run(t)
		for name, message := range map[string]string{
			"another value": f.name + ": " + other + "\n" + rest + plainBody,
			"answers none":  f.name + ": " + value + "\n" + headerFields + plainBody,
			"a link":        f.name + ": " + value + "\n" + rest + "\nhttp://sender.example\n",
		} {
			causeCase{f.name + ", " + name, fromNull, message, Direct, []string{markAlone}}.run(t)
		}
		causeCase{f.name + ", from a mailbox", fromMailbox, f.name + ": " + value + "\n" + rest + plainBody,
			Direct, []string{markAlone}}.run(t)
	}
}
