package web

import (
	"html/template"
	"maps"
	"net/http"
)

// What the operator's pages have in common with the public ones: how they look, how they
// say things, and what a browser may do with them.

// Stylesheet is that of all pages, without anything to load from elsewhere.
func Stylesheet() ([]byte, error) { return files.ReadFile("style.css") }

// Words are what templates say things with: "clock" and "stamp" an instant, "span" a
// duration, "plural" and "number" a count.
func Words() template.FuncMap { return maps.Clone(words) }

// Protect sets the headers of a page that runs no script, loads nothing from elsewhere
// and is shown in no other's frame.
func Protect(h http.Header) {
	for name, value := range protection {
		h.Set(name, value)
	}
}
