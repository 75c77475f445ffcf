package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/trapline/trapline/criteria"
)

// reader collects what is wrong with a file, and which keys were asked for.
type reader struct {
	file   string
	lines  map[string]int // of every path in the file
	faults Faults
	marred map[string]bool   // paths with a fault: their values are not to be judged further
	claims map[string]string // what may be there once only, and the path that has it
	keys   []string          // asked for, without the indexes of tables
	dry    bool              // there is no file: one table of each array is read for its keys

	isIncluded bool // the file is one of trap_files

	included Faults    // of the files of traps, each file's in the order of its lines
	trial    *TrapFile // stands in for a file of traps, or beside them
	tried    []Trap    // that are in it
	taken    bool      // it was read
}

// fault records what is wrong with the value at a path. A value that is missing is found at the
// line of its table.
func (r *reader) fault(path, problem, mend string) {
	r.marred[path] = true
	shown := path
	if strings.Contains(path, "@") {
		shown = "a key with an @" // perhaps an address that slipped to the left: see quoted
	}
	r.faults = append(r.faults, Fault{r.file, r.lineOf(path), shown, problem, mend})
}

func (r *reader) lineOf(path string) int {
	for path != "" {
		if line, ok := r.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// given tells whether the file has a value at the path.
func (r *reader) given(path string) bool {
	_, ok := r.lines[path]
	return ok
}

// sound tells whether all these values may be compared: none has a fault of its own.
func (r *reader) sound(paths ...string) bool {
	return !slices.ContainsFunc(paths, func(path string) bool { return r.marred[path] })
}

// claim records a fault at the path if another one has the same identity.
func (r *reader) claim(path, identity string) {
	if first, taken := r.claims[identity]; taken {
		r.fault(path, "is the same as "+first, "take one of the two out")
		return
	}
	r.claims[identity] = path
	if r.isIncluded {
		r.claims[identity] = fmt.Sprintf("%s:%d", r.file, r.lineOf(path))
	}
}

// section is a table of the file that is being read. Every method that takes a key declares it:
// a key that no method was called with is unknown, so none may be asked for only sometimes.
// Methods return the default where the file has no value, or a bad one and thus a fault.
type section struct {
	*reader
	path string // "" for the top of the file
	node *node  // nil when the file has no such table
}

func (s section) at(key string) string { return join(s.path, key) }

// shape is a form that values have in TOML.
type shape struct {
	name  string
	kinds []unstable.Kind
}

// The shapes of values.
var (
	aString   = shape{"a string", []unstable.Kind{unstable.String}}
	aFlag     = shape{"true or false", []unstable.Kind{unstable.Bool}}
	aNumber   = shape{"a whole number", []unstable.Kind{unstable.Integer}}
	aDecimal  = shape{"a decimal number", []unstable.Kind{unstable.Float, unstable.Integer}}
	aDate     = shape{"a date", dates}
	aList     = shape{"a list", []unstable.Kind{unstable.Array}}
	aTable    = shape{"a table", []unstable.Kind{unstable.Table}}
	aDuration = shape{"a duration", []unstable.Kind{unstable.String, unstable.Integer}}

	dates = []unstable.Kind{unstable.LocalDate, unstable.LocalDateTime, unstable.DateTime}
)

// nameOf is the shape that a value has.
func nameOf(n *node) string {
	if n.kind == unstable.Bool {
		return n.text
	}
	for _, s := range []shape{aString, aNumber, aDecimal, aDate, aList, aTable} {
		if slices.Contains(s.kinds, n.kind) {
			return s.name
		}
	}
	return "a time"
}

// value gives the value of a key if it has the shape, else nil.
func (s section) value(key string, want shape, example string) *node {
	s.declare(key)
	n := s.node.child(key)
	if n == nil || s.fits(s.at(key), n, want, example) {
		return n
	}
	return nil
}

func (s section) declare(key string) {
	s.keys = append(s.keys, withoutIndexes(s.at(key)))
}

func (r *reader) fits(path string, n *node, want shape, example string) bool {
	if slices.Contains(want.kinds, n.kind) {
		return true
	}
	r.fault(path, "is "+nameOf(n)+", not "+want.name, "write it as "+example)
	return false
}

// withoutIndexes makes "trap.kind" of "trap[3].kind".
func withoutIndexes(path string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(path, "[")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, path, _ = strings.Cut(after, "]")
	}
}

// text reads a line of text. Control characters would break logs, files and replies.
func (s section) text(key, otherwise string) string {
	example := otherwise
	if example == "" {
		example = "…"
	}
	n := s.value(key, aString, strconv.Quote(example))
	switch {
	case n == nil:
		return otherwise
	case strings.ContainsFunc(n.text, unicode.IsControl):
		s.fault(s.at(key), "has a control character", "write one line of plain text")
		return otherwise
	}
	return n.text
}

// word reads one of the words; the first is the default. Noun says what they are.
func (s section) word(key, noun string, words ...string) string {
	got := s.text(key, words[0])
	if !slices.Contains(words, got) {
		s.fault(s.at(key), quoted(got)+" is not "+noun, "use "+oneOf(words))
		return words[0]
	}
	return got
}

// oneOf lists words as "a, b or c".
func oneOf(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (s section) flag(key string) bool {
	n := s.value(key, aFlag, "true")
	return n != nil && n.text == "true"
}

// number reads a whole number from low to high.
func (s section) number(key string, otherwise, low, high int64) int64 {
	n := s.value(key, aNumber, strconv.FormatInt(otherwise, 10))
	if n == nil {
		return otherwise
	}
	// The tree was checked: what fails here is a number in another base.
	got, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 10, 64)
	switch {
	case err != nil:
		s.fault(s.at(key), n.text+" is not a decimal number", "write its digits alone")
	case got < low:
		s.fault(s.at(key), "is "+n.text, "give at least "+strconv.FormatInt(low, 10))
	case got > high:
		s.fault(s.at(key), "is "+n.text, "give at most "+strconv.FormatInt(high, 10))
	default:
		return got
	}
	return otherwise
}

// decimal reads a number with at most six decimals, from low to high, exactly as written.
func (s section) decimal(key string, otherwise, low, high criteria.Micro) criteria.Micro {
	n := s.value(key, aDecimal, otherwise.String())
	if n == nil {
		return otherwise
	}
	got, err := criteria.ParseMicro(n.text)
	switch {
	case err != nil:
		s.fault(s.at(key), err.Error(), "write it as "+otherwise.String())
	case got < low || got > high:
		s.fault(s.at(key), "is "+n.text, "give "+low.String()+" to "+high.String())
	default:
		return got
	}
	return otherwise
}

// span reads a duration from low to high. The number 0 needs no unit.
func (s section) span(key string, otherwise, low, high time.Duration) time.Duration {
	n := s.value(key, aDuration, strconv.Quote(short(otherwise)))
	if n == nil {
		return otherwise
	}
	got, err := time.ParseDuration(n.text)
	switch {
	case err != nil:
		s.fault(s.at(key), quoted(n.text)+" is not a duration", `write it as "48h", "90m" or "30s"`)
	case got < low:
		s.fault(s.at(key), "is "+short(got), "give at least "+short(low))
	case got > high:
		s.fault(s.at(key), "is "+short(got), "give at most "+short(high))
	default:
		return got
	}
	return otherwise
}

// seconds reads a duration that ends up in a file as whole seconds.
func (s section) seconds(key string, otherwise, low, high time.Duration) time.Duration {
	got := s.span(key, otherwise, low, high)
	if got%time.Second != 0 {
		s.fault(s.at(key), "is "+short(got), "give whole seconds")
	}
	return got
}

// short spells a duration as people write it: 48h, 90m, 1m30s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// instant reads a date, which is its midnight, or a date with a time; both are UTC unless they say
// otherwise. The zero Time is for no value.
func (s section) instant(key string) time.Time {
	n := s.value(key, aDate, "2026-01-01")
	if n == nil {
		return time.Time{}
	}
	text := strings.ToUpper(strings.Replace(n.text, " ", "T", 1))
	for _, layout := range []string{
		time.DateOnly, time.RFC3339, "2006-01-02T15:04:05",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04", // TOML 1.1 needs no seconds
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	s.fault(s.at(key), n.text+" is no date", "write it as 2026-01-01 or 2026-01-01T12:00:00Z")
	return time.Time{}
}

// item is one string of a list.
type item struct{ path, text string }

// list reads a list of strings.
func (s section) list(key, example string) []item {
	n := s.value(key, aList, "["+strconv.Quote(example)+"]")
	if n == nil {
		return nil
	}
	items := make([]item, 0, len(n.items))
	for i, n := range n.items {
		path := element(s.at(key), i)
		if s.fits(path, n, aString, strconv.Quote(example)) {
			items = append(items, item{path, n.text})
		}
	}
	return items
}

// one reads a single string as an item, for what is checked alike alone and in a list.
func (s section) one(key, example string) (item, bool) {
	n := s.value(key, aString, strconv.Quote(example))
	if n == nil {
		return item{}, false
	}
	return item{s.at(key), n.text}, true
}

// section opens a table within this one.
func (s section) section(key string) section {
	n := s.node.child(key)
	if n != nil && !s.fits(s.at(key), n, aTable, "["+withoutIndexes(s.at(key))+"]") {
		n = nil
	}
	return section{s.reader, s.at(key), n}
}

// sections opens the tables of an array of tables.
func (s section) sections(key string) []section {
	if s.dry {
		return []section{{s.reader, s.at(key), nil}}
	}
	n, example := s.node.child(key), "[["+withoutIndexes(s.at(key))+"]]"
	if n == nil || !s.fits(s.at(key), n, aList, example) {
		return nil
	}
	opened := make([]section, 0, len(n.items))
	for i, table := range n.items {
		path := element(s.at(key), i)
		if s.fits(path, table, aTable, example) {
			opened = append(opened, section{s.reader, path, table})
		}
	}
	return opened
}
