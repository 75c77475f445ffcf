package config

import (
	"slices"
	"strings"
)

// The ways in which a Difference is one.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Difference is one key with another value, or one table of a list that came or went.
type Difference struct {
	Key     string // of a table that came or went, its name: "trap"
	Of      string // which table of a list: its address, network or name; else ""
	Change  string // Added or Removed of a table, else Changed
	From    string // as it was; of a table that went, its keys; "" of one that came
	To      string
	Restart bool // only a start can bring it
}

// Area is the part of the configuration that the key stands in, as "trust" of "trust.hosts".
func (d Difference) Area() string {
	area, _, _ := strings.Cut(d.Key, ".")
	return area
}

// forStart are the keys that only a start can change: what is open under them would have to move,
// and another zone.origin is another zone, whose users nobody told.
var forStart = []string{"data_dir", "zone.dir", "zone.origin", "web.address", "admin.socket"}

// withheld stands for a secret; two that differ are told apart.
const (
	withheld     = "a secret"
	withheldTwin = "another secret"
)

// Compare gives what differs between two configurations, in the order in which keys are
// documented; within a list, what is there now comes first. Traps are named: what it gives is for
// the operator's eyes. A secret is not in it.
func Compare(old, now *Config) []Difference {
	before, after := tablesOf(old.Settings()), tablesOf(now.Settings())
	var all []Difference
	for _, t := range after.list {
		was, known := before.byID[t.id]
		if !known {
			all = append(all, Difference{Key: t.key, Of: t.of, Change: Added, To: t.String()})
			continue
		}
		all = append(all, t.since(was)...)
	}
	for _, t := range before.list {
		if _, stays := after.byID[t.id]; !stays {
			all = append(all, Difference{Key: t.key, Of: t.of, Change: Removed, From: t.String()})
		}
	}
	return byArea(all)
}

// byArea brings the differences into the order of the documentation. The areas of a configuration
// are those of its settings.
func byArea(all []Difference) []Difference {
	var areas []string
	for _, key := range Keys() {
		area, _, _ := strings.Cut(key, ".")
		if !slices.Contains(areas, area) {
			areas = append(areas, area)
		}
	}
	slices.SortStableFunc(all, func(a, b Difference) int {
		return slices.Index(areas, a.Area()) - slices.Index(areas, b.Area())
	})
	return all
}

// table is the keys of one table.
type table struct {
	id, key, of string
	settings    []Setting
}

// tables are those of a configuration.
type tables struct {
	list []*table
	byID map[string]*table
}

// tablesOf takes the settings apart: all that stand outside of lists are one table.
func tablesOf(all []Setting) tables {
	t := tables{byID: map[string]*table{}}
	for _, s := range all {
		key := s.Key
		if s.Of == "" {
			key = ""
		}
		one := t.enclosing(key, s.Of)
		if one == nil {
			one = &table{id: key + " " + s.Of, key: key, of: s.Of}
			t.list, t.byID[one.id] = append(t.list, one), one
		}
		if s.Key != one.key || s.Of == "" {
			one.settings = append(one.settings, s)
		}
	}
	return t
}

// enclosing finds the table that a key of a list's table stands in: the list itself is a key, too.
func (t tables) enclosing(key, of string) *table {
	if one, ok := t.byID[key+" "+of]; ok {
		return one
	}
	if dot := strings.LastIndexByte(key, '.'); dot > 0 {
		return t.byID[key[:dot]+" "+of]
	}
	return nil
}

// since gives what differs from the table as it was.
func (t *table) since(was *table) []Difference {
	var all []Difference
	for i, s := range t.settings {
		from, to := was.settings[i].Value, s.Value
		if from == to {
			continue
		}
		if s.secret {
			from, to = withheld, withheldTwin
		}
		all = append(all, Difference{Key: s.Key, Of: s.Of, Change: Changed, From: from, To: to,
			Restart: slices.Contains(forStart, s.Key)})
	}
	return all
}

// String gives the keys of the table that have a value.
func (t *table) String() string {
	var parts []string
	for _, s := range t.settings {
		value := s.Value
		if s.secret {
			value = withheld
		}
		if value != "" {
			parts = append(parts, strings.TrimPrefix(s.Key, t.key+".")+" "+value)
		}
	}
	return strings.Join(parts, ", ")
}
