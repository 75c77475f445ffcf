package config

import "strings"

// ManualTable is a table of the configuration in the words of the starter.
type ManualTable struct {
	Name   string // "[zone]", "[[trap]]"; "" for what stands above the first table
	Text   string // what it is for
	Groups []ManualKeys
}

// ManualKeys are keys that are explained together.
type ManualKeys struct {
	Text string
	Keys []string // as `ttl = "5m"`: with the default, or with an example where there is none
}

// Manual is the starter as data, for documents: all keys, in the order of Keys.
func Manual() []ManualTable {
	m := manual{tables: []ManualTable{{}}}
	text, _, _ := strings.Cut(string(starter), "\n\n") // about the file itself
	for line := range strings.Lines(strings.TrimPrefix(string(starter), text)) {
		m.read(strings.TrimRight(line, "\n"))
	}
	return m.tables
}

// manual reads the starter line by line.
type manual struct {
	tables  []ManualTable
	comment []string // above the next table or key
}

func (m *manual) read(line string) {
	bare := strings.TrimPrefix(line, "#")
	switch {
	case line == "":
		m.comment = nil
	case strings.HasPrefix(line, "# "):
		m.comment = append(m.comment, line[2:])
	case strings.HasPrefix(bare, "["):
		m.tables = append(m.tables, ManualTable{Name: bare, Text: m.said()})
	default:
		m.key(strings.NewReplacer("DOMAIN", "traps.example").Replace(bare))
	}
}

// said is the comment so far, which is used up by it.
func (m *manual) said() string {
	text := strings.TrimPrefix(strings.Join(m.comment, " "), "Example: ")
	m.comment = nil
	return text
}

// key adds a key: without a comment of its own it belongs to those above.
func (m *manual) key(line string) {
	table := &m.tables[len(m.tables)-1]
	if len(m.comment) > 0 || len(table.Groups) == 0 {
		table.Groups = append(table.Groups, ManualKeys{Text: m.said()})
	}
	group := &table.Groups[len(table.Groups)-1]
	group.Keys = append(group.Keys, line)
}
