package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSay: what is said is a line where programs read it, and as wide as the terminal where people do.
func TestSay(t *testing.T) {
	const long = "warning: no reputation points are imported, and hardly any network of é is excepted"
	tests := []struct {
		name string
		talk screen
		want string
	}{
		{"in a pipe", screen{}, "trapline: " + long + "\n"},
		{"in a terminal", screen{columns: 50, terminal: true},
			"trapline: warning: no reputation points are\n" +
				"          imported, and hardly any network of é is\n" +
				"          excepted\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			a := &app{stderr: &out, talk: tt.talk}
			if code := a.fail(errors.New(long)); code != exitFailed {
				t.Error(code)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestColours: none but on a terminal, and none there where they are not wanted.
func TestColours(t *testing.T) {
	if got := (screen{}).paint(good, "ok"); got != "ok" {
		t.Errorf("paints a pipe: %q", got)
	}
	if got := (screen{colour: true, terminal: true}).paint(good, "ok"); got != "\x1b[32mok\x1b[0m" {
		t.Errorf("got %q", got)
	}
}
