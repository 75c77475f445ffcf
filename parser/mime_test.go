package parser

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	"github.com/google/go-cmp/cmp"
)

// nested makes multiparts in multiparts, with a message in the innermost.
func nested(levels int) string {
	var b strings.Builder
	for i := range levels {
		name := "b" + strings.Repeat("x", i%maxBoundary)
		b.WriteString("Content-Type: multipart/mixed; boundary=" + name + "\n\n--" + name + "\n")
	}
	return b.String() + "Content-Type: message/rfc822\n\nSubject: x\n"
}

// bounded makes a multipart with a message, and a boundary of so many bytes.
func bounded(size int) string {
	boundary := strings.Repeat("b", size)
	return "Content-Type: multipart/mixed; boundary=" + boundary + "\n\n--" + boundary +
		"\nContent-Type: message/rfc822\n\nSubject: x\n"
}

// TestPartBounds: no nesting and no number of parts shows more than it may.
func TestPartBounds(t *testing.T) {
	const attachment = "--b\nContent-Type: message/rfc822\n\nSubject: x\n\n"
	for _, c := range []struct {
		name, message string
		want          int
	}{
		{"as many parts as may be", "Content-Type: multipart/mixed; boundary=b\n\n" +
			strings.Repeat(attachment, maxParts), maxParts},
		{"more parts", "Content-Type: multipart/mixed; boundary=b\n\n" +
			strings.Repeat(attachment, 10*maxParts), maxParts},
		{"as many levels as may be", nested(maxLevels), 1},
		{"one level more", nested(maxLevels + 1), 0},
		{"many levels", nested(10000), 0},
		{"as long a boundary as may be", bounded(maxBoundary), 1},
		{"a longer boundary", bounded(maxBoundary + 1), 0},
		{"a boundary out of sight", "Content-Type: multipart/mixed;" + strings.Repeat(" ", maxMedia) +
			"boundary=b\n\n" + attachment, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := len(Attached([]byte(c.message))); n != c.want {
				t.Errorf("%d messages, want %d", n, c.want)
			}
		})
	}
}

// TestPartCost: what takes other readers minutes or a gigabyte takes little memory, and ends. The
// reports are read, too, as in a message with a null reverse path.
func TestPartCost(t *testing.T) {
	const head = "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
	for _, c := range []struct {
		name, message string
		limit         uint64 // bytes to allocate
	}{
		{"multiparts in multiparts, 1 MiB", nested(1 << 20 / 180), 1 << 20},
		{"one multipart, full of delimiters", head + strings.Repeat("--b\n", 1<<18), 1 << 20},
		{"a line of delimiters", head + strings.Repeat("--b ", 1<<18), 1 << 20},
		{"delimiters that go on", head + strings.Repeat("--bx\n", 1<<18), 1 << 20},
		{"a part's header of 10 MB", head + "X: " + strings.Repeat("x", 10_000_000), 2 << 20},
		{"a part's header of many fields", head + strings.Repeat("X: x\n", 2_000_000), 2 << 20},
		{"a type of 10 MB", head + "Content-Type: " + strings.Repeat("x", 10_000_000), 2 << 20},
		{"base64, 10 MB", head + "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" +
			strings.Repeat("eHh4\n", 2_000_000), 2 << 20},
		{"quoted-printable, 10 MB", head + "Content-Type: text/plain\n" +
			"Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("xxxxx=\n", 1_500_000),
			12 << 20},
		{"a status of empty lines", head + "Content-Type: message/delivery-status\n\n" +
			strings.Repeat("\n", 10_000_000), 2 << 20},
		{"a status of groups", head + "Content-Type: message/delivery-status\n\n" +
			strings.Repeat("X: x\n\n", 1_000_000), 2 << 20},
		{"a hundred texts", "Content-Type: multipart/mixed; boundary=b\n\n" +
			strings.Repeat("--b\n\n"+strings.Repeat("550 x\n", 1<<11), 100), 4 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := []byte("To: t@trap.example\n" + c.message)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			Parse(message, fromNull, Trust{})
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > c.limit {
				t.Errorf("%d bytes allocated for %d, want %d at most", took, len(message), c.limit)
			}
		})
	}
}

// TestPartsOfGoodForm: on messages of good form the parts are those that go-message finds.
func TestPartsOfGoodForm(t *testing.T) {
	paths, err := filepath.Glob(corpus(t, "bounces") + "/*/*")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, path := range paths {
		raw := readFile(t, path)
		want, ok := goodParts(raw)
		if !ok {
			continue
		}
		compared++
		var got []string
		h := scanHeader(raw, nil)
		eachPart(&h, func(p *part) {
			got = append(got, strings.ToLower(p.media.kind())+" "+string(p.decoded(len(p.body))))
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s: parts (-want +got):\n%s", filepath.Base(path), cmp.Diff(want, got))
		}
	}
	t.Logf("%d of %d messages are of good form, and have the same parts", compared, len(paths))
	if compared < 100 {
		t.Errorf("%d messages compared, want 100 at least", compared)
	}
}

// goodParts reads the leaves of a message with go-message, and tells whether it has the form that
// go-message can read: lines that end in LF, multiparts that end, and nothing wrong anywhere.
func goodParts(raw []byte) ([]string, bool) {
	if bytes.IndexByte(raw, '\n') < 0 {
		return nil, false
	}
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return nil, false
	}
	return leaves(entity)
}

