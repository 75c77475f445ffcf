package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// TestJSONShowsNothingUnseen: what would do something to a terminal is escaped in JSON, means the
// same, and all the rest is as it was.
func TestJSONShowsNothingUnseen(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"ASCII", `a b>"\`, `"a b>\"\\"`},
		{"letters", "é漢🙂", `"é漢🙂"`},
		{"ESC", "\x1b[31m", `"\u001b[31m"`},
		{"DEL", "a\x7fb", `"a\u007fb"`},
		{"C1", "a\u009b31m\u0085", `"a\u009b31m\u0085"`},
		{"direction of writing", "a\u202eb\u2066c\u200f", `"a\u202eb\u2066c\u200f"`},
		{"no width", "a\u200bb\ufeffc\u00ad", `"a\u200bb\ufeffc\u00ad"`},
		{"line ends", "a\u2028b\u2029c\n", `"a\u2028b\u2029c\n"`},
		{"beyond the first plane", "a\U000e0041b", `"a\udb40\udc41b"`},
		{"other blanks", "a\u00a0b\u3000", `"a\u00a0b\u3000"`},
		{"no text", "a\xffb", `"a\ufffdb"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := jsonTo(&out).Encode(c.text); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSuffix(out.String(), "\n"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			var back string
			if err := json.Unmarshal(out.Bytes(), &back); err != nil ||
				back != string([]rune(c.text)) {
				t.Errorf("read back as %q, %v", back, err)
			}
		})
	}
}

// FuzzJSON: any text comes back out of the JSON, and no control or format character is in it.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"", "a\u009b", "\u202e\U000e0041", "\xff\x9b", "\ud7ff\ue000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		if err := jsonTo(&out).Encode(text); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(out.String(), "\n")
		if i := strings.IndexFunc(line, func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
		}); i >= 0 {
			t.Errorf("%q holds an unseen character at %d", line, i)
		}
		var back string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil ||
			back != string([]rune(text)) { // each byte that is no text is U+FFFD
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
	})
}

// TestEscaperTellsErrors: an error of the writer below is not lost.
func TestEscaperTellsErrors(t *testing.T) {
	for _, text := range []string{"a", "\u202e"} {
		if err := jsonTo(brokenPipe{}).Encode(text); !errors.Is(err, errPipe) {
			t.Errorf("%q: error = %v", text, err)
		}
	}
}

var errPipe = errors.New("pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }
