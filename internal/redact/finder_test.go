package redact

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"html"
	"io"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// canary is what a finder looks for. It is what one recipient is made of.
type canary struct{ local, domain string }

func (c canary) address() string { return c.local + "@" + c.domain }

// layers is how deep the finder digs.
const layers = 3

// find decodes a text in every way it knows, layer below layer, until it sees the canary; path says
// how it came there. It shares no code with the package: it asks the standard library, and
// regular expressions.
func (c canary) find(text string) (path string, found bool) {
	type layer struct{ text, path string }
	marks := c.marks()
	text = strings.ReplaceAll(text, Marker, "ŋ") // ends whatever is before it
	seen := map[string]bool{}
	queue := []layer{{text, "as it is"}, {blankRun.ReplaceAllString(text, ""), "without blankRun"}}
	for depth := 0; depth <= layers; depth++ {
		var next []layer
		for _, l := range queue {
			if m := sighting(l.text, marks); m != "" {
				return l.path + ": " + m, true
			}
			for _, d := range digs {
				if !strings.ContainsAny(l.text, d.signs) {
					continue
				}
				for _, t := range d.dig(l.text) {
					if len(t) >= 4 && !seen[t] && depth < layers {
						seen[t] = true
						next = append(next, layer{t, l.path + ", " + d.name})
					}
				}
			}
		}
		queue = next
	}
	return "", false
}

// marks are the parts and their digests, as bare has them.
func (c canary) marks() []string {
	marks := []string{bare(c.local), bare(c.domain)}
	for _, s := range []string{c.address(), c.local, c.domain} {
		b := []byte(strings.ToLower(s))
		s1, s5, s256, s512 := sha1.Sum(b), md5.Sum(b), sha256.Sum256(b), sha512.Sum512(b)
		for _, sum := range [][]byte{s1[:], s5[:], s256[:], s512[:]} {
			marks = append(marks, hex.EncodeToString(sum)[:8],
				bare(base64.URLEncoding.EncodeToString(sum)[:12]))
		}
		marks = append(marks, fmt.Sprintf("%08x", crc32.ChecksumIEEE(b)))
	}
	return marks
}

func sighting(text string, marks []string) string {
	text = bare(text)
	for _, m := range marks {
		if strings.Contains(text, m) {
			return m
		}
	}
	return ""
}

// bare is a text's letters and digits in lower case, those of full width as ours.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xff00 && r < 0xff5f {
			r -= 0xfee0
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

var (
	qpCode    = regexp.MustCompile(`=[0-9A-Fa-f]{2}`)
	softBreak = regexp.MustCompile(`=[ \t]*\r?\n`)
	percents  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	unicodes  = regexp.MustCompile(`(?:\\u|%u)[0-9A-Fa-f]{4}`)
	tags      = regexp.MustCompile(`<[^<>]*>`)
	wordGap   = regexp.MustCompile(`\?=[ \t\r\n]+=\?`)
	blankRun  = regexp.MustCompile(`[ \t\r\n]+`)
	base64Run = regexp.MustCompile(`[A-Za-z0-9+/_-]{6,}`)
	hexRun    = regexp.MustCompile(`[0-9A-Fa-f]{6,}`)
)

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// digs are the ways down.
var digs = []struct {
	name  string
	signs string // without one of them there is nothing to dig for
	dig   func(string) []string
}{
	{"without tags", "<", func(s string) []string { return []string{tags.ReplaceAllString(s, "")} }},
	{"quoted-printable", "=", func(s string) []string {
		s = softBreak.ReplaceAllString(s, "")
		return []string{qpCode.ReplaceAllStringFunc(s, func(c string) string { return fromHex(c[1:]) })}
	}},
	{"percent", "%", func(s string) []string {
		return []string{percents.ReplaceAllStringFunc(s, func(c string) string {
			t, _ := url.PathUnescape(c)
			return t
		})}
	}},
	{"unicode", "\\%", func(s string) []string {
		return []string{unicodes.ReplaceAllStringFunc(s, func(c string) string {
			n, _ := strconv.ParseUint(c[2:], 16, 16)
			return string(rune(n))
		})}
	}},
	{"entities", "&", func(s string) []string { return []string{html.UnescapeString(s)} }},
	{"encoded words", "?", encodedWordsIn},
	{"base64", alphabet, base64In},
	{"hex", alphabet, func(s string) (all []string) {
		for _, run := range hexRun.FindAllString(s, -1) {
			all = append(all, fromHex(run), fromHex(run[1:]))
		}
		return all
	}},
	{"rot13", alphabet, func(s string) []string {
		const a, b = "abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm"
		return []string{strings.Map(func(r rune) rune {
			if i := strings.IndexRune(a, r); i >= 0 {
				return rune(b[i])
			}
			return r
		}, strings.ToLower(s))}
	}},
	{"backwards", alphabet, func(s string) []string {
		r := []rune(s)
		slices.Reverse(r)
		return []string{string(r)}
	}},
}

func encodedWordsIn(s string) []string {
	d := mime.WordDecoder{CharsetReader: func(_ string, in io.Reader) (io.Reader, error) { return in, nil }}
	s = wordGap.ReplaceAllString(s, "?==?")
	t, _ := d.DecodeHeader(s)
	tight, _ := d.DecodeHeader(blankRun.ReplaceAllString(s, ""))
	return []string{t, tight}
}

func base64In(s string) (all []string) {
	runs := base64Run.FindAllString(s, -1)
	if strings.ContainsAny(s, " \n") {
		runs = append(runs, base64Run.FindAllString(blankRun.ReplaceAllString(s, ""), -1)...)
	}
	for _, run := range runs {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for from := range 4 {
			part := run[from:]
			part = part[:len(part)/4*4]
			b, _ := base64.StdEncoding.DecodeString(part)
			whole, _ := base64.RawStdEncoding.DecodeString(run[from:])
			all = append(all, string(b), string(whole))
		}
	}
	return all
}

func fromHex(s string) string {
	b, _ := hex.DecodeString(s[:len(s)/2*2])
	return string(b)
}
