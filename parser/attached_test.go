package parser

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttached(t *testing.T) {
	multipart := func(parts ...string) string {
		return "Content-Type: multipart/mixed; boundary=\"b b\"\n\npreamble\n--b b\n" +
			strings.Join(parts, "\n--b b\n") + "\n--b b--\nepilogue\n"
	}
	const attachment = "Content-Type: message/rfc822\n\nSubject: inner\n\nhello"
	for _, c := range []struct {
		name, message string
		want          []string
	}{
		{"none", "Subject: x\n\nbody", nil},
		{"the message itself", attachment, []string{"Subject: inner\n\nhello"}},
		{"one", multipart("Content-Type: text/plain\n\nlook:", attachment),
			[]string{"Subject: inner\n\nhello\n"}},
		{"two", multipart(attachment, attachment), []string{"Subject: inner\n\nhello\n",
			"Subject: inner\n\nhello\n"}},
		{"type in capitals", multipart(strings.ReplaceAll(attachment, "message/rfc822",
			"Message/RFC822; name=x")), []string{"Subject: inner\n\nhello\n"}},
		{"header alone", multipart("Content-Type: text/rfc822-headers\n\nSubject: inner"),
			[]string{"Subject: inner\n"}},
		{"base64",
			multipart("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW5uZXIKCmhlbGxv"), []string{"Subject: inner\n\nhello"}},
		{"base64, cut off",
			multipart("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW5uZXIKCmhlbGxv!!"), []string{"Subject: inner\n\nhello"}},
		{"quoted-printable",
			multipart("Content-Type: message/rfc822\nContent-Transfer-Encoding: Quoted-Printable\n\nSubject: in=\nner=0A=0Ahello"), []string{"Subject: inner\n\nhello\n"}},
		{"no last delimiter", strings.TrimSuffix(multipart(attachment), "\n--b b--\nepilogue\n"),
			[]string{"Subject: inner\n\nhello"}},
		{"delimiter inside a line", multipart(attachment + "\nx --b b\n"),
			[]string{"Subject: inner\n\nhello\nx --b b\n\n"}},
		{"longer delimiter", multipart(attachment + "\n--b bb\n"),
			[]string{"Subject: inner\n\nhello\n--b bb\n\n"}},
		{"in an attached message", multipart("Content-Type: message/rfc822\n\n" +
			strings.ReplaceAll(multipart(attachment), "b b", "c")),
			[]string{strings.ReplaceAll(multipart(attachment), "b b", "c") + "\n"}},
		{"no boundary", "Content-Type: multipart/mixed\n\n--b\n" + attachment + "\n--b--\n", nil},
		{"CR only", strings.ReplaceAll(multipart(attachment), "\n", "\r"),
			[]string{"Subject: inner\r\rhello\r"}},
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

// TestAttachedBounds: no nesting and no number of parts costs more than it may.
func TestAttachedBounds(t *testing.T) {
	many := "Content-Type: multipart/mixed; boundary=b\n\n" +
		strings.Repeat("--b\nContent-Type: message/rfc822\n\nSubject: x\n\n", 10*maxParts)
	if n := len(Attached([]byte(many))); n != maxParts {
		t.Errorf("%d messages, want %d", n, maxParts)
	}

	nested := func(levels int) string {
		var b strings.Builder
		for i := range levels {
			name := strings.Repeat("b", i+1)
			b.WriteString("Content-Type: multipart/mixed; boundary=" + name + "\n\n--" + name + "\n")
		}
		return b.String() + "Content-Type: message/rfc822\n\nSubject: x\n"
	}
	if n := len(Attached([]byte(nested(maxLevels)))); n != 1 {
		t.Errorf("%d messages at level %d, want one", n, maxLevels)
	}
	if n := len(Attached([]byte(nested(maxLevels + 1)))); n != 0 {
		t.Errorf("%d messages beyond level %d, want none", n, maxLevels)
	}
	if n := len(Attached([]byte(nested(10000)))); n != 0 {
		t.Errorf("%d messages in a deep nest, want none", n)
	}
}

func TestMediaParam(t *testing.T) {
	for _, c := range []struct{ media, name, want string }{
		{`multipart/report; boundary="a;b"; report-type=x`, "report-type", "x"},
		{`multipart/report; boundary="a;b"; report-type=x`, "boundary", "a;b"},
		{`multipart/report;Boundary = "a\"b" ;x`, "boundary", `a"b`},
		{`multipart/report; boundary=a`, "report-type", ""},
		{`multipart/report; boundary="a`, "boundary", `"a`},
		{``, "boundary", ""},
	} {
		if got := media(c.media).param(c.name); got != c.want {
			t.Errorf("param %s of %q = %q, want %q", c.name, c.media, got, c.want)
		}
	}
}
