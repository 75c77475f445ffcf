package trap

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// NormalAddress returns the one spelling of an address under which rules and recipients meet:
// lower case, the local part quoted only where it must be, the domain in ASCII (RFC 5890) and
// without a final dot. It never fails: what is no address comes back as something that no rule
// can be for.
func NormalAddress(address string) string {
	return joinAddress(splitAddress(address))
}

// splitAddress cuts an address at its last @ outside quotes and normalises both halves. Without
// an @ the domain is empty.
func splitAddress(address string) (local, domain string) {
	at := -1
	scan(address, func(i int, c byte, quoted bool) bool {
		if c == '@' && !quoted {
			at = i
		}
		return true
	})
	if at < 0 {
		return normalLocal(address), ""
	}
	return normalLocal(address[:at]), normalDomain(address[at+1:])
}

// normalLocal strips quotes and backslashes: RFC 5321 section 4.1.2 makes "a\b"@x, "ab"@x and
// ab@x the same mailbox. Case is folded although it need not be: traps are written by hand.
func normalLocal(s string) string {
	var b strings.Builder
	escaped := false
	for _, c := range []byte(strings.TrimSpace(s)) {
		if !escaped && (c == '"' || c == '\\') {
			escaped = c == '\\'
			continue
		}
		escaped = false
		b.WriteByte(c)
	}
	return norm.NFC.String(strings.ToLower(b.String()))
}

// normalDomain maps a domain to lower-case A-labels. A name that IDNA does not allow is kept in
// lower case: hosts with underscores and worse do send mail.
func normalDomain(s string) string {
	s = strings.ToLower(strings.TrimFunc(s, isMargin))
	if isASCII(s) {
		return s
	}
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false),
		idna.StrictDomainName(false))
	if ascii, err := profile.ToASCII(s); err == nil {
		return ascii
	}
	return s
}

func isMargin(r rune) bool { return r == '.' || unicode.IsSpace(r) }

// joinAddress quotes the local part unless it is a dot-string of RFC 5321 section 4.1.2.
func joinAddress(local, domain string) string {
	if !isDotString(local) {
		local = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
	}
	if domain == "" {
		return local
	}
	return local + "@" + domain
}

func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, isNotAtext) {
			return false
		}
	}
	return true
}

// isNotAtext: RFC 5322 section 3.2.3, extended by RFC 6531 section 3.3 to all beyond ASCII.
func isNotAtext(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`()<>[]:;@\,."`, r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// scan visits the bytes of s, saying of each whether it stands in a quoted string, until visit
// returns false. Quotes themselves count as quoted. A quote that never closes is an ordinary
// byte, as are those behind it, so that a line full of them costs one pass.
func scan(s string, visit func(i int, c byte, quoted bool) bool) {
	end, open := -1, true // of the quoted string we are in; whether another may follow
	for i := range len(s) {
		if i > end && s[i] == '"' && open {
			end, open = closingQuote(s, i)
		}
		if !visit(i, s[i], i <= end) {
			return
		}
	}
}

// closingQuote returns where the quoted string that opens at i closes, if it does.
func closingQuote(s string, i int) (end int, ok bool) {
	for j := i + 1; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '"':
			return j, true
		}
	}
	return i - 1, false
}
