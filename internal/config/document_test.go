package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// documentHead stands above the keys in docs/configuration.md.
const documentHead = `# Configuration

The keys of ` + "`trapline.toml`" + `, with their defaults; an example stands where there is none. The file is that of
` + "`--config FILE`, else of `$TRAPLINE_CONFIG`, else `./trapline.toml`, else `/etc/trapline/trapline.toml`. `hostname`" + ` and one
` + "`[[trap]]`" + ` are all that is required. A key that does not exist is an error, as is a value that cannot be; all faults are told at once, each with file, line,
key and mend. Nothing is taken from the environment, and no secret but a reporter's address stands in the file: keep it readable for the daemon's user and
root alone.

    trapline init --domain traps.example     # a first file, with all of this in it
    trapline check-config                    # every fault; --dns asks the DNS as well
    trapline check-config --diff             # what a reload would change, down to listings
    trapline reload                          # or SIGHUP: all of it, or on any fault nothing

A reload brings every key but those that take a restart, and say so here: a reload that would change one is refused as a whole, and says
so. Sizes are bytes, durations are written as ` + "`90s`, `5m` or `720h`" + `.
`

// document is docs/configuration.md: the words are those of the starter.
func document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, table := range Manual() {
		name := strings.Trim(table.Name, "[]")
		switch {
		case table.Name == "":
			b.WriteString("\n## At the top\n")
		default:
			fmt.Fprintf(&b, "\n## `%s`\n", table.Name)
		}
		if table.Text != "" {
			fmt.Fprintf(&b, "\n%s\n", table.Text)
		}
		for _, group := range table.Groups {
			b.WriteString("\n")
			for _, line := range group.Keys {
				key, _, _ := strings.Cut(line, " = ")
				if slices.Contains(forStart, join(name, strings.TrimSpace(key))) {
					line += "    # takes a restart"
				}
				fmt.Fprintf(&b, "    %s\n", line)
			}
			if group.Text != "" {
				fmt.Fprintf(&b, "\n%s\n", group.Text)
			}
		}
	}
	return b.String()
}

// TestDocument: docs/configuration.md has every key, in the words of the starter.
func TestDocument(t *testing.T) {
	text := document()
	for _, key := range Keys() {
		leaf := key[strings.LastIndex(key, ".")+1:]
		if !strings.Contains(text, "    "+leaf+" = ") && !strings.Contains(text, "`["+key) {
			t.Errorf("%s is missing", key)
		}
	}
	checkGolden(t, "../../docs/configuration.md", text)
}
