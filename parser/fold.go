package parser

// What strings has for letters as they are, for ASCII letters in any case: keywords, field names
// and product names are told apart in no other way. strings.EqualFold is slower, and takes the
// Kelvin sign for a k.

// equal compares without conversion.
func equal[S ~string | ~[]byte](s S, want string) bool {
	if len(s) != len(want) {
		return false
	}
	for i := range len(want) {
		if s[i] != want[i] && lower(s[i]) != lower(want[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func hasPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && equal(s[:len(prefix)], prefix)
}

func hasSuffix(s, suffix string) bool {
	return len(s) >= len(suffix) && equal(s[len(s)-len(suffix):], suffix)
}

func cutPrefix(s, prefix string) (after string, found bool) {
	if !hasPrefix(s, prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func cutSuffix(s, suffix string) (before string, found bool) {
	if !hasSuffix(s, suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}

// cutAt parts s around the first sep.
func cutAt(s, sep string) (before, after string, found bool) {
	for i := 0; i+len(sep) <= len(s); i++ {
		if hasPrefix(s[i:], sep) {
			return s[:i], s[i+len(sep):], true
		}
	}
	return s, "", false
}
