package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// model is what may be typed.
func model(t *testing.T) *kong.Kong {
	t.Helper()
	k, err := new(app).grammar(new(cli), nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestExamples: the help of each verb has an example, which is a command line of that verb.
func TestExamples(t *testing.T) {
	for _, verb := range model(t).Model.Leaves(false) {
		t.Run(verb.Path(), func(t *testing.T) {
			examples, _ := examplesOf(verb)
			if len(examples) == 0 {
				t.Errorf("Help does not begin with an example: %q", verb.Detail)
			}
			for _, example := range examples {
				checkExample(t, verb, example)
			}
		})
	}
}

// checkExample has an example read as typed.
func checkExample(t *testing.T, verb *kong.Node, example string) {
	t.Helper()
	typed, _, _ := strings.Cut(example, " >")
	words := argumentsOf(typed)
	for i := range words {
		words[i] = strings.Trim(words[i], `"`)
	}
	if words[0] != "trapline" {
		t.Fatalf("no command line: %q", example)
	}
	ctx, err := model(t).Parse(words[1:])
	if err != nil {
		t.Fatalf("%s: %v", example, err)
	}
	if got := ctx.Selected().Path(); got != verb.Path() {
		t.Errorf("%s is an example of %s", example, got)
	}
}

// TestHelp: it keeps the width of the terminal, and the example can be copied.
func TestHelp(t *testing.T) {
	for _, columns := range []int{0, 72, 200} {
		var out bytes.Buffer
		a := &app{stdout: &out, stderr: &out, screen: screen{columns: columns}}
		if code := a.run([]string{"except", "import", "--help"}); code != exitDone {
			t.Fatal(code, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if len(line)-1 > a.screen.width() {
				t.Errorf("%d wide: %s", columns, line)
			}
		}
		_, example, _ := strings.Cut(out.String(), "\nExample: ")
		joined := strings.Join(strings.Fields(strings.ReplaceAll(example, "\\\n", "")), " ")
		const want = `trapline except import --source dnswl --min-trust 1 ` +
			`--reason "known mail servers" rbldnsd-dnswl`
		if diff := cmp.Diff(want, joined); diff != "" {
			t.Error(diff)
		}
		for _, line := range strings.Split(strings.TrimSpace(example), "\n")[:1] {
			if columns < 200 && !strings.HasSuffix(line, ` \`) {
				t.Errorf("a shell would stop behind %s", line)
			}
		}
	}
}

func TestContinued(t *testing.T) {
	tests := []struct {
		name, command string
		width         int
		want          []string
	}{
		{"short", "a b", 80, []string{"a b"}},
		{"cut", "aaaa bbbb cccc", 11, []string{`aaaa bbbb \`, `  cccc`}},
		{"not within quotes", `aaaa "bbbb cccc" d`, 11, []string{`aaaa \`, `  "bbbb cccc" \`, `  d`}},
		{"a word too wide", "aaaaaaaaaaaaaaaa b", 5, []string{`aaaaaaaaaaaaaaaa \`, `  b`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, continued(tt.command, tt.width)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
