package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var secrets = Secrets{
	Addresses: []string{"old.sales@corp.example", `"john smith"@corp.example`, "submit.k3J9@reports.example",
		"info@lists.example", "bücher@bücher.example"},
	Domains: []string{"traps.example", "*.wild.example", "xn--strae-oqa.example"},
}

// TestHeader: what people need stays readable, and nothing else stays.
func TestHeader(t *testing.T) {
	r := New(secrets).For("old.sales@corp.example")
	for _, c := range []struct{ name, header, want string }{
		{"subject", "Subject: Cheap watches", "Subject: Cheap watches"},
		{"subject with numbers", "Subject: Re: 50% off 2 watches, only $19.99 until 24/12/2026!",
			"Subject: Re: 50% off 2 watches, only $19.99 until 24/12/2026!"},
		{"other letters", "Subject: =?utf-8?B?0J/RgNC40LLQtdGC?= =?utf-8?Q?,_=E4=B8=96=E7=95=8C?=",
			"Subject: Привет, 世界"},
		{"other character set", "Subject: =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?=", "Subject: Привет"},
		{"eight bits", "Subject: caf\xe9 caf\xc3\xa9", "Subject: café café"},
		{"from", `From: "Watch Shop, Inc." <info@mail.shop.example>`,
			`From: "Watch Shop, Inc." <info@mail.shop.example>`},
		{"from for one recipient", "From: Shop <news-8812345@k3j9x7.shop.example>",
			"From: Shop <[removed]@[removed].shop.example>"},
		{"from a trap", "From: old.sales@corp.example", "From: [removed]"},
		{"postfix", "Received: from mail.shop.example (unknown [203.0.113.7])\r\n" +
			"\tby mx.public.example (Postfix) with ESMTPS id 4XyZ12abc\r\n" +
			"\tfor <old.sales@corp.example>; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)",
			"Received: from mail.shop.example (unknown [203.0.113.7]) by mx.public.example (Postfix)" +
				" with ESMTPS id [removed] for [removed]; Mon, 23 Nov 2026 10:00:00 +0000 (UTC)"},
		{"exim", "Received: from [2001:db8::7] (port=40000 helo=WIN-SHOP) by mx.public.example with esmtpsa" +
			" (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256) (Exim 4.94.2) (envelope-from <a@shop.example>)" +
			" id 1kXyZ0-0001aB-Cd for a@b.example; Mon, 23 Nov 2026 10:00:00 +0000",
			"Received: from [2001:db8::7] (port=40000 helo=WIN-SHOP) by mx.public.example with esmtpsa" +
				" (TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256) (Exim 4.94.2) (envelope-from <[removed]@shop.example>)" +
				" id [removed] for [removed]; Mon, 23 Nov 2026 10:00:00 +0000"},
		{"our own name", "Received: from ec2-203-0-113-7.compute.shop.example (HELO x) (203.0.113.7)" +
			" by mx7.traps.example with SMTP; 23 Nov 2026 10:00:00 -0000",
			"Received: from ec2-203-0-113-7.compute.shop.example (HELO x) (203.0.113.7)" +
				" by [removed] with SMTP; 23 Nov 2026 10:00:00 -0000"},
		{"mailer", "X-Mailer: Microsoft Outlook Express 6.00.2900.2180",
			"X-Mailer: Microsoft Outlook Express 6.00.2900.2180"},
		{"mailer with a link", "X-Mailer: PHPMailer 5.2.22 (https://github.com/PHPMailer/PHPMailer)",
			"X-Mailer: PHPMailer 5.2.22 (https://github.com/[removed])"},
		{"script", "X-PHP-Originating-Script: 33:mailer.php(3) : eval()'d code",
			"X-PHP-Originating-Script: 33:mailer.php(3) : eval()'d code"},
		{"content type", "Content-Type: multipart/mixed; charset=utf-8; boundary=\"--=_Part_1\"; name*0=x",
			"Content-Type: multipart/mixed; charset=utf-8; boundary=[removed]; name*0=[removed]"},
		{"date", "Date: Mon, 23 Nov 2026 10:00:00 +0000", "Date: Mon, 23 Nov 2026 10:00:00 +0000"},
		{"unknown field", "X-Campaign: 12", "X-Campaign: [removed]"},
		{"identifiers", "Message-ID: <1@a.example>\nReferences: <2@a.example>\nTo: x\nDKIM-Signature: v=1\n" +
			"List-Unsubscribe: <https://a.example>\nReturn-Path: <a@b.example>",
			"Message-ID: [removed]\nReferences: [removed]\nTo: [removed]\nDKIM-Signature: [removed]\n" +
				"List-Unsubscribe: [removed]\nReturn-Path: [removed]"},
		{"name of a field", "X-oldsales: 1\nX-k3j9x7a8b2c4: 1\nX y: 1", strings.Repeat("[removed]: [removed]\n", 2) + "[removed]: [removed]"},
		{"no field", "From old.sales@corp.example Mon Nov 23\nSubject: x", "[removed]\nSubject: x"},
		{"line ends within", "Subject: a =?utf-8?Q?=0D=0AX-Forged:_b?= &#10;Bcc: c", "Subject: a  X-Forged: b  Bcc: c"},
		{"control characters", "Subject: a\x1b[31mb\x00c\u202ed", "Subject: a[31mbcd"},
		{"empty value", "Subject:\nDate: x", "Subject:\nDate: x"},
		{"carriage returns alone", "Subject: a\rDate: b\r\rbody", "Subject: a\nDate: b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(r.Header([]byte(c.header + "\r\n\r\nnot shown")))
			if diff := cmp.Diff(c.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestText: of bodies, too, people can read what is nobody's secret.
func TestText(t *testing.T) {
	r := New(secrets).For("old.sales@corp.example", "eda@traps.example")
	for _, c := range []struct{ name, text, want string }{
		{"ordinary", "Dear customer,\n\nthe removed items (2 of 3) ship on 20261124.\n", "=="},
		{"sums and signs", "a=b, x = 10, port=40000; 100% & more <3", "=="},
		{"links", "http://shop.example/u?id=1 and https://www.shop.example, or shop.example/x.",
			"http://shop.example/[removed] and https://www.shop.example, or shop.example/[removed]"},
		{"port and user", "http://bob:pw@shop.example:8080/", "http://shop.example:8080/"},
		{"link of a label", "http://u-991827.shop.example/", "http://[removed].shop.example/"},
		{"links of addresses", "http://203.0.113.7/x http://[2001:db8::7]/x", "http://203.0.113.7/[removed]"},
		{"html", "<p>Hi<br>there, <a href=\"https://shop.example/x\">click</a></p>",
			"Hithere, <https://shop.example/[removed]>click"},
		{"quoted-printable", "long=\r\n line=3D caf=C3=A9", "long line= café"},
		{"addresses", "bob@shop.example, mailto:bob@shop.example?subject=x",
			"[removed]@shop.example, [removed]@shop.example[removed]"},
		{"tokens", "ref 8829301 3f2a9c1b550e 550e8400-e29b-41d4-a716-446655440000 dGVzdHVzZXI= end",
			"ref [removed] end"},
		{"base64 part", "text\n\n" + strings.Repeat("bG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQgY29uc2Vj\n", 3) + "bG9y\n\nend",
			"text\n\n[removed]\n\nend"},
		{"short local part", "Hi Eda, he sold edamame", "Hi [removed], he sold edamame"},
		{"of another trap", "to john smith@corp.example and OLD-SALES", "to [removed] and [removed]"},
		{"common words", "for your information: our info desk", "=="},
		{"reporter", "cc submit.k3j9 and SUBMIT.K3J9@reports.example", "cc [removed] and [removed]"},
		{"below a wildcard", "at mail.a.wild.example or wild.example.", "at [removed] or [removed]"},
		{"other letters", "at bücher.example, xn--bcher-kva.example, straße.example", "at [removed], [removed], [removed]"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "==" {
				c.want = c.text
			}
			if diff := cmp.Diff(c.want, r.Text(c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddress(t *testing.T) {
	r := New(secrets).For("old.sales@corp.example")
	for _, c := range []struct{ name, address, want string }{
		{"null", "", ""},
		{"plain", "a@sender.example", "a@sender.example"},
		{"name", "anna.lee2@sender.example", "anna.lee2@sender.example"},
		{"return path", "b+old.sales=corp.example@sender.example", "[removed]"},
		{"return path of another", "b-17-other=shop.example@sender.example", "[removed]@sender.example"},
		{"number", "bounce-1122334@sender.example", "[removed]@sender.example"},
		{"trap", "Old.Sales@CORP.example", "[removed]"},
		{"host for one", "b@x7k2m9q4.sender.example", "b@[removed].sender.example"},
		{"no address", "x", "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := r.Address(c.address); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestWithoutRecipients: the traps of the configuration are found in anybody's mail.
func TestWithoutRecipients(t *testing.T) {
	r := New(secrets)
	for _, text := range []string{"old.sales@corp.example", "sales at corp.example",
		"OLD.SALES", "aW5mb0BsaXN0cy5leGFtcGxl", "info@lists.example", "info%40lists.example",
		"info at lists.example", "i.n.f.o @ lists . example"} {
		if got := r.Text(text); got != Marker && got != "sales at "+Marker {
			t.Errorf("%s: %s", text, got)
		}
	}
}
