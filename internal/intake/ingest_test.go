package intake

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
	"github.com/trapline/trapline/trap"
)

func (d *desk) ingest(content string, again bool) (*store.Record, error) {
	to := []trap.Recipient{directory.Match("a@traps.example", netip.Addr{}, now)}
	return d.intake.Ingest(context.Background(), File{Message: []byte(content), MailFrom: "spam@spam.example",
		Recipients: to, Again: again})
}

func TestIngestTakesTheDateOfTheTopmostLine(t *testing.T) {
	for _, c := range []struct {
		name, content string
		source        string
		time          time.Time
		refused       string
	}{
		{"an hour old", reported("198.51.100.7", now.Add(-time.Hour)), "198.51.100.7", now.Add(-time.Hour), ""},
		{"years old", reported("198.51.100.7", now.AddDate(-10, 0, 0)), "198.51.100.7", now.AddDate(-10, 0, 0), ""},
		{"a little ahead", reported("198.51.100.7", now.Add(clockSkew)), "198.51.100.7", now.Add(clockSkew), ""},
		{"ahead", reported("198.51.100.7", now.Add(clockSkew+time.Second)), "", time.Time{}, "future-date"},
		{"no date", strings.Replace(reported("198.51.100.7", now), now.Format(time.RFC1123Z), "today", 1),
			"", time.Time{}, "unreadable-date"},
		{"before 1970", reported("198.51.100.7", time.Unix(-1, 0).UTC()), "", time.Time{}, "unreadable-date"},
		{"by nobody we trust", received("198.51.100.7", "liar.example", now.Add(-time.Hour)) + text, "invalid IP", now, ""},
		{"no header", "Buy.", "invalid IP", now, ""},
		{"nothing", "", "invalid IP", now, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			r, err := d.ingest(c.content, false)
			if c.refused != "" {
				var refused RefusedError
				if !errors.As(err, &refused) || refused.Why != c.refused || len(d.records()) > 0 {
					t.Fatalf("%v, %d records; want %s", err, len(d.records()), c.refused)
				}
				if strings.Count(err.Error(), "Received") != 1 {
					t.Errorf("the error does not say what is wrong: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Source.String() != c.source || r.Time != criteria.At(c.time) || !r.Ingested || r.Protocol != "FILE" {
				t.Errorf("recorded %+v", r)
			}
			kept := d.last()
			kept.Evidence, r.Evidence = nil, nil
			if diff := cmp.Diff(*r, kept, cmp.Comparer(sameRecord)); diff != "" {
				t.Error(diff)
			}
			if got := d.evidence(kept); got != c.content {
				t.Errorf("evidence is %q", got)
			}
		})
	}
}

func sameRecord(a, b store.Record) bool {
	return a.LSN == b.LSN && a.Stamp == b.Stamp && a.Source == b.Source && a.Time == b.Time && a.Digest == b.Digest
}

func TestIngestTwiceCountsOnce(t *testing.T) {
	d := newDesk(t)
	spam := reported("198.51.100.7", now.Add(-30*time.Hour))
	count := func(want int) {
		t.Helper()
		if v := d.verdict("198.51.100.7"); v.Reports != want {
			t.Errorf("%d reports counted, want %d", v.Reports, want)
		}
	}
	for _, again := range []bool{false, false, true} {
		if _, err := d.ingest(spam, again); err != nil {
			t.Fatal(err)
		}
		if again {
			count(2)
		} else {
			count(1)
		}
	}
	if _, err := d.ingest(strings.Replace(spam, "Buy", "Sell", 1), false); err != nil {
		t.Fatal(err)
	}
	count(3)
}

func TestIngestSaysWhatTheStoreSays(t *testing.T) {
	i := New(refusing{store.ErrFull}, newDesk(t).intake.trust, &diary{}, func() time.Time { return now })
	if _, err := i.Ingest(context.Background(), File{Message: []byte(text)}); !errors.Is(err, store.ErrFull) {
		t.Errorf("Ingest says %v", err)
	}
}

// A header of megabytes is kept as far as evidence goes, and can be read again.
func TestIngestOfAnEndlessHeader(t *testing.T) {
	d := newDesk(t)
	content := reported("198.51.100.7", now)
	content = strings.Replace(content, "\r\n\r\n", "\r\n"+strings.Repeat("X-Junk: "+strings.Repeat("y", 90)+"\r\n", 60_000)+"\r\n", 1)
	if _, err := d.ingest(content, false); err != nil {
		t.Fatal(err)
	}
	if got := d.evidence(d.last()); got != content[:headKept] {
		t.Errorf("kept %d bytes of evidence", len(got))
	}
}

func TestTrapsInAHeader(t *testing.T) {
	for _, c := range []struct {
		name, header string
		want         []string
	}{
		{"to", "To: Offer <A@Traps.Example>, x@corp.example", []string{"a@traps.example"}},
		{"to and cc, each once", "To: a@traps.example\r\nCc: b@old.example, a@traps.example",
			[]string{"a@traps.example", "b@old.example"}},
		{"what the server wrote first", "To: a@traps.example\r\nDelivered-To: b@old.example", []string{"b@old.example"}},
		{"unless it names no trap", "To: a@traps.example\r\nDelivered-To: me@corp.example", []string{"a@traps.example"}},
		{"not by the book", "X-Original-To: <a@traps.example> ", []string{"a@traps.example"}},
		{"watching", "To: c@watched.example", []string{"c@watched.example"}},
		{"a reporter is no trap", "To: " + deskAddress, nil},
		{"postmaster is no trap", "To: postmaster@traps.example", nil},
		{"garbage", "To: \xff\x00<<<,,,>\r\nCc: undisclosed-recipients:;", nil},
		{"none", "Subject: x", nil},
		{"too many", "To: " + strings.Repeat("x@corp.example, ", 200) + "a@traps.example", nil},
	} {
		var got []string
		for _, r := range TrapsIn([]byte(c.header+"\r\n\r\nTo: z@traps.example\r\n"), directory, now) {
			got = append(got, r.Address)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// What strangers write makes a record or an error, never a fault; without a
// trusted host behind it, it blames nobody.
func FuzzReports(f *testing.F) {
	f.Add(submission(reported("198.51.100.7", now)).Head)
	f.Add([]byte("Content-Type: message/rfc822\r\n\r\n" + reported("198.51.100.7", now)))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, content []byte) {
		i := New(refusing{}, func() parser.Trust { return trusted }, &diary{}, func() time.Time { return now })
		m := message(deskPeer, string(content), deskAddress)
		records := i.recordsOf(m)
		if len(records) == 0 {
			t.Error("a message without a record")
		}
		for _, r := range records {
			if len(r.Traps) > 0 && (!r.Source.IsValid() || r.Time <= 0) {
				t.Errorf("counts without a source or a time: %+v", r)
			}
		}
	})
}
