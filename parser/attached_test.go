package parser

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttached(t *testing.T) {
	mixed := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=\"b b\"\n\npreamble\n--b b\n" +
			strings.Join(parts, "\n--b b\n") + "\n--b b--\nepilogue\n"
	}
	encoded := func(coding, body string) string {
		return "Content-Type: message/rfc822\nContent-Transfer-Encoding: " + coding + "\n\n" + body
	}
	const attachment = "Content-Type: message/rfc822\n\nSubject: inner\n\nhello"
	for _, c := range []struct {
		name, message string
		want          []string
	}{
		{"none", "Subject: x\n\nbody", nil},
		{"the message itself", attachment, []string{"Subject: inner\n\nhello"}},
		{"one", mixed("Content-Type: text/plain\n\nlook:", attachment),
			[]string{"Subject: inner\n\nhello"}},
		{"two", mixed(attachment, attachment), []string{"Subject: inner\n\nhello",
			"Subject: inner\n\nhello"}},
		{"type in capitals", mixed(strings.ReplaceAll(attachment, "message/rfc822",
			"Message/RFC822; name=x")), []string{"Subject: inner\n\nhello"}},
		{"header alone", mixed("Content-Type: text/rfc822-headers\n\nSubject: inner"),
			[]string{"Subject: inner"}},
		{"base64", mixed(encoded("base64", "U3ViamVjdDogaW5uZXIKCmhlbGxv")),
			[]string{"Subject: inner\n\nhello"}},
		{"base64 in an indented column", mixed(encoded("BASE64", "  U3ViamVjdDog\n  aW5uZXIKCmhlbGxv")),
			[]string{"Subject: inner\n\nhello"}},
		{"base64, cut off", mixed(encoded("base64", "U3ViamVjdDogaW5uZXIKCmhlbGxv!!")),
			[]string{"Subject: inner\n\nhello"}},
		{"quoted-printable", mixed(encoded("Quoted-Printable", "Subject: in=\nner=0A=0Ahello")),
			[]string{"Subject: inner\n\nhello"}},
		{"quoted-printable, with a remark", mixed(encoded("quoted-printable (x)", "Subject: in=\nner")),
			[]string{"Subject: inner"}},
		{"no coding at all", mixed(encoded("8bit", "Subject: inner")), []string{"Subject: inner"}},
		{"a coding that is none", mixed(encoded("x-uuencode", "Subject: inner")),
			[]string{"Subject: inner"}},
		{"a coding that begins like one", mixed(encoded("base64x", "Subject: inner")), []string{""}},
		{"no delimiter", "Content-Type: multipart/mixed; boundary=b\n\n" + attachment, nil},
		{"no last delimiter", strings.TrimSuffix(mixed(attachment), "\n--b b--\nepilogue\n"),
			[]string{"Subject: inner\n\nhello"}},
		{"delimiter inside a line", mixed(attachment + "\nx --b b\n"),
			[]string{"Subject: inner\n\nhello\nx --b b\n"}},
		{"longer delimiter", mixed(attachment + "\n--b bb\n"),
			[]string{"Subject: inner\n\nhello\n--b bb\n"}},
		{"in an attached message", mixed("Content-Type: message/rfc822\n\n" +
			strings.ReplaceAll(mixed(attachment), "b b", "c")),
			[]string{strings.ReplaceAll(mixed(attachment), "b b", "c")}},
		{"no boundary", "Content-Type: multipart/mixed\n\n--b\n" + attachment + "\n--b--\n", nil},
		{"CR only", strings.ReplaceAll(mixed(attachment), "\n", "\r"),
			[]string{"Subject: inner\r\rhello"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range Attached([]byte(c.message)) {
				got = append(got, string(m))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}
