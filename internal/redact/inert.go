package redact

import (
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What several strangers may read is shown another way than what an operator reads: a text with a
// thousand domains in it, of which the traps' alone are struck, is a list of traps. So Inert knows
// no secret at all. It removes whatever could be one by its form, from everybody's text alike, and
// what it shows is the same whoever has which traps.

// inertFields are the fields of which anything is shown, as they are spelled here. Which other
// ones a message has, and how many, is not told: their names may be anything.
var inertFields = []string{"Subject", "Organization", "Precedence", "Auto-Submitted", "X-Mailer",
	"User-Agent", "X-PHP-Originating-Script", "X-PHP-Script", "Importance", "X-Priority",
	"Content-Type", "Content-Transfer-Encoding", "Content-Language", "MIME-Version"}

// mediaTypes are the types of content that are shown, without their parameters.
var mediaTypes = []string{"text/plain", "text/html", "text/calendar", "multipart/alternative",
	"multipart/mixed", "multipart/related", "multipart/report", "multipart/signed",
	"message/rfc822", "message/delivery-status", "application/pdf", "application/zip",
	"application/octet-stream"}

// blind removes no secret: it only decodes.
var blind = New(Secrets{})

// Inert is what strangers may be shown of a header field's value, on one line: ordinary words and
// short numbers, and a Marker for all else. It is empty for a field of which they may be shown
// nothing. No secret is known to it, so nothing can be learned from what it removes.
func Inert(name, v string) string {
	switch {
	case !contains(inertFields, name):
		return ""
	case strings.EqualFold(name, "Content-Type"):
		if media, _, _ := mime.ParseMediaType(v); contains(mediaTypes, media) {
			return media
		}
		return Marker
	}
	return inertWords(blind.clean(oneLine(bounded(v)), value))
}

// InertHeader gives the fields of a header that strangers may be shown, in its order, each as
// "Name: value".
func InertHeader(header []byte) []string {
	var fields []string
	for i, line := range unfolded(lines(bounded(string(header)))) {
		name, v, isField := strings.Cut(line, ":")
		name = strings.TrimRight(name, " \t\n")
		if v = Inert(name, v); !isField || v == "" || i >= maxFields {
			continue
		}
		for _, known := range inertFields {
			if strings.EqualFold(known, name) {
				fields = append(fields, known+": "+v)
			}
		}
	}
	return fields
}

// inertWords keeps ordinary words. How many others stood together is not told.
func inertWords(s string) string {
	var shown []string
	for w := range strings.FieldsSeq(s) {
		if !isInert(w) {
			w = Marker
		}
		if w == Marker && len(shown) > 0 && shown[len(shown)-1] == Marker {
			continue
		}
		shown = append(shown, w)
	}
	return strings.Join(shown, " ")
}

// Signs around words. A dot only ends one: before a word it begins the end of a domain.
const (
	signsBefore = `"'([,;:!?*#$%&+-|€£„“”‚‘’«»¡¿…–—`
	signsBehind = `"')],;:!?*#$%&+-|€£“”‘’«»…–—.`
)

// Bounds of a word that is shown.
const (
	mostLetters = 19
	mostTurns   = 2 // see turnsOf
)

// isInert says whether a word is shown to strangers: letters, maybe with digits behind them, or a
// short number, maybe with a few hyphens; or signs alone.
func isInert(w string) bool {
	core := strings.TrimRight(strings.TrimLeft(w, signsBefore), signsBehind)
	switch {
	case core == "":
		return !strings.Contains(w, ".")
	case utf8.RuneCountInString(core) > mostLetters:
		return false
	case strings.Trim(core, "0123456789.,:") == "":
		return len(strings.Map(dropDigit, core))+longestNumber >= len(core)
	}
	for part := range strings.FieldsFuncSeq(core, isHyphen) {
		isASCII := !strings.ContainsFunc(part, isForeign)
		if strings.ContainsFunc(part, isNoWord) || isASCII && (isToken(part) || turnsOf(part) > mostTurns) {
			return false
		}
	}
	return true
}

func isHyphen(r rune) bool { return r == '-' || r == '\'' || r == '’' }

func isForeign(r rune) bool { return r >= utf8.RuneSelf }

func isNoWord(r rune) bool { return !isLetter(r) && !unicode.IsMark(r) }

// Names says whether a text has the domain of a secret in it, letter by letter. An outlet to
// strangers asks it of what Inert gave, and leaves the whole field out if so. That never
// happens: in what Inert gives, no letter stands behind a dot. Were it ever to happen by a mistake
// of ours, a missing field tells less than a trap does.
func (r *Redactor) Names(s string) bool {
	text := []byte(strings.ToLower(s))
	for i := range text {
		if r.names.longest(text[i:], anyLength) > 0 || r.ourNames.longest(text[i:], anyLength) > 0 {
			return true
		}
	}
	return false
}

func anyLength(int) bool { return true }

// plainNames are the spellings of a domain that Names looks for: one with a dot and a letter
// behind it, as all have that can be reached.
func plainNames(domain string) (names []string) {
	ascii, letters := domainForms(domain)
	for _, name := range []string{ascii, letters} {
		last, _ := utf8.DecodeRuneInString(name[strings.LastIndexByte(name, '.')+1:])
		if strings.Contains(name, ".") && unicode.IsLetter(last) {
			names = append(names, name)
		}
	}
	return names
}
