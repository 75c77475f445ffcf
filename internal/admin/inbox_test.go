package admin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/store"
)

// write brings a letter; without a text it is one that was not kept.
func (o *office) write(to, text string) uint64 {
	o.Helper()
	r := spammed("198.51.100.7", to, o.now())
	r.Inbox, r.Traps, r.Weight, r.Evidence = true, nil, 0, nil
	r.Recipients = []store.Recipient{{Address: to, Kind: "mailbox"}}
	if text != "" {
		r.Evidence = store.PackEvidence([]byte(text))
	}
	o.append(r)
	o.seconds.Add(60)
	return r.LSN
}

const plea = "From: \"Ann Smith\" <ann@isp.example>\r\nTo: abuse@traps.example\r\n" +
	"Subject: Please delist 198.51.100.7\r\n\r\nWe mended it. \x1b[2J\r\n"

// mailroom is a desk with a hit, three letters, and a client of it.
func mailroom(t *testing.T) (*office, *Client, [3]uint64) {
	t.Helper()
	o := newOffice(t)
	secrets := redact.New(redact.Secrets{Domains: []string{"traps.example"}})
	o.Redactor = func() *redact.Redactor { return secrets }
	o.append(spammed("198.51.100.7", "heron@traps.example", o.now()))
	ids := [3]uint64{o.write("abuse@traps.example", plea), o.write("postmaster", ""),
		o.write("postmaster@traps.example", "Subject: second\r\n\r\nHello.\r\n")}
	return o, o.door(), ids
}

func subjects(t *testing.T, c *Client, f LetterFilter) string {
	t.Helper()
	var all []string
	for l, err := range c.Inbox(f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Join(l.To, " ")+": "+l.Subject)
	}
	return strings.Join(all, ", ")
}

func TestInboxList(t *testing.T) {
	_, door, _ := mailroom(t)
	for _, c := range []struct {
		name string
		f    LetterFilter
		want string
	}{
		{"all", LetterFilter{}, "postmaster: second, postmaster: , abuse: Please delist 198.51.100.7"},
		{"the newest", LetterFilter{Limit: 1}, "postmaster: second"},
		{"since", LetterFilter{Since: criteria.At(began) + 60}, "postmaster: second, postmaster: "},
		{"with domains", LetterFilter{Limit: 1, ShowTraps: true}, "postmaster@traps.example: second"},
	} {
		if got := subjects(t, door, c.f); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestInboxShow(t *testing.T) {
	_, door, ids := mailroom(t)
	l, err := door.Letter(t.Context(), ids[0], false)
	if err != nil {
		t.Fatal(err)
	}
	want := "From: \"Ann Smith\" <ann@isp.example>\nTo: [removed]\nSubject: Please delist 198.51.100.7\n" +
		"\nWe mended it. [2J\n"
	if diff := cmp.Diff(want, l.Text); diff != "" || l.Raw != nil || !l.Kept || l.From != `"Ann Smith" <ann@isp.example>` {
		t.Errorf("%+v\n%s", l, diff)
	}
	if l, err = door.Letter(t.Context(), ids[0], true); err != nil || string(l.Raw) != plea {
		t.Errorf("as it came: %q, %v", l.Raw, err)
	}
	if l, err = door.Letter(t.Context(), ids[1], true); err != nil || l.Kept || l.Text != "" || l.Raw != nil {
		t.Errorf("not kept: %+v, %v", l, err)
	}
	for _, id := range []uint64{0, 1, 99} { // 1 is a hit
		if _, err := door.Letter(t.Context(), id, true); !IsNone(err) {
			t.Errorf("letter %d: %v", id, err)
		}
	}
}

func TestInboxDiscard(t *testing.T) {
	o, door, ids := mailroom(t)
	done, err := door.Discard(t.Context(), Discard{IDs: []uint64{ids[2], ids[0], ids[2]}, Reason: "dealt with"})
	if err != nil || !cmp.Equal(done.IDs, []uint64{ids[0], ids[2]}) || done.Who == "" {
		t.Fatalf("%+v, %v", done, err)
	}
	if got := subjects(t, door, LetterFilter{}); got != "postmaster: " {
		t.Errorf("left: %s", got)
	}
	if l, err := door.Letter(t.Context(), ids[0], false); err != nil || !l.Kept {
		t.Errorf("a discarded letter: %+v, %v", l, err)
	}
	o.awaitAll()
	for dec, err := range door.Audit(AuditFilter{Act: criteria.ActDiscard}) {
		if err != nil || dec.Reason != "dealt with" || len(dec.Hits) != 2 || dec.Who != done.Who {
			t.Errorf("the audit has %+v, %v", dec, err)
		}
	}
	for _, c := range []struct {
		name string
		o    Discard
		none bool
	}{
		{"again", Discard{[]uint64{ids[1], ids[0]}, "again"}, true},
		{"a hit", Discard{[]uint64{1}, "no letter"}, true},
		{"nothing", Discard{nil, "nothing"}, false},
		{"without a reason", Discard{[]uint64{ids[1]}, ""}, false},
		{"too many", Discard{numbersTo(MostDiscarded + 1), "all"}, false},
	} {
		if _, err := door.Discard(t.Context(), c.o); IsNone(err) != c.none || IsMisuse(err) == c.none {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if got := subjects(t, door, LetterFilter{}); got != "postmaster: " {
		t.Errorf("left: %s", got)
	}
}

func numbersTo(n int) []uint64 {
	var all []uint64
	for i := range n {
		all = append(all, uint64(i+1))
	}
	return all
}
