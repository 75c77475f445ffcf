package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing wrong with a configuration.
type Fault struct {
	File    string
	Line    int    // counts from 1; 0 when neither the key nor its table is in the file
	Key     string // "trap[1].kind", where trap[1] is the first [[trap]]; "" for the whole file
	Problem string // what is wrong, as "is missing"
	Mend    string // what to write instead
}

// Error puts the fault in one line: "trapline.toml:12: trap[1].kind: is missing: write …".
func (f Fault) Error() string {
	place := f.File
	if f.Line > 0 {
		place += ":" + strconv.Itoa(f.Line)
	}
	parts := []string{place}
	for _, part := range []string{f.Key, f.Problem, f.Mend} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}

// Faults is everything wrong with a configuration, in the order of its lines. What is missing
// altogether comes first.
type Faults []Fault

// Error gives one line a fault, without a last newline.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return f
}

// quoted spells a value of the file in a message, cut so that the message stays one line. Faults
// of a reload go to the log, so what may be a trap's or a reporter's address is withheld.
func quoted(text string) string {
	const limit = 60
	if strings.Contains(text, "@") {
		return "a text with an @"
	}
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "…"
	}
	return strconv.Quote(text)
}

// element is the path of one element of a list or array of tables, counted as people count.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i+1) }
