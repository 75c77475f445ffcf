package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseRefusesHugeFiles(t *testing.T) {
	filler := strings.Repeat("#\n", maxFile/2)
	if faults := faultsOf(t, smallest+filler); len(faults) != 1 {
		t.Errorf("got %v, want one fault", faults)
	}
	mustParse(t, smallest+filler[:maxFile-len(smallest)])
}

// Paths of deeply nested values would eat memory in the square of the file.
func TestParseEndsOnNestedFiles(t *testing.T) {
	for name, text := range map[string]string{
		"dotted key": strings.Repeat("a.", maxFile/16) + "a=1",
		"header":     "[" + strings.Repeat("a.", maxFile/16) + "a]",
		"lists":      "a=" + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"tables":     "a=" + strings.Repeat("{a=", 9000) + "1" + strings.Repeat("}", 9000),
	} {
		t.Run(name, func(t *testing.T) {
			if faults := faultsOf(t, text); len(faults) == 0 {
				t.Error("no fault")
			}
		})
	}
}

// FuzzParse: whatever the file, Parse ends, and a fault of something in it has its line.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.toml", "testdata/good/*.toml", "*.toml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("fuzz.toml", text)
		if err == nil {
			if c.Hostname == "" || len(c.Traps) == 0 || len(c.Listen) == 0 || len(c.Policy.Check()) > 0 {
				t.Fatalf("not served: %+v", c)
			}
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("got %v, want Faults", err)
		}
		lines := map[string]int{}
		if tree, syntax := parseTree(text); syntax == nil {
			tree.index("", lines)
		}
		most := strings.Count(string(text), "\n") + 1
		for _, fault := range faults {
			line, given := lines[fault.Key]
			if given && fault.Key != "" && fault.Line != line || fault.Line > most {
				t.Errorf("%v: its key is on line %d of %d", fault, line, most)
			}
			if fault.Problem == "" || fault.Mend == "" || strings.Contains(fault.Error(), "\n") {
				t.Errorf("%q is not a fault in one line", fault.Error())
			}
		}
	})
}
