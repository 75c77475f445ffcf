// Package letter shows people a message that a stranger wrote.
//
// In come a message as it came and a redactor; out comes text in printable characters, a header
// and what can be read of the parts below it, without the redactor's secrets. It never fails, it
// runs nothing and fetches nothing, and what is no text is named and left out.
package letter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
)

// mostPart bounds what is shown of a part, in bytes.
const mostPart = 64 << 10

// From is what the sender calls itself; "" for a message without the field.
func From(message []byte, r *redact.Redactor) string {
	return r.Address(first(message, "From"))
}

// Subject is the message's, "" for a message without the field.
func Subject(message []byte, r *redact.Redactor) string {
	return r.Value("Subject", first(message, "Subject"))
}

func first(message []byte, name string) string {
	values := parser.Values(message, name)
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// Text is the whole message. Of text in two forms the plain one is shown; of an attached message
// the header.
func Text(message []byte, r *redact.Redactor) string {
	var b strings.Builder
	b.Write(r.Header(message))
	pieces := parser.Pieces(message, mostPart)
	hasPlain := slices.ContainsFunc(pieces, func(p parser.Piece) bool {
		return p.Type == "text/plain" && len(strings.TrimSpace(string(p.Content))) > 0
	})
	for _, p := range pieces {
		b.WriteByte('\n')
		switch {
		case p.Type == "text/plain", p.Type == "text/html" && !hasPlain:
			b.WriteString(ended(r.Text(string(p.Content))))
		case isHeader(p.Type):
			b.WriteString(rule(p.Type) + string(r.Header(p.Content)))
		case isFields(p.Type):
			b.WriteString(rule(p.Type) + ended(r.Text(string(p.Content))))
		case len(p.Content) < mostPart:
			b.WriteString(rule(fmt.Sprintf("%s, %d bytes, not shown", r.Text(p.Type), len(p.Content))))
		default:
			b.WriteString(rule(r.Text(p.Type) + ", not shown"))
		}
	}
	return b.String()
}

// isHeader tells a message or the header of one (RFC 2046, 6522).
func isHeader(kind string) bool {
	return slices.Contains([]string{"message/rfc822", "message/global", "text/rfc822-headers",
		"message/global-headers"}, kind)
}

// isFields tells a part that servers write for each other (RFC 3464, 5965, 8098).
func isFields(kind string) bool {
	return slices.Contains([]string{"message/delivery-status", "message/feedback-report",
		"message/disposition-notification"}, kind)
}

func rule(what string) string { return "---- " + what + "\n" }

// ended gives text a last line end, and no blank lines at its end.
func ended(s string) string { return strings.TrimRight(s, "\n") + "\n" }
