package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

const (
	date  = "Thu Jul  2 12:05:05 2020"
	first = "From a@example.com  " + date + "\n"
	next  = "From b@example.org  " + date + "\n"
)

// told writes what a reader gets: a line each, as `path#n <path>: bytes` or as the error.
func told(t *testing.T, all iter.Seq2[Message, error]) []string {
	t.Helper()
	var lines []string
	for m, err := range all {
		if err != nil {
			if m.Bytes != nil || m.MailFrom != "" {
				t.Errorf("an error came with a message: %+v", m)
			}
			lines = append(lines, err.Error())
			continue
		}
		lines = append(lines, fmt.Sprintf("%s#%d [%s]: %q", m.Path, m.N, m.MailFrom, m.Bytes))
	}
	return lines
}

func TestRead(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"one message", "Subject: 1\n\nhello\n", []string{`- 1 []: "Subject: 1\n\nhello\n"`}},
		{"without a body", "Subject: 1", []string{`- 1 []: "Subject: 1"`}},
		{"one message keeps a blank line at its end", "Subject: 1\n\nx\n\n",
			[]string{`- 1 []: "Subject: 1\n\nx\n\n"`}},
		{"one message is not split", "Subject: 1\n\nx\n\n" + next + "Subject: 2\n",
			[]string{`- 1 []: "Subject: 1\n\nx\n\nFrom b@example.org  ` + date + `\nSubject: 2\n"`}},
		{"two", first + "Subject: 1\n\nx\n\n" + next + "Subject: 2\n\ny\n\n", []string{
			`- 1 [a@example.com]: "Subject: 1\n\nx\n"`, `- 2 [b@example.org]: "Subject: 2\n\ny\n"`}},
		{"CRLF", strings.ReplaceAll(first+"Subject: 1\n\nx\n\n"+next+"Subject: 2\n\n", "\n", "\r\n"),
			[]string{`- 1 [a@example.com]: "Subject: 1\r\n\r\nx\r\n"`,
				`- 2 [b@example.org]: "Subject: 2\r\n"`}},
		{"the last line does not end", first + "Subject: 1\n\nx\n\n" + next + "Subject: 2\n\ny",
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nx\n"`,
				`- 2 [b@example.org]: "Subject: 2\n\ny"`}},
		{"mboxrd quoting", first + "Subject: 1\n\n>From x\n>>From y\n>Fromage\n> From z\n\n",
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nFrom x\n>From y\n>Fromage\n> From z\n"`}},
		{"mboxo leaves other quoting alone", first + "Subject: 1\n\n>From x\n>> y\n\n",
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nFrom x\n>> y\n"`}},
		{"no unquoting in a header", first + ">From x@example.com remote from y\nSubject: 1\n\n",
			[]string{`- 1 [a@example.com]: ">From x@example.com remote from y\nSubject: 1\n"`}},
		{"Content-Length is not believed", first + "Content-Length: 999\n\nx\n\n" + next +
			"Subject: 2\nContent-Length: 0\n\ny\n\n", []string{
			`- 1 [a@example.com]: "Content-Length: 999\n\nx\n"`,
			`- 2 [b@example.org]: "Subject: 2\nContent-Length: 0\n\ny\n"`}},
		{"no blank line before it", first + "Subject: 1\n\nx\n" + next + "Subject: 2\n\n",
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nx\nFrom b@example.org  ` + date +
				`\nSubject: 2\n"`}},
		{"a sentence is no separator", first + "Subject: 1\n\nx\n\nFrom here on it rains\n\n",
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nx\n\nFrom here on it rains\n"`}},
		{"a From_ line without a date is no mbox", "From a@example.com\nSubject: 1\n\nx\n\n" + next,
			[]string{`- 1 [a@example.com]: "Subject: 1\n\nx\n\nFrom b@example.org  ` + date + `\n"`}},
		{"a From field with a blank", "From : a@example.com\nSubject: 1\n",
			[]string{`- 1 []: "From : a@example.com\nSubject: 1\n"`}},
		{"lines of old Macs", strings.ReplaceAll(first+"Subject: 1\n\nx\n", "\n", "\r"),
			[]string{`- 1 [a@example.com]: "Subject: 1\r\rx\r"`}},
		{"a message that is no mail", first + "\nbody\n\n" + next + "Subject: 2\n\n" + first, []string{
			`read -: not mail: no header field in its first lines`,
			`- 2 [b@example.org]: "Subject: 2\n"`, `read -: message 3: not mail: empty`}},
		{"empty", "", []string{"read -: not mail: empty"}},
		{"blank", " \r\n\n", []string{"read -: not mail: empty"}},
		{"only a From_ line", first, []string{"read -: not mail: empty"}},
		{"only half a From_ line", strings.TrimSpace(first), []string{"read -: not mail: empty"}},
		{"text", "Dear reader,\n\nnote: this is text\n",
			[]string{"read -: not mail: no header field in its first lines"}},
		{"JSON lines", `{"a":1}` + "\n",
			[]string{"read -: not mail: no header field in its first lines"}},
		{"gzip", "\x1f\x8b\x08\x00x:y\n",
			[]string{"read -: not mail: compressed: unpack it first"}},
		{"a program", "\x7fELF\x02\x01\x01\x00\x00\x00\x00:",
			[]string{"read -: not mail: binary data"}},
		{"UTF-16", "S\x00u\x00b\x00:\x001\x00", []string{"read -: not mail: binary data"}},
		{"a NUL in a header", "Subject: a NUL\x00 in a long enough line\n",
			[]string{`- 1 []: "Subject: a NUL\x00 in a long enough line\n"`}},
		{"junk before the header", "\n\njunk\nSubject: 1\n",
			[]string{`- 1 []: "\n\njunk\nSubject: 1\n"`}},
		{"a long way to the header", strings.Repeat("junk\n", maxHeadLines) + "Subject: 1\n",
			[]string{"read -: not mail: no header field in its first lines"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, line := range tt.want {
				tt.want[i] = strings.Replace(line, "- ", "-#", min(1, strings.Count(line, "]: ")))
			}
			got := told(t, Read("-", strings.NewReader(tt.in)))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			got = told(t, Read("-", iotest.OneByteReader(strings.NewReader(tt.in))))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error("byte by byte: ", diff)
			}
		})
	}
}

func TestReadFromLine(t *testing.T) {
	tests := []struct {
		line, sender string
		ok           bool
	}{
		{"From a@example.com  Thu Jul  2 12:05:05 2020", "a@example.com", true},
		{"From MAILER-DAEMON Thu Jul 2 12:05:05 2020", "MAILER-DAEMON", true},
		{"From - Thu Jul 02 12:05:05 2020", "-", true},
		{"From a@example.com Thu Jul  2 12:05 2020", "a@example.com", true},
		{"From a@example.com Thu Jul  2 12:05:05 PDT 2020", "a@example.com", true},
		{"From 1580@xxx Thu Jul 02 12:05:05 +0000 2020", "1580@xxx", true},
		{"From a@example.com Thu Jul  2 12:05:05 2020 +0200", "a@example.com", true},
		{"From a Thu Jul  2 12:05:05 2020 remote from relay", "a", true},
		{"From a@example.com Thu, 02 Jul 2020 12:05:05 +0000", "a@example.com", true},
		{"From user at example.com  Thu Jul  2 12:05:05 2020", "", true},
		{"From  Thu Jul  2 12:05:05 2020", "", true},
		{"From Thu Thu Jul  2 12:05:05 2020\r\n", "Thu", true},
		{"From Thursday in July to 12:05:05 in 2020", "", false},
		{"From a@example.com  Thu Jul  2 12:05:05", "", false},
		{"From a@example.com  Thu Jul  2 2020", "", false},
		{"From a@example.com  Thu Jul 12:05:05 2020", "", false},
		{"From a@example.com  Thu Jul 32 12:05:05 2020", "", false},
		{"From a@example.com  Thu Jul  2 25:05:05 2020", "", false},
		{"From: a@example.com  Thu Jul  2 12:05:05 2020", "", false},
		{"from a@example.com  Thu Jul  2 12:05:05 2020", "", false},
		{">From a@example.com  Thu Jul  2 12:05:05 2020", "", false},
		{"From " + strings.Repeat("a", maxFromLine) + "  " + date, "", false},
	}
	for _, tt := range tests {
		sender, ok := readFromLine([]byte(tt.line))
		if sender != tt.sender || ok != tt.ok {
			t.Errorf("%s: got %q, %v; want %q, %v", tt.line, sender, ok, tt.sender, tt.ok)
		}
	}
}

func TestMailFrom(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"From_ line", first + "Subject: 1\n", "a@example.com"},
		{"From_ line of a bounce", "From MAILER-DAEMON  " + date + "\nSubject: 1\n", "<>"},
		{"From_ line in brackets", "From <a@example.com>  " + date + "\nSubject: 1\n",
			"a@example.com"},
		{"Thunderbird", "From - " + date + "\nReturn-Path: <c@example.net>\n", "c@example.net"},
		{"From_ line before Return-Path", first + "Return-Path: <c@example.net>\n", "a@example.com"},
		{"Return-Path", "Delivered-To: x\nreturn-path:  <c@example.net> \n\n", "c@example.net"},
		{"Return-Path of a bounce", "Return-Path: <>\n", "<>"},
		{"a sender's Return-Path", "Received: by x\nReturn-Path: <c@example.net>\n", ""},
		{"a Return-Path in the body", "Subject: 1\n\nReturn-Path: <c@example.net>\n", ""},
		{"two addresses", "Return-Path: <a@example.com> <c@example.net>\n", ""},
		{"no address", "Return-Path: nobody\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := ReadOne("-", strings.NewReader(tt.in))
			if err != nil || m.MailFrom != tt.want {
				t.Errorf("got %q, %v; want %q", m.MailFrom, err, tt.want)
			}
		})
	}
}

