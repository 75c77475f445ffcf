package notice

import (
	"bytes"
	"net/mail"
	"strings"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/redact"
)

// enoughTraps must have seen the same value before it is shown: what fewer saw may
// have been made for them.
const enoughTraps = 3

// longest is how much of a value is shown, in bytes.
const longest = 300

// fields is what "headers" shows, in this order. Dates, identifiers and Received
// lines are not among them: they name one message or one second, and so one
// recipient. Nor are HELO and senders: of these all but names is nothing.
var fields = []string{"Subject", "Precedence", "Auto-Submitted", "Organization", "X-Mailer",
	"User-Agent", "X-PHP-Originating-Script", "X-PHP-Script", "Content-Type", "MIME-Version",
	"Content-Language"}

// shared knows which values of which fields several traps saw.
type shared struct {
	rules    Rules
	values   map[Field]map[string]bool // to the traps that saw it
	redactor *redact.Redactor          // knows all these traps: one message may name another's
}

// sharedOf counts, of each value as it was sent, the traps that it came to. What
// reporters handed in is another person's mail, and is neither counted nor shown.
func sharedOf(messages []kept, rules Rules) shared {
	s := shared{rules: rules, values: map[Field]map[string]bool{}}
	var all []string
	for i := range messages {
		for _, to := range messages[i].Recipients {
			all = append(all, to.Address)
		}
		for _, f := range s.sent(&messages[i]) {
			if s.values[f] == nil {
				s.values[f] = map[string]bool{}
			}
			for _, to := range messages[i].Recipients {
				s.values[f][to.Address] = true
			}
		}
	}
	s.redactor = rules.Redactor.For(all...)
	return s
}

// sent gives the values of a message that the configuration lets be shown.
func (s shared) sent(m *kept) []Field {
	if m.Kind == criteria.Report || s.rules.Evidence == Nothing || s.rules.Evidence == "" {
		return nil
	}
	header := headerOf(m.head)
	if s.rules.Evidence == Subject {
		return some(nil, "Subject", header.Get("Subject"))
	}
	var all []Field
	for _, name := range fields {
		all = some(all, name, header.Get(name))
	}
	return all
}

func some(all []Field, name, value string) []Field {
	if value == "" {
		return all
	}
	return append(all, Field{name, value})
}

// headerOf reads a header; what is no header is an empty one.
func headerOf(head []byte) mail.Header {
	message, err := mail.ReadMessage(bytes.NewReader(head))
	if err != nil {
		return mail.Header{}
	}
	return message.Header
}

// of gives what may be shown of a message. What is shown of a value is the same
// whatever the secrets are; that a field is left out as it names one never happens,
// save by a mistake in redact.Inert.
func (s shared) of(m *kept) []Field {
	var shown []Field
	for _, f := range s.sent(m) {
		if len(s.values[f]) < enoughTraps {
			continue
		}
		if value := short(redact.Inert(f.Name, f.Value)); value != "" && !s.redactor.Names(value) {
			shown = append(shown, Field{f.Name, value})
		}
	}
	return shown
}

// short cuts a value at a character.
func short(s string) string {
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}
