package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/testpeer"
)

// manuals writes the man pages as of a day and gives the folder.
func manuals(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "man")
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: &out}
	if code := a.run([]string{"man", "--date", "2026-11-24", dir}); code != exitDone {
		t.Fatal(code, out.String())
	}
	return dir
}

// pagesOf are the paths of all pages.
func pagesOf(t *testing.T, dir string) []string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(dir, "man*", "*"))
	if err != nil || len(pages) < 3 {
		t.Fatal(pages, err)
	}
	return pages
}

// TestManLint: mandoc has nothing to say, down to matters of style, and each page that is referred
// to is there. Of pages of others it knows only what this machine has.
func TestManLint(t *testing.T) {
	mandoc := testpeer.Need(t, "mandoc", "mandoc")
	dir := manuals(t)
	for _, path := range pagesOf(t, dir) {
		said, _ := exec.Command(mandoc, "-Tlint", path).Output() // its words decide
		for line := range strings.Lines(string(said)) {
			if !strings.Contains(line, "referenced manual not found") {
				t.Error(line)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, ref := range regexp.MustCompile(`\.Xr (trapline\S*) (\d)`).FindAllSubmatch(text, -1) {
			name := string(ref[1]) + "." + string(ref[2])
			if _, err := os.Stat(filepath.Join(dir, "man"+string(ref[2]), name)); err != nil {
				t.Errorf("%s refers to %v", path, err)
			}
		}
	}
}

// rendered is a page as it is read in a terminal, without its line breaks.
func rendered(t *testing.T, mandoc, path string) string {
	t.Helper()
	text, err := exec.Command(mandoc, "-Tutf8", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile(`.\x08`).ReplaceAll(text, nil) // bold and underlined
	return strings.Join(strings.Fields(string(plain)), " ")
}

// TestManIsWhole: all verbs, arguments, flags and their help, all examples, all exit codes, and all
// keys of the configuration, can be read in the pages.
func TestManIsWhole(t *testing.T) {
	mandoc := testpeer.Need(t, "mandoc", "mandoc")
	dir := manuals(t)
	has := func(page, text string) {
		t.Helper()
		// Lines are filled, and two blanks stand behind a full stop, at any place.
		if !strings.Contains(page, strings.Join(strings.Fields(text), " ")) {
			t.Errorf("%q is missing", text)
		}
	}
	overview := rendered(t, mandoc, filepath.Join(dir, "man1", "trapline.1"))
	for _, verb := range model(t).Model.Children {
		if verb.Hidden {
			continue
		}
		has(overview, "trapline-"+verb.Name+"(1)")
		page := rendered(t, mandoc, filepath.Join(dir, "man1", "trapline-"+verb.Name+".1"))
		for _, leaf := range leavesOf(verb) {
			examples, rest := examplesOf(leaf)
			texts := []string{"trapline " + leaf.Path(), leaf.Help}
			for _, example := range examples {
				texts = append(texts, continued(example, usualColumns-6)...)
			}
			texts = append(texts, strings.Split(rest, "\n\n")...)
			for _, flag := range leaf.Flags {
				texts = append(texts, "--"+flag.Name, flag.Help)
			}
			for _, v := range leaf.Positional {
				texts = append(texts, v.Name, v.Help)
			}
			for _, text := range texts {
				has(page, text)
			}
		}
		for _, e := range ends {
			has(page, e.text)
		}
	}
	page := rendered(t, mandoc, filepath.Join(dir, "man5", "trapline.toml.5"))
	for _, table := range config.Manual() {
		has(page, table.Name)
		for _, group := range table.Groups {
			for _, text := range append(slices.Clone(group.Keys), group.Text) {
				has(page, text)
			}
		}
	}
}

// TestManTwice: the same binary and day give the same bytes, and another day another first line.
func TestManTwice(t *testing.T) {
	first, second := pagesOf(t, manuals(t)), pagesOf(t, manuals(t))
	for i := range first {
		a, err := os.ReadFile(first[i])
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(second[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(a), string(b)); diff != "" {
			t.Errorf("%s: %s", first[i], diff)
		}
		if !bytes.HasPrefix(a, []byte(".Dd November 24, 2026\n")) {
			t.Errorf("%s begins with %.30q", first[i], a)
		}
	}
}

func TestMdoc(t *testing.T) {
	p := newManPage("x", 1, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), "about")
	p.out.Reset()
	p.prose(".start is no request. It's a `--flag` of 1 \\ 2. Ends with e.g. this\n\n'quoted' – text")
	p.macro("It", `kind = "Nm"`)
	const want = "\\&.start is no request.\n" + `It\(aqs a \(ga\-\-flag\(ga of 1 \e 2.
Ends with e.g. this
.Pp
\(aqquoted\(aq \[u2013] text
.It "\&kind = \(dqNm\(dq\&"
`
	if diff := cmp.Diff(want, p.out.String()); diff != "" {
		t.Error(diff)
	}
}
