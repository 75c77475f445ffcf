package main

import "testing"

func TestChartLine(t *testing.T) {
	blocks := shadesOf(func(string) string { return "en_GB.UTF-8" })
	ascii := shadesOf(func(string) string { return "" })
	for _, c := range []struct {
		name   string
		shades shades
		values []uint64
		width  int
		want   string
	}{
		{"nothing", blocks, nil, 10, ""},
		{"no room", blocks, []uint64{1}, 0, ""},
		{"all heights", blocks, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 20, " ▁▂▃▄▅▆▇█"},
		{"in ascii", ascii, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8}, 20, " .:-=+*%#"},
		{"only zeros", ascii, []uint64{0, 0, 0}, 20, "   "},
		{"few are seen beside many", ascii, []uint64{1, 1_000_000, 0}, 20, ".# "},
		{"two together", ascii, []uint64{1, 1, 2, 2, 4, 4}, 3, ":=#"},
		{"the oldest alone", ascii, []uint64{8, 4, 4}, 2, "##"},
		{"one for all", ascii, []uint64{1, 2, 3, 4}, 1, "#"},
	} {
		if got := c.shades.line(c.values, c.width); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestChartBar(t *testing.T) {
	s := shades(" .:-=+*%#")
	for _, c := range []struct {
		n, most, width int
		want           string
	}{{0, 10, 5, ""}, {1, 10, 5, "#"}, {5, 10, 4, "##"}, {10, 10, 4, "####"}, {3, 0, 4, ""}, {3, 3, -1, ""}} {
		if got := s.bar(c.n, c.most, c.width); got != c.want {
			t.Errorf("%d of %d: %q, want %q", c.n, c.most, got, c.want)
		}
	}
}

// TestLocale: the first of the three that is set decides.
func TestLocale(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"none":           {nil, "#"},
		"posix":          {map[string]string{"LANG": "C"}, "#"},
		"lang":           {map[string]string{"LANG": "de_DE.utf8"}, "█"},
		"all goes first": {map[string]string{"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, "#"},
	} {
		if got := shadesOf(func(key string) string { return c.env[key] }).bar(1, 1, 1); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
