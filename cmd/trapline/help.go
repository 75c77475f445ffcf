package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// showEnum has a flag that takes one of some words show them in the place of its value.
func showEnum(part kong.Visitable, next kong.Next) error {
	if flag, is := part.(*kong.Flag); is && flag.Enum != "" && flag.PlaceHolder == "" {
		flag.PlaceHolder = strings.ReplaceAll(strings.TrimPrefix(flag.Enum, ","), ",", "|")
	}
	return next(nil)
}

// printHelp is kong's help, but the examples stand at the end, and in lines that a shell takes as
// they are.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	node := ctx.Selected()
	if node == nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	examples, rest := examplesOf(node)
	node.Detail = rest
	err := kong.DefaultHelpPrinter(options, ctx)
	if err != nil || len(examples) == 0 {
		return err
	}
	const lead = "Example: "
	var lines []string
	for _, example := range examples {
		lines = append(lines, continued(example, options.WrapUpperBound-len(lead))...)
	}
	_, err = fmt.Fprintf(ctx.Stdout, "\n%s%s\n", lead,
		strings.Join(lines, "\n"+strings.Repeat(" ", len(lead))))
	return err
}

// examplesOf gives the command lines that a verb's Help begins with, and what it says besides. Each
// begins on a line of its own.
func examplesOf(node *kong.Node) (examples []string, rest string) {
	first, rest, _ := strings.Cut(node.Detail, "\n\n")
	first, found := strings.CutPrefix(first, "Example: ")
	if !found {
		return nil, node.Detail
	}
	for line := range strings.Lines(first) {
		line = strings.TrimSpace(line)
		if last := len(examples) - 1; last >= 0 && !strings.HasPrefix(line, "trapline ") {
			examples[last] += " " + line
		} else {
			examples = append(examples, line)
		}
	}
	return examples, rest
}

// continued cuts a command line between its arguments into lines of a width, where it can, each but
// the last with the backslash that makes a shell read on.
func continued(command string, width int) []string {
	const more = " \\"
	var lines []string
	line := ""
	for _, argument := range argumentsOf(command) {
		if strings.TrimSpace(line) != "" && len(line)+1+len(argument)+len(more) > width {
			lines, line = append(lines, line+more), "  "
		}
		line = strings.TrimPrefix(line+" "+argument, " ")
	}
	return append(lines, line)
}

// argumentsOf cuts a command line at its blanks, but not within double quotes or brackets.
func argumentsOf(command string) (arguments []string) {
	open := false
	for _, word := range strings.Split(command, " ") {
		if last := len(arguments) - 1; open {
			arguments[last] += " " + word
		} else {
			arguments = append(arguments, word)
		}
		last := arguments[len(arguments)-1]
		open = strings.Count(last, `"`)%2 == 1 || strings.Count(last, "(") > strings.Count(last, ")")
	}
	return arguments
}
