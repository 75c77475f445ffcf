package redact

import (
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"
)

// shownWord is what may be shown of a word.
func shownWord(w string, n names) string {
	switch head, path, isPath := strings.Cut(w, "/"); {
	case strings.Contains(w, "://"):
		return shownLink(w, n)
	case strings.Contains(w, "@"):
		return shownMailbox(w, n)
	case isAddress(w):
		return w
	case isPath && isHost(head):
		return shownHost(head) + shownPath(path)
	case strings.Contains(w, "="):
		return shownPairs(w, n)
	case isHost(w):
		return shownHost(w)
	case isOpaque(w):
		return Marker
	}
	return w
}

// shownPath is the path of a link: no more than that there is one.
func shownPath(path string) string {
	if path == "" {
		return "/"
	}
	return "/" + Marker
}

// shownLink keeps scheme, host and port. What stands before the @ is a name, and what stands
// behind the host a token, be it only by the choice of the page.
func shownLink(w string, n names) string {
	scheme, link, _ := strings.Cut(w, "://")
	before := ""
	if i := strings.LastIndexFunc(scheme, isNoDigit); i >= 0 {
		_, size := utf8.DecodeRuneInString(scheme[i:])
		before, scheme = shownWord(scheme[:i+size], n), scheme[i+size:]
	}
	end := lengthUntil(link, func(r rune) bool { return strings.ContainsRune(`/?#\`, r) })
	authority := link[1+strings.LastIndexByte(link[:end], '@') : end]
	authority, wasLabel := strings.CutPrefix(authority, Marker)
	host := authority[:lengthUntil(authority, func(r rune) bool { return !isHostRune(r) })]
	if !isHost(host) && !isAddress(host) || isOpaque(scheme) {
		return before + Marker
	}
	s := before + scheme + "://"
	if wasLabel {
		s += Marker
	}
	s += shownHost(host)
	port, found := strings.CutPrefix(authority[len(host):], ":")
	if found && len(port) <= len("65535") && strings.Trim(port, "0123456789") == "" {
		s += ":" + port
	} else if authority != host {
		return s + "/" + Marker
	}
	if end == len(link) {
		return s
	}
	return s + shownPath(strings.TrimPrefix(link[end:], "/"))
}

// lengthUntil is the length of what stands before the first character that ends it.
func lengthUntil(s string, ends func(rune) bool) int {
	if i := strings.IndexFunc(s, ends); i >= 0 {
		return i
	}
	return len(s)
}

// shownMailbox keeps the host of an address, and of a sender's own the local part, if that is
// plain: return paths often spell the recipient, and mailboxes for one mailing do so by number.
func shownMailbox(w string, n names) string {
	at := strings.LastIndexByte(w, '@')
	local, domain := w[:at], w[at+1:]
	if local != "" && (n == hideNames || !isPlain(local)) {
		local = Marker
	}
	end := lengthUntil(domain, func(r rune) bool { return !isHostRune(r) })
	switch host, tail := domain[:end], domain[end:]; {
	case !isHost(host) && domain != "":
		domain = Marker
	case strings.Trim(tail, signs) != "":
		domain = shownHost(host) + Marker
	case domain != "":
		domain = shownHost(host) + tail
	}
	return local + "@" + domain
}

// shownPairs judges what = separates each by itself, as in helo=mail.example.
func shownPairs(w string, n names) string {
	if isOpaque(w) {
		return Marker
	}
	parts := strings.Split(w, "=")
	for i, part := range parts {
		if part != "" {
			parts[i] = shownWord(part, n)
		}
	}
	return strings.Join(parts, "=")
}

// signs end sentences, and words.
const signs = ".:!?"

// isAddress says whether w is an IP address, with a tag, a port and a full stop or without.
func isAddress(w string) bool {
	w = strings.TrimRight(w, ".:")
	if len(w) > 5 && strings.EqualFold(w[:5], "ipv6:") {
		w = w[5:]
	}
	_, err := netip.ParseAddr(w)
	if err != nil {
		_, err = netip.ParseAddrPort(w)
	}
	return err == nil && !strings.Contains(w, "%")
}

// isHost says whether w looks like the name of a host: labels, the last one of letters alone.
func isHost(w string) bool {
	w = strings.TrimRight(w, signs)
	last := w[strings.LastIndexByte(w, '.')+1:]
	return len(last) < len(w) && len(last) >= 2 && len(w) <= 253 &&
		!strings.ContainsFunc(w, func(r rune) bool { return !isHostRune(r) }) &&
		(!strings.ContainsAny(last, "0123456789-_") || strings.HasPrefix(last, "xn--"))
}

func isHostRune(r rune) bool { return isLetter(r) || r == '.' || r == '-' || r == '_' }

// shownHost keeps the registrable part of a host's name, and before it what is plain: anybody
// makes a label for each recipient, but hardly a domain.
func shownHost(host string) string {
	name := strings.TrimRight(host, signs)
	labels := strings.Split(name, ".")
	registrable, err := publicsuffix.EffectiveTLDPlusOne(strings.TrimLeft(strings.ToLower(name), "."))
	first := 0 // of the registrable part
	switch {
	case isAddress(host):
		return host
	case err == nil:
		first = max(0, len(labels)-1-strings.Count(registrable, "."))
	}
	if isOpaque(strings.Join(labels[first:], ".")) {
		return Marker
	}
	for i := first - 1; i >= 0; i-- {
		if labels[i] != "" && !isPlain(labels[i]) {
			return Marker + "." + strings.Join(labels[i+1:], ".") + host[len(name):]
		}
	}
	return host
}

// isPlain says whether a name is one that people give: words, short numbers, signs between.
func isPlain(name string) bool {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '-' || r == '_' })
	if len(parts) == 0 || len(parts) > 8 || isOpaque(name) {
		return false
	}
	for _, part := range parts {
		word := strings.TrimRight(part, "0123456789")
		if len(part)-len(word) > 3 || len(word) > 16 || strings.ContainsFunc(word, isNoLetter) {
			return false
		}
	}
	return true
}

func isNoLetter(r rune) bool { return !isLetter(r) || r >= '0' && r <= '9' }

// isOpaque says whether a word looks made by a machine: a digest, a token, a number of a
// customer, encoded text.
func isOpaque(w string) bool {
	if strings.HasSuffix(w, "==") || percent(w) != w || strings.Contains(w, "=?") {
		return true
	}
	length, turns := 0, 0
	for atom := range strings.FieldsFuncSeq(w, isNoDigit) {
		if isToken(atom) {
			return true
		}
		length, turns = length+len(atom), turns+turnsOf(atom)
	}
	return length >= 16 && turns >= 8 // a UUID, and tokens with other signs in them
}

// isNoDigit splits words where no encoding has a digit.
func isNoDigit(r rune) bool { return r >= utf8.RuneSelf || !isLetter(r) }

// Bounds of what people write in one piece.
const (
	longestWord   = 24
	longestNumber = 6
	shortToken    = 8
)

func isToken(atom string) bool {
	digits := len(atom) - len(strings.Map(dropDigit, atom))
	switch {
	case len(atom) > longestWord:
		return true
	case digits == len(atom):
		return digits > longestNumber && !isDay(atom)
	case len(atom) < shortToken:
		return len(atom) > 4 && turnsOf(atom) >= 4
	}
	return turnsOf(atom) >= 3 || digits > 0 && strings.Trim(atom, "0123456789abcdefABCDEF") == "" ||
		!strings.ContainsAny(atom, "aeiouyAEIOUY")
}

func dropDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return -1
	}
	return r
}

// turnsOf counts how often a word turns to capitals within, or back from several of them, and
// double how often between letters and digits. JavaScript has one, OpenSSLConf and Windows10 two,
// base64 many.
func turnsOf(atom string) (n int) {
	last := byte('a')
	for i := range len(atom) - 1 {
		a, b := classOf(atom[i]), classOf(atom[i+1])
		switch {
		case (a == '0') != (b == '0'):
			n += 2
		case a == 'a' && b == 'A' || last == 'A' && a == 'A' && b == 'a':
			n++
		}
		last = a
	}
	return n
}

func classOf(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return '0'
	case c >= 'a' && c <= 'z':
		return 'a'
	}
	return 'A'
}

// isDay tells dates like 20261124 from other numbers.
func isDay(digits string) bool {
	_, err := time.Parse("20060102", digits)
	return err == nil && (strings.HasPrefix(digits, "19") || strings.HasPrefix(digits, "20"))
}
