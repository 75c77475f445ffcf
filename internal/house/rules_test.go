package house

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// parsed is a file of some package with the text below the package clause.
func parsed(t *testing.T, path, text string) *file {
	t.Helper()
	tree := fstest.MapFS{path: {Data: []byte("package p\n" + text)}}
	files, err := readTree(tree)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files[0]
}

// TestRulesBite holds that each rule finds what it is for, and leaves its neighbour alone.
func TestRulesBite(t *testing.T) {
	const ours = module
	long := "func f() {\n" + strings.Repeat("\n", maxFuncLines-1) + "}\n"
	tests := []struct {
		name, path, text string
		check            func(*file) []string
		want             int
	}{
		{"import inside the table", "zone/a.go", `import _ "` + ours + `criteria"`, importFaults, 0},
		{"import outside the table", "zone/a.go", `import _ "` + ours + `store"`, importFaults, 1},
		{"import of what is below", "zone/a.go", `import _ "` + ours + `criteria/x"`, importFaults, 1},
		{"import of a stranger", "zone/a.go", `import _ "example.com/store"`, importFaults, 0},
		{"unknown package", "gizmo/a.go", "", importFaults, 1},
		{"unknown package in a known one", "zone/gizmo/a.go", "", importFaults, 1},
		{"wiring imports all", "cmd/trapline/a.go", `import _ "` + ours + `store"`, importFaults, 0},
		{"wiring imports no test helper", "cmd/trapline/a.go", `import _ "` + ours +
			`internal/testpeer"`, importFaults, 1},
		{"files", "parser/a.go", `import ("os"; "io/fs")`, impurities, 1},
		{"network", "parser/a.go", `import ("net"; "net/http"; "net/netip")`, impurities, 2},
		{"logger", "parser/a.go", `import "log/slog"`, impurities, 1},
		{"clock asked", "parser/a.go", "import \"time\"\nvar t = time.Now()", impurities, 1},
		{"clock handed over", "parser/a.go", "import \"time\"\nvar now = time.Now", impurities, 1},
		{"clock renamed", "parser/a.go", "import c \"time\"\nvar t = c.Now()", impurities, 1},
		{"time as a value", "parser/a.go", "import \"time\"\nvar t = time.Unix(0, 0)", impurities, 0},
		{"own Now", "parser/a.go", "import \"time\"\nvar t, _ = x.Now(), time.UTC", impurities, 0},
		{"file of 501 lines", "zone/a.go", strings.Repeat("\n", maxFileLines), longFile, 1},
		{"file of 500 lines", "zone/a.go", strings.Repeat("\n", maxFileLines-1), longFile, 0},
		{"function of 81 lines", "zone/a.go", long, longFuncs, 1},
		{"function of 80 lines", "zone/a.go", strings.Replace(long, "\n\n", "\n", 1), longFuncs, 0},
		{"init", "zone/a.go", "func init() {}\nfunc (x T) init() {}", inits, 1},
		{"sleep in a test", "zone/a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", sleeps, 1},
		{"blank import", "zone/a.go", `import ("fmt"; _ "embed"; _ "net/http/pprof")`, blankImports, 1},
		{"empty words", "zone/a.go", "var s = `Failed to x`", emptyWords, 1},
		{"bare names", "zone/a.go", "type T int\nfunc F() {}\nfunc (t *T) M() {}\nvar V, w = 1, 2\n" +
			"const (\n\tC = 1\n\tD = 2 // why\n)\nfunc (G[E]) M() {}", undocumented, 6},
		{"documented names", "zone/a.go", "// T is.\ntype T int\n\n// Those are.\nconst (\n\tC = 1\n)\n" +
			"type t int\nfunc (t) M() {}\nfunc f() {}\nfunc (t[E]) M() {}", undocumented, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.check(parsed(t, tt.path, tt.text))
			if len(got) != tt.want {
				t.Errorf("got %d faults, want %d: %q", len(got), tt.want, got)
			}
			for _, fault := range got {
				if !strings.HasPrefix(fault, tt.path+":") {
					t.Errorf("a fault without its place: %s", fault)
				}
			}
		})
	}
}

// TestReadTree holds what belongs to the module: not what lies in a module of its own, and not what
// Go passes over.
func TestReadTree(t *testing.T) {
	text := &fstest.MapFile{Data: []byte("package p\n")}
	tree := fstest.MapFS{"go.mod": {}, "a.go": text, "b/b.go": text, "b/b_test.go": text,
		"b/testdata/c.go": text, ".ci/d.go": text, "_old/e.go": text, "b/note.txt": text,
		"tools/go.mod": {}, "tools/f.go": text}
	files, err := readTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.pkg+" "+f.path)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{". a.go", "b b/b.go", "b b/b_test.go"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := readTree(fstest.MapFS{"x.go": {Data: []byte("no Go")}}); err == nil {
		t.Error("read a file that is no Go")
	}
}
