package parser

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		name, message string
		want          []string
	}{
		{"no type", "Subject: x\n\nHello.\n", []string{"text/plain: Hello.\n"}},
		{"no body", "Subject: x\n", []string{"text/plain: "}},
		{"coded", "Content-Type: TEXT/HTML; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPGI+SGk8L2I+\n",
			[]string{"text/html: <b>Hi</b>"}},
		{"parts", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nOne.\n--b\nContent-Type: message/rfc822\n\n" +
			"Subject: inner\n\nTwo.\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: quoted-printable\n\n=89PNG\n--b--\n",
			[]string{"text/plain: One.", "message/rfc822: Subject: inner\n\nTwo.", "image/png: \x89PNG"}},
		{"cut", "Subject: x\n\n" + strings.Repeat("long ", 100), []string{"text/plain: " + strings.Repeat("long ", 8)}},
	} {
		var got []string
		for _, p := range Pieces([]byte(c.message), 40) {
			got = append(got, p.Type+": "+string(p.Content))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
