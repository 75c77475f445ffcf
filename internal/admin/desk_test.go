package admin

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/store"
)

// TestHitsKeepSecrets: what the sender said in HELO and MAIL FROM is shown without traps, those of
// the record and all others; who asks for traps sees it as it came.
func TestHitsKeepSecrets(t *testing.T) {
	o := newOffice(t)
	configured := redact.New(redact.Secrets{Domains: []string{"*.wild.example"}})
	o.Redactor = func() *redact.Redactor { return configured }
	const trap = "old.sales@corp.example"
	type said struct{ Helo, MailFrom string }
	for _, c := range []struct {
		name       string
		said, want said
	}{
		{"ordinary", said{"mail.sender.example", "bounce@sender.example"},
			said{"mail.sender.example", "bounce@sender.example"}},
		{"null sender", said{"[203.0.113.7]", ""}, said{"[203.0.113.7]", ""}},
		{"the trap itself", said{"corp.example", "Old.Sales@CORP.example"}, said{redact.Marker, redact.Marker}},
		{"return path", said{"x", "b+old.sales=corp.example@sender.example"}, said{"x", redact.Marker}},
		{"a trap domain", said{"mx.a.wild.example", "a@b.wild.example"}, said{redact.Marker, redact.Marker}},
		{"a token", said{"x", "b-8812345@sender.example"}, said{"x", redact.Marker + "@sender.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := &store.Record{Helo: c.said.Helo, MailFrom: c.said.MailFrom,
				Recipients: []store.Recipient{{Address: trap}},
				Hit:        criteria.Hit{Source: netip.MustParseAddr("198.51.100.7")}}
			hit := o.hitOf(record, false)
			if diff := cmp.Diff(c.want, said{hit.Helo, hit.MailFrom}); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{o.pseudonym(trap)}, hit.Traps); diff != "" {
				t.Error(diff)
			}
			hit = o.hitOf(record, true)
			if diff := cmp.Diff(c.said, said{hit.Helo, hit.MailFrom}); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{trap}, hit.Traps); diff != "" {
				t.Error(diff)
			}
		})
	}
}
