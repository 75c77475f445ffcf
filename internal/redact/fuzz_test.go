package redact

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzText: whatever comes in, what goes out can be printed, says nothing of the secrets, is not
// much longer, and has nothing left to remove.
func FuzzText(f *testing.F) {
	for _, form := range allForms() {
		f.Add(form.of(canary{"old.sales", "corp.example"}, rand.New(rand.NewPCG(1, 1))))
	}
	f.Add("CorpeXAmpl\xafe") // a letter that becomes a mark
	r := New(secrets).For("old.sales@corp.example")
	f.Fuzz(func(t *testing.T, s string) {
		checkShown(t, s, r.Text(s), r.Text)
		checkShown(t, s, r.Address(s), r.Address)
		for _, name := range []string{"Subject", "Received", "Content-Type", "From"} {
			show := func(s string) string { return r.Value(name, s) }
			checkShown(t, s, show(s), show)
		}
	})
}

// FuzzHeader is the same for headers.
func FuzzHeader(f *testing.F) {
	for _, p := range places {
		f.Add([]byte(strings.ReplaceAll(p.text, "%s", "old.sales@corp.example")))
	}
	f.Add([]byte("From:oldsales000 0000.0000.AA")) // two Markers in a row, one of a host
	r := New(secrets).For("old.sales@corp.example")
	f.Fuzz(func(t *testing.T, header []byte) {
		show := func(s string) string { return string(r.Header([]byte(s))) }
		checkShown(t, string(header), show(string(header)), show)
	})
}

func checkShown(t *testing.T, s, shown string, show func(string) string) {
	t.Helper()
	for _, secret := range []string{"oldsales", "corpexample", "tracsexample", "submitk3j9"} {
		// Neither a Marker nor the name of a field is a part of what stands beside it.
		if strings.Contains(bare(strings.NewReplacer(Marker, "ŋ", ":", "ŋ").Replace(shown)), secret) {
			t.Errorf("%q shows %s: %q", s, secret, shown)
		}
	}
	if !utf8.ValidString(shown) || strings.ContainsFunc(shown, isUnprintable) {
		t.Errorf("%q cannot be printed: %q", s, shown)
	}
	// A letter may be a ligature of many, and every word a Marker.
	if len(shown) > 64+20*len(s) {
		t.Errorf("%d bytes became %d", len(s), len(shown))
	}
	if again := show(shown); again != shown {
		t.Errorf("%q is not done: %q, then %q", s, shown, again)
	}
}

func isUnprintable(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

// TestCorpus: what is shown of the headers of real mail can be printed, and has nothing left to
// remove; and more than half of the fields still say something.
func TestCorpus(t *testing.T) {
	var paths []string
	for _, folder := range []string{"spam", "ham", "bounces"} {
		found, _ := filepath.Glob("../../../shared/corpus/" + folder + "/*") // a good pattern
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Skip("no ../shared/corpus")
	}
	r := New(secrets)
	fields, kept := 0, 0
	for _, path := range paths {
		message, err := os.ReadFile(path)
		if err != nil {
			continue // a folder
		}
		shown := string(r.Header(message))
		fields += strings.Count(shown, "\n")
		kept += strings.Count(shown, "\n") - strings.Count(shown, ": "+Marker+"\n")
		again := func(s string) string { return string(r.Header([]byte(s))) }
		checkShown(t, string(message), shown, again)
	}
	t.Logf("%d headers, %d fields, %d with something of their value", len(paths), fields, kept)
	if 2*kept < fields {
		t.Errorf("of %d fields only %d say something", fields, kept)
	}
}

// TestWork: eight times the text is eight times the work, with few traps and with many, counted in
// what is allocated, for text that is made for the worst.
func TestWork(t *testing.T) {
	few, many := New(secrets), New(Secrets{Addresses: manyAddresses(10_000)})
	for _, c := range []struct{ name, unit string }{
		{"words", "old sales "}, {"open tags", "<a "}, {"open words", "=?utf-8?q?"}, {"bad words", "=?a?b?!"},
		{"ampersands", "&amp;amp;"}, {"percent", "%2525"}, {"soft breaks", "=\n"}, {"one word", "x"},
		{"struck", "oldsales."}, {"links", "a://"}, {"ats", "a@"}, {"equals", "=ab="}, {"dots", "a.b."},
		{"slashes", "/a.bc/"}, {"ligatures", "\ufdfa"}, {"backslashes", `\u005cu005c`}, {"markers", Marker},
		{"brackets", "[("}, {"traps", "trap0000"}, {"colons", "a:\n"}, {"semicolons", "a=;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []*Redactor{few, many} {
				short := allocated(r, strings.Repeat(c.unit, 4000/len(c.unit)))
				long := allocated(r, strings.Repeat(c.unit, 32000/len(c.unit)))
				if long > 12*short+1<<20 {
					t.Errorf("4 kB take %d bytes, 32 kB %d", short, long)
				}
			}
		})
	}
}

// allocated is how many bytes redacting a text takes.
func allocated(r *Redactor, s string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, _ = r.Text(s), r.Header([]byte("Subject: "+s)), Inert("Subject", s)
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestBounds(t *testing.T) {
	r := New(secrets)
	long := strings.Repeat("word ", maxText/5+10)
	if got := r.Text(long); len(got) > maxText+len(Marker) || !strings.HasSuffix(got, "word "+Marker) {
		t.Errorf("%d bytes, the end is %q", len(got), got[len(got)-20:])
	}
	if got := r.Text(strings.Repeat("x", maxText+1)); got != Marker {
		t.Errorf("one long word: %d bytes", len(got))
	}
	header := bytes.Repeat([]byte("Subject: x\n"), maxFields+10)
	if got := bytes.Count(r.Header(header), []byte("\n")); got != maxFields+1 {
		t.Errorf("%d fields", got)
	}
}

func manyAddresses(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("trap%05d@d%d.example", i, i%100)
	}
	return all
}

// BenchmarkHeader is a header of 4 KB.
func BenchmarkHeader(b *testing.B) {
	field := "Received: from mail.shop.example (unknown [203.0.113.7]) by mx.public.example (Postfix)\r\n" +
		"\twith ESMTPS id 4XyZ12abc for <trap00007@d7.example>; Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
		"Subject: =?utf-8?Q?Cheap_w=C3=A4tches?= for trap00007\r\nX-Campaign: 77\r\n"
	header := []byte(strings.Repeat(field, 4096/len(field)))
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("%d traps", n), func(b *testing.B) {
			r := New(Secrets{Addresses: manyAddresses(n)}).For("trap00007@d7.example")
			b.SetBytes(int64(len(header)))
			b.ReportAllocs()
			for b.Loop() {
				r.Header(header)
			}
		})
	}
}

// BenchmarkNew is what a start and a reload pay.
func BenchmarkNew(b *testing.B) {
	addresses := manyAddresses(10_000)
	b.ReportAllocs()
	for b.Loop() {
		New(Secrets{Addresses: addresses})
	}
}

// BenchmarkFor is what each message pays.
func BenchmarkFor(b *testing.B) {
	r := New(secrets)
	b.ReportAllocs()
	for b.Loop() {
		r.For("old.sales@corp.example")
	}
}
