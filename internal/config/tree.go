package config

import (
	"errors"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxDepth bounds how deep the tree goes: no key we know is half as deep, and paths of an endless
// dotted key would eat memory in the square of its length.
const maxDepth = 8

// node is a value of the file: a scalar, a list or a table.
type node struct {
	kind  unstable.Kind    // Table also for inline tables, Array also for arrays of tables
	line  int              // of its key, header or, in a list, itself
	text  string           // of a scalar: a string's content; else the bytes as written, so 4.0
	items []*node          // of an Array
	keys  []string         // of a Table, in the order of the file
	table map[string]*node // of a Table
}

// child gives the value of a key, nil if there is none. A nil node is an empty table.
func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	return n.table[key]
}

func (n *node) put(key string, value *node) {
	if n.table == nil {
		n.kind, n.table = unstable.Table, map[string]*node{}
	}
	if n.table[key] == nil {
		n.keys = append(n.keys, key)
	}
	n.table[key] = value
}

// enter gives the table that a part of a dotted key or header leads into, made if it is not there.
// In an array of tables that is the newest.
func (n *node) enter(part string, line int) *node {
	next := n.child(part)
	if next == nil {
		next = &node{kind: unstable.Table, line: line}
		n.put(part, next)
	}
	if count := len(next.items); count > 0 {
		return next.items[count-1]
	}
	return next
}

// appendTable adds a table to the array of tables called key and gives it.
func (n *node) appendTable(key string, line int) *node {
	array := n.child(key)
	if array == nil {
		array = &node{kind: unstable.Array, line: line}
		n.put(key, array)
	}
	table := &node{kind: unstable.Table, line: line}
	array.items = append(array.items, table)
	return table
}

// index notes the line of every path below the node.
func (n *node) index(path string, lines map[string]int) {
	lines[path] = n.line
	for i, item := range n.items {
		item.index(element(path, i), lines)
	}
	for _, key := range n.keys {
		n.table[key].index(join(path, key), lines)
	}
}

// join is the path of a key in a table. A key that could not stand bare is quoted.
func join(path, key string) string {
	const bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if key == "" || strings.Trim(key, bare) != "" {
		key = quoted(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// parseTree reads the text of a file. A text that is not TOML gives the one Fault that go-toml
// stops at; it has no File yet.
func parseTree(text []byte) (*node, *Fault) {
	// The parser below gives lines but knows only the grammar: that no key is defined twice, and
	// that dates and numbers exist, is decided here.
	var ignored map[string]any
	if err := toml.Unmarshal(text, &ignored); err != nil {
		return nil, syntaxFault(err)
	}
	b := builder{root: &node{kind: unstable.Table}}
	b.parser.Reset(text)
	for i, c := range text {
		if c == '\n' {
			b.newlines = append(b.newlines, i)
		}
	}
	b.current = b.root
	for b.parser.NextExpression() {
		b.expression(b.parser.Expression())
	}
	if err := b.parser.Error(); err != nil {
		return nil, syntaxFault(err)
	}
	return b.root, nil
}

func syntaxFault(err error) *Fault {
	f := &Fault{
		Problem: strings.TrimPrefix(err.Error(), "toml: "),
		Mend:    "mend this first, the rest of the file is read afterwards",
	}
	if strings.Contains(f.Problem, "keyword") || strings.Contains(f.Problem, "at start of value") {
		f.Mend = `text stands in quotes, as "mx.example.net"`
	}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		f.Line, _ = at.Position()
	}
	return f
}

// builder makes the tree out of the parser's expressions.
type builder struct {
	parser   unstable.Parser
	newlines []int // offsets, ascending
	root     *node
	current  *node // the table that the last header opened
}

func (b *builder) lineOf(r unstable.Range) int {
	return sort.SearchInts(b.newlines, int(r.Offset)) + 1
}

func (b *builder) expression(e *unstable.Node) {
	path, line := b.key(e)
	last := len(path) - 1
	switch e.Kind {
	case unstable.KeyValue:
		b.keyValue(b.current, e, 0)
	case unstable.Table:
		b.current = b.root
		for _, part := range path {
			b.current = b.current.enter(part, line)
		}
		b.current.line = line
	case unstable.ArrayTable:
		table := b.root
		for _, part := range path[:last] {
			table = table.enter(part, line)
		}
		b.current = table.appendTable(path[last], line)
	}
}

// key gives the parts of a dotted key, at most maxDepth, and the line it stands on.
func (b *builder) key(e *unstable.Node) (parts []string, line int) {
	for it := e.Key(); it.Next(); {
		if line == 0 {
			line = b.lineOf(it.Node().Raw)
		}
		parts = append(parts, string(it.Node().Data))
	}
	return parts[:min(len(parts), maxDepth)], line
}

func (b *builder) keyValue(table *node, e *unstable.Node, depth int) {
	path, line := b.key(e)
	last := len(path) - 1
	for _, part := range path[:last] {
		table = table.enter(part, line)
	}
	table.put(path[last], b.value(e.Value(), line, depth+1))
}

// value reads a value whose key stands on the line.
func (b *builder) value(v *unstable.Node, line, depth int) *node {
	n := &node{kind: v.Kind, line: line, text: string(v.Data)}
	if v.Kind == unstable.InlineTable {
		n.kind, n.table = unstable.Table, map[string]*node{}
	}
	if depth > maxDepth {
		return n
	}
	for it := v.Children(); it.Next(); {
		child := it.Node()
		switch v.Kind {
		case unstable.InlineTable:
			b.keyValue(n, child, depth)
		case unstable.Array:
			n.items = append(n.items, b.value(child, b.itemLine(child, line), depth+1))
		}
	}
	return n
}

// itemLine is the line of an element of a list. The parser does not say where a list within a
// list begins: it gets the line of the outer one.
func (b *builder) itemLine(item *unstable.Node, line int) int {
	if item.Raw.Length == 0 {
		return line
	}
	return b.lineOf(item.Raw)
}