func leaves(entity *message.Entity) ([]string, bool) {
	kind, _, err := entity.Header.ContentType()
	if entity.Header.Get("Content-Type") == "" {
		kind = ""
	}
	if err != nil && kind != "" {
		return nil, false
	}
	parts := entity.MultipartReader()
	if parts == nil {
		body, err := io.ReadAll(entity.Body)
		return []string{kind + " " + string(body)}, err == nil
	}
	var all []string
	for {
		inner, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return all, len(all) > 0
		}
		if err != nil {
			return nil, false
		}
		found, ok := leaves(inner)
		if !ok {
			return nil, false
		}
		all = append(all, found...)
	}
}

func TestMediaParam(t *testing.T) {
	for _, c := range []struct{ media, name, want string }{
		{`multipart/report; boundary="a;b"; report-type=x`, "report-type", "x"},
		{`multipart/report; boundary="a;b"; report-type=x`, "boundary", "a;b"},
		{`multipart/report;Boundary = "a\"b" ;x`, "boundary", `a"b`},
		{`multipart/report; boundary=a`, "report-type", ""},
		{`multipart/report; boundary="a`, "boundary", `"a`},
		{``, "boundary", ""},
	} {
		if got := media(c.media).param(c.name); got != c.want {
			t.Errorf("param %s of %q = %q, want %q", c.name, c.media, got, c.want)
		}
	}
}

// FuzzParts: whatever a message is, its leaves are pieces of it, within the bounds, and all of
// them are no longer than it is.
func FuzzParts(f *testing.F) {
	f.Add([]byte(daemonFields + multipart(reportDSN, textPart, statusPart, ownPart)))
	f.Add([]byte(strings.ReplaceAll(multipart("mixed", htmlPart, imagePart), "\n", "\r")))
	f.Add([]byte(nested(maxLevels)))
	f.Add([]byte("Content-Type: multipart/x; boundary=b\n\n--b--b\n--b --\n--b\n--b--\n"))
	f.Add([]byte("Content-Type: text/x\nContent-Transfer-Encoding: base64\n\n=\n===="))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h := scanHeader(raw, nil)
		count, size := 0, 0
		eachPart(&h, func(p *part) {
			count++
			size += len(p.body)
			if len(p.decoded(10)) > 10 {
				t.Error("decoded beyond the limit")
			}
			if len(p.decoded(len(p.body))) > len(p.body) {
				t.Error("decoding made it longer")
			}
		})
		if count > maxParts || size > len(raw) {
			t.Errorf("%d parts, %d bytes of %d", count, size, len(raw))
		}
		total := 0
		for _, m := range Attached(raw) {
			total += len(m)
		}
		if total > len(raw) {
			t.Errorf("%d bytes attached to %d", total, len(raw))
		}
	})
}

// FuzzReport: no bytes make a report fail, and no text beside it makes one out of nothing.
func FuzzReport(f *testing.F) {
	for _, part := range []string{textPart, htmlPart, statusPart, ownPart, feedbackPart, reportedPart,
		hotmailPart, receiptPart} {
		f.Add([]byte(part))
	}
	f.Add([]byte("text/plain\n\nReceived: x\nFrom: <t@trap.example>\n\n<x@other.example>: 550 5.1.1 x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []string{reportDSN, reportARF, "mixed"} {
			raw := []byte(daemonFields + multipart(kind, string(text)))
			h := scanHeader(raw, nil)
			r := reportOf(&h)
			if r.own && !r.returned || r.agreed && !r.returned || r.hotmail && !r.returned {
				t.Errorf("%+v of a message that is not returned", *r)
			}
			got := Parse(raw, fromMailbox, Trust{})
			if (got.Cause == Bounce) && !(r.own && r.delivery) {
				t.Errorf("cause %s %v from a mailbox", got.Cause, got.Marks)
			}
			if got.Cause == Autoreply && !(r.feedback && r.agreed) {
				t.Errorf("cause %s %v from a mailbox", got.Cause, got.Marks)
			}
		}
	})
}

// FuzzMarks: what is told about a cause is short and shows, whatever the sender writes.
func FuzzMarks(f *testing.F) {
	f.Add("X-PHP-Script", "\x1b[2J\u202e\xff"+strings.Repeat("é", maxMark), "WIN-\x07")
	f.Add("X-Originating-IP", strings.Repeat("x\r\n ", 1000), "[\x00")
	f.Add("List-Id", "<l>", "localhost")
	f.Fuzz(func(t *testing.T, name, value, helo string) {
		field := name + ": " + value + "\n"
		for _, c := range []Connection{{Peer: peer, Helo: helo, MailFrom: "x-bounces" + value},
			{Peer: peer, Helo: helo, NullSender: true}} {
			for _, head := range []string{authLine, ""} {
				got := Parse([]byte(head+strings.Repeat(field, 20)+"List-Post: x\nList-Help: x\n"+daemonFields+
					"X-Failed-Recipients: "+value+"@\n"+plainBody), c, Trust{})
				checkMarks(t, got.Marks)
			}
		}
	})
}

func checkMarks(t *testing.T, marks []string) {
	t.Helper()
	if len(marks) > maxMarks {
		t.Errorf("%d marks", len(marks))
	}
	for _, m := range marks {
		if m == "" || len(m) > maxMark || m != printable(m) || strings.ContainsFunc(m, isHidden) {
			t.Errorf("mark %q", m)
		}
	}
}

// isHidden knows what a terminal or a reader does not show as it is.
func isHidden(r rune) bool {
	return r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e ||
		0x2066 <= r && r <= 0x2069 || r == 0xfeff || r == 0xfffd
}
