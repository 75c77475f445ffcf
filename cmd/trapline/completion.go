package main

import (
	_ "embed" // for the scripts below
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// The scripts hand the words typed so far to the verb complete and show what it says, so that they
// know nothing of the verbs and fit every version.
var (
	//go:embed completion.bash
	completionBash string
	//go:embed completion.zsh
	completionZsh string
	//go:embed completion.fish
	completionFish string
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"One of ${enum}."`
}

// Help is shown by completion --help.
func (completionCmd) Help() string {
	return `Example: trapline completion bash > /etc/bash_completion.d/trapline

For zsh the file is _trapline in a folder of $fpath, as /usr/local/share/zsh/site-functions; for
fish it is ~/.config/fish/completions/trapline.fish. The package installs all three.`
}

// Run prints the script of a shell.
func (c *completionCmd) Run(a *app) error {
	scripts := map[string]string{"bash": completionBash, "zsh": completionZsh, "fish": completionFish}
	_, err := fmt.Fprint(a.stdout, scripts[c.Shell])
	return err
}

type completeCmd struct {
	Words []string `arg:"" optional:"" help:"What follows trapline, up to the cursor."`
}

// Help is shown by complete --help.
func (completeCmd) Help() string {
	return `Example: trapline complete -- zone ver

A line for each word that may stand in the place of the last one: the word, and behind a tab what it
is. The line ":files" stands for all files.`
}

// Run prints what the scripts of the shells show.
func (c *completeCmd) Run(a *app) error {
	k, err := a.grammar(new(cli), nil)
	if err != nil {
		return err
	}
	for _, choice := range completions(k.Model.Node, c.Words) {
		fmt.Fprintln(a.stdout, choice)
	}
	return nil
}

// files is the choice that stands for all files.
const files = ":files"

// completions gives the choices for the last of the words, as word, tab, help.
func completions(root *kong.Node, words []string) []string {
	p := place{node: root}
	words = withoutBreaks(words)
	if len(words) == 0 {
		words = []string{""}
	}
	last := len(words) - 1
	for _, word := range words[:last] {
		p.pass(word)
	}
	return p.choices(words[last])
}

// withoutBreaks joins what bash has cut at each "=": --format = arf.
func withoutBreaks(words []string) (joined []string) {
	for i, word := range words {
		if word != "=" || len(joined) == 0 || !strings.HasPrefix(joined[len(joined)-1], "--") {
			joined = append(joined, word)
		} else if i == len(words)-1 {
			joined = append(joined, "") // the value is still to come
		}
	}
	return joined
}

// place is where in a command line the cursor stands.
type place struct {
	node       *kong.Node
	flag       *kong.Flag // whose value comes next
	given      []string   // names of flags
	arguments  int
	onlyValues bool // behind --
}

// pass takes a word that stands before the cursor.
func (p *place) pass(word string) {
	name, _, hasValue := strings.Cut(strings.TrimPrefix(word, "--"), "=")
	switch {
	case p.flag != nil:
		p.flag = nil
	case p.onlyValues:
		p.arguments++
	case word == "--":
		p.onlyValues = true
	case strings.HasPrefix(word, "--"):
		p.given = append(p.given, name)
		if flag := p.flagNamed(name); flag != nil && !hasValue && !flag.IsBool() {
			p.flag = flag
		}
	case p.child(word) != nil:
		p.node = p.child(word)
	default:
		p.arguments++
	}
}

func (p *place) child(name string) *kong.Node {
	for _, child := range p.node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func (p *place) flagNamed(name string) *kong.Flag {
	for _, flag := range slices.Concat(p.node.AllFlags(true)...) {
		if flag.Name == name {
			return flag
		}
	}
	return nil
}

// choices are the words that may stand at the cursor and begin as the word there does.
func (p *place) choices(word string) (fit []string) {
	name, value, hasValue := strings.Cut(word, "=")
	all, lead := p.words(), ""
	switch {
	case p.flag != nil:
		all = valuesOf(p.flag.Value)
	case p.onlyValues || !strings.HasPrefix(word, "-"):
	case hasValue:
		all = nil
		if flag := p.flagNamed(strings.TrimPrefix(name, "--")); flag != nil {
			all, lead, word = valuesOf(flag.Value), name+"=", value
		}
	default:
		all = p.flags()
	}
	for _, choice := range all {
		switch {
		case choice == files:
			fit = append(fit, files)
		case strings.HasPrefix(choice, word):
			fit = append(fit, lead+choice)
		}
	}
	return fit
}

// words are the verbs that may come next, or the values of the next argument.
func (p *place) words() (all []string) {
	for _, child := range p.node.Children {
		if !child.Hidden && p.arguments == 0 {
			all = append(all, child.Name+"\t"+child.Help)
		}
	}
	arguments := p.node.Positional
	switch n := len(arguments); {
	case n == 0:
		return all
	case p.arguments < n:
		return append(all, valuesOf(arguments[p.arguments])...)
	case arguments[n-1].IsCumulative():
		return append(all, valuesOf(arguments[n-1])...)
	}
	return all
}

// flags are those that were not given yet, or may be given again.
func (p *place) flags() (all []string) {
	for _, flag := range slices.Concat(p.node.AllFlags(true)...) {
		if flag.IsCumulative() || !slices.Contains(p.given, flag.Name) {
			all = append(all, "--"+flag.Name+"\t"+flag.Help)
		}
	}
	return all
}

// valuesOf are the values of a flag or an argument, where they are known.
func valuesOf(v *kong.Value) []string {
	if v.Enum != "" {
		return slices.DeleteFunc(v.EnumSlice(), func(word string) bool { return word == "" })
	}
	name := v.Name
	if v.Flag != nil {
		name = v.Flag.FormatPlaceHolder()
	}
	if slices.Contains([]string{"FILE", "DIR", "PATH"}, strings.ToUpper(name)) {
		return []string{files}
	}
	return nil
}
