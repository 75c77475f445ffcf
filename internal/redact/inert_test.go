package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInert(t *testing.T) {
	for _, c := range []struct{ name, field, value, want string }{
		{"words", "subject", "RE: Don't miss it - 50% off, only today!", "=="},
		{"short numbers", "Subject", "2 of 10,000 at 12:30", "=="},
		{"words of others", "Subject", "Распродажа für Häuser 今日", "=="},
		{"encoded", "Subject", "=?utf-8?q?Caf=C3=A9?= &amp; Bar", "Café & Bar"},
		{"a trap's local part, a plain word", "Subject", "sales and submit", "=="},
		{"domains", "Subject", "at alpha.example bravo.example, (corp.example) delta.example",
			"at [removed]"},
		{"domains below signs", "Subject", "x (corp).example .example corp。example", "x [removed]"},
		{"addresses", "Subject", "to old.sales@corp.example old.sales or sales@", "to [removed] or [removed]"},
		{"links", "Subject", "see https://shop.example/x and shop/x", "see [removed] and [removed]"},
		{"codes", "Subject", "ref 8829301 3f2a9c1b550e dGVzdHVzZXI= dHJhcHN4 a_b x=1 end", "ref [removed] end"},
		{"a long word", "Subject", "a " + strings.Repeat("abcd", 5), "a [removed]"},
		{"dots alone", "Subject", "traps . example", "traps [removed] example"},
		{"a Marker", "Subject", "[removed] [removed] a[removed]", "[removed]"},
		{"a mailer", "X-Mailer", "PHPMailer 5.2.22 (https://github.com/PHPMailer/PHPMailer)",
			"PHPMailer 5.2.22 [removed]"},
		{"a longer version", "X-Mailer", "Microsoft Outlook 16.0.4266.1001", "Microsoft Outlook [removed]"},
		{"a script", "X-PHP-Originating-Script", "33:mailer.php(3) : eval()'d code", "[removed] : [removed] code"},
		{"encodings", "Content-Transfer-Encoding", "quoted-printable 7bit base64", "=="},
		{"a type", "Content-Type", "Text/HTML; charset=corp.example", "text/html"},
		{"a made type", "Content-Type", "corp/example", Marker},
		{"no type", "Content-Type", ";;", Marker},
		{"From", "From", "Shop <info@shop.example>", ""}, {"HELO", "HELO", "mail.shop.example", ""},
		{"a made field", "X-corpexample", "x", ""}, {"empty", "Subject", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "==" {
				c.want = c.value
			}
			if diff := cmp.Diff(c.want, Inert(c.field, c.value)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestInertHeader: of fields that are not known, not even the number is told.
func TestInertHeader(t *testing.T) {
	got := InertHeader([]byte("X-alphaexample: a\r\nX-corpexample: b\r\nSUBJECT : Cheap\r\n corp.example\r\n" +
		"From: a@shop.example\r\nno field\r\nMime-Version: 1.0\r\n\r\nSubject: body\r\n"))
	if diff := cmp.Diff([]string{"Subject: Cheap [removed]", "MIME-Version: 1.0"}, got); diff != "" {
		t.Error(diff)
	}
	many := strings.Repeat("X: y\n", maxFields) + "Subject: x\n"
	if got := InertHeader([]byte(many)); got != nil {
		t.Errorf("beyond the bound: %q", got)
	}
}

func TestNames(t *testing.T) {
	r := New(Secrets{Domains: []string{"*.Lake.example", "bücher.example", "nodot", "1.2"},
		Addresses: []string{"a@corp.example"}}).For("b@pond.example")
	for text, want := range map[string]bool{"at LAKE.example": true, "xlake.examples": true, "corp.example": true,
		"pond.example": true, "BÜCHER.example": true, "xn--bcher-kva.example": true, "corp example": false,
		"corp. example": false, "corpexample": false, "nodot": false, "1.2": false, "": false} {
		if got := r.Names(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzInert: whatever strangers are shown can be printed, is done, and names none of the domains
// that the text is made of, were they all secret.
func FuzzInert(f *testing.F) {
	for _, s := range []string{"alpha.example bravo.example, (c).example", "a@b.cd =?utf-8?q?x=2Eexample?=",
		"Cheap pills. example 5.2.22 1.a", "\ufdfa \u2024example x\u2024example", "[removed]a.bc &#46;example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, field := range []string{"Subject", "Content-Type"} {
			shown := Inert(field, s)
			if again := Inert(field, shown); again != shown {
				t.Errorf("%q is not done: %q, then %q", s, shown, again)
			}
			if strings.ContainsFunc(shown, isUnprintable) || strings.Contains(shown, "@") {
				t.Errorf("%q becomes %q", s, shown)
			}
			words := strings.FieldsFunc(s+" "+printable(s), isBreak)
			if New(Secrets{Domains: words, Addresses: words}).For(words...).Names(shown) {
				t.Errorf("%q names a domain: %q", s, shown)
			}
		}
	})
}
