package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/trapline/trapline/parser"
)

// chain draws a trace: the hosts from ours downward, who saw each, where belief
// ends, and below it what is not believed.
type chain struct {
	*app
	trace   parser.Trace
	address int // columns of the widest address
}

// drawTrace prints a trace for people.
func (a *app) drawTrace(t parser.Trace) {
	c := chain{app: a, trace: t}
	for _, h := range append(t.Hops, t.Claims...) {
		c.address = max(c.address, len(addressText(h)))
	}
	fmt.Fprintf(a.stdout, "%s: source %s (%s), cause %s\n\n", foreign(t.File),
		a.screen.paint(blamed, sourceText(t)), t.Reason, t.Cause)
	believed := c.believed()
	for i := range believed {
		c.hop(&believed[i], c.standing(i))
	}
	c.boundary()
	for _, h := range t.Hops[len(believed):] {
		h.Why = "" // the boundary says it
		c.hop(&h, claimed)
	}
	for i := range t.Claims {
		c.hop(&t.Claims[i], claimed)
	}
	c.rest()
	fmt.Fprintln(a.stdout)
	c.conclusions()
}

func sourceText(t parser.Trace) string {
	if !t.Source.IsValid() {
		return "none"
	}
	return t.Source.String()
}

func addressText(h parser.Hop) string {
	if !h.IP.IsValid() {
		return "no address"
	}
	return h.IP.String()
}

// believed are the hops whose lines the right host wrote: all of them, or all
// but the last.
func (c *chain) believed() []parser.Hop {
	switch c.trace.Reason {
	case parser.WrongBy, parser.NoTrustedStart:
		return c.trace.Hops[:max(len(c.trace.Hops)-1, 0)]
	}
	return c.trace.Hops
}

// standing is what we make of a host, and how that looks.
type standing struct {
	word               string
	look, names, words style
}

var (
	trusted    = standing{"trusted", good, plain, plain}
	source     = standing{"SOURCE", blamed, plain, plain}
	sourceless = standing{"no source", boundary, plain, plain}
	claimed    = standing{"claimed", doubted, doubted, doubted}
)

// standing of the i-th hop, of which the line is believed.
func (c *chain) standing(i int) standing {
	switch {
	case c.trace.Hops[i].Trusted:
		return trusted
	case c.trace.Source.IsValid():
		return source
	}
	return sourceless
}

// hop draws a host: its address and names, who says so, and what is odd.
func (c *chain) hop(h *parser.Hop, s standing) {
	lead := fmt.Sprintf("%3d  %-*s  %-9s  ", h.N, c.address, addressText(*h), s.word)
	c.screen.print(c.stdout, paragraph{lead, namesText(h), s.look, s.names})
	c.screen.print(c.stdout, paragraph{"     ", testimony(h), plain, s.words})
	if h.Why != "" {
		c.screen.print(c.stdout, paragraph{"     ", foreign(h.Why), plain, s.words})
	}
	for _, note := range h.Notes {
		c.screen.print(c.stdout, paragraph{"     ! ", foreign(note), odd, odd})
	}
}

// namesText are the names of a host: the one that the DNS gives, and what it
// called itself.
func namesText(h *parser.Hop) string {
	name, helo := named(h.RDNS), named(h.Helo)
	switch {
	case helo == "" || helo == name:
		return name
	case name == "":
		return "helo " + helo
	}
	return name + ", helo " + helo
}

// named shows a name that a stranger chose, in one word: at a blank the screen would break the
// line, and what comes behind it could be made to look like a host of its own.
func named(s string) string { return strings.ReplaceAll(foreign(s), " ", `\x20`) }

// testimony says when a host was seen, and by whom.
func testimony(h *parser.Hop) string {
	var b strings.Builder
	if !h.Time.IsZero() {
		b.WriteString(h.Time.UTC().Format("2006-01-02 15:04:05Z "))
	}
	b.WriteString("seen by ")
	switch by := named(h.By); {
	case h.WrittenBy == "connection" && by == "":
		b.WriteString("our own connection")
	case h.WrittenBy != "unknown" && h.WrittenBy != h.By:
		b.WriteString(named(h.WrittenBy) + asText(by))
	default:
		b.WriteString(cmp.Or(by, "a host without a name"))
	}
	if h.Format != "" {
		b.WriteString(" (" + foreign(h.Format) + ")")
	}
	return b.String()
}

func asText(name string) string {
	if name == "" {
		return ""
	}
	return " as " + name
}

// boundary draws where belief ended, and why.
func (c *chain) boundary() {
	c.screen.print(c.stdout, paragraph{"---- ", "belief ends here: " + c.reason(), boundary, boundary})
	if n := c.trace.Ignored; n > 0 {
		text := "below it " + number(n, "line") + " that anybody could have written:"
		c.screen.print(c.stdout, paragraph{"     ", text, plain, doubted})
	}
}

// reason says in words why the walk stopped.
func (c *chain) reason() string {
	var last parser.Hop
	if n := len(c.trace.Hops); n > 0 {
		last = c.trace.Hops[n-1]
	}
	switch c.trace.Reason {
	case parser.UntrustedPeer:
		return "nobody vouches for what " + addressText(last) + " says"
	case parser.NoReceived:
		return "there is no Received line"
	case parser.UnreadableReceived:
		return fmt.Sprintf("the line of hop %d shows no peer beyond doubt", last.N)
	case parser.WrongBy:
		return "the next line is by none of the names of the host that should have written it"
	case parser.SpecialAddress:
		return "nobody on the internet answers for " + addressText(last)
	case parser.AllTrusted:
		return "there is no line below the last trusted host's"
	case parser.LocalSubmission:
		return "a user or program of " + named(last.WrittenBy) + " submitted it"
	case parser.NoTrustedStart:
		return "nobody vouches for the host that wrote the topmost line"
	}
	return c.trace.Reason.String()
}

// rest counts the lines that are not drawn.
func (c *chain) rest() {
	shown := len(c.trace.Hops) - len(c.believed()) + len(c.trace.Claims)
	if more := c.trace.Ignored - shown; more > 0 {
		text := "and " + number(more, "more line")
		c.screen.print(c.stdout, paragraph{" ..  ", text, doubted, doubted})
	}
}

// conclusions says what was made of it, and what would help.
func (c *chain) conclusions() {
	say := func(what, text string, look style) {
		c.screen.print(c.stdout, paragraph{fmt.Sprintf("  %-9s", what), text, look, plain})
	}
	say("cause", c.trace.Cause.String()+": "+causeText[c.trace.Cause], plain)
	what := "shown by"
	for _, mark := range c.trace.Marks {
		say(what, foreign(mark), plain)
		what = ""
	}
	if hint := hintFor(c.trace); hint != "" {
		say("to go on", hint, boundary)
	}
	for _, defect := range c.trace.Defects {
		say("defect", defect, odd)
	}
}

// causeText says in words how a message got out.
var causeText = map[parser.Cause]string{
	parser.Unknown:    "nothing tells how it got out",
	parser.Direct:     "straight from the source, which shows nobody behind it",
	parser.Relay:      "through the source, from somebody behind it",
	parser.Submission: "by a mail account of the source, with its password",
	parser.Webmail:    "through a web interface or an HTTP API of the source",
	parser.Script:     "by a program on the source itself",
	parser.Proxy:      "through an open or planted proxy on the source",
	parser.Bounce:     "a delivery report to a forged sender",
	parser.Autoreply:  "an automatic answer to a forged sender",
	parser.List:       "from a mailing list",
}
