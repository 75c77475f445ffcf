package parser

import (
	"strings"
	"testing"
)

// TestForgeries: whoever adds what bounces and answers have, but not all of it, is told how the
// message was injected, as if nothing had been added.
func TestForgeries(t *testing.T) {
	const (
		auto  = "Auto-Submitted: auto-replied\n"
		reply = "In-Reply-To: <1@trap.example>\n"
	)
	phish := daemonFields + "Subject: Undelivered Mail Returned to Sender\n"
	hotmail := "To: t@trap.example\nSubject: complaint about message from 203.0.113.77\n"
	for _, f := range []struct {
		name    string
		conn    Connection
		message string
	}{
		{"Auto-Submitted", fromMailbox, auto + headerFields + plainBody},
		{"Auto-Submitted, null sender", fromNull, auto + headerFields + plainBody},
		{"an answer from a mailbox", fromMailbox, auto + reply + headerFields + plainBody},
		{"an answer from a daemon's mailbox", fromDaemon,
			auto + reply + headerFields + plainBody},
		{"an answer in HTML alone", fromNull, auto + reply + headerFields + htmlBody},
		{"an answer with a file", fromNull,
			auto + reply + headerFields + multipart("mixed", textPart, imagePart)},
		{"an answer that passes a message on", fromNull,
			auto + reply + headerFields + multipart("mixed", textPart, foreignPart)},
		{"an answer to nothing", fromNull,
			auto + "In-Reply-To: x\n" + headerFields + plainBody},
		{"an answer by no machine", fromNull, reply + headerFields + plainBody},
		{"Auto-Submitted: no", fromNull,
			"Auto-Submitted: no\n" + reply + headerFields + plainBody},
		{"Auto-Submitted: auto-generated", fromNull,
			"Auto-Submitted: auto-generated\n" + reply + headerFields + plainBody},
		{"X-Autoreply", fromMailbox,
			"X-Autoreply: yes\n" + reply + headerFields + plainBody},
		{"X-Autoreply, empty", fromNull,
			"X-Autoreply:\n" + reply + headerFields + plainBody},
		{"Precedence: bulk", fromNull,
			"Precedence: bulk\n" + reply + headerFields + plainBody},
		{"Precedence: junk from a mailbox", fromMailbox,
			"Precedence: junk\n" + reply + headerFields + plainBody},
		{"a wish for no answers", fromNull,
			"X-Auto-Response-Suppress: All\nPrecedence: bulk\n" + reply + headerFields + plainBody},
		{"Exchange's loop of somebody else", fromNull,
			"X-Auto-Response-Suppress: All\nX-MS-Exchange-Inbox-Rules-Loop: b@example\n" +
				headerFields + plainBody},
		{"a subject from a mailbox", fromMailbox,
			reply + "Subject: Out of Office\n" + daemonFields + plainBody},
		{"a subject, null sender", fromNull,
			"Subject: Out of Office\n" + daemonFields + plainBody},

		{"null sender", fromNull, headerFields + plainBody},
		{"null sender and HTML", fromNull, headerFields + htmlBody},
		{"a daemon's name", fromMailbox, phish + plainBody},
		{"a daemon's name, null sender", fromNull, phish + plainBody},
		{"a daemon's name, HTML with a reply", fromNull,
			phish + "Content-Type: text/html\n\n550 5.1.1 x@other.example\n"},
		{"a daemon's name, HTML beside text", fromNull,
			phish + multipart("alternative",
				"text/plain\n\n<x@other.example>: 550 5.1.1 unknown", htmlPart)},
		{"a daemon's name, the reader's own mailbox", fromNull, phish +
			"\n<t@trap.example>\nconfirm your account\n"},
		{"a daemon's name, numbers", fromNull, phish + "\n500 free coins, 450 more\n"},
		{"a daemon's display name", fromNull,
			"From: MAILER-DAEMON <a@sender.example>\nTo: t@trap.example\n\n550 5.1.1 x@other.example\n"},
		{"nobody's name", fromNull, "To: t@trap.example\n\n550 5.1.1 x@other.example\n"},
		{"a daemon's mail under an unknown reverse path", Connection{Peer: peer},
			phish + "\nReceived: x\nFrom: t@trap.example\n"},
		{"X-Failed-Recipients", fromNull,
			"X-Failed-Recipients: x@other.example\n" + headerFields + plainBody},
		{"X-Failed-Recipients, with a file", fromNull,
			"X-Failed-Recipients: x@other.example\n" + daemonFields + multipart("mixed",
				textPart, imagePart)},
		{"X-Failed-Recipients of nobody", fromNull,
			"X-Failed-Recipients: yes\n" + daemonFields + plainBody},
		{"a returned message in another's name", fromNull, headerFields +
			"\nFrom: y@other.example\nTo: x@other.example\nSubject: y\n"},

		{"an empty report", fromNull, daemonFields + multipart(reportDSN, textPart)},
		{"a report around HTML", fromNull, daemonFields + multipart(reportDSN, htmlPart)},
		{"a report around an empty status", fromNull,
			daemonFields + multipart(reportDSN, htmlPart, "message/delivery-status\n\n")},
		{"a status without a recipient", fromNull,
			daemonFields + multipart(reportDSN, htmlPart,
				"message/delivery-status\n\nReporting-MTA: dns; mx\nAction: failed\n")},
		{"a status without an action", fromNull,
			daemonFields + multipart(reportDSN, htmlPart,
				"message/delivery-status\n\nFinal-Recipient: rfc822; x@other.example\n")},
		{"a status with the words elsewhere", fromNull,
			daemonFields + multipart(reportDSN, htmlPart,
				"message/delivery-status\n\nX: Final-Recipient: rfc822; x\nX: Action: failed\n")},
		{"a status by anybody about nothing", fromNull,
			headerFields + multipart(reportDSN, htmlPart, statusPart)},
		{"a status alone in a message", fromNull,
			headerFields + "Content-Type: " + statusPart},
		{"parts of other types", fromNull,
			daemonFields + strings.ReplaceAll(multipart(reportDSN, htmlPart, statusPart,
				ownPart), "message/", "text/")},
		{"a report from a mailbox", fromMailbox,
			daemonFields + multipart(reportDSN, textPart, statusPart)},
		{"a report from a mailbox about another's message", fromMailbox, daemonFields +
			multipart(reportDSN, textPart, statusPart, foreignPart)},
		{"a report from a mailbox by anybody", fromMailbox,
			headerFields + multipart(reportDSN, textPart, statusPart, ownPart)},
		{"a report in a forwarded message", fromNull,
			headerFields + multipart("mixed", textPart,
				"message/rfc822\n\nFrom: y@other.example\n"+
					strings.ReplaceAll(multipart(reportDSN, statusPart), "b 1", "b 2"))},
		{"a stranger's Return-Path", fromMailbox, "Return-Path: <>\n" + daemonFields +
			multipart(reportDSN, textPart, statusPart)},

		{"a feedback report about nothing", fromNull,
			headerFields + multipart(reportARF, htmlPart, feedbackPart)},
		{"a feedback report without a version", fromNull,
			headerFields + multipart(reportARF, htmlPart,
				"message/feedback-report\n\nFeedback-Type: abuse\n", foreignPart)},
		{"a feedback report from a mailbox about another message", fromMailbox,
			headerFields +
				multipart(reportARF, htmlPart, feedbackPart, foreignPart)},
		{"a feedback report that says nothing", fromMailbox,
			headerFields + multipart(reportARF, htmlPart,
				"message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n", reportedPart)},
		{"Hotmail's complaint by anybody", fromMailbox,
			"From: a@example\n" + hotmail + multipart("mixed", hotmailPart)},
		{"Hotmail's complaint with a text", fromMailbox,
			"From: staff@hotmail.com\n" + hotmail + multipart("mixed", textPart, hotmailPart)},
		{"Hotmail's complaint with HTML", fromMailbox,
			"From: staff@hotmail.com\n" + hotmail + multipart("mixed", htmlPart, hotmailPart)},
		{"Hotmail's complaint without its note", fromMailbox,
			"From: staff@hotmail.com\n" + hotmail +
				multipart("mixed", foreignPart)},
		{"a receipt from a mailbox", fromMailbox,
			headerFields + multipart(reportMDN, textPart, receiptPart)},
		{"a receipt of nothing", fromNull,
			headerFields + multipart(reportMDN, htmlPart,
				"message/disposition-notification\n\n")},
		{"a receipt without a recipient", fromNull,
			headerFields + multipart(reportMDN, htmlPart,
				"message/disposition-notification\n\nDisposition: x; displayed\n")},

		{"List-Id", fromMailbox, "List-Id: <l.example>\n" + headerFields + plainBody},
		{"List-Id, null sender", fromNull,
			"List-Id: <l.example>\nList-Post: x\nList-Help: x\n" + headerFields + plainBody},
		{"List-Id and bounces", fromList,
			"List-Id: <l.example>\nList-Unsubscribe: x\n" + headerFields + plainBody},
		{"a list's fields from anybody", fromMailbox,
			"List-Id: <l.example>\nList-Post: x\nList-Help: x\n" + headerFields + plainBody},
		{"a list's fields without an id", fromList,
			"List-Post: x\nList-Help: x\nPrecedence: list\n" + headerFields + plainBody},
	} {
		below := "Received: from h (r [203.0.113.9]) by m (Postfix) with ESMTP id A; " +
			"Tue, 15 Mar 2022 10:30:00 +0000\n"
		causeCase{f.name, f.conn, f.message, Direct, []string{markAlone}}.run(t)
		causeCase{f.name + ", relayed", f.conn, below + f.message, Relay, []string{markBelow}}.run(t)
	}
}
