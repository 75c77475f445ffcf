package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

// folderOf lays out files in a folder of its own, and gives the path of its trapline.toml.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "trapline.toml")
}

// withFiles is a configuration that reads more traps.
const withFiles = "hostname = \"mx.traps.example\"\ntrap_files = [\"traps.d/*.toml\"]\n"

const oneTrap = "[[trap]]\ndomain = \"traps.example\"\n"

func trapNames(traps []Trap) string {
	var names []string
	for _, t := range traps {
		names = append(names, t.Address+t.Domain)
	}
	return strings.Join(names, " ")
}

func TestTrapFiles(t *testing.T) {
	path := folderOf(t, map[string]string{
		"trapline.toml":          withFiles + oneTrap,
		"traps.d/b.toml":         "\ufeff[[trap]]\naddress = \"B@corp.example\"\nkind = \"typo\"\n",
		"traps.d/a.toml":         "[[trap]]\ndomain = \"a.example\"\n[[trap]]\ndomain = \"*.a.example\"\n",
		"traps.d/.a.toml123":     "half a fi",
		"traps.d/notes.txt":      "for people",
		"traps.d/below/c.toml":   "not read",
		"traps.d/.hidden.toml":   "not read either",
		"elsewhere/traps.d.toml": "nor this",
	})
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := trapNames(c.Traps); got != "traps.example a.example *.a.example b@corp.example" {
		t.Errorf("traps %s", got)
	}
	if c.Traps[3].Weight != criteria.One/4 || c.Traps[3].Kind != Typo {
		t.Errorf("read %+v", c.Traps[3])
	}
}

// A configuration may have all its traps in other files.
func TestTrapFilesAlone(t *testing.T) {
	c, err := Load(folderOf(t, map[string]string{"trapline.toml": withFiles, "traps.d/a.toml": oneTrap}))
	if err != nil || trapNames(c.Traps) != "traps.example" {
		t.Errorf("%v, %v", err, c)
	}
}

func TestTrapFilesHaveFaults(t *testing.T) {
	path := folderOf(t, map[string]string{
		"trapline.toml": "hostname = 1\ntrap_files = [\"traps.d/*.toml\", \"[\", \"more.toml\"]\n" + oneTrap +
			"[[reporter]]\nname = \"noc\"\naddress = \"s@reports.example\"\npeers = [\"192.0.2.0/28\"]\n" +
			"hosts = [\"mx.example.net\"]\n",
		"traps.d/a.toml": "[[trap]]\naddress = \"a@corp.example\"\n\n[[trap]]\ndomain = \"Traps.Example\"\n" +
			"[[trap]]\naddress = \"S@reports.example\"\nkind = \"rare\"\n",
		"traps.d/b.toml": "[[trap]]\n\n\naddress = \"A@corp.example\"\nkinds = \"typo\"\n",
		"traps.d/c.toml": "[zone]\norigin = \"bl.example\"\n",
		"traps.d/d.toml": "trap = 1\n[[trap\n",
		"traps.d/e.toml": "# nothing yet\n",
	})
	_, err := Load(path)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("%v", err)
	}
	got := strings.ReplaceAll(faults.Error(), filepath.Dir(path)+"/", "")
	checkGolden(t, "testdata/trapfiles.golden", got+"\n")
}

func TestTheFaultsOfAListAreSoonSaid(t *testing.T) {
	_, err := listed(t, strings.Repeat("no name\n", mostFaults+50), nil)
	lines := strings.Split(err.Error(), "\n")
	if last := lines[len(lines)-1]; len(lines) != mostFaults+1 || last != "list.csv: has 50 faults more: mend these first" {
		t.Errorf("%d lines, the last %q", len(lines), last)
	}
}

func TestTryTraps(t *testing.T) {
	path := folderOf(t, map[string]string{
		"trapline.toml":     withFiles + oneTrap,
		"traps.d/old.toml":  "[[trap]]\naddress = \"old@corp.example\"\n",
		"traps.d/same.toml": "[[trap]]\naddress = \"same@corp.example\"\n",
	})
	in := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	for _, c := range []struct {
		name, at, text string
		want           string // names, or the fault
		isRead         bool
	}{
		{"a new file", "traps.d/new.toml", "a@corp.example\nb.example\n", "a@corp.example b.example", true},
		{"in the place of another", "traps.d/old.toml", "old@corp.example\n", "old@corp.example", true},
		{"where nobody reads it", "new.toml", "a@corp.example\n", "a@corp.example", false},
		{"a trap of another file", "traps.d/old.toml", "x@corp.example\nsame@corp.example\n",
			"list.csv:2: trap[2].address: is the same as DIR/traps.d/same.toml:2: take one of the two out", true},
		{"a trap of the first file", "traps.d/new.toml", "\ntraps.example\n",
			"list.csv:2: trap[1].domain: is the same as trap[1].domain: take one of the two out", true},
		{"a trap twice", "traps.d/new.toml", "# both\na@corp.example\nA@CORP.example\n",
			"list.csv:3: trap[2].address: is the same as list.csv:2: take one of the two out", true},
		{"nothing", "traps.d/new.toml", "# none\n", "list.csv: has no traps: give a list with one at least", true},
	} {
		traps, isRead, err := TryTraps(path, TrapFile{Path: in(c.at), Name: "list.csv", Text: []byte(c.text), Form: CSV})
		got := trapNames(traps)
		if err != nil {
			got, isRead = strings.ReplaceAll(err.Error(), filepath.Dir(path), "DIR"), c.isRead
		}
		if got != c.want || isRead != c.isRead {
			t.Errorf("%s: %s, read %v", c.name, got, isRead)
		}
	}
	if _, _, err := TryTraps(in("none.toml"), TrapFile{}); err == nil {
		t.Error("without a configuration")
	}
}

