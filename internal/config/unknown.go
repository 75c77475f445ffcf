package config

import (
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// schema is the keys we know, by the path of their table without indexes.
type schema struct {
	leaves map[string]bool
	tables map[string][]string // path of a table: its keys and tables, in order
}

func newSchema(keys []string) schema {
	s := schema{leaves: map[string]bool{}, tables: map[string][]string{}}
	for _, path := range keys {
		s.leaves[path] = true
		for path != "" {
			table, key := cutLast(path)
			if !slices.Contains(s.tables[table], key) {
				s.tables[table] = append(s.tables[table], key)
			}
			path = table
		}
	}
	return s
}

// cutLast parts a path into its table's path and its own key.
func cutLast(path string) (table, key string) {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return "", path
	}
	return path[:dot], path[dot+1:]
}

// checkUnknown records every key of the file that is none of ours.
func (r *reader) checkUnknown(top *node) {
	known := newSchema(Keys())
	r.checkTable(top, "", "", known)
}

// checkTable looks at one table: path is where it is in the file, table its path in the schema.
func (r *reader) checkTable(n *node, path, table string, known schema) {
	for _, key := range n.keys {
		child, place, name := n.table[key], join(path, key), join(table, key)
		switch {
		case known.leaves[name]:
		case known.tables[name] == nil:
			r.fault(place, "is not a key", known.suggest(table, key))
		case child.kind == unstable.Table:
			r.checkTable(child, place, name, known)
		default:
			r.checkTables(child, place, name, known)
		}
	}
}

// checkTables looks at the tables of an array; what is no table has its fault already.
func (r *reader) checkTables(array *node, path, table string, known schema) {
	for i, item := range array.items {
		if item.kind == unstable.Table {
			r.checkTable(item, element(path, i), table, known)
		}
	}
}

// suggest is the mend of an unknown key: the key that it resembles, the table it belongs into, or
// the keys that the table has.
func (s schema) suggest(table, key string) string {
	near, best := "", 3
	for _, candidate := range s.tables[table] {
		// Two slips are a typing error, but not in a word of three letters.
		if d := distance(key, candidate); d < best && d*2 <= len(candidate) {
			near, best = candidate, d
		}
	}
	if near != "" {
		return "write " + near
	}
	if homes := s.homes(key); len(homes) == 1 {
		return "it belongs " + homes[0]
	}
	return "take it out; the keys here are " + strings.Join(s.tables[table], ", ")
}

// homes tells where else a key of this name would be right, as "in [zone]".
func (s schema) homes(key string) []string {
	var homes []string
	for path := range s.leaves {
		switch table, name := cutLast(path); {
		case name != key:
		case table == "":
			homes = append(homes, "above the first [table]")
		default:
			homes = append(homes, "in ["+table+"]")
		}
	}
	slices.Sort(homes)
	return homes
}

// distance counts the letters to insert, delete or replace to make b of a.
func distance(a, b string) int {
	const long = 64
	if len(a) > long {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
