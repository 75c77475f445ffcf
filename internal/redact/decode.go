package redact

import (
	"html"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// kind is what a text is: it says what is decoded for the reader.
type kind uint8

const (
	value   kind = iota // a header field's value
	running             // text, of a body
)

// Layers of encoding that are looked through. What has more is not shown.
const (
	maxShown  = 8 // for the reader
	maxHidden = 4 // for a secret below
	maxFound  = 8 // secrets below layers, each at the end of another way down
)

// decoders are the layers that a secret can hide under. Each finds its escapes and replaces them.
var decoders = [...]func(string) string{
	encodedWords, percent, quoted, html.UnescapeString, backslash, untagged,
}

// clean gives a text without secrets, and in characters that can be printed. What the reader
// cannot read otherwise is decoded; what could be plain text is only looked through.
func (r *Redactor) clean(s string, k kind) string {
	s = r.throughout(r.strike(printable(s)))
	for n := 0; ; n++ {
		t := printable(shown(s, k))
		if t == s {
			break
		}
		if n == maxShown {
			return Marker
		}
		s = r.strike(t)
	}
	return onLines(r.throughout(s), k)
}

// throughout looks for secrets below layers until there are none.
func (r *Redactor) throughout(s string) string {
	for range maxFound {
		t := r.reveal(s)
		if t == s {
			return s
		}
		s = t
	}
	return Marker
}

// onLines keeps a value on one line, whatever was decoded.
func onLines(s string, k kind) string {
	if k == value {
		return oneLine(s)
	}
	return s
}

// shown decodes one layer for the reader.
func shown(s string, k kind) string {
	s = encodedWords(s)
	if k == running {
		if strings.Contains(s, "=\n") || strings.Contains(s, "=3D") { // else = is only a sign
			s = quoted(s)
		}
		s = untagged(s)
	}
	return html.UnescapeString(s)
}

// reveal looks for a secret below layers of encoding, and gives the layer where it found one,
// without it; else s. Layers may be ambiguous (=de is a byte, and the end of a return path), so
// each gets its turn to be the outermost one, and each step is looked at.
func (r *Redactor) reveal(s string) string {
	for _, decode := range append([]func(string) string{unbroken}, decoders[:]...) {
		t := printable(decode(s))
		if t == s {
			continue
		}
		if struck := r.strike(t); struck != t {
			return struck
		}
		if struck, found := r.descend(t); found {
			return struck
		}
	}
	return s
}

// descend takes one layer after the other off a text, until it finds a secret.
func (r *Redactor) descend(s string) (struck string, found bool) {
	for range maxHidden {
		before := s
		for _, decode := range decoders {
			t := printable(decode(s))
			if t == s {
				continue
			}
			if struck = r.strike(t); struck != t {
				return struck, true
			}
			s = t
		}
		if s == before {
			break
		}
	}
	return "", false
}

// percent decodes RFC 3986 section 2.1, and what JavaScript's escape made.
func percent(s string) string { return escapes(escapes(s, "%u", 4), "%", 2) }

// backslash decodes the escapes of JSON and its like.
func backslash(s string) string { return escapes(escapes(s, `\u`, 4), `\x`, 2) }

// quoted decodes quoted-printable, RFC 2045 section 6.7, even where it is broken.
func quoted(s string) string {
	if !strings.Contains(s, "=") {
		return s
	}
	lines := strings.SplitAfter(s, "\n")
	for i, line := range lines {
		if soft, ok := strings.CutSuffix(strings.TrimRight(line, " \n"), "="); ok && i < len(lines)-1 {
			lines[i] = soft
		}
	}
	return escapes(strings.Join(lines, ""), "=", 2)
}

// unbroken removes blanks within what may be an escape: long lines are folded anywhere.
func unbroken(s string) string {
	if !strings.ContainsAny(s, "%=&\\") {
		return s
	}
	out := make([]byte, 0, len(s))
	inside := 0 // how much longer an escape may be
	for i := range len(s) {
		switch c := s[i]; {
		case strings.IndexByte("%=&\\?", c) >= 0:
			inside = len("#x00000")
		case isBlank(c) && inside > 0:
			continue
		case c != '#' && !isLetter(rune(c)):
			inside = 0
		default:
			inside--
		}
		out = append(out, s[i])
	}
	return string(out)
}

// escapes replaces each lead with its hex digits by the byte or, with four digits, the character
// that they stand for. Those of control characters stay: nothing that can be shown hides there, and
// width=10 is no escape. NUL alone goes, as UTF-16 is full of it.
func escapes(s, lead string, digits int) string {
	if !strings.Contains(s, lead) {
		return s
	}
	var out []byte
	for s != "" {
		i := strings.Index(s, lead)
		if i < 0 || len(s) < i+len(lead)+digits {
			break
		}
		end := i + len(lead) + digits
		n, err := strconv.ParseUint(s[i+len(lead):end], 16, 16)
		switch {
		case err != nil || n > 0 && n < ' ' && !unicode.IsSpace(rune(n)) || n == 0x7f:
			end = i + len(lead)
			out = append(out, s[:end]...)
		case digits == 2:
			out = append(append(out, s[:i]...), byte(n))
		default:
			out = utf8.AppendRune(append(out, s[:i]...), rune(n))
		}
		s = s[end:]
	}
	return string(append(out, s...))
}

var blanks = strings.NewReplacer(" ", "", "\n", "")

// maxEncodedWord bounds encoded words. RFC 2047 section 2 has 75; others do not count.
const maxEncodedWord = 2000

// encodedWords decodes RFC 2047 wherever it stands. Words that cannot be read are removed.
func encodedWords(s string) string {
	var out strings.Builder
	follows := false // whether out ends with an encoded word
	for {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		text, size := encodedWord(s[i:])
		if size == 0 {
			out.WriteString(s[:i+2])
			s, follows = s[i+2:], false
			continue
		}
		if between := s[:i]; !follows || strings.TrimSpace(between) != "" {
			out.WriteString(between) // section 6.2: blanks between two words are none
		}
		out.WriteString(text)
		s, follows = s[i+size:], true
	}
	if out.Len() == 0 {
		return s
	}
	out.WriteString(s)
	return out.String()
}

// encodedWord reads the word that s begins with; size is 0 if there is none.
func encodedWord(s string) (text string, size int) {
	parts := strings.SplitN(s[2:min(len(s), maxEncodedWord)], "?", 3)
	if len(parts) < 3 || len(strings.TrimSpace(parts[1])) != 1 || strings.Count(parts[0], " ") > 1 {
		return "", 0
	}
	body, _, closed := strings.Cut(parts[2], "?=")
	if !closed {
		return "", 0
	}
	size = len("=?") + len(parts[0]) + len("?") + len(parts[1]) + len("?") + len(body) + len("?=")
	encoding := strings.TrimSpace(parts[1])
	if strings.EqualFold(encoding, "b") {
		body = blanks.Replace(body) // folded within
	}
	name, _, _ := strings.Cut(strings.ReplaceAll(parts[0], " ", ""), "*") // RFC 2231 section 5
	decoder := mime.WordDecoder{CharsetReader: charsetReader}
	text, err := decoder.Decode("=?" + name + "?" + encoding + "?" + body + "?=")
	if err != nil {
		return Marker, size
	}
	return text, size
}

// charsetReader knows the character sets of the web. Any other is taken for the most frequent one.
func charsetReader(charset string, in io.Reader) (io.Reader, error) {
	if e, err := htmlindex.Get(charset); err == nil {
		return e.NewDecoder().Reader(in), nil
	}
	return charmap.Windows1252.NewDecoder().Reader(in), nil
}

// maxTag bounds tags, as a lone < would have all text behind it searched.
const maxTag = 4096

// untagged removes tags and comments of HTML, and leaves their links.
func untagged(s string) string {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		s = s[i:]
		inner, size := tag(s)
		if size == 0 {
			out.WriteByte('<')
			s = s[1:]
			continue
		}
		out.WriteString(linkOf(inner))
		s = s[size:]
	}
	if out.Len() == 0 {
		return s
	}
	out.WriteString(s)
	return out.String()
}

// tag reads the tag that s begins with; size is 0 if there is none. <user@host> is an address, and
// <https://host> a link.
func tag(s string) (inner string, size int) {
	end := strings.IndexByte(s[1:min(len(s), maxTag)], '>')
	if end < 1 {
		return "", 0
	}
	inner = s[1 : 1+end]
	name := strings.TrimLeft(inner, "/!?")
	n := strings.IndexFunc(name, func(r rune) bool { return !isLetter(r) && r != '-' })
	if n == 0 || n > 0 && !strings.ContainsRune(" \n/", rune(name[n])) {
		return "", 0
	}
	return inner, len("<>") + end
}

// linkOf is the first link of a tag, in the brackets of RFC 3986 appendix C.
func linkOf(tag string) string {
	i := strings.Index(tag, "://")
	if i < 0 {
		return ""
	}
	start := 1 + strings.LastIndexFunc(tag[:i], func(r rune) bool { return !isLetter(r) })
	return "<" + tag[start:wordEnd(tag, i)] + ">"
}
