package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// manPage is a page in the language mdoc(7), which both mandoc and groff read.
type manPage struct {
	name    string
	section int
	out     bytes.Buffer
}

// newManPage begins a page with what it is about.
func newManPage(name string, section int, day time.Time, about string) *manPage {
	p := &manPage{name: name, section: section}
	p.line(".Dd " + day.Format("January 2, 2006"))
	p.line(fmt.Sprintf(".Dt %s %d", strings.ToUpper(name), section))
	p.line(".Os")
	p.line(".Sh NAME")
	p.macro("Nm", name)
	p.line(".Nd " + strings.TrimSuffix(escape(about), "."))
	return p
}

func (p *manPage) file() string { return fmt.Sprintf("%s.%d", p.name, p.section) }

func (p *manPage) text() []byte { return p.out.Bytes() }

// line writes a line that is mdoc already.
func (p *manPage) line(text string) { p.out.WriteString(text + "\n") }

// macro writes a macro and one argument, whatever is in it.
func (p *manPage) macro(name, text string) { p.line("." + name + " " + argument(text)) }

// argument makes one argument of a text: not a macro, not several, and no punctuation at its end.
func argument(text string) string {
	return `"\&` + strings.ReplaceAll(escape(text), `"`, `\(dq`) + `\&"`
}

// prose writes paragraphs. A sentence begins on a line of its own, so that mandoc can put the space
// behind its full stop.
func (p *manPage) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		switch {
		case paragraph == "":
			continue
		case i > 0:
			p.line(".Pp")
		}
		for _, sentence := range sentences(paragraph) {
			p.literal(strings.Join(filled(sentence, usualColumns-10), "\n"))
		}
	}
}

// literal writes lines of text.
func (p *manPage) literal(text string) {
	for line := range strings.Lines(text) {
		p.line(startOfLine(escape(strings.TrimRight(line, "\n"))))
	}
}

// sentences cuts a text behind each full stop that a capital letter follows.
func sentences(text string) (found [][]string) {
	words := strings.Fields(text)
	begin := 0
	for i, word := range words {
		end := i == len(words)-1
		if !end && strings.ContainsAny(word[len(word)-1:], ".?!") {
			next := words[i+1][0]
			end = 'A' <= next && next <= 'Z'
		}
		if end {
			found, begin = append(found, words[begin:i+1]), i+1
		}
	}
	return found
}

// escape writes what roff would not print as it is: a hyphen that is to be typed, quotes that are to
// stay straight, and what is not ASCII.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// startOfLine keeps a line of text from being a request.
func startOfLine(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}
