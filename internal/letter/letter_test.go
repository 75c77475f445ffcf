package letter

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/redact"
)

var redactor = redact.New(redact.Secrets{Domains: []string{"lagoon.example"}}).
	For("kestrel.quince@lagoon.example")

const complaint = "From: \"Ann Smith\" <ann@isp.example>\r\nTo: abuse@lagoon.example\r\n" +
	"Subject: Please delist 198.51.100.7\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
	"V2UgbWVuZGVkIG91ciBzZXJ2ZXIuCgpSZWdhcmRzCg==\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>We mended</p>\r\n" +
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Offer\r\nTo: kestrel.quince@lagoon.example\r\n\r\nBuy.\r\n" +
	"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n" +
	"--b\r\nContent-Type: image/png\r\n\r\n\x1b[2Jpng\r\n--b--\r\n"

func TestText(t *testing.T) {
	want := `From: "Ann Smith" <ann@isp.example>
To: [removed]
Subject: Please delist 198.51.100.7
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=[removed]

We mended our server.

Regards


---- message/rfc822
Subject: Offer
To: [removed]

---- message/feedback-report
Feedback-Type: abuse

---- image/png, 7 bytes, not shown
`
	if diff := cmp.Diff(strings.Replace(want, "\n\n\n", "\n\n---- text/html, 16 bytes, not shown\n\n", 1),
		Text([]byte(complaint), redactor)); diff != "" {
		t.Error(diff)
	}
	if got := From([]byte(complaint), redactor) + " " + Subject([]byte(complaint), redactor); got !=
		`"Ann Smith" <ann@isp.example> Please delist 198.51.100.7` {
		t.Error(got)
	}
}

func TestTextOfHTMLAlone(t *testing.T) {
	got := Text([]byte("Content-Type: text/html\n\n<p>Why are we <b>listed</b>?</p>\n"), redactor)
	if !strings.HasSuffix(got, "Why are we listed?\n") {
		t.Errorf("%q", got)
	}
}

// FuzzText: whatever strangers write, it is printable and has no secret.
func FuzzText(f *testing.F) {
	f.Add([]byte(complaint))
	f.Add([]byte("Subject: =?utf-8?q?kestrel=2Equince=40lagoon.example?=\n\n\x1b]0;x\x07 \xff kestrel quince"))
	f.Add([]byte("Content-Type: kestrel.quince/lagoon\n\nx"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, message []byte) {
		text := Text(message, redactor) + From(message, redactor) + Subject(message, redactor)
		for _, c := range text {
			if c < ' ' && c != '\n' || c == 0x7f {
				t.Errorf("%q is shown", c)
			}
		}
		for _, secret := range []string{"kestrel.quince", "kestrelquince", "lagoon.example"} {
			if strings.Contains(strings.ToLower(text), secret) {
				t.Errorf("%s is shown: %s", secret, text)
			}
		}
	})
}
