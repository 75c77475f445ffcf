package config

import (
	"strings"
	"testing"
)

func TestHostName(t *testing.T) {
	long := strings.Repeat("a", 63)
	for text, want := range map[string]string{
		"mx.example.net": "mx.example.net", "MX.Example.NET.": "mx.example.net", "localhost": "localhost",
		"bücher.example": "xn--bcher-kva.example", "BÜCHER.example": "xn--bcher-kva.example",
		"straße.example": "xn--strae-oqa.example", "a--b.example": "a--b.example",
		"1.2.3.4.example": "1.2.3.4.example", long + ".example": long + ".example",
		"": "", ".": "", "a..b": "", "-a.b": "", "a-.b": "", "a_b.c": "", "a b.c": "", "*.a.b": "",
		"192.0.2.1": "", "[192.0.2.1]": "", "2001:db8::1": "", "a.b:25": "", long + "a.b": "",
		strings.Repeat("a.", 126) + "ab": "", "a\x00.b": "", "a/b.c": "", "..": "",
	} {
		if got, err := hostName(text); got != want || (err == nil) != (want != "") {
			t.Errorf("hostName(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestMailbox(t *testing.T) {
	for text, want := range map[string]string{
		"name@example.net": "name@example.net", "Name@EXAMPLE.net.": "name@example.net",
		`"name"@example.net`: "name@example.net", `"na\me"@example.net`: "name@example.net",
		`"a b"@example.net`: `"a b"@example.net`, `"a@b"@example.net`: `"a@b"@example.net`,
		`"a\"b"@example.net`: `"a\"b"@example.net`, `"a\\b"@example.net`: `"a\\b"@example.net`,
		"GRÖSSE@bücher.example":                  "grösse@xn--bcher-kva.example",
		"gro\u0308sse@example.net":               "grösse@example.net",
		"a+b=c@example.net":                      "a+b=c@example.net",
		strings.Repeat("a", 64) + "@example.net": strings.Repeat("a", 64) + "@example.net",
		"":                                       "",
		"name":                                   "",
		"@example.net":                           "",
		"name@":                                  "",
		"a@b@example.net":                        "",
		"a b@example.net":                        "",
		".a@example.net":                         "",
		"a..b@example.net":                       "",
		`""@example.net`:                         "",
		`"a@example.net`:                         "",
		`"a"b@example.net`:                       "",
		"name@[192.0.2.1]":                       "",
		"name@192.0.2.1":                         "",
		"<name@example.net>":                     "",
		"\"a\tb\"@example.net":                   "",
		strings.Repeat("a", 65) + "@example.net": "",
		`"` + strings.Repeat("a", 65) + `"@a.b.net`: "",
	} {
		got, err := mailbox(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("mailbox(%q) = %q, %v, want %q", text, got, err, want)
		}
		if again, err := mailbox(got); want != "" && (again != got || err != nil) {
			t.Errorf("mailbox(%q) = %q, %v, which is not the same again", got, again, err)
		}
	}
}
