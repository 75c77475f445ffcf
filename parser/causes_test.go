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
		"Final-Recipient: rfc822; x@other.example\nAction: failed\n"
	ownPart     = "message/rfc822\n\nReceived: x\nFrom: t@trap.example\n\nhello"
	foreignPart = "message/rfc822\n\nReceived: x\nFrom: y@other.example\n\nhello"

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
	const reply = "In-Reply-To: <1@trap.example>\n"
	for _, c := range []causeCase{
		{"delivery report", fromNull, daemonFields + multipart(reportDSN, textPart, statusPart, ownPart),
			Bounce, []string{markNull, markDaemon, markStatus, markReturned}},
		{"delivery report that calls itself automatic", fromNull, "Auto-Submitted: auto-replied\n" + reply +
			daemonFields + multipart(reportDSN, textPart, statusPart), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report under another name", fromNull, headerFields +
			multipart(reportDSN, textPart, statusPart, foreignPart), Bounce,
			[]string{markNull, markStatus, markReturned}},
		{"delivery report with HTML and a picture", fromNull, daemonFields +
			multipart(reportDSN, textPart, htmlPart, imagePart, statusPart), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report, international", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "delivery-status", "global-delivery-status")), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report in base64", fromNull, daemonFields + multipart(reportDSN, textPart,
			"message/delivery-status\nContent-Transfer-Encoding: base64\n\n"+
				"UmVwb3J0aW5nLU1UQTogZG5zOyBteAoKRmluYWwtUmVjaXBpZW50OiByZmM4\n"+
				"MjI7IHhAb3RoZXIuZXhhbXBsZQpBY3Rpb246IGZhaWxlZAo="), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report in quoted-printable", fromNull, daemonFields + multipart(reportDSN, textPart,
			"message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\nFinal-Recip=\n"+
				"ient: rfc822; x@other.example\nAction: failed\n"), Bounce,
			[]string{markNull, markDaemon, markStatus}},
		{"delivery report sent on", fromMailbox, daemonFields +
			multipart(reportDSN, textPart, statusPart, ownPart), Bounce,
			[]string{markDaemon, markStatus, markReturned}},
		{"report without a status, with the message", fromNull, daemonFields +
			multipart(reportDSN, htmlPart, ownPart), Bounce, []string{markNull, markDaemon, markReturned}},
		{"report of which the parts are lost", fromNull, daemonFields +
			"Content-Type: multipart/report; boundary=c\n\nFinal-Recipient: rfc822; x@other.example\n" +
			"Action: failed\n", Bounce, []string{markNull, markDaemon, markFate}},

		{"Exim", fromNull, "X-Failed-Recipients: x@other.example\n" + daemonFields + plainBody, Bounce,
			[]string{markNull, markDaemon, "X-Failed-Recipients: x@other.example"}},
		{"qmail", fromNull, daemonFields + "\nHi.\n\n<x@other.example>:\nno mailbox\n\n--- Below this line\n\n" +
			"Return-Path: <t@trap.example>\nReceived: x\n", Bounce,
			[]string{markNull, markDaemon, markFate, markReturned}},
		{"Exchange 5.5", fromNull, daemonFields + "\nYour message\n\n  To:   x@other.example\n" +
			"  Subject: y\n  Sent:  Thu\n\ndid not reach\n", Bounce,
			[]string{markNull, markDaemon, markReturned}},
		{"a server's reply", fromNull, daemonFields + "\nhost said: 550 5.1.1 unknown user\n", Bounce,
			[]string{markNull, markDaemon, markFate}},
		{"a mailbox on its own line", fromNull, daemonFields + "\nThis mailbox is full:\n  x@other.example\n",
			Bounce, []string{markNull, markDaemon, markFate}},
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

		{"feedback report", fromNull, headerFields + multipart(reportARF, textPart, feedbackPart, foreignPart),
			Autoreply, []string{markNull, "message/feedback-report", markReturned}},
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

		{"read receipt", fromNull, headerFields + multipart(reportMDN, textPart, receiptPart, ownPart),
			Autoreply, []string{markNull, "message/disposition-notification"}},

		{"vacation", fromNull, "Auto-Submitted: auto-replied (vacation)\n" + reply + headerFields + plainBody,
			Autoreply, []string{markNull, "Auto-Submitted: auto-replied (vacation)",
				"In-Reply-To: <1@trap.example>"}},
		{"vacation in both forms of text", fromNull, "X-Autoreply: yes\nReferences: <1@trap.example>\n" +
			headerFields + multipart("alternative", textPart, htmlPart), Autoreply,
			[]string{markNull, "X-Autoreply: yes", "References: <1@trap.example>"}},
		{"cPanel", fromNull, "X-Precedence: auto_reply\n" + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "X-Precedence: auto_reply", "In-Reply-To: <1@trap.example>"}},
		{"Apple", fromNull, "X-Apple-Action: VACATION\n" + reply + headerFields + plainBody, Autoreply,
			[]string{markNull, "X-Apple-Action: VACATION", "In-Reply-To: <1@trap.example>"}},
		{"Exchange", fromNull, "X-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: a@example\n" +
			headerFields + plainBody, Autoreply, []string{markNull, "X-MS-Exchange-Inbox-Rules-Loop: a@example",
			"X-Auto-Response-Suppress: All"}},
		{"by its subject", fromNull, reply + "From: a@example\nTo: t@trap.example\n" +
			"Subject: =?utf-8?q?R=C3=A9ponse?= =?utf-8?q?_automatique?=\n" + plainBody, Autoreply,
			[]string{markNull, "Subject: =?utf-8?q?R=C3=A9ponse?= =?utf-8?q?_automatique?=",
				"In-Reply-To: <1@trap.example>"}},

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
