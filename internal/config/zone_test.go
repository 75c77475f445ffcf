package config

import (
	"strings"
	"testing"
)

func TestZoneText(t *testing.T) {
	tests := []struct{ name, text, problem string }{
		{"plain", "Listed", ""},
		{"an address", "see https://bl.example/ip/$", ""},
		{"a dollar", "costs $$5 nothing", ""},
		{"dollars and an address", "$$$", ""},
		{"254 bytes", strings.Repeat("x", 254), ""},
		{"254 bytes with the longest address", strings.Repeat("x", 215) + "$", ""},
		{"254 bytes with a dollar", strings.Repeat("x", 253) + "$$", ""},
		{"255 bytes", strings.Repeat("x", 255), "longer than the 254 bytes"},
		{"an address too long", strings.Repeat("x", 216) + "$", "longer than the 254 bytes"},
		{"two addresses too long", strings.Repeat("x", 177) + "$ $", "longer than the 254 bytes"},
		{"a variable", "see $1", "a variable of rbldnsd"},
		{"the whole text", "see $=", "a variable of rbldnsd"},
		{"a variable behind a dollar", "$$$1", "a variable of rbldnsd"},
		{"beside the template", "=Listed", "begins with ="},
		{"a quote", `a "b"`, "has a quote"},
		{"a backslash", `a\b`, "has a quote or a backslash"},
		{"a line break", "a\nb", "has a control character"},
		{"a delete", "a\x7fb", "has a control character"},
		{"an umlaut", "gelistet für $", "outside ASCII"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\x7f", `\u007f`)
			line := "[zone]\ntext = \"" + escaped.Replace(test.text) + "\"\n"
			faults := faultsOf(t, smallest+line)
			switch {
			case test.problem == "" && len(faults) == 0:
				if got := mustParse(t, smallest+line).Zone.Text; got != test.text {
					t.Errorf("got %q, want %q", got, test.text)
				}
			case len(faults) != 1 || !strings.Contains(faults[0].Problem, test.problem):
				t.Errorf("got %v, want %q", faults, test.problem)
			case faults[0].Line != 5 || faults[0].Key != "zone.text":
				t.Errorf("got %v, want line 5 of zone.text", faults[0])
			}
		})
	}
}

func TestZoneTextLeadsToTheLookUp(t *testing.T) {
	c := mustParse(t, smallest+"[web]\nbase_url = \"https://bl.example/a$b/\"\n")
	if want := "Listed, see https://bl.example/a$$b/ip/$"; c.Zone.Text != want {
		t.Errorf("got %q, want %q", c.Zone.Text, want)
	}
}

func TestBaseURL(t *testing.T) {
	for text, want := range map[string]bool{
		"https://bl.example": true, "http://192.0.2.1:8080/list": true, "": true,
		"bl.example": false, "//bl.example": false, "https://": false, "https://:80": false,
		"ftp://bl.example": false, "https://user@bl.example": false, "https://bl.example?x": false,
		"https://bl.example/?": false, "https://bl.example/#": false, "https://bl example": false,
		"mailto:x@bl.example": false, "https:bl.example": false,
	} {
		faults := faultsOf(t, smallest+"[web]\nbase_url = '"+text+"'\n")
		if got := len(faults) == 0; got != want {
			t.Errorf("base_url = %q: got %v, want good = %t", text, faults, want)
		}
	}
}
