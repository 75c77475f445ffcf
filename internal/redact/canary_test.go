package redact

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"
)

// form is a way in which mail spells its recipient.
type form struct {
	name string
	of   func(canary, *rand.Rand) string
}

// encoder is a layer that mail puts around anything.
type encoder struct {
	name   string
	encode func(string) string
}

var spelled = []form{
	{"plain", func(c canary, _ *rand.Rand) string { return c.address() }},
	{"in brackets", func(c canary, _ *rand.Rand) string { return "<" + c.address() + ">" }},
	{"local part", func(c canary, _ *rand.Rand) string { return c.local }},
	{"domain", func(c canary, _ *rand.Rand) string { return c.domain }},
	{"capitals", func(c canary, _ *rand.Rand) string { return strings.ToUpper(c.address()) }},
	{"any case", func(c canary, r *rand.Rand) string { return anyCase(c.address(), r) }},
	{"quoted", func(c canary, _ *rand.Rand) string { return `"` + c.local + `"@` + c.domain }},
	{"quoted pairs", func(c canary, _ *rand.Rand) string {
		return `"` + strings.Join(strings.Split(c.local, ""), `\`) + `"@` + c.domain
	}},
	{"comments", func(c canary, _ *rand.Rand) string { return c.local + "(a)@(b (c))" + c.domain }},
	{"blanks", func(c canary, _ *rand.Rand) string {
		return c.local + " @ " + strings.ReplaceAll(c.domain, ".", " . ")
	}},
	{"at", func(c canary, _ *rand.Rand) string { return c.local + " at " + c.domain }},
	{"at in brackets, dot", func(c canary, _ *rand.Rand) string {
		return c.local + "[at]" + strings.ReplaceAll(c.domain, ".", " . ")
	}},
	{"percent hack", func(c canary, _ *rand.Rand) string {
		return c.local + "%" + c.domain + "@relay.example"
	}},
	{"source route", func(c canary, _ *rand.Rand) string { return "@relay.example:" + c.address() }},
	{"uucp", func(c canary, _ *rand.Rand) string { return c.domain + "!" + c.local }},
	{"verp", func(c canary, _ *rand.Rand) string {
		return "bounce-17-" + c.local + "=" + c.domain + "@lists.example"
	}},
	{"srs", func(c canary, _ *rand.Rand) string {
		return "SRS0=ab1c=dx=" + c.domain + "=" + c.local + "@fwd.example"
	}},
	{"tag", func(c canary, _ *rand.Rand) string { return c.local + "+news@" + c.domain }},
	{"dots", func(c canary, _ *rand.Rand) string {
		return strings.Join(strings.Split(c.local, ""), ".") + "@" + c.domain
	}},
	{"subdomain", func(c canary, _ *rand.Rand) string { return c.local + "@mail." + c.domain }},
	{"host label", func(c canary, _ *rand.Rand) string { return c.local + ".track.shop.example" }},
	{"domain as label", func(c canary, _ *rand.Rand) string { return c.domain + ".track.shop.example" }},
	{"mailto", func(c canary, _ *rand.Rand) string { return "mailto:" + c.address() + "?subject=stop" }},
	{"query", func(c canary, _ *rand.Rand) string {
		return "http://shop.example/u.php?a=1&e=" + c.address() + "&l=2"
	}},
	{"path", func(c canary, _ *rand.Rand) string {
		return "https://shop.example/u/" + c.local + "/" + c.domain
	}},
	{"userinfo", func(c canary, _ *rand.Rand) string { return "http://" + c.local + ":x@shop.example/" }},
	{"name", func(c canary, _ *rand.Rand) string { return "Dear " + strings.ReplaceAll(c.local, ".", " ") }},
	{"full width", func(c canary, _ *rand.Rand) string {
		return mapped(c.address(), func(r rune) rune { return r + 0xfee0 })
	}},
	{"zero width", func(c canary, _ *rand.Rand) string {
		return strings.Join(strings.Split(c.address(), ""), "\u200b")
	}},
	{"utf-16", func(c canary, _ *rand.Rand) string { return utf16LE(c.address()) }},
	{"split by tags", func(c canary, _ *rand.Rand) string {
		return c.local[:3] + "<b></b>" + c.local[3:] + "<!-- x -->@" + c.domain[:2] + "<wbr>" + c.domain[2:]
	}},
	{"backwards", func(c canary, _ *rand.Rand) string { return backwards(c.address()) }},
	{"rot13", func(c canary, _ *rand.Rand) string { return rot13Of(c.address()) }},
}

var encoders = []encoder{
	{"percent", url.PathEscape},
	{"percent, all", each(`%%%02X`)},
	{"percent, small", each(`%%%02x`)},
	{"percent, unicode", each(`%%u%04x`)},
	{"entities", each(`&#%d;`)},
	{"entities, hex", each(`&#x%X;`)},
	{"entity at", func(s string) string { return strings.ReplaceAll(s, "@", "&commat;") + "&period;" }},
	{"json", each(`\u%04x`)},
	{"json at", func(s string) string { return strings.ReplaceAll(s, "@", `\u0040`) }},
	{"quoted-printable", func(s string) string {
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}},
	{"quoted-printable, all", each(`=%02X`)},
	{"soft breaks", func(s string) string { return strings.Join(strings.Split(s, ""), "=\r\n") }},
	{"word b", func(s string) string { return mime.BEncoding.Encode("utf-8", s+"é") }},
	{"word q", func(s string) string { return mime.QEncoding.Encode("utf-8", s+"é") }},
	{"words in pieces", func(s string) string {
		var b strings.Builder
		for i, c := range []byte(s) {
			fmt.Fprintf(&b, "=?iso-8859-1?%c?%s?= ", "qB"[i%2], []string{fmt.Sprintf("=%02X", c),
				base64.StdEncoding.EncodeToString([]byte{c})}[i%2])
		}
		return b.String()
	}},
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64 from 1", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte("x" + s + "y"))
	}},
	{"base64 from 2", func(s string) string {
		return base64.RawURLEncoding.EncodeToString([]byte("e=" + s))
	}},
	{"base64 in lines", func(s string) string {
		return inLines(base64.StdEncoding.EncodeToString([]byte(s)), 12)
	}},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hex, capitals", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
}

