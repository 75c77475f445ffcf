package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// forged are the arguments that trace the example of the manual, from the top of the module.
var forged = []string{"trace", "--peer", "192.0.2.10", "--helo", "backup.traps.example",
	"--at", "2026-11-23T10:00:05Z", "--trust", "192.0.2.10=backup.traps.example",
	"testdata/trace/forged.eml"}

// outputOf runs a command line on a screen, at the top of the module.
func outputOf(t *testing.T, s screen, args ...string) string {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	var out, complaints bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &complaints, screen: s,
		now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}
	if code := a.run(args); code != exitDone || complaints.Len() > 0 {
		t.Fatalf("exit %d, %s", code, &complaints)
	}
	return out.String()
}

// TestTraceInColour: in a terminal, colours say what the words say.
func TestTraceInColour(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("testdata", "trace-colour.golden"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(outputOf(t, screen{columns: 60, colour: true}, forged...), "\x1b", "ESC")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("trace in colour (-want +got, -update to accept):\n%s", diff)
	}
}

// TestColoursAddNothing: without them the text is the same.
func TestColoursAddNothing(t *testing.T) {
	args := forged
	coloured := outputOf(t, screen{colour: true}, args...)
	for _, look := range []style{good, blamed, boundary, doubted, odd, "0"} {
		code := "\x1b[" + string(look) + "m"
		if !strings.Contains(coloured, code) {
			t.Errorf("no %q in the output", code)
		}
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	var out bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &out, now: time.Now}
	if code := a.run(args); code != exitDone {
		t.Fatalf("exit %d, %s", code, &out)
	}
	if diff := cmp.Diff(out.String(), coloured); diff != "" {
		t.Errorf("in a pipe and in a terminal (-pipe +terminal):\n%s", diff)
	}
}

// TestScreenOfNoTerminal: files and pipes get neither colours nor another width.
func TestScreenOfNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	environment := func(string) string { return "" }
	if got := screenOf(file, environment); got != (screen{}) || got.width() != usualColumns {
		t.Errorf("screen of a file = %+v, width %d", got, got.width())
	}
}

// TestScreenOfTerminal: it has its own width, and colours unless they are not wanted.
func TestScreenOfTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	defer func() { _ = terminal.Close() }() // nothing was written
	size := &unix.Winsize{Row: 24, Col: 100}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		env    map[string]string
		colour bool
	}{
		{"any", map[string]string{"TERM": "xterm"}, true},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		{"empty NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true},
		{"dumb", map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			getenv := func(name string) string { return c.env[name] }
			if got := screenOf(terminal, getenv); got != (screen{columns: 100, colour: c.colour, terminal: true}) {
				t.Errorf("screen = %+v, want 100 columns, colour %t", got, c.colour)
			}
		})
	}
}

func TestScreenWidth(t *testing.T) {
	for _, c := range []struct{ columns, want int }{
		{0, usualColumns}, {1, leastColumns}, {79, 79}, {4000, mostColumns},
	} {
		if got := (screen{columns: c.columns}).width(); got != c.want {
			t.Errorf("width of %d columns = %d, want %d", c.columns, got, c.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{""}},
		{"fits", "one two", []string{"one two"}},
		{"exactly", "one two three", []string{"one two", "three"}},
		{"one more", "one twoo", []string{"one", "twoo"}},
		{"blanks", " one \n two ", []string{"one two"}},
		{"too wide a word", "a abcdefghijklmnop b", []string{"a", "abcdefg", "hijklmn", "op b"}},
		{"characters, not bytes", "ééé éééééééé", []string{"ééé", "ééééééé", "é"}},
		{"a word of the width twice", "abcdefghijklmn", []string{"abcdefg", "hijklmn"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, wrap(c.text, 7)); diff != "" {
				t.Errorf("wrap(%q) (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

// TestPagesShowWhatIsPrinted: commands in the manual print what stands below them. A block that
// begins with `$ bin/trapline` is run at the top of the module; -update writes the page anew.
func TestPagesShowWhatIsPrinted(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "source.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```\n")
	ran := 0
	for i, block := range blocks {
		command := commandOf(block)
		words := strings.Fields(strings.ReplaceAll(command, "\\\n", " "))
		if len(words) < 3 || words[0] != "$" || words[1] != "bin/trapline" {
			continue
		}
		ran++
		t.Run(words[2], func(t *testing.T) {
			want := command + outputOf(t, screen{}, words[2:]...)
			if diff := cmp.Diff(want, block); diff != "" && !*update {
				t.Errorf("%s (-printed +page, -update to accept):\n%s", command, diff)
			}
			blocks[i] = want
		})
	}
	if ran == 0 {
		t.Error("no command on the page")
	}
	if !*update {
		return
	}
	if err := os.WriteFile(page, []byte(strings.Join(blocks, "```\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPagesNameTests: a command that would run no test passes, and proves nothing.
func TestPagesNameTests(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "source.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("go test (\\S+) -run '?([^'` ]+)").FindAllSubmatch(page, -1)
	if len(commands) == 0 {
		t.Error("no command on the page")
	}
	for _, command := range commands {
		names := strings.Split(strings.ReplaceAll(string(command[2]), `\|`, "|"), "|")
		files, err := filepath.Glob(filepath.Join("..", "..", string(command[1]), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			test := regexp.MustCompile(`(?m)^func (Test|Fuzz)\w*` + name)
			if !slices.ContainsFunc(files, func(path string) bool { return holds(t, path, test) }) {
				t.Errorf("%s: no test is called %s", command[0], name)
			}
		}
	}
}

func holds(t *testing.T, path string, what *regexp.Regexp) bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return what.Match(text)
}

// commandOf is the first line of a block, with those that a backslash joins to it.
func commandOf(block string) string {
	end := 0
	for line := range strings.Lines(block) {
		end += len(line)
		if !strings.HasSuffix(line, "\\\n") {
			break
		}
	}
	return block[:end]
}
