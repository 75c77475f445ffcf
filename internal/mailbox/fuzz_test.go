package mailbox

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzRead feeds any bytes: reading ends, counts without a gap, stays within the limit, and gives
// the same whether the bytes come at once or are one message of an mbox that was written by rule.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", first, first + "Subject: 1\n\nx\n\n" + next + "Subject: 2\n\ny\n",
		"Subject: 1\n\n" + first,
		first + "Subject: 1\r\n\r\n>From x\r\n>>From y\r\n\r\n" + next, "Return-Path: <>\n\n",
		"From \n", "From : x\n", "\r\r\r", "a:\r\n\r", first + "\n" + next + "\n" + next,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for m, err := range Read("-", bytes.NewReader(data)) {
			if n++; m.N != n {
				t.Fatalf("message %d is number %d", n, m.N)
			}
			if (err == nil) != (len(m.Bytes) > 0) || len(m.Bytes) > min(len(data), MaxBytes) {
				t.Fatalf("message %d: %d bytes, error %v", n, len(m.Bytes), err)
			}
		}
		if n == 0 {
			t.Fatal("neither a message nor an error")
		}
	})
}

// FuzzRoundTrip writes two bodies into an mbox by the rules of mboxrd and reads them again: no
// content can end a message early, add one, or come out changed.
func FuzzRoundTrip(f *testing.F) {
	f.Add("hello\n", "world\n")
	f.Add(next, ">"+next)
	f.Add("x\n\n"+next+"Received: from y\n", "\n\n")
	f.Add("\r\n\r\n"+strings.ReplaceAll(next, "\n", "\r\n"), strings.Repeat("x", 70<<10)+"\n"+next)
	f.Fuzz(func(t *testing.T, one, two string) {
		want := []string{"Subject: 1\n\n" + lined(one), "Subject: 2\n\n" + lined(two)}
		var box strings.Builder
		for _, message := range want {
			box.WriteString(first + quoted(message) + "\n")
		}
		n := 0
		for m, err := range Read("-", strings.NewReader(box.String())) {
			if err != nil {
				t.Skip(err) // binary data
			}
			if n == len(want) || string(m.Bytes) != want[n] {
				t.Fatalf("message %d: got %q of %q", n+1, m.Bytes, want)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("got %d messages, want %d", n, len(want))
		}
	})
}

// lined is a text whose last line ends, as every line in an mbox does.
func lined(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}

// quoted is a message as mboxrd writes it.
func quoted(message string) string {
	lines := strings.SplitAfter(message, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
			lines[i] = ">" + line
		}
	}
	return strings.Join(lines, "")
}