// TestTooLarge also holds that a message of exactly the limit is read, whatever frames it.
func TestTooLarge(t *testing.T) {
	fits := "Subject: 1\n\n" + strings.Repeat("x", MaxBytes-13) + "\n"
	over := "Subject: 1\n\n" + strings.Repeat("x", MaxBytes-12) + "\n"
	lines := "Subject: 1\n\n" + strings.Repeat("xyz\r\n", MaxBytes/5) + "\n"
	longFrom := "From " + strings.Repeat("a", 900) + "  " + date + "\r\n"
	small := "Subject: 2\n"
	tests := []struct {
		name, in string
		want     []int // lengths; 0 is too large
	}{
		{"one fits", fits, []int{MaxBytes}},
		{"one is over", over, []int{0}},
		{"one fits behind a From_ line", longFrom + fits, []int{MaxBytes}},
		{"one is over behind a From_ line", longFrom + over, []int{0}},
		{"fits in an mbox", first + fits + "\r\n" + next + small, []int{MaxBytes, len(small)}},
		{"over in an mbox", first + over + "\n" + next + small, []int{0, len(small)}},
		{"over with many lines", first + lines + "\n" + next + small, []int{0, len(small)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []int
			for m, err := range Read("big", strings.NewReader(tt.in)) {
				var large *TooLargeError
				if err != nil && (!errors.As(err, &large) || large.Path != "big" || large.N != m.N) {
					t.Errorf("message %d: %v", m.N, err)
				}
				got = append(got, len(m.Bytes))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	want := "read x.mbox: message 2: over 10485760 bytes"
	if got := (&TooLargeError{"x.mbox", 2}).Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestCutOff holds that what came before an error of the stream never passes for a message.
func TestCutOff(t *testing.T) {
	broken := errors.New("disk on fire")
	tests := []struct {
		name, in string
		want     []string
	}{
		{"in a single message", "Subject: 1\n\nx", []string{"read -: disk on fire"}},
		{"in the first message", first + "Subject: 1\n\nx", []string{"read -: disk on fire"}},
		{"in the second", first + "Subject: 1\n\nx\n\n" + next + "Sub", []string{
			`-#1 [a@example.com]: "Subject: 1\n\nx\n"`, "read -: message 2: disk on fire"}},
		{"in a From_ line", first[:10], []string{"read -: disk on fire"}},
		{"at once", "", []string{"read -: disk on fire"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := io.MultiReader(strings.NewReader(tt.in), iotest.ErrReader(broken))
			if diff := cmp.Diff(tt.want, told(t, Read("-", in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// plant writes files below a new folder: path and content, alternating.
func plant(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// below is what is read below a folder, each message by its path there, number and subject.
func below(t *testing.T, dir, path string) []string {
	t.Helper()
	var got []string
	for m, err := range Open(filepath.Join(dir, path)) {
		line := strings.TrimPrefix(string(m.Bytes), "Subject: ")
		if err != nil {
			line = strings.ReplaceAll(err.Error(), dir+"/", "")
		}
		line, _, _ = strings.Cut(line, "\n")
		name, _ := filepath.Rel(dir, m.Path)
		got = append(got, fmt.Sprintf("%s#%d %s", name, m.N, line))
	}
	return got
}

func TestOpen(t *testing.T) {
	two := first + "Subject: 1\n\nx\n\n" + next + "Subject: 2\n\n"
	dir := plant(t,
		"box", two,
		"box.eml", two,
		"BOX.EML", two,
		"maildir/new/2.b", "Subject: new 2\n",
		"maildir/new/1.a", "Subject: new 1\n",
		"maildir/new/.nfs01", "Subject: hidden\n",
		"maildir/cur/0.c:2,S", two,
		"maildir/cur/deeper/x", "Subject: no message of a Maildir\n",
		"maildir/tmp/9.d", "Subject: not delivered yet\n",
		"maildir/dovecot-uidlist", "3 V1 N1\n",
		"maildir/.Sub/cur/1", "Subject: in a folder\n",
		"maildir/.Sub.Deep/new/1", "Subject: in a folder's folder\n",
		"maildir/.Sub/tmp/1", "Subject: not delivered yet\n",
		"maildir/plain/new/1", "Subject: in a plain folder\n",
		"maildir/notes/1", "Subject: in no Maildir\n",
		"mixed/3.txt", "Subject: 3\n",
		"mixed/2/box", two,
		"mixed/1.eml", "Subject: 1\n",
		"mixed/0.jpg", "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01:",
		"mixed/.git/config", "Subject: hidden\n",
		"mixed/.mh_sequences", "cur: 1\n",
		"mixed/inbox/cur/1", "Subject: a Maildir in a folder\n",
	)
	if err := os.Mkdir(filepath.Join(dir, "nothing"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want []string
	}{
		{"box", []string{"box#1 1", "box#2 2"}},
		{"box.eml", []string{"box.eml#1 1"}},
		{"BOX.EML", []string{"BOX.EML#1 1"}},
		{"maildir", []string{
			"maildir/new/1.a#1 new 1", "maildir/new/2.b#1 new 2", "maildir/cur/0.c:2,S#1 1",
			"maildir/.Sub/cur/1#1 in a folder", "maildir/.Sub.Deep/new/1#1 in a folder's folder",
			"maildir/plain/new/1#1 in a plain folder"}},
		{"mixed", []string{
			"mixed/0.jpg#1 read mixed/0.jpg: not mail: binary data", "mixed/1.eml#1 1",
			"mixed/2/box#1 1", "mixed/2/box#2 2", "mixed/3.txt#1 3",
			"mixed/inbox/cur/1#1 a Maildir in a folder"}},
		{"nothing", nil},
		{"nowhere", []string{"nowhere#0 read mail: stat nowhere: no such file or directory"}},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, below(t, dir, tt.path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOddFiles holds that a folder is read to its end, past what cannot be or must not be.
func TestOddFiles(t *testing.T) {
	dir := plant(t, "f/1", "Subject: 1\n", "f/9", "Subject: 9\n", "other", "Subject: linked\n")
	in := func(name string) string { return filepath.Join(dir, "f", name) }
	for _, err := range []error{
		syscall.Mkfifo(in("2-pipe"), 0o600),
		os.Symlink("..", in("3-loop")),
		os.Symlink("../other", in("4-link")),
		os.Symlink("nowhere", in("5-dangling")),
		os.WriteFile(in("6-secret"), nil, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"f/1#1 1", "f/4-link#1 linked",
		"f/6-secret#0 read mail: open f/6-secret: permission denied", "f/9#1 9"}
	if os.Geteuid() == 0 { // whom no mode keeps out
		want[2] = "f/6-secret#1 read f/6-secret: not mail: empty"
	}
	if diff := cmp.Diff(want, below(t, dir, "f")); diff != "" {
		t.Error(diff)
	}
}

// TestStop holds that a reader that has had enough is asked nothing more, wherever that is.
func TestStop(t *testing.T) {
	two := first + "Subject: 1\n\n" + next + "Subject: 2\n\n"
	dir := plant(t, "1", two, "2.eml", two, "3/new/1", two, "3/cur/1", two, "3/.S/cur/1", two,
		"4/5", "", "4/6.eml", "")
	read := func(most int) (n int) {
		for _, err := range Open(dir) {
			t.Log(most, err)
			if n++; n == most {
				break // being given more would panic
			}
		}
		return n
	}
	const all = 8
	if n := read(0); n != all {
		t.Fatalf("got %d messages and errors, want %d", n, all)
	}
	for most := 1; most < all; most++ {
		if n := read(most); n != most {
			t.Errorf("got %d, want %d", n, most)
		}
	}
}

// TestCorpus reads real mail.
func TestCorpus(t *testing.T) {
	corpus := filepath.Join("..", "..", "..", "shared", "corpus")
	if _, err := os.Stat(corpus); err != nil {
		t.Skip("needs the corpus of real mail: ", err)
	}
	tests := []struct {
		path string
		want int
	}{{"spam", 300}, {"ham", 58}, {"bounces/sisimai/mbox-0.mbox", 37}}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			count, known := 0, 0
			for m, err := range Open(filepath.Join(corpus, filepath.FromSlash(tt.path))) {
				if err != nil {
					t.Error(err)
				}
				if bytes.HasPrefix(m.Bytes, fromSpace) {
					t.Errorf("%s: the From_ line is still there", m.Path)
				}
				count++
				known += min(1, len(m.MailFrom))
			}
			if count != tt.want {
				t.Errorf("got %d messages, want %d", count, tt.want)
			}
			t.Logf("%d messages, %d with a reverse path", count, known)
		})
	}
}
