package config

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// hostName gives the one spelling of a DNS name: lower case, A-labels (RFC 5890), no final dot.
// It is an error for it not to be one that a host can have (RFC 1123 section 2.1).
func hostName(text string) (string, error) {
	ascii := strings.ToLower(strings.TrimSuffix(text, "."))
	if strings.ContainsFunc(ascii, func(r rune) bool { return r >= utf8.RuneSelf }) {
		profile := idna.New(idna.MapForLookup(), idna.Transitional(false))
		mapped, err := profile.ToASCII(ascii)
		if err != nil {
			return "", errors.New("has letters that domain names cannot have")
		}
		ascii = mapped
	}
	if len(ascii) > 253 {
		return "", errors.New("is longer than the 253 bytes of a DNS name")
	}
	last := ""
	for label := range strings.SplitSeq(ascii, ".") {
		if !isLabel(label) {
			return "", errors.New("is not a DNS name: labels are 1 to 63 letters, digits and inner hyphens")
		}
		last = label
	}
	// RFC 3696 section 2: a name whose last label is a number would read as an address.
	if strings.Trim(last, "0123456789") == "" {
		return "", errors.New("is an address, not a name")
	}
	return ascii, nil
}

func isLabel(s string) bool {
	inner := strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-")
	return s != "" && len(s) <= 63 && inner == "" && s[0] != '-' && s[len(s)-1] != '-'
}

// mailbox gives the one spelling of a mail address: the local part in lower case, as traps are
// compared, and quoted only where it must be; the domain as hostName gives it. Its errors do not
// quote the address.
func mailbox(text string) (string, error) {
	at := strings.LastIndexByte(text, '@')
	if at < 1 {
		return "", errors.New("is not a mail address")
	}
	local, err := localPart(text[:at])
	if err != nil {
		return "", err
	}
	domain, err := hostName(text[at+1:])
	if err != nil {
		return "", errors.New("has a domain that " + err.Error())
	}
	return quotedIfNeeded(local) + "@" + domain, nil
}

// localPart gives what a local part stands for, without its quotes: RFC 5321 section 4.1.2 makes
// "a\b"@x, "ab"@x and ab@x one mailbox.
func localPart(s string) (string, error) {
	inner, isQuoted := strings.CutPrefix(s, `"`)
	if isQuoted {
		var closed bool
		if s, closed = unquote(inner); !closed {
			return "", errors.New("has a quoted local part that does not close before the @")
		}
	}
	switch s = norm.NFC.String(strings.ToLower(s)); {
	case s == "" || strings.ContainsFunc(s, unicode.IsControl):
		return "", errors.New("has no local part, or one with control characters")
	case !isQuoted && !isDotString(s):
		return "", errors.New("has a local part that must be quoted")
	case len(s) > 64: // RFC 5321 section 4.5.3.1.1
		return "", errors.New("has a local part longer than 64 bytes")
	}
	return s, nil
}

// unquote reads a quoted string from behind its opening quote. Its closing quote must be its end.
func unquote(s string) (text string, closed bool) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return out.String(), i == len(s)-1
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		out.WriteByte(s[i])
	}
	return "", false
}

func quotedIfNeeded(local string) string {
	if isDotString(local) {
		return local
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(local) + `"`
}

// isDotString: RFC 5321 section 4.1.2, with all beyond ASCII as RFC 6531 section 3.3 allows.
func isDotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, isSpecial) {
			return false
		}
	}
	return true
}

func isSpecial(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`()<>[]:;@\,."`, r)
}
