package trap

import (
	"math"
	"strconv"
	"strings"
)

// command is one line of the peer: its verb in capitals and the rest as it came.
type command struct {
	verb string
	rest string
}

// splitCommand never fails: a line of nonsense has a verb that nobody knows.
func splitCommand(line string) command {
	line = strings.TrimSpace(line)
	verb, rest := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		verb, rest = line[:i], strings.TrimSpace(line[i:])
	}
	return command{verb: strings.ToUpper(verb), rest: rest}
}

// path returns the address that MAIL or RCPT names, without brackets and source route (RFC 5321
// appendix C), and the parameters behind it. Nothing is refused here: blanks around the colon, a
// keyword left out, brackets missing, doubled or unbalanced, a display name in front are all seen
// in the wild, and what a path names is for the Directory to say.
func (c command) path(keyword string) (address, parameters string) {
	s := c.rest
	if len(s) >= len(keyword) && strings.EqualFold(s[:len(keyword)], keyword) {
		s = s[len(keyword):]
	}
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), ":"))
	address, parameters = splitPath(s)
	if strings.HasPrefix(address, "@") {
		if _, mailbox, ok := strings.Cut(address, ":"); ok {
			address = mailbox
		}
	}
	return address, parameters
}

// splitPath cuts "<address> parameters"; without brackets the first blank is the border.
func splitPath(s string) (address, parameters string) {
	open, end := -1, len(s)
	blank := len(s)
	scan(s, func(i int, c byte, quoted bool) bool {
		switch {
		case quoted:
		case c == '<':
			open = i
		case c == '>' && open >= 0:
			end = i
			return false
		case (c == ' ' || c == '\t') && blank == len(s):
			blank = i
		}
		return true
	})
	if open < 0 {
		return strings.TrimRight(s[:blank], ">"), s[blank:]
	}
	if end == len(s) && blank > open { // "<address parameters", never closed
		end = blank
	}
	return strings.TrimSpace(s[open+1 : end]), strings.TrimLeft(s[end:], ">")
}

// parameter returns the value of a MAIL parameter (RFC 5321 section 4.1.2) and whether it is
// there. Parameters that nobody asks for are ignored, known or not.
func parameter(parameters, name string) (value string, ok bool) {
	for field := range strings.FieldsSeq(parameters) {
		key, value, _ := strings.Cut(field, "=")
		if strings.EqualFold(key, name) {
			return value, true
		}
	}
	return "", false
}

// declaredSize returns the SIZE parameter, RFC 1870 section 3, or 0. Its twenty digits may say
// more than an int64 holds: then it is the largest.
func declaredSize(parameters string) int64 {
	value, _ := parameter(parameters, "SIZE")
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil && n != 0 { // out of range; n is 0 if it is no number
		return math.MaxInt64
	}
	return int64(n)
}

// isHTTP tells a request line, which a browser can be made to send to any port.
func isHTTP(line string) bool {
	fields := strings.Fields(line)
	return len(fields) == 3 && strings.HasPrefix(fields[2], "HTTP/")
}
