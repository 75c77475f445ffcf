package parser

import (
	"strings"
)

// Values gives the values of every field that has one of the names, top down, unfolded and without
// the blanks around them. They are the sender's words.
func Values(message []byte, names ...string) []string {
	var buf [64]field
	var values []string
	h := scanHeader(message, buf[:0])
	for _, f := range h.fields {
		for _, name := range names {
			if equal(h.of(f.name), name) {
				values = append(values, strings.Join(strings.Fields(string(h.of(f.value))), " "))
			}
		}
	}
	return values
}
