package redact

import (
	"bytes"
	"slices"
	"strings"
)

// Header is what may be shown of a message's header: each field on a line, its value as Value
// shows it, its name unless that holds a secret itself. It ends at the first empty line; a line
// that is no field is a Marker.
func (r *Redactor) Header(header []byte) []byte {
	var out bytes.Buffer
	for i, line := range unfolded(lines(bounded(string(header)))) {
		if i == maxFields {
			line = Marker
		}
		out.WriteString(r.line(line))
		out.WriteByte('\n')
		if i == maxFields {
			break
		}
	}
	return out.Bytes()
}

// unfolded gives a header's fields, RFC 5322 section 2.2.3.
func unfolded(header string) []string {
	var fields []string
	var field []string // its lines
	for line := range strings.SplitSeq(header, "\n") {
		if folds := line != "" && (line[0] == ' ' || line[0] == '\t'); !folds && field != nil {
			fields = append(fields, strings.Join(field, "\n"))
			field = field[:0]
		}
		if line == "" {
			return fields
		}
		field = append(field, line)
	}
	return append(fields, strings.Join(field, "\n"))
}

// line is what may be shown of a field.
func (r *Redactor) line(field string) string {
	name, value, isField := strings.Cut(field, ":")
	if !isField {
		return Marker
	}
	name = strings.TrimRight(name, " \t\n")
	if !isName(name) || r.Text(name) != name {
		return Marker + ": " + Marker
	}
	if value = r.Value(name, value); value == "" {
		return name + ":"
	}
	return name + ": " + value
}

// isName says whether a field's name is one, RFC 5322 section 3.6.8, and not a long one.
func isName(name string) bool {
	return name != "" && len(name) <= 64 &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// Value is what may be shown of a header field's value, on one line: of fields that are not known
// to be harmless, nothing but a Marker.
func (r *Redactor) Value(name, v string) string {
	show := func(s string) string { return tidy(s, hideNames) }
	switch strings.ToLower(name) {
	case "subject", "date", "comments", "organization", "mime-version", "content-transfer-encoding",
		"content-language", "accept-language", "x-mailer", "user-agent", "x-mimeole",
		"x-php-originating-script", "x-php-script", "precedence", "auto-submitted", "x-autoreply",
		"x-auto-response-suppress", "importance", "priority", "x-priority", "x-msmail-priority",
		"x-originating-ip":
		return r.value(v, show)
	case "from", "sender", "reply-to":
		return r.Address(v)
	case "received":
		return r.value(v, func(s string) string { return show(withoutClauses(s)) })
	case "content-type":
		return r.value(v, func(s string) string {
			return show(withoutParameters(s, "charset", "format", "delsp", "report-type", "type"))
		})
	case "content-disposition":
		return r.value(v, func(s string) string { return show(withoutParameters(s)) })
	}
	return Marker
}

// withoutClauses empties the id and for clauses of a Received line, RFC 5321 section 4.4, in
// comments as well: many servers write them there.
func withoutClauses(v string) string {
	var out strings.Builder
	hiding := false
	for v != "" {
		end := max(1, wordEnd(v, 0))
		if strings.HasPrefix(v, Marker) {
			end = len(Marker)
		}
		word := v[:end]
		v = v[end:]
		if hiding && !endsClause(word) {
			continue
		}
		if hiding && word != ";" {
			out.WriteByte(' ')
		}
		out.WriteString(word)
		if hiding = isHidden(word); hiding {
			out.WriteString(" " + Marker)
		}
	}
	return out.String()
}

func isHidden(word string) bool {
	return strings.EqualFold(word, "id") || strings.EqualFold(word, "for")
}

// endsClause says whether a word is no longer part of an id or a for clause, which may have several
// addresses.
func endsClause(word string) bool {
	switch strings.ToLower(word) {
	case ";", "(", ")", "by", "from", "via", "with", "id", "for":
		return true
	}
	return false
}

// withoutParameters keeps of a MIME value (RFC 2045 section 5.1) the parameters named alone.
func withoutParameters(v string, keep ...string) string {
	parts := strings.Split(v, ";")
	for i, part := range parts[1:] {
		name, _, isPair := strings.Cut(part, "=")
		switch name = strings.TrimSpace(name); {
		case isPair && contains(keep, name):
		case isPair && isName(name) && !isOpaque(name):
			parts[i+1] = " " + name + "=" + Marker
		default:
			parts[i+1] = " " + Marker
		}
	}
	return strings.Join(parts, ";")
}

func contains(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