func rot13Of(s string) string { return strings.Map(rot13, strings.ToLower(s)) }

// digested are digests: nothing is to be found of them, whatever is digested.
var digested = []encoder{
	{"md5", func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }},
	{"md5, a part", func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s)))[:10] }},
	{"sha1", func(s string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(s))) }},
	{"sha256", func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }},
	{"sha512", func(s string) string { return fmt.Sprintf("%x", sha512.Sum512([]byte(s))) }},
	{"sha256, base64", func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return base64.StdEncoding.EncodeToString(sum[:])
	}},
	{"md5, base64url", func(s string) string {
		sum := md5.Sum([]byte(s))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}},
	{"crc32", func(s string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s))) }},
}

// places are where a form stands in a message. Each %s is the form.
var places = []struct {
	name, text string
	body       bool
}{
	{"subject", "Subject: Cheap %s watches", false},
	{"display name", "From: %s <info@shop.example>", false},
	{"sender", "From: Shop <%s@shop.example>", false},
	{"reply", "Reply-To: %s", false},
	{"recipient", "To: %s", false},
	{"message id", "Message-ID: <%s@shop.example>", false},
	{"references", "References: <a@b.example> <%s@shop.example>", false},
	{"unsubscribe", "List-Unsubscribe: <mailto:x@shop.example?subject=%s>", false},
	{"signature", "DKIM-Signature: v=1; d=shop.example; i=%s; b=abc", false},
	{"received for", "Received: from a.example by mx.example with ESMTP id 4Xy for %s; Mon, 23 Nov 2026", false},
	{"received id", "Received: from a.example by mx.example with ESMTP id %s; Mon, 23 Nov 2026", false},
	{"received helo", "Received: from %s (unknown [203.0.113.7]) by mx.example with SMTP; 23 Nov", false},
	{"received comment", "Received: from a.example by mx.example (envelope-from %s) with SMTP", false},
	{"received date", "Received: from a.example ([203.0.113.7]) by mx.example; %s", false},
	{"field name", "X-%s: 1", false},
	{"unknown field", "X-Track: %s", false},
	{"mailer", "X-Mailer: Mass %s 1.0", false},
	{"script", "X-PHP-Originating-Script: 33:%s.php", false},
	{"boundary", "Content-Type: multipart/mixed; boundary=\"%s\"; charset=utf-8", false},
	{"charset", "Content-Type: text/plain; charset=%s", false},
	{"file name", "Content-Disposition: attachment; filename=\"a; %s.pdf\"", false},
	{"no field", "From %s Mon Nov 23 10:00:00 2026", false},
	{"encoded word", "Subject: =?utf-8?Q?Hello_%s?=", false},
	{"text", "Hello,\n\nthis is for %s, and\nnobody else.\n", true},
	{"html", "<html><body><p class=x>Hello %s!</p></body></html>", true},
	{"attribute", `<img alt="" src="http://shop.example/p.gif?u=%s">buy<br>`, true},
	{"host in link", "see http://%s.shop.example/ now", true},
	{"link", "see http://shop.example/%s/x now", true},
	{"link in brackets", "(see <https://shop.example/?x=(%s)>)", true},
	{"json", `{"to":"%s","n":1}`, true},
}

