package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trapline/trapline/criteria"
)

// jsonFlag is the flag that every printing verb has.
type jsonFlag struct {
	JSON bool `name:"json" help:"Print JSON: one object, or one a line."`
}

// printJSON prints one object on a line.
func (a *app) printJSON(value any) error { return jsonTo(a.stdout).Encode(value) }

// jsonTo encodes for programs, not for HTML: >= stays >=. What a terminal would not show is
// escaped.
func jsonTo(w io.Writer) *json.Encoder {
	e := json.NewEncoder(escaper{w})
	e.SetEscapeHTML(false)
	return e
}

// table lays out columns that are separated by tabs.
func (a *app) table(write func(w io.Writer)) error {
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	write(w)
	return w.Flush()
}

// printAll prints a stream as JSON lines, or as text with a function for each.
func printAll[T any](a *app, asJSON bool, values iter.Seq2[T, error], text func(io.Writer, T)) error {
	out := bufio.NewWriter(a.stdout)
	defer func() { _ = out.Flush() }() // a.stdout keeps the error
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	defer func() { _ = w.Flush() }()
	encode := jsonTo(out)
	for value, err := range values {
		if err != nil {
			return err
		}
		if !asJSON {
			text(w, value)
		} else if err := encode.Encode(value); err != nil {
			return err
		}
	}
	return nil
}

// foreign makes words that a stranger chose fit for a terminal: printable, and
// cut.
func foreign(s string) string {
	const most = 80
	quoted := strconv.QuoteToASCII(s)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) > most {
		return quoted[:most-1] + "~"
	}
	return quoted
}

// printable writes what is no letter, number, mark or blank as its escape.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// number prints how many there are of something: "1 message", "2 messages".
func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// instant prints a second, or a dash where there is none.
func instant(s criteria.Second) string {
	if s == 0 || s == criteria.Never {
		return "-"
	}
	return s.String()
}

// span prints seconds as people say them: 3d04h, 11h59m, 4m30s.
func span(s criteria.Second) string {
	d := time.Duration(s) * time.Second
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%02dh", s/86400, s%86400/3600)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	}
	return d.String()
}

// causeCounts prints how often each cause was counted, the most frequent words
// of the parser in their order.
func causeCounts(counts map[criteria.Cause]int) string {
	var parts []string
	for cause := criteria.Cause(0); len(parts) < len(counts) && cause < 255; cause++ {
		if n := counts[cause]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", cause, n))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	return strings.Join(parts, ", ")
}

// durationOf reads a duration, in which days may come first: 7d, 1d12h, 90m.
func durationOf(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil || rest == "" {
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(rest)
	return time.Duration(n)*24*time.Hour + d, err
}

// secondOf reads a point in time from the command line: RFC 3339, a day, or a
// span back from now as 48h or 7d.
func (a *app) secondOf(flag, text string) (criteria.Second, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := durationOf(text); err == nil && d >= 0 {
		return criteria.At(a.now().Add(-d)), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return criteria.At(t), nil
		}
	}
	return 0, usage("--%s %q is no time: give it as 2026-11-24T09:00:00Z, 2026-11-24 or 48h", flag, text)
}
