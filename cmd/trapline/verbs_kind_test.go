package main

import (
	"cmp"
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/trapline/trapline/criteria"
)

func pointed(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// kindOf says what JSON has for a type, and gives the struct within it.
func kindOf(t reflect.Type) (string, reflect.Type) {
	value := reflect.New(pointed(t)).Interface()
	switch {
	case pointed(t) == reflect.TypeFor[criteria.Second]() || pointed(t) == reflect.TypeFor[time.Time]():
		return orNull("time", t.Kind() == reflect.Pointer || pointed(t) == reflect.TypeFor[criteria.Second]()), nil
	case t.Kind() == reflect.Pointer:
		kind, within := kindOf(t.Elem())
		return orNull(kind, true), within
	}
	switch v := value.(type) {
	case json.Marshaler:
		return kindOfText(v), nil
	case encoding.TextMarshaler:
		return "string", nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return "object", t
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return "string", nil // base64
		}
		kind, within := kindOf(t.Elem())
		return "list of " + kind + "s", within
	case reflect.Map:
		kind, _ := kindOf(t.Elem())
		return "object of " + kind + "s", nil
	case reflect.Bool:
		return "boolean", nil
	case reflect.String:
		return "string", nil
	case reflect.Float32, reflect.Float64:
		return "number", nil
	case reflect.Interface:
		return "anything", nil
	}
	return "integer", nil
}

func orNull(kind string, is bool) string {
	if is && !strings.HasSuffix(kind, "or null") {
		return kind + " or null"
	}
	return kind
}

// kindOfText looks at what a type writes of itself.
func kindOfText(v json.Marshaler) string {
	text, err := v.MarshalJSON()
	switch {
	case err != nil || len(text) == 0:
		return "anything"
	case text[0] == '"':
		return "string"
	case text[0] == '{':
		return "object"
	case string(text) == "null":
		return "string or null"
	}
	return "number"
}

// comment is what stands beside a field in the source, or above it.
func (d *document) comment(of reflect.Type, field string) string {
	key := of.PkgPath() + "." + of.Name()
	if _, read := d.comments[of.PkgPath()]; !read {
		d.comments[of.PkgPath()] = nil
		d.read(of.PkgPath())
	}
	return cmp.Or(d.comments[key][field], glossary[field])
}

// read reads the comments of all structs of a package of ours.
func (d *document) read(pkg string) {
	dir := filepath.Join("..", "..", strings.TrimPrefix(pkg, "github.com/trapline/trapline"))
	if pkg == "main" || strings.HasSuffix(pkg, "cmd/trapline") {
		dir = "."
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			d.t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, is := n.(*ast.TypeSpec); is {
				d.note(pkg, spec)
			}
			return true
		})
	}
}

func (d *document) note(pkg string, spec *ast.TypeSpec) {
	form, is := spec.Type.(*ast.StructType)
	if !is {
		return
	}
	fields := map[string]string{}
	for _, f := range form.Fields.List {
		text := f.Comment.Text()
		if text == "" {
			text = f.Doc.Text()
		}
		for _, name := range f.Names {
			fields[name.Name] = strings.Join(strings.Fields(text), " ")
		}
	}
	d.comments[pkg+"."+spec.Name.Name] = fields
}