var (
	everywhere = flag.Bool("everywhere", false, "plant each form in each place, whole and folded")
	seed       = flag.Uint64("seed", 1, "of the canaries")
)

// TestCanaries plants each form in a place, every other one broken by a fold, and looks for it in
// what is shown. That the finder sees it in what was planted is part of the test.
func TestCanaries(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 0))
	planted := 0
	for _, f := range allForms() {
		for i, p := range places {
			if !*everywhere && (i+planted)%len(places) != 0 {
				continue
			}
			c := anyCanary(r)
			text := f.of(c, r)
			planted++
			if *everywhere || planted%2 == 0 {
				plant(t, c, f.name+" in "+p.name, strings.ReplaceAll(p.text, "%s", text), p.body)
			}
			if *everywhere || planted%2 == 1 {
				text = foldedSomewhere(text, r)
				plant(t, c, f.name+", folded, in "+p.name, strings.ReplaceAll(p.text, "%s", text), p.body)
			}
		}
	}
	t.Logf("%d forms", planted)
}

func plant(t *testing.T, c canary, name, text string, body bool) {
	if _, found := c.find(text); !found {
		blind := t.Errorf
		if *everywhere { // some of the mixtures are torn so that nobody reads them
			blind = t.Logf
		}
		blind("%s: the finder is blind:\n%q", name, text)
	}
	shown := shownOf(redactorOf(c), text, body)
	if path, found := c.find(shown); found {
		t.Errorf("%s: found %s\n%s is at\n%q\n%q", name, path, c.address(), text, shown)
	}
}

// allForms are the spellings, each encoding of some of them, two encodings one in the other, and
// the digests.
func allForms() []form {
	all := spelled
	for _, e := range encoders {
		for _, f := range spelled[:6] {
			all = append(all, form{e.name + " of " + f.name, func(c canary, r *rand.Rand) string {
				return e.encode(f.of(c, r))
			}})
		}
		all = append(all, form{e.name + " of rot13", func(c canary, _ *rand.Rand) string {
			return e.encode(rot13Of(c.address()))
		}})
		for _, inner := range encoders {
			all = append(all, form{e.name + " of " + inner.name, func(c canary, _ *rand.Rand) string {
				return e.encode(inner.encode(c.address()))
			}})
		}
	}
	for _, e := range digested {
		for i, name := range []string{"address", "local part", "domain"} {
			all = append(all, form{e.name + " of " + name, func(c canary, _ *rand.Rand) string {
				return e.encode([]string{c.address(), c.local, c.domain}[i])
			}})
		}
	}
	return all
}

func redactorOf(c canary) *Redactor {
	return New(Secrets{Addresses: []string{"other.trap@elsewhere.example"}, Domains: []string{c.domain}}).
		For(c.address())
}

func shownOf(r *Redactor, plant string, body bool) string {
	if body {
		return r.Text(plant)
	}
	return string(r.Header([]byte(plant + "\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n")))
}

func anyCanary(r *rand.Rand) canary {
	return canary{letters(r, 4) + "." + letters(r, 5), letters(r, 8) + ".example"}
}

func letters(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "bcdfghjklmnpqrstvwxz"[r.IntN(20)]
	}
	return string(b)
}

func anyCase(s string, r *rand.Rand) string {
	return mapped(s, func(c rune) rune {
		if c >= 'a' && r.IntN(2) == 0 {
			c -= 'a' - 'A'
		}
		return c
	})
}

func mapped(s string, f func(rune) rune) string { return strings.Map(f, s) }

// foldedSomewhere breaks a form as a long header line is.
func foldedSomewhere(s string, r *rand.Rand) string {
	i := r.IntN(len(s))
	return s[:i] + "\r\n " + s[i:]
}

// inLines breaks text into lines of n bytes.
func inLines(s string, n int) string {
	var lines []string
	for ; len(s) > n; s = s[n:] {
		lines = append(lines, s[:n])
	}
	return strings.Join(append(lines, s), "\r\n ")
}

func utf16LE(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func each(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}
