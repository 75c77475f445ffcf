package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trapline/trapline/internal/testpeer"
)

// TestCompletions: what may stand at the cursor, the last word.
func TestCompletions(t *testing.T) {
	root := model(t).Model.Node
	tests := []struct {
		typed string
		want  []string
	}{
		{"check", []string{"check-config", "check-store"}},
		{"zone ro", []string{"rollback"}},
		{"--config t.toml zone ro", []string{"rollback"}},
		{"--config=t.toml zone ro", []string{"rollback"}},
		{"zone nonsense", nil},
		{"nonsense ", nil},
		{"man", nil},
		{"lookup ", nil},
		{"lookup --js", []string{"--json"}},
		{"lookup --json --js", nil},
		{"hits --limit 7 --lim", nil},
		{"trace --trust-host a --trust-ho", []string{"--trust-host"}},
		{"completion ", []string{"bash", "zsh", "fish"}},
		{"completion bash ", nil},
		{"completion -- z", []string{"zsh"}},
		{"except import --format ", []string{"auto", "cidr", "dnswl"}},
		{"except import --format d", []string{"dnswl"}},
		{"except import --format=d", []string{"--format=dnswl"}},
		{"except import --format = d", []string{"dnswl"}},
		{"except import --format =", []string{"auto", "cidr", "dnswl"}},
		{"except import --nonsense=", nil},
		{"init --kind ", []string{"pristine", "recycled", "typo"}},
		{"--config ", []string{files}},
		{"lookup --config=/et", []string{files}},
		{"restore ", []string{files}},
		{"restore a ", nil},
		{"ingest a b ", []string{files}},
		{"zone verify --dir ", []string{files}},
		{"zone verify --origin ", nil},
	}
	for _, tt := range tests {
		t.Run(tt.typed, func(t *testing.T) {
			var got []string
			for _, choice := range completions(root, strings.Split(tt.typed, " ")) {
				word, _, _ := strings.Cut(choice, "\t")
				got = append(got, word)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCompletionsAreWhole: every verb and flag that is shown is completed.
func TestCompletionsAreWhole(t *testing.T) {
	root := model(t).Model.Node
	if len(completions(root, nil)) < 20 {
		t.Error("without a word all verbs may come")
	}
	for _, verb := range root.Leaves(true) {
		path := strings.Fields(verb.Path())
		last := len(path) - 1
		want := path[last] + "\t" + verb.Help
		if got := completions(root, path); !slices.Contains(got, want) {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
		for _, flag := range verb.Flags {
			got := completions(root, append(slices.Clone(path), "--"))
			if want := "--" + flag.Name + "\t" + flag.Help; !slices.Contains(got, want) {
				t.Errorf("%s gives %q, want %q", verb.Path(), got, want)
			}
		}
	}
}

// TestShells has the shells read their scripts and complete. What they have of a line that is being
// edited is given to them by name, but to fish, which can be asked for a line.
func TestShells(t *testing.T) {
	tests := []struct {
		typed string
		want  []string
	}{
		{"trapline zone ro", []string{"rollback"}},
		{"trapline check-config --dn", []string{"--dns"}},
		{"trapline completion ", []string{"bash", "fish", "zsh"}},
		{"trapline restore F", []string{"FILES"}},
		{"trapline lookup ", nil},
	}
	shells := []struct{ name, program string }{
		{"bash", `source "$1"
			compopt() { [ "$*" = "-o default" ] && COMPREPLY+=(FILES); }
			IFS=' ' read -ra COMP_WORDS <<< "$2."
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			COMP_WORDS[COMP_CWORD]=${COMP_WORDS[COMP_CWORD]%.}
			complete -p trapline | grep -q -- '-F _trapline' || exit 1
			_trapline trapline
			printf '%s\n' "${COMPREPLY[@]}"`},
		{"zsh", `compdef() { [ "$*" = "_trapline trapline" ] }
			source "$1" || exit 1
			compset() { }
			_files() { print FILES }
			_describe() { local choice; for choice in ${(P)argv[-1]}; do print -r -- ${choice%%:*}; done }
			words=("${(@s: :)2}")
			CURRENT=$#words
			_trapline || true`},
		{"fish", `function __fish_complete_path; echo FILES; end
			source $argv[1]
			complete -C "$argv[2]" | string replace -r '\t.*' ''; true`},
	}
	for _, shell := range shells {
		t.Run(shell.name, func(t *testing.T) {
			path := testpeer.Need(t, shell.name, shell.name)
			script := filepath.Join(t.TempDir(), "script")
			text, err := exec.Command("trapline", "completion", shell.name).Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(script, text, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, tt := range tests {
				args := []string{"-c", shell.program, "shell", script, tt.typed}
				if shell.name == "fish" { // it has no $0
					args = slices.Delete(args, 2, 3)
				}
				cmd := exec.Command(path, args...)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				if err != nil {
					t.Errorf("%s: %v", tt.typed, err)
				}
				got := strings.Fields(string(out))
				slices.Sort(got)
				if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", tt.typed, diff)
				}
			}
		})
	}
}
