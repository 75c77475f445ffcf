package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
)

// promise is an object as docs/verbs.md describes it: what each field is.
type promise map[string]string

var (
	section  = regexp.MustCompile(`(?m)^## trapline (.+)$`)
	row      = regexp.MustCompile("^\\| `([a-z_0-9.\\[\\]]+)` \\| (.+?) \\|")
	referral = regexp.MustCompile("as of `trapline (.+)`")
)

// documented reads what docs/verbs.md says of each verb's --json: the forms that it may have.
func documented() (map[string][]promise, error) {
	text, err := os.ReadFile(documentPath)
	if err != nil {
		return nil, err
	}
	verbs := map[string][]promise{}
	verb, open := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		tables := verbs[verb]
		switch found, refer := row.FindStringSubmatch(line), referral.FindStringSubmatch(line); {
		case section.MatchString(line):
			verb = section.FindStringSubmatch(line)[1]
		case line == "| field | type | |":
			verbs[verb] = append(tables, promise{})
		case refer != nil:
			verbs[verb] = append(tables, verbs[refer[1]]...)
		case found != nil && len(tables) > 0 && open:
			tables[len(tables)-1][found[1]] = found[2]
		}
		open = strings.HasPrefix(line, "|")
	}
	return verbs, nil
}

// checkDocumented holds that what a verb has just printed with --json is what docs/verbs.md says.
func checkDocumented(ts *testscript.TestScript, args []string) {
	if !slices.Contains(args, "--json") {
		return
	}
	k, err := new(app).grammar(new(cli), nil)
	ts.Check(err)
	verbs, err := documented()
	ts.Check(err)
	verb := verbIn(k.Model.Node, args).Path()
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var object map[string]any
		ts.Check(json.Unmarshal([]byte(line), &object))
		faults := []string{"nothing is said of it"}
		for _, t := range verbs[verb] {
			if faults = t.faults("", object); len(faults) == 0 {
				break
			}
		}
		if len(faults) > 0 {
			ts.Fatalf("docs/verbs.md and %s --json: %s\n%s", verb, strings.Join(faults, "; "), line)
		}
	}
}

// verbIn is the verb that a command line names.
func verbIn(node *kong.Node, args []string) *kong.Node {
	for _, arg := range args {
		i := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == arg })
		if i >= 0 {
			node = node.Children[i]
		}
	}
	return node
}

// faults are where an object is not as promised.
func (t promise) faults(path string, object map[string]any) (all []string) {
	for name, value := range object {
		if kind, known := t[path+name]; !known {
			all = append(all, path+name+" is not in it")
		} else {
			all = append(all, t.value(path+name, strings.TrimSuffix(kind, ", or missing"), value)...)
		}
	}
	for name, kind := range t {
		rest, below := strings.CutPrefix(name, path)
		if _, has := object[rest]; below && !has && !strings.Contains(rest, ".") &&
			!strings.HasSuffix(kind, "or missing") {
			all = append(all, name+" is missing")
		}
	}
	return all
}

// value tells whether a value is of a kind.
func (t promise) value(path, kind string, value any) []string {
	wrong := []string{fmt.Sprintf("%s is %v, and not %s", path, value, kind)}
	kind, mayBeNull := strings.CutSuffix(kind, " or null")
	item, isList := strings.CutPrefix(kind, "list of ")
	fits := true
	switch v := value.(type) {
	case nil:
		fits = mayBeNull
	case string:
		_, err := time.Parse(time.RFC3339, v)
		fits = kind == "string" || kind == "time" && err == nil
	case float64:
		fits = kind == "number" || kind == "integer" && v == float64(int64(v))
	case bool:
		fits = kind == "boolean"
	case []any:
		if !isList {
			return wrong
		}
		for _, one := range v {
			if faults := t.value(path+"[]", strings.TrimSuffix(item, "s"), one); faults != nil {
				return faults
			}
		}
	case map[string]any:
		fits = strings.HasPrefix(kind, "object")
		if t.describes(path + ".") {
			return t.faults(path+".", v)
		}
	}
	if !fits && kind != "anything" {
		return wrong
	}
	return nil
}

// describes tells whether the fields below a path are in the table.
func (t promise) describes(path string) bool {
	for name := range t {
		if strings.HasPrefix(name, path) {
			return true
		}
	}
	return false
}

// TestFaults: the comparison finds what it is for.
func TestFaults(t *testing.T) {
	known := promise{"a": "string or null", "b": "list of objects", "b[].c": "integer, or missing",
		"d": "object of integers", "e": "time"}
	const good = `{"a":null,"b":[{"c":1},{}],"d":{"x":1},"e":"2026-11-24T09:00:00Z"}`
	for _, tt := range []struct{ from, to, want string }{
		{"", "", ""},
		{`"a":null`, `"a":1`, "a is 1, and not string or null"},
		{`"a":null,`, ``, "a is missing"},
		{`"a":null`, `"a":"","f":1`, "f is not in it"},
		{`"c":1`, `"c":1.5`, "b[].c is 1.5, and not integer"},
		{`{"c":1}`, `{"g":1}`, "b[].g is not in it"},
		{`[{"c":1},{}]`, `null`, "b is <nil>, and not list of objects"},
		{`09:00:00Z`, ``, "e is 2026-11-24T, and not time"},
	} {
		var object map[string]any
		if err := json.Unmarshal([]byte(strings.Replace(good, tt.from, tt.to, 1)), &object); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(known.faults("", object), "; "); got != tt.want {
			t.Errorf("%s for %s: %q, want %q", tt.to, tt.from, got, tt.want)
		}
	}
}

// uses are the ways in which the scripts use a verb.
type uses struct{ good, wrong, up, down bool }

// alone are the verbs that ask no daemon.
var alone = []string{"serve", "init", "trace", "criteria score", "zone verify", "restore", "completion"}

// TestScriptsAreWhole: of each verb there is good use and wrong use, with a daemon and without.
func TestScriptsAreWhole(t *testing.T) {
	root := model(t).Model.Node
	used := map[string]*uses{}
	for _, verb := range root.Leaves(true) {
		used[verb.Path()] = &uses{}
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(paths) < 20 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		script, _, _ := strings.Cut(string(text), "\n-- ")
		noteUses(root, script, used)
	}
	for verb, u := range used {
		if slices.Contains(alone, verb) {
			u.up, u.down = true, true
		}
		if *u != (uses{true, true, true, true}) {
			t.Errorf("scripts of %s: %+v", verb, *u)
		}
	}
}

// noteUses reads the command lines of a script.
func noteUses(root *kong.Node, script string, used map[string]*uses) {
	up := false
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		at := slices.Index(words, "trapline")
		switch {
		case strings.HasPrefix(line, "daemon st"):
			up = words[1] == "start"
			continue
		case strings.HasPrefix(line, "#") || at < 0:
			continue
		}
		u := used[verbIn(root, words[at+1:]).Path()]
		if u == nil {
			continue // no verb, or half of one
		}
		code := strings.Join(words[:at], " ")
		if code == "exits 1" || code == "exits 2" || code == "!" || code == "! exec" {
			u.wrong = true
		} else if !slices.Contains(words, "--help") {
			u.good = true
		}
		u.up, u.down = u.up || up, u.down || !up
	}
}
