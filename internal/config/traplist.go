package config

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// trapColumns are the columns of a list of traps, in their order where it has no head.
var trapColumns = []string{"trap", "kind", "weight", "state", "active_from"}

// nodeKinds are the shapes that the columns have in TOML.
var nodeKinds = map[string]unstable.Kind{
	"kind": unstable.String, "weight": unstable.Float, "state": unstable.String,
	"active_from": unstable.LocalDate,
}

// csvTree reads a list of traps as what the same traps are in TOML, with the lines of the list. A
// trap is an address, a domain, or *.domain; where only that is known a plain list is one. A first
// line that names columns gives their order. Blank lines, and those that begin with #, are
// comments; fields may be separated by semicolons, as some spreadsheets do.
func csvTree(name string, text []byte, otherwise map[string]string) (*node, Faults) {
	in := csv.NewReader(bytes.NewReader(text))
	in.Comment, in.FieldsPerRecord, in.TrimLeadingSpace = '#', -1, true
	in.Comma = separatorOf(text)
	l := trapList{name: name, otherwise: otherwise, columns: trapColumns,
		top: &node{kind: unstable.Table, line: 1}}
	for first := true; ; first = false {
		record, err := in.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return l.top, l.faults
		case errors.As(err, &bad):
			l.fault(bad.Line, bad.Err.Error(),
				"put quotes around a field with quotes in it, and double these")
			return l.top, l.faults
		case err != nil:
			l.fault(0, err.Error(), "")
			return l.top, l.faults
		}
		line, _ := in.FieldPos(0)
		if first && isHead(record) {
			l.head(line, record)
			continue
		}
		l.add(line, record)
	}
}

// separatorOf looks at the first line that is no comment.
func separatorOf(text []byte) rune {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		if bytes.ContainsRune(line, ';') && !bytes.ContainsRune(line, ',') {
			return ';'
		}
		break
	}
	return ','
}

func isHead(record []string) bool {
	return slices.ContainsFunc(record, func(field string) bool { return columnOf(field) == "trap" })
}

// columnOf knows a column by what people call it.
func columnOf(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if slices.Contains([]string{"address", "domain", "recipient"}, name) {
		return "trap"
	}
	return name
}

// trapList is a list as it is read.
type trapList struct {
	name      string
	otherwise map[string]string
	columns   []string
	top       *node
	faults    Faults
}

func (l *trapList) fault(line int, problem, mend string) {
	l.faults = append(l.faults, Fault{File: l.name, Line: line, Problem: problem, Mend: mend})
}

func (l *trapList) head(line int, record []string) {
	l.columns = nil
	for _, field := range record {
		column := columnOf(field)
		if !slices.Contains(trapColumns, column) || slices.Contains(l.columns, column) {
			l.fault(line, quoted(field)+" is not a column, or the same as another",
				"the columns are "+strings.Join(trapColumns, ", "))
		}
		l.columns = append(l.columns, column)
	}
}

// add makes a table of a line.
func (l *trapList) add(line int, record []string) {
	if len(record) > len(l.columns) {
		l.fault(line, fmt.Sprintf("has %d fields", len(record)), fmt.Sprintf("give at most %d: %s",
			len(l.columns), strings.Join(l.columns, ", ")))
		return
	}
	table := l.top.appendTable("trap", line)
	for _, column := range trapColumns[1:] {
		if value := l.otherwise[column]; value != "" {
			table.put(column, scalar(nodeKinds[column], value, line))
		}
	}
	for i, value := range record {
		value = strings.TrimSpace(value)
		switch column := l.columns[i]; {
		case value == "":
		case column != "trap":
			table.put(column, scalar(nodeKinds[column], value, line))
		case strings.Contains(value, "@"):
			table.put("address", scalar(unstable.String, value, line))
		default:
			table.put("domain", scalar(unstable.String, value, line))
		}
	}
}

func scalar(kind unstable.Kind, text string, line int) *node {
	return &node{kind: kind, text: text, line: line}
}

// AppendTOML writes traps as [[trap]] tables. Every value is written, so that another default
// changes none of them.
func AppendTOML(b []byte, traps []Trap) []byte {
	for _, t := range traps {
		key, name := "address", t.Address
		if t.Address == "" {
			key, name = "domain", t.Domain
		}
		b = fmt.Appendf(b, "[[trap]]\n%s = %s\nkind = %q\nweight = %s\nstate = %q\n", key, tomlText(name),
			t.Kind, t.Weight, t.State)
		if !t.ActiveFrom.IsZero() {
			b = fmt.Appendf(b, "active_from = %s\n", dateText(t.ActiveFrom))
		}
	}
	return b
}

// tomlText is a basic string: what JSON escapes, TOML reads.
func tomlText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// dateText is the shortest spelling of an instant.
func dateText(t time.Time) string {
	if t.Truncate(24 * time.Hour).Equal(t) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// AppendCSV writes traps as a list with a head (RFC 4180). No cell is changed for the sake of
// spreadsheets: what an import reads must be what was exported.
func AppendCSV(b []byte, traps []Trap) []byte {
	out := bytes.NewBuffer(b)
	w := csv.NewWriter(out)
	w.UseCRLF = true
	_ = w.Write(trapColumns) // a buffer takes all
	for _, t := range traps {
		from := ""
		if !t.ActiveFrom.IsZero() {
			from = dateText(t.ActiveFrom)
		}
		_ = w.Write([]string{t.Address + t.Domain, string(t.Kind), t.Weight.String(),
			string(t.State), from})
	}
	w.Flush()
	return out.Bytes()
}
