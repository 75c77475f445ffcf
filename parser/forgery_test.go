package parser

import (
	"fmt"
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
	shop := "From: Shop <postmaster@sender.example>\nTo: t@trap.example\nSubject: Cheap watches\n"
	readerFields := "From: x@other.example\nTo: t@trap.example\n"
	hotmail := "To: t@trap.example\nSubject: complaint about message from 203.0.113.77\n"
	const quietPart = "text/html\n\nBuy."
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

		{"a postmaster's mail with a mailbox in it", fromNull, shop + "\nBuy at http://sender.example\n" +
			"sales@shop.example\n"},
		{"a postmaster's mail with a mailbox in brackets", fromNull, shop +
			"\nBuy at http://sender.example\n<sales@sender.example>\n"},
		{"a postmaster's mail with a mailbox of its domain", fromNull, shop +
			"\nBuy\nsales@sender.example\n"},
		{"a postmaster's mail with another's mailbox in brackets", fromNull, shop +
			"\nBuy\n<sales@shop.example>\n"},
		{"a postmaster's mail with a reply", fromNull, shop +
			"\nBuy at http://sender.example\nsales@shop.example\n550 5.1.1 dollars\n"},
		{"a postmaster's mail with a reply about nobody", fromNull, shop +
			"\nBuy\n550 5.1.1 dollars\n"},
		{"a postmaster's mail with a price and a mailbox", fromNull, shop +
			"\nBuy\nsales@shop.example\n500 dollars\n"},
		{"a postmaster's mail with a price in words and a mailbox", fromNull, shop +
			"\nIt costs 550 dollars.\nsales@shop.example\n"},
		{"a postmaster's mail with a number of parts and a mailbox", fromNull, shop +
			"\nIt costs 550 4.1.9 dollars.\nsales@shop.example\n"},
		{"a postmaster's mail with a reply about its reader", fromNull, shop +
			"\nt@trap.example\nhost said: 550 5.1.1 buy\n"},
		{"a postmaster's mail with a reply beside HTML", fromNull, shop +
			multipart("alternative", "text/plain\n\n550 5.1.1 x@other.example", quietPart)},
		{"a postmaster's mail with a report's fields", fromNull, shop +
			"\nBuy at http://sender.example\nFinal-Recipient: rfc822; x@other.example\nAction: failed\n"},
		{"a postmaster's mail with one field of a header", fromNull, shop +
			"\nBuy at http://sender.example\nReceived: x\n"},
		{"a postmaster's mail with one word in it again and again", fromNull, shop +
			"\nSubject: Buy\nSubject: at\nSubject: http://sender.example\n"},
		{"a postmaster's mail with X-Failed-Recipients", fromNull,
			"X-Failed-Recipients: x@other.example\n" + shop + "\nBuy at http://sender.example\n"},
		{"a postmaster's mail with a file", fromNull, shop +
			multipart("mixed", textPart, imagePart, ownPart)},
		{"nobody's mail with a mailbox in it", fromNull,
			"From: Shop <>\nTo: t@trap.example\n\nBuy\nsales@shop.example\n550 5.1.1 x@other.example\n"},
		{"nobody's mail about a message", fromNull, "From: Shop <>\nTo: t@trap.example\n" +
			"\nReturned:\n\nReceived: x\nFrom: y@other.example\nSubject: y\n"},
		{"an answer with an address of the web", fromNull, auto + reply + headerFields +
			"\nBuy at http://sender.example\n"},
		{"an answer with a host of the web", fromNull, auto + reply + headerFields +
			"\nBuy at WWW.sender.example\n"},
		{"an answer with an address behind much text", fromNull, auto + reply + headerFields +
			"\n" + strings.Repeat("Sorry. ", maxText/7) + "http://sender.example\n"},
		{"an answer in a character set of two bytes", fromNull, auto + reply + headerFields +
			"\nh\x00t\x00t\x00p\x00:\x00/\x00/\x00\n"},
		{"an answer in a coding of its own", fromNull, auto + reply + headerFields +
			"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 x\n"},
		{"an answer of two types", fromNull, auto + reply + headerFields +
			"Content-Type: text/plain\n" + htmlBody},
		{"an answer with a link", fromNull, auto + reply + headerFields +
			multipart("alternative", textPart, htmlPart)},
		{"an answer with a link without a scheme", fromNull, auto + reply + headerFields +
			multipart("alternative", textPart, "text/html\n\n<a\nHREF = '&#104;ttp:sender.example'>buy</a>")},
		{"an answer with a link behind much text", fromNull, auto + reply + headerFields +
			multipart("alternative", textPart, "text/html\n\n"+strings.Repeat("Sorry. ", maxText/7)+
				"<a href=x>buy</a>")},
		{"an answer in HTML alone, without a link", fromNull, auto + reply + headerFields +
			"Content-Type: " + quietPart},
		{"an answer with a picture", fromNull, auto + reply + headerFields +
			multipart("alternative", textPart, "text/html\n\n<img src=//sender.example/x>")},
		{"an answer with a form", fromNull, auto + reply + headerFields +
			multipart("alternative", textPart, "text/html\n\n<form action=x>")},
		{"an answer with parts that are not looked at", fromNull, auto + reply + headerFields +
			multipart("mixed", strings.Repeat(textPart+"\n--b 1\nContent-Type: ", maxParts)+htmlPart)},
		{"an answer with parts in parts that are not looked at", fromNull, auto + reply + headerFields +
			multipart("mixed", textPart, inParts(maxLevels, htmlPart))},
		{"a subject", fromNull, "References: <1@trap.example>\nSubject: Auto: cheap cars\n" +
			daemonFields + plainBody},
		{"a subject in another language", fromNull, reply + "From: a@example\nTo: t@trap.example\n" +
			"Subject: =?utf-8?q?R=C3=A9ponse_automatique?=\n" + plainBody},
		{"Exchange's loop", fromNull, "X-Auto-Response-Suppress: All\n" +
			"X-MS-Exchange-Inbox-Rules-Loop: a@example\n" + headerFields + plainBody},

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
		{"a report with a link", fromNull, headerFields + multipart(reportDSN, htmlPart, statusPart,
			ownPart)},
		{"a report with a link, by a daemon about another's message", fromNull, daemonFields +
			multipart(reportDSN, htmlPart, statusPart, foreignPart)},
		{"a report with a link that returns nothing", fromNull, daemonFields +
			multipart(reportDSN, textPart, htmlPart, statusPart)},
		{"a report with a link in parts that call themselves no report", fromNull, daemonFields +
			multipart("mixed", htmlPart, statusPart, ownPart)},
		{"a report with a link and half of Google's form", fromNull, "X-Failed-Recipients: " +
			"x@other.example\n" + daemonFields + multipart(reportDSN, textPart, htmlPart, foreignPart)},
		{"a report with a link and the other half", fromNull, "X-Failed-Recipients: x@other.example\n" +
			daemonFields + multipart(reportDSN, textPart, htmlPart, "message/delivery-status\n\n")},
		{"a message returned in HTML by anybody", fromNull,
			headerFields + multipart(reportDSN, quietPart, ownPart)},
		{"a message returned in HTML, in parts that call themselves no report", fromNull,
			daemonFields + multipart("mixed", quietPart, ownPart)},
		{"another's message returned in HTML", fromNull,
			daemonFields + multipart(reportDSN, quietPart, foreignPart)},
		{"a report with a program", fromNull, daemonFields +
			multipart(reportDSN, textPart, "application/zip\n\nx", statusPart, ownPart)},
		{"a status that returns nothing, in parts that call themselves no report", fromNull,
			daemonFields + multipart("mixed", textPart, statusPart)},
		{"a report of which only the form is there", fromNull, daemonFields +
			multipart(reportDSN, textPart, htmlPart, "message/delivery-status\n\n", ownPart)},
		{"a status of words", fromNull, daemonFields + multipart(reportDSN, textPart,
			"message/delivery-status\n\nReporting-MTA: x\n\nFinal-Recipient: rfc822; x\nAction: x\nStatus: x\n")},
		{"a status that contradicts itself", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "5.1.1", "2.0.0"))},
		{"a status that contradicts itself about a delay", fromNull, daemonFields + multipart(reportDSN,
			textPart, strings.ReplaceAll(statusPart, "failed", "delayed"))},
		{"a status in another form", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "5.1.1", "550.1"))},
		{"a status in letters", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, "5.1.1", "5.x.x"))},
		{"a status about nobody", fromNull, daemonFields + multipart(reportDSN, textPart,
			strings.ReplaceAll(statusPart, " x@other.example", ""))},
		{"a status in a report by anybody about another's message", fromNull, headerFields +
			multipart(reportDSN, textPart, statusPart, foreignPart)},
		{"a status with an address of the web in the text", fromNull, daemonFields +
			multipart(reportDSN, "text/plain\n\nBuy at http://sender.example", statusPart)},
		{"a status with an address of the web, and another's message", fromNull, daemonFields +
			multipart(reportDSN, "text/plain\n\nBuy at http://sender.example", statusPart, foreignPart)},
		{"a status with an address of the web, by nobody", fromNull, "To: t@trap.example\n" +
			multipart(reportDSN, "text/plain\n\nBuy at http://sender.example", statusPart)},
		{"a status by nobody in parts that call themselves no report", fromNull, "To: t@trap.example\n" +
			multipart("mixed", textPart, statusPart, ownPart)},
		{"a status alone in a message", fromNull,
			headerFields + "Content-Type: " + statusPart},
		{"parts of other types", fromNull,
			daemonFields + strings.ReplaceAll(multipart(reportDSN, htmlPart, statusPart,
				ownPart), "message/", "text/")},
		{"a report from a mailbox", fromMailbox,
			daemonFields + multipart(reportDSN, textPart, statusPart)},
		{"a report from a mailbox about another's message", fromMailbox, daemonFields +
			multipart(reportDSN, textPart, statusPart, foreignPart)},
		{"a report from a mailbox in parts that call themselves no report", fromMailbox, daemonFields +
			"Content-Type: multipart/report; boundary=\"b 1\"; report-type=x\n" +
			multipart("mixed", textPart, statusPart, ownPart)},
		{"a report from a mailbox that only returns a message", fromMailbox, daemonFields +
			multipart(reportDSN, textPart, ownPart)},
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
		{"a feedback report about another message", fromNull,
			headerFields + multipart(reportARF, textPart, feedbackPart, foreignPart)},
		{"a feedback report from a mailbox about a message of the reader's", fromMailbox,
			headerFields + multipart(reportARF, textPart, feedbackPart, ownPart)},
		{"a feedback report with a link", fromNull,
			headerFields + multipart(reportARF, htmlPart, feedbackPart, reportedPart)},
		{"a feedback report with a file", fromMailbox,
			headerFields + multipart(reportARF, textPart, imagePart, feedbackPart, reportedPart)},
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
		{"a receipt with a link", fromNull,
			readerFields + multipart(reportMDN, textPart, htmlPart, receiptPart)},
		{"a receipt with a file", fromNull,
			readerFields + multipart(reportMDN, textPart, imagePart, receiptPart)},
		{"a receipt by somebody else", fromNull,
			headerFields + multipart(reportMDN, textPart, receiptPart)},
		{"a receipt in a word", fromNull, readerFields + multipart(reportMDN, textPart,
			strings.ReplaceAll(receiptPart, "manual-action/MDN-sent-manually", "read"))},
		{"a receipt of words", fromNull, headerFields + multipart(reportMDN, textPart,
			"message/disposition-notification\n\nDisposition: x\nFinal-Recipient: x\n")},
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

// inParts is a part in as many multiparts, each the only part of the one around it.
func inParts(levels int, part string) string {
	for i := range levels {
		boundary := fmt.Sprint("inner", i)
		part = "multipart/mixed; boundary=" + boundary + "\n\n--" + boundary + "\nContent-Type: " + part +
			"\n--" + boundary + "--"
	}
	return part
}
