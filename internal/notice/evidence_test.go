package notice

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/redact"
)

// TestRosterIsNotTold: what is shown of one text is the same, whichever of its words are traps.
func TestRosterIsNotTold(t *testing.T) {
	const text = "Cheap alpha.example sales bravo.example best deals (delta.example)"
	head := "Subject: " + text + "\r\nOrganization: " + text + "\r\nX-Mailer: " + text + "\r\nFrom: " + text +
		"\r\nX-alphaexample: 1\r\n\r\n"
	shown := func(s redact.Secrets, traps ...string) (fields []Field) {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, criteria.DefaultPolicy())
			defer d.stop()
			d.rules.Redactor = redact.New(s)
			for _, to := range traps {
				d.hit("198.51.100.7", message(head), to)
			}
			pass(7 * time.Hour)
			n := d.see("198.51.100.7")
			if len(n.Hits) != 3 {
				t.Fatalf("the messages are %+v", n.Hits)
			}
			fields = n.Hits[0].Evidence
		})
		return fields
	}
	want := []Field{{"Subject", "Cheap [removed] sales [removed] best deals [removed]"},
		{"Organization", "Cheap [removed] sales [removed] best deals [removed]"},
		{"X-Mailer", "Cheap [removed] sales [removed] best deals [removed]"}}
	for _, got := range [][]Field{
		shown(redact.Secrets{}, "one@traps.example", "two@traps.example", "three@traps.example"),
		shown(redact.Secrets{Domains: []string{"alpha.example", "best.deals"}}, "sales@alpha.example",
			"cheap@best.deals", "best@bravo.example"),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
