package parser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanHeader(t *testing.T) {
	for _, c := range []struct {
		name, message string
		fields        []string
		body          string
		defects       []string
	}{
		{"plain", "A: 1\r\nB: 2\r\n\r\nbody", []string{"A=1", "B=2"}, "body", nil},
		{"LF", "A: 1\nB: 2\n\nbody", []string{"A=1", "B=2"}, "body", nil},
		{"order kept", "B: 1\nA: 2\nB: 3\n\n", []string{"B=1", "A=2", "B=3"}, "", nil},
		{"fold", "A: 1\r\n 2\r\n\t3\r\n\r\n", []string{"A=1 2 3"}, "", nil},
		{"blank line in a fold", "A: 1\n\t\n 2\nB: 3\n\n", []string{"A=1 2", "B=3"}, "", nil},
		{"blank before the colon", "A : 1\n\n", []string{"A=1"}, "", nil},
		{"no body", "A: 1", []string{"A=1"}, "", nil},
		{"empty", "", nil, "", nil},
		{"body alone", "\nA: 1\n", nil, "A: 1\n", nil},
		{"mbox line", "From a@b Tue Mar 15\nA: 1\n\n", []string{"A=1"}, "", []string{"mbox From line"}},
		{"quoted mbox line", ">From a@b Tue\nA: 1\n\n", []string{"A=1"}, "", []string{"mbox From line"}},
		{"no colon", "A: 1\nnothing\n folded\nB: 2\n\n", []string{"A=1", "=nothing folded", "B=2"}, "",
			[]string{"header line without a colon"}},
		{"mbox line further down", "A: 1\nFrom a@b Tue 10:30\nB: 2\n\n", []string{"A=1",
			"=From a@b Tue 10:30", "B=2"}, "", []string{"header line without a colon"}},
		{"leading blank", " A: 1\nB: 2\n\n", []string{"=A: 1", "B=2"}, "",
			[]string{"header line without a colon"}},
		{"NUL", "A: 1\x002\n\n", []string{"A=12"}, "", []string{"NUL in header"}},
		{"NUL in the body", "A: 1\n\n\x00", []string{"A=1"}, "\x00", nil},
		{"bare CR", "A: 1\r2\nB: 3\n\n", []string{"A=1 2", "B=3"}, "", []string{"bare CR in header"}},
		{"CR only", "A: 1\r 2\rB: 3\r\rbody", []string{"A=1 2", "B=3"}, "body", []string{"CR line ends"}},
		{"CRCRLF", "A: 1\r\r\nB: 2\r\r\n\r\r\nbody", []string{"A=1", "B=2"}, "body", nil},
		{"8 bit", "A: \xff\xfe\n\n", []string{"A=\xff\xfe"}, "", nil},
		{"NBSP is no blank", "A: 1\n\xa0B: 2\n\n", []string{"A=1", "\xa0B=2"}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := scanHeader([]byte(c.message), nil)
			var fields []string
			for _, f := range h.fields {
				fields = append(fields, fmt.Sprintf("%s=%s", h.of(f.name), unfold(h.of(f.value))))
			}
			if diff := cmp.Diff(c.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if string(h.body) != c.body {
				t.Errorf("body = %q, want %q", h.body, c.body)
			}
			if diff := cmp.Diff(c.defects, h.defects.names()); diff != "" {
				t.Errorf("defects (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHeaderBounds(t *testing.T) {
	many := strings.Repeat("A: 1\n", maxFields+1) + "\nbody"
	h := scanHeader([]byte(many), nil)
	if len(h.fields) != maxFields || h.defects != tooManyFields || h.body != nil {
		t.Errorf("%d fields, defects %v, body %q", len(h.fields), h.defects.names(), h.body)
	}
	long := "A: 1\nB: " + strings.Repeat("x", maxHeader) + "\nC: 2\n\nbody"
	h = scanHeader([]byte(long), nil)
	if len(h.fields) != 1 || h.defects != tooLong {
		t.Errorf("%d fields, defects %v", len(h.fields), h.defects.names())
	}
}

func TestValues(t *testing.T) {
	message := "To: a@example\r\nX: 1\r\ncc: b@example,\r\n\tc@example\r\nTO:  d@example \r\n\r\nTo: body"
	want := []string{"a@example", "b@example, c@example", "d@example"}
	if diff := cmp.Diff(want, Values([]byte(message), "To", "Cc")); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}