func TestTrapLists(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, text string
		otherwise  map[string]string
		want       []Trap
		fault      string
	}{
		{"plain", "a@corp.example\n\n# more\n *.traps.example \n", nil,
			[]Trap{{Address: "a@corp.example"}, {Domain: "*.traps.example"}}, ""},
		{"with defaults", "a@corp.example\nb@corp.example,pristine,1\n",
			map[string]string{"kind": "recycled", "active_from": "2026-01-01", "state": "watching"},
			[]Trap{{Address: "a@corp.example", Kind: Recycled, Weight: criteria.One / 2, State: Watching, ActiveFrom: day},
				{Address: "b@corp.example", State: Watching, ActiveFrom: day}}, ""},
		{"with a head in another order", "State;Kind;Address\r\nresting;typo;\"A@Corp.example\"\r\n", nil,
			[]Trap{{Address: "a@corp.example", Kind: Typo, Weight: criteria.One / 4, State: Resting}}, ""},
		{"a domain called trap", "trap.example,typo,0.5\n", nil,
			[]Trap{{Domain: "trap.example", Kind: Typo, Weight: criteria.One / 2}}, ""},
		{"a quoted mailbox", "\"\"\"a b\"\"@corp.example\"\n", nil, []Trap{{Address: `"a b"@corp.example`}}, ""},
		{"with a time", "a.example,,,,2026-01-01T00:00:00Z", nil, []Trap{{Domain: "a.example", ActiveFrom: day}}, ""},
		{"no kind", "a.example,rare\n", nil, nil, `:1: trap[1].kind: "rare" is not a kind: use pristine, recycled or typo`},
		{"no weight", "a.example,typo,much\n", nil, nil, `:1: trap[1].weight: "much" is not a number with at most six decimals: write it as 0.25`},
		{"too heavy", "a.example\nb.example,typo,101\n", nil, nil, ":2: trap[2].weight: is 101: give 0 to 100"},
		{"recycled since when", "a.example,recycled\n", nil, nil, ":1: trap[1].active_from: is missing: write " +
			"the day from which the recycled trap counts, as active_from = 2026-01-01"},
		{"no day", "a.example,,,,2026-13-01\n", nil, nil, ":1: trap[1].active_from: 2026-13-01 is no date: write it as 2026-01-01 or 2026-01-01T12:00:00Z"},
		{"no name", "a b\n", nil, nil, ":1: trap[1].domain: is not a DNS name: " +
			"labels are 1 to 63 letters, digits and inner hyphens: write it as traps.example.net or *.traps.example.net"},
		{"a field too many", "a.example,,,,,x\n", nil, nil, ":1: has 6 fields: give at most 5: trap, kind, weight, state, active_from"},
		{"no column", "trap,colour\na.example,red\n", nil, nil, `:1: "colour" is not a column, or the same as another: the columns are trap, kind, weight, state, active_from`},
		{"nobody", "trap,kind\n,typo\n", nil, nil, `:2: trap[1]: has neither domain nor address: write domain = "…" or address = "…"`},
		{"a quote", "a.example\nb\".example\n", nil, nil, ":2: bare \" in non-quoted-field: put quotes around a field with quotes in it, and double these"},
	} {
		traps, err := listed(t, c.text, c.otherwise)
		if c.fault != "" {
			if err == nil || err.Error() != "list.csv"+c.fault {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		for i := range c.want {
			if c.want[i].Kind == "" {
				c.want[i].Kind, c.want[i].Weight = Pristine, criteria.One
			}
			if c.want[i].State == "" {
				c.want[i].State = Active
			}
		}
		if diff := cmp.Diff(c.want, traps); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.name, err, diff)
		}
	}
}

// listed reads a list beside the smallest configuration.
func listed(t *testing.T, text string, otherwise map[string]string) ([]Trap, error) {
	t.Helper()
	_, r, err := parse("trapline.toml", []byte(smallest), &TrapFile{Path: "list.toml", Name: "list.csv",
		Text: []byte(text), Form: CSV, Otherwise: otherwise})
	if err != nil {
		return nil, err
	}
	return r.tried, nil
}

// Whatever a list has is the same after it was written in either form and read again.
func FuzzTrapLists(f *testing.F) {
	f.Add("trap,kind,weight,state,active_from\na@corp.example,typo,0.5,resting,2026-01-01T11:00:00+01:00\n")
	f.Add("\"\"\"a\\\"\"b\"\"@corp.example\"\nä@bücher.example\n*.x.example,recycled,,,2020-02-02")
	f.Add("state;trap\n;=1+2@corp.example\n")
	f.Fuzz(func(t *testing.T, text string) {
		traps, err := listed(t, text, nil)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !strings.HasPrefix(line, "list.csv:") {
					t.Errorf("a fault of no file: %q", line)
				}
			}
			return
		}
		again, err := listed(t, string(AppendCSV(nil, traps)), nil)
		if diff := cmp.Diff(traps, again); diff != "" || err != nil {
			t.Errorf("as CSV: %v\n%s", err, diff)
		}
		_, r, err := parse("trapline.toml", []byte(smallest), &TrapFile{Path: "list.toml", Name: "list.toml",
			Text: AppendTOML(nil, traps), Form: TOML})
		if err != nil {
			t.Fatalf("as TOML: %v\n%s", err, AppendTOML(nil, traps))
		}
		if diff := cmp.Diff(traps, r.tried); diff != "" {
			t.Errorf("as TOML: %s", diff)
		}
	})
}
