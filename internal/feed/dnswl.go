package feed

import (
	"fmt"
	"net/netip"
	"strings"
)

// dnswl reads DNSWL's files for rbldnsd: data sets of ip4trie and ip6trie, in which a line is
//
//	198.51.100.0/24 :127.0.5.2:mail.example 4711
//
// with the answer, its third number the category and its fourth the trust, and a text. A line that
// begins with a colon gives both to the entries below that have none of their own; $ begins a
// directive, and ! takes a network out of a wider one, which an exception cannot.
type dnswl struct {
	lenient
	*networks
	least int
	trust int    // of entries without a value
	text  string // likewise
}

// noTrust is the level of what DNSWL has not said: an answer of other lists, or one that says that
// the asker is not served.
const noTrust = -1

const mostTrust = 3

// fits looks for DNSWL's answers. Its headers are read as such.
func (d *dnswl) fits(line string) bool {
	line = strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(line, ":") {
		_, line = cutWord(line)
	}
	trust, _ := parseValue(line)
	return trust != noTrust
}

func (d *dnswl) take(line string) error {
	line = strings.TrimSpace(line)
	switch line[0] {
	case '$':
		d.skip(Blank)
		return nil
	case '!':
		d.skip(Excluded)
		return nil
	case ':':
		d.trust, d.text = parseValue(line)
		d.skip(Blank)
		return nil
	}
	word, value := cutWord(line)
	trust, text := d.trust, d.text
	switch {
	case strings.HasPrefix(value, ":"):
		trust, text = parseValue(value)
	case value != "" && value[0] != '#':
		text = value // rbldnsd adds the standing answer
	}
	return d.entry(word, trust, text)
}

func (d *dnswl) entry(word string, trust int, text string) error {
	network, err := parseNetwork(word)
	switch {
	case err != nil || trust == noTrust:
		d.skip(Unreadable)
	case trust < d.least:
		d.skip(LowTrust)
	default:
		return d.add(network, fmt.Sprintf("dnswl.org, trust %d: %s", trust, text))
	}
	return nil
}

// parseValue reads :127.0.5.2:text.
func parseValue(s string) (trust int, text string) {
	s, isValue := strings.CutPrefix(s, ":")
	answer, text, _ := strings.Cut(s, ":")
	a, err := netip.ParseAddr(answer)
	if !isValue || err != nil || !a.Is4() {
		return noTrust, ""
	}
	b := a.As4()
	if b[0] != 127 || b[1] != 0 || b[2] == 0 || b[3] > mostTrust {
		return noTrust, ""
	}
	return int(b[3]), text
}
