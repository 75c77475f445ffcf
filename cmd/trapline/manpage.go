package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trapline/trapline/internal/config"
)

// ends are the exit codes of every verb, as the documents say them.
var ends = [...]struct {
	code int
	text string
}{
	{exitDone, "Done."},
	{exitFailed, "It failed; the reason is on standard error, in one line."},
	{exitUsage, "Wrong use, or a configuration that is wrong."},
	{exitNo, "The answer is no: not listed, no source, nothing to do, a zone that differs."},
}

// overviewPage is trapline(1).
func overviewPage(app *kong.Application, day time.Time) *manPage {
	p := newManPage("trapline", 1, day, app.Help)
	p.line(".Sh SYNOPSIS")
	p.macro("Nm", "trapline")
	p.synopsis(app.Node)
	p.line(`.Ar verb`)
	p.line(`.Op Ar arguments`)
	p.line(".Sh DESCRIPTION")
	p.prose("Mail falls into traps, each message becomes a hit blamed on an address that could not have " +
		"been planted, hits add up to listings by published rules, and listings become a zone that " +
		"rsync hands out and rbldnsd answers from. Verbs that ask or order speak to the daemon over " +
		"its unix socket; with the daemon down, those that only ask read its files, and say so. " +
		"Flags stand anywhere after the verb.")
	p.line(".Bl -tag -width Ds")
	for _, verb := range app.Children {
		if !verb.Hidden {
			p.line(".It Xr trapline-" + verb.Name + " 1")
			p.prose(verb.Help)
		}
	}
	p.line(".El")
	p.flags("These go with every verb:", app.Node)
	p.line(".Sh ENVIRONMENT")
	p.line(".Bl -tag -width Ds")
	for _, v := range [][2]string{{"TRAPLINE_CONFIG", "The configuration, unless --config names one."},
		{"NO_COLOR", "Where it is set, terminals are written to without colours."},
		{"TERM", "The same, where it is dumb."}} {
		p.macro("It Ev", v[0])
		p.prose(v[1])
	}
	p.line(".El")
	p.line(".Sh FILES")
	p.line(".Bl -tag -width Ds")
	p.line(".It Pa /etc/trapline/trapline.toml")
	p.prose("The configuration, unless there is a trapline.toml in the working directory.")
	p.line(".El")
	p.exits()
	p.seeAlso(".Xr trapline.toml 5", ".Xr rbldnsd 8")
	return p
}

// verbPage is the page of a verb, with what is below it.
func verbPage(verb *kong.Node, day time.Time) *manPage {
	p := newManPage("trapline-"+verb.Name, 1, day, verb.Help)
	leaves := leavesOf(verb)
	p.line(".Sh SYNOPSIS")
	for _, leaf := range leaves {
		p.macro("Nm", "trapline "+leaf.Path())
		p.synopsis(leaf)
	}
	p.line(".Sh DESCRIPTION")
	if !verb.Leaf() {
		p.prose(verb.Help)
	}
	for _, leaf := range leaves {
		if leaf != verb {
			p.macro("Ss", "trapline "+leaf.Path())
		}
		_, rest := examplesOf(leaf)
		p.prose(leaf.Help + "\n\n" + rest)
		p.values(leaf)
	}
	p.exits()
	p.line(".Sh EXAMPLES")
	p.line(".Bd -literal")
	for _, leaf := range leaves {
		examples, _ := examplesOf(leaf)
		for _, example := range examples {
			p.literal(strings.Join(continued(example, usualColumns-6), "\n    "))
		}
	}
	p.line(".Ed")
	p.seeAlso(".Xr trapline 1", ".Xr trapline.toml 5")
	return p
}

// leavesOf are the verbs below a verb that can be typed, or the verb itself.
func leavesOf(verb *kong.Node) []*kong.Node {
	if verb.Leaf() {
		return []*kong.Node{verb}
	}
	return slices.DeleteFunc(verb.Leaves(true), func(n *kong.Node) bool { return n.Hidden })
}

// configPage is trapline.toml(5), made of the starter's own words.
func configPage(tables []config.ManualTable, day time.Time) *manPage {
	p := newManPage("trapline.toml", 5, day, "configuration of trapline")
	p.line(".Sh DESCRIPTION")
	p.prose("A TOML file. Each key is shown with its default, or, where it has none, with an example. " +
		"A key that is not known is an error; trapline check-config names all faults at once.")
	for _, table := range tables {
		if table.Name != "" {
			p.macro("Ss", table.Name)
		}
		p.prose(table.Text)
		p.line(".Bl -tag -width Ds")
		for _, group := range table.Groups {
			for _, key := range group.Keys {
				p.macro("It", key)
			}
			p.prose(group.Text)
		}
		p.line(".El")
	}
	p.line(".Sh FILES")
	p.prose("The file is the one that --config names, else $TRAPLINE_CONFIG, else trapline.toml in the " +
		"working directory, else /etc/trapline/trapline.toml.")
	p.seeAlso(".Xr trapline 1", ".Xr trapline-check-config 1", ".Xr trapline-init 1")
	return p
}

// synopsis shows the flags and arguments of a verb, as mdoc's own macros do.
func (p *manPage) synopsis(node *kong.Node) {
	for _, flag := range shown(node.Flags) {
		words := `Fl Fl ` + escape(flag.Name)
		if !flag.IsBool() {
			words += " Ar " + argument(flag.FormatPlaceHolder())
		}
		if !flag.Required {
			words = "Op " + words
		}
		p.line("." + words)
	}
	for _, v := range node.Positional {
		words := "Ar " + argument(v.Name)
		if v.IsCumulative() {
			words += ` Ar ...`
		}
		if !v.Required {
			words = "Op " + words
		}
		p.line("." + words)
	}
}

// values explains the flags and arguments of a verb.
func (p *manPage) values(node *kong.Node) {
	if len(node.Positional) > 0 {
		p.line(".Bl -tag -width Ds")
		for _, v := range node.Positional {
			p.line(".It Ar " + argument(v.Name))
			p.prose(v.Help)
		}
		p.line(".El")
	}
	p.flags("", node)
}

// flags explains the flags of a verb, after a sentence.
func (p *manPage) flags(lead string, node *kong.Node) {
	flags := shown(node.Flags)
	if len(flags) == 0 {
		return
	}
	p.prose(lead)
	p.line(".Bl -tag -width Ds")
	for _, flag := range flags {
		item := ".It Fl Fl " + escape(flag.Name)
		if !flag.IsBool() {
			item += " Ar " + argument(flag.FormatPlaceHolder())
		}
		p.line(item)
		p.prose(flag.Help)
	}
	p.line(".El")
}

func shown(flags []*kong.Flag) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f *kong.Flag) bool { return f.Hidden })
}

// exits says what the exit codes mean.
func (p *manPage) exits() {
	p.line(".Sh EXIT STATUS")
	p.line(".Bl -tag -width Ds")
	for _, e := range ends {
		p.macro("It", fmt.Sprint(e.code))
		p.prose(e.text)
	}
	p.line(".El")
}

// seeAlso names other pages, sorted as mdoc(7) wants it.
func (p *manPage) seeAlso(others ...string) {
	p.line(".Sh SEE ALSO")
	p.line(strings.Join(others, " ,\n"))
}
