package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Area is the part of a configuration under one name at its top, as "trap", in what it differs
// from another one. No value is in it, nor what a table of a list is called: it is fit for a log.
type Area struct {
	Name    string
	Added   int // tables
	Removed int
	Changed int      // tables of a list, or keys
	Keys    []string // that have another value
}

// AreasOf counts differences, in their order.
func AreasOf(all []Difference) []Area {
	var areas []Area
	changed := map[string]bool{}
	for _, d := range all {
		if len(areas) == 0 || areas[len(areas)-1].Name != d.Area() {
			areas = append(areas, Area{Name: d.Area(), Keys: []string{}})
		}
		a := &areas[len(areas)-1]
		switch d.Change {
		case Added:
			a.Added++
		case Removed:
			a.Removed++
		default:
			a.change(d, changed)
		}
	}
	return areas
}

func (a *Area) change(d Difference, changed map[string]bool) {
	if !slices.Contains(a.Keys, d.Key) {
		a.Keys = append(a.Keys, d.Key)
	}
	if one := a.Name + " " + cmp.Or(d.Of, d.Key); !changed[one] {
		changed[one] = true
		a.Changed++
	}
}

// String says it to people: "trap: 2 added, 1 changed (trap.state)".
func (a Area) String() string {
	var parts []string
	for _, count := range []struct {
		n    int
		what string
	}{{a.Added, Added}, {a.Removed, Removed}, {a.Changed, Changed}} {
		if count.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count.n, count.what))
		}
	}
	text := a.Name + ": " + strings.Join(parts, ", ")
	if len(a.Keys) > 0 {
		text += " (" + strings.Join(a.Keys, ", ") + ")"
	}
	return text
}
