// Package redact takes out of text whatever would tell its reader where the traps are.
//
// In come the secrets (trap addresses, trap domains, reporters, the recipients of the message at
// hand) and text that a stranger wrote: a header, one value of it, a part of a body, an address.
// Out comes text that people can read without a secret in it, in printable characters, with Marker
// where something was. It never fails, and in doubt it removes. It must never show a secret in any
// spelling or encoding that it knows, or a value that a mailing makes for one recipient.
//
// Two things are done, each of which would be too little alone. What is a secret goes wherever it
// stands: in any case, with blanks, dots and comments in it, quoted, as user=domain, backwards, in
// ROT13, base64 and hex, under layers of quoted-printable, percent signs, entities, backslashes
// and encoded words; of the recipients at hand the usual digests, too. And whatever could be one
// goes for its form: header fields but for a list of harmless ones, ids and `for` clauses of
// Received, paths and queries of links, local parts of addresses, labels of hosts and words that
// look made by a machine. All this leaves the same Marker, so that it does not tell why.
//
// Digests are MD5, SHA-1, SHA-256, SHA-512 and CRC-32 of a recipient's address, local part and
// domain in lower case; they are known by their first eight characters in hex or base64, CRC-32
// by its decimal number as well. Every longer digest, keyed or not, goes for its form.
//
// What remains possible: a sender who mails each recipient other ordinary words (or spaces them
// otherwise, or draws a picture) has a key that nobody else can see, and reads his own words
// again wherever they are shown. He who writes a thousand names into one mail learns from a gap
// that one of them was a secret. A local part of two letters that stands alone is not found. So
// an outlet that strangers can read shows what a sender wrote only if several traps saw the same
// value, three at least, and of that only what Inert gives, which knows no secret: what it removes
// is the same whatever the secrets are.
package redact

import "strings"

// Marker stands where something was removed. It is the same for everything.
const Marker = "[removed]"

// Bounds of the work. What lies beyond maxText is not shown.
const (
	maxText   = 256 << 10 // bytes, of a text or a header
	maxFields = 1000      // of a header
)

// Secrets are what no text may show.
type Secrets struct {
	// Addresses are traps and reporters, in any spelling. Their domains are secret as well.
	Addresses []string
	// Domains are "traps.example" or "*.traps.example". What is below either is secret as well.
	Domains []string
}

// Redactor removes secrets. It never changes, and any number of goroutines may use it.
type Redactor struct {
	always *lexicon
	ours   *lexicon // of one message's recipients

	names, ourNames *lexicon // domains, see Names
}

// New prepares for secrets.
func New(s Secrets) *Redactor {
	var words, names []string
	domains := make(map[string]bool) // many addresses may share one
	for _, a := range s.Addresses {
		words = append(words, addressWords(a)...)
		_, domain := cutAddress(a)
		domains[domain] = true
	}
	for _, d := range s.Domains {
		domains[d] = true
	}
	for d := range domains {
		words = append(words, domainWords(d)...)
		names = append(names, plainNames(d)...)
	}
	return &Redactor{always: newLexicon(words), ours: newLexicon(nil),
		names: newLexicon(names), ourNames: newLexicon(nil)}
}

// For is the redactor for one message: it knows the recipients, in any spelling, and so finds
// their local parts where they stand alone, and their digests. A message must not be shown
// without it.
func (r *Redactor) For(recipients ...string) *Redactor {
	var words, names []string
	for _, a := range recipients {
		words = append(words, recipientWords(a)...)
		_, domain := cutAddress(a)
		names = append(names, plainNames(domain)...)
	}
	return &Redactor{always: r.always, ours: newLexicon(words),
		names: r.names, ourNames: newLexicon(names)}
}

// Text is what may be shown of running text or of a part of a body, decoded or not. Lines stay
// lines; tags of HTML go.
func (r *Redactor) Text(s string) string {
	return settled(lines(bounded(s)), func(s string) string {
		return tidy(r.clean(s, running), hideNames)
	})
}

// Words is what may be shown of our own words, a reason that an operator gave: on one line, all but
// the secrets.
func (r *Redactor) Words(s string) string {
	return r.value(s, func(s string) string { return s })
}

// Address is what may be shown of what a sender called itself, in HELO, MAIL FROM or From, with a
// display name or without: the local part only if it is a plain name.
func (r *Redactor) Address(s string) string {
	return r.value(s, func(s string) string { return tidy(s, showNames) })
}

// value shows text on one line, in the way that is given for clean text.
func (r *Redactor) value(s string, show func(string) string) string {
	return settled(oneLine(bounded(s)), func(s string) string { return show(r.clean(s, value)) })
}

// settled shows until nothing is left to remove, as words may come to stand together that did not.
func settled(s string, show func(string) string) string {
	for range 4 {
		shown := show(s)
		if shown == s {
			return s
		}
		s = shown
	}
	return Marker
}

// bounded cuts text at the last blank before the bound, so that no half of a word remains.
func bounded(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	return s[:1+strings.LastIndexAny(s, " \t\r\n")] + Marker
}

var (
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")
	folds    = strings.NewReplacer("\n ", " ", "\n\t", " ", "\n", " ")
)

// lines gives every line the same end.
func lines(s string) string { return lineEnds.Replace(s) }

// oneLine unfolds.
func oneLine(s string) string { return strings.TrimSpace(folds.Replace(lines(s))) }
