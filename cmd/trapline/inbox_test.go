package main

import (
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/admin"
)

// A letter is a stranger's: to a terminal it is text, whatever it holds; to a file it is what came.
func TestLettersDoNotDriveTheTerminal(t *testing.T) {
	const hostile = "Subject: \x1b]0;owned\x07\r\n\r\n\x1b[2J\u202erm -rf\r\n\x9b31m"
	l := admin.LetterText{Letter: admin.Letter{ID: 4, Kept: true, From: "\x1b[2J", Subject: "\u202ex",
		To: []string{"abuse\x1b"}}, Text: hostile, Raw: []byte(hostile)}
	for _, raw := range []bool{false, true} {
		var out strings.Builder
		a := &app{stdout: &out, screen: screen{columns: 80}}
		c := &inboxShowCmd{Raw: raw, ID: 4}
		if err := c.print(a, l); err != nil {
			t.Fatal(err)
		}
		printLetter(&out, l.Letter)
		plain := strings.ReplaceAll(strings.ReplaceAll(out.String(), "\n", ""), "\t", "")
		if printable(plain) != plain || !strings.Contains(out.String(), `\x1b[2J`) {
			t.Errorf("raw %v: %q", raw, out.String())
		}
	}
	var out strings.Builder
	if err := (&inboxShowCmd{Raw: true}).print(&app{stdout: &out}, l); err != nil || out.String() != hostile {
		t.Errorf("to a file: %q, %v", out.String(), err)
	}
}
