package config

import (
	"slices"
	"strings"
	"testing"
)

// TestManual: the manual has every key once, in its table, in the order of Keys, with words.
func TestManual(t *testing.T) {
	var got []string
	for _, table := range Manual() {
		for _, group := range table.Groups {
			if group.Text+table.Text == "" {
				t.Errorf("%s: %q are not explained", table.Name, group.Keys)
			}
			for _, line := range group.Keys {
				key, _, _ := strings.Cut(line, " = ")
				got = append(got, join(strings.Trim(table.Name, "[]"), key))
			}
		}
	}
	for _, key := range Keys() {
		if !slices.Contains(got, key) {
			t.Errorf("%s is missing", key)
		}
	}
	for _, key := range got {
		if !slices.Contains(Keys(), key) {
			t.Errorf("%s is no key", key)
		}
	}
}
