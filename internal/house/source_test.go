package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the path before our own packages.
const module = "github.com/trapline/trapline/"

// file is a Go file of the module.
type file struct {
	pkg   string // its folder from the module's root, "." for the root
	path  string // from the root as well
	test  bool
	lines int
	set   *token.FileSet
	tree  *ast.File
}

// at names a place in the file.
func (f *file) at(p token.Pos) string {
	return f.path + ":" + strconv.Itoa(f.set.Position(p).Line)
}

// imports are the paths it imports.
func (f *file) imports() []string {
	var paths []string
	for _, spec := range f.tree.Imports {
		path, _ := strconv.Unquote(spec.Path.Value) // the parser has read it already
		paths = append(paths, path)
	}
	return paths
}

// eachTimeUse tells of each name of package time that is used, called or not, whatever the file
// calls that package.
func (f *file) eachTimeUse(tell func(at token.Pos, name string)) {
	local := "time"
	for i, path := range f.imports() {
		if name := f.tree.Imports[i].Name; path == "time" && name != nil {
			local = name.Name
		}
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == local {
				tell(s.Pos(), s.Sel.Name)
			}
		}
		return true
	})
}

// source reads the module once for all tests.
var source = sync.OnceValues(func() ([]*file, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	return readTree(os.DirFS(root))
})

// moduleRoot is the nearest folder upward with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, found := os.Stat(filepath.Join(dir, "go.mod")); found == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fs.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// readTree reads the Go files of a module, without modules inside it and what Go leaves out.
func readTree(root fs.FS) ([]*file, error) {
	var files []*file
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && isForeign(root, path):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go"):
			return nil
		}
		f, err := readFile(root, path)
		files = append(files, f)
		return err
	})
	return files, err
}

func isForeign(root fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	name := dir[strings.LastIndex(dir, "/")+1:]
	_, err := fs.Stat(root, dir+"/go.mod")
	return err == nil || name == "testdata" || name[0] == '.' || name[0] == '_'
}

func readFile(root fs.FS, path string) (*file, error) {
	text, err := fs.ReadFile(root, path)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, test: strings.HasSuffix(path, "_test.go"), set: token.NewFileSet(),
		pkg: filepath.ToSlash(filepath.Dir(path)), lines: bytes.Count(text, []byte("\n"))}
	f.tree, err = parser.ParseFile(f.set, path, text, parser.ParseComments)
	return f, err
}

// code is the module without its tests.
func code(t *testing.T) []*file {
	t.Helper()
	return slices.DeleteFunc(everything(t), func(f *file) bool { return f.test })
}

// everything is the whole module.
func everything(t *testing.T) []*file {
	t.Helper()
	files, err := source()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("read the module: no Go files")
	}
	return slices.Clone(files)
}
