package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

const (
	maxFileLines = 500
	maxFuncLines = 80
)

// rules are what each file keeps by itself.
var rules = []struct {
	name  string
	tests bool // whether tests keep it, too
	check func(*file) []string
}{
	{"sleep", true, sleeps},
	{"init", true, inits},
	{"file length", false, longFile},
	{"function length", false, longFuncs},
	{"blank imports", false, blankImports},
	{"doc comments", false, undocumented},
	{"error words", false, emptyWords},
}

func TestStyle(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, f := range everything(t) {
				if f.test && !rule.tests {
					continue
				}
				for _, fault := range rule.check(f) {
					t.Error(fault)
				}
			}
		})
	}
}

// TestPackageComments asks each package to say at its head what comes in, what goes out and what
// it must never do.
func TestPackageComments(t *testing.T) {
	comments := map[string]int{}
	for _, f := range code(t) {
		comments[f.pkg] += 0
		if f.tree.Doc != nil {
			comments[f.pkg]++
		}
	}
	for pkg, n := range comments {
		if n != 1 {
			t.Errorf("%s: %d package comments, want 1: readers start there, so say what comes in, "+
				"what goes out, and what the package must never do", pkg, n)
		}
	}
}

func longFile(f *file) []string {
	if n := f.lines; n > maxFileLines {
		return []string{fmt.Sprintf("%s: %d lines, want %d at most: "+
			"it has more than one subject, so give each its file", f.path, n, maxFileLines)}
	}
	return nil
}

func longFuncs(f *file) []string {
	return eachFunc(f, func(d *ast.FuncDecl) string {
		n := f.set.Position(d.End()).Line - f.set.Position(d.Pos()).Line + 1
		if n <= maxFuncLines {
			return ""
		}
		return fmt.Sprintf("%s has %d lines, want %d at most: nobody holds more in mind at once",
			d.Name.Name, n, maxFuncLines)
	})
}

func inits(f *file) []string {
	return eachFunc(f, func(d *ast.FuncDecl) string {
		if d.Recv != nil || d.Name.Name != "init" {
			return ""
		}
		return "func init runs before anybody decides so: let the wiring call it by name"
	})
}

func eachFunc(f *file, check func(*ast.FuncDecl) string) []string {
	var faults []string
	for _, decl := range f.tree.Decls {
		if d, ok := decl.(*ast.FuncDecl); ok {
			if fault := check(d); fault != "" {
				faults = append(faults, f.at(d.Pos())+": "+fault)
			}
		}
	}
	return faults
}

// sleeps in a file that imports synctest are taken for a bubble's, where time is fake.
func sleeps(f *file) []string {
	if !f.test || slices.Contains(f.imports(), "testing/synctest") {
		return nil
	}
	var faults []string
	f.eachTimeUse(func(p token.Pos, name string) {
		if name == "Sleep" {
			faults = append(faults, f.at(p)+": a sleep is too long or too short: "+
				"wait for the event, or run in a testing/synctest bubble")
		}
	})
	return faults
}

// effects are the packages that are imported for what they do on their own.
var effects = map[string]bool{
	"embed":                                  true, // the compiler asks for it, and nothing runs
	"github.com/emersion/go-message/charset": true, // go-message has no other way to it
}

func blankImports(f *file) []string {
	var faults []string
	for i, path := range f.imports() {
		spec := f.tree.Imports[i]
		if spec.Name != nil && spec.Name.Name == "_" && !effects[path] {
			faults = append(faults, fmt.Sprintf("%s: import of %s for its effects: what runs is "+
				"listed in the wiring", f.at(spec.Pos()), path))
		}
	}
	return faults
}

func emptyWords(f *file) []string {
	var faults []string
	ast.Inspect(f.tree, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if ok && strings.Contains(strings.ToLower(lit.Value), "failed to") {
			faults = append(faults, f.at(n.Pos())+": an error says `verb object: cause`; "+
				"that it failed, everybody knows")
		}
		return true
	})
	return faults
}

// undocumented finds exported names without a comment.
func undocumented(f *file) []string {
	faults := eachFunc(f, func(d *ast.FuncDecl) string {
		if !d.Name.IsExported() || d.Doc != nil || !isPublic(d.Recv) {
			return ""
		}
		return d.Name.Name + noComment
	})
	for _, decl := range f.tree.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Doc != nil {
			continue // a comment on the group speaks for its names
		}
		for _, spec := range d.Specs {
			if name := bareName(spec); name != nil {
				faults = append(faults, f.at(name.Pos())+": "+name.Name+noComment)
			}
		}
	}
	return faults
}

const noComment = " has no comment: say its units, its errors, and the rule or RFC section it obeys"

// isPublic tells a function, or a method of an exported type.
func isPublic(receiver *ast.FieldList) bool {
	if receiver == nil {
		return true
	}
	var name *ast.Ident // the first one: type parameters follow
	ast.Inspect(receiver.List[0].Type, func(n ast.Node) bool {
		if found, ok := n.(*ast.Ident); ok && name == nil {
			name = found
		}
		return name == nil
	})
	return name.IsExported()
}

// bareName is the first exported name of a declaration without a comment.
func bareName(spec ast.Spec) *ast.Ident {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && s.Doc == nil && s.Comment == nil {
			return s.Name
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && s.Doc == nil && s.Comment == nil {
				return name
			}
		}
	}
	return nil
}
