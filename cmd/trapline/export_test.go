package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"iter"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/parser"
)

func hitsOf(hits ...admin.Hit) iter.Seq2[admin.Hit, error] {
	return func(yield func(admin.Hit, error) bool) {
		for _, h := range hits {
			if !yield(h, nil) {
				return
			}
		}
	}
}

func TestCSVIsReadBack(t *testing.T) {
	source := netip.MustParseAddr("198.51.100.7")
	hits := []admin.Hit{
		{ID: 1, Time: 1795512345, Source: &source, Reason: "untrusted-peer", Peer: &source, Port: 4711,
			Helo: `a "quoted", name`, MailFrom: "x@shop.example", Kind: "trap", Traps: []string{"ab", "cd"}, Cause: parser.Direct,
			TLS: "TLS1.3", Size: 12, Digest: "00ff"},
		{ID: 2, Helo: "=cmd|' /C calc'!A0\r\n-1", MailFrom: "\x1b[2J@SUM(A1)", Traps: []string{"+a@traps.example"}},
	}
	var out bytes.Buffer
	if err := (&exportCmd{Format: "csv"}).write(&out, hitsOf(hits...)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\r\n"); n != 3 || strings.Count(out.String(), "\n") != n {
		t.Errorf("%d lines with CRLF in %q", n, out.String())
	}
	got, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{hitColumns,
		{"1", "2026-11-24T09:25:45Z", "198.51.100.7", "untrusted-peer", "198.51.100.7", "4711",
			`a "quoted", name`, "x@shop.example", "trap", "ab cd", "direct", "TLS1.3", "12", "00ff"},
		{"2", "1970-01-01T00:00:00Z", "", "", "", "0", `'=cmd|' /C calc'!A0\r\n-1`, `\x1b[2J@SUM(A1)`, "",
			"'+a@traps.example", "unknown", "", "0", ""}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExportEndsAtAnError(t *testing.T) {
	broken := errors.New("hits-20261124.db, hit 2: damaged")
	hits := func(yield func(admin.Hit, error) bool) {
		if yield(admin.Hit{ID: 1}, nil) {
			yield(admin.Hit{}, broken)
		}
	}
	for _, format := range []string{"jsonl", "csv"} {
		if err := (&exportCmd{Format: format}).write(&bytes.Buffer{}, hits); !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestFormulasAreInert(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		"mail.shop.example":      "mail.shop.example",
		"x-y=z@shop.example":     "x-y=z@shop.example",
		"=1+2":                   "'=1+2",
		"@SUM(1)":                "'@SUM(1)",
		"-2":                     "'-2",
		"＝1":                     "'＝1",
		"\t=1":                   `\t=1`,
		"a;=1":                   "a;'=1",
		`a";"+1`:                 `a";"'+1`,
		"a, -b":                  "a, '-b",
		"==1":                    "'==1",
		"a\r\n=HYPERLINK(\"x\")": `a\r\n=HYPERLINK("x")`,
	} {
		if got := inert(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// FuzzInert: whatever separates fields, none begins like a formula.
func FuzzInert(f *testing.F) {
	f.Add("=1;=2|@x")
	f.Add("\u00a0=1\u2003+2")
	f.Fuzz(func(t *testing.T, s string) {
		out := inert(s)
		for _, separator := range []string{";", ",", "|", "\t", "\n", "\r", `"`} {
			for field := range strings.SplitSeq(out, separator) {
				if field = strings.TrimSpace(field); strings.IndexAny(field, formulaSigns) == 0 {
					t.Errorf("%q has the field %q", out, field)
				}
			}
		}
	})
}
