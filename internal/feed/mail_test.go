package feed

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// said is a line of Postfix's, of 12:00 today.
func said(service, text string) string {
	return fmt.Sprintf("Nov 24 12:00:00 mx postfix/%s[7]: %s\n", service, text)
}

// taken are the two lines of an accepted message.
func taken(id, client string) string {
	return said("smtpd", id+": client="+client) +
		said("qmgr", id+": from=<a@sender.example>, size=453, nrcpt=1 (queue active)")
}

// TestMail holds what counts in a mail log. What counts is always a message of 198.51.100.7.
func TestMail(t *testing.T) {
	const client = "mail.example[198.51.100.7]"
	other := taken("0", "x[203.0.113.1]") // shows that this log has qmgr's lines
	for _, tt := range []struct {
		name, in string
		points   int
	}{
		{"a message", taken("A1", client), 1},
		{"two", taken("A1", client) + taken("A2", client), 2},
		{"an id used again", taken("A1", client) + taken("A1", client), 2},
		{"tried again later", taken("A1", client) +
			said("qmgr", "A1: from=<a@sender.example>, size=453, nrcpt=1 (queue active)"), 1},
		{"never queued", other + said("smtpd", "A1: client="+client), 0},
		{"never queued, and its id used again", other + said("smtpd", "A1: client="+client) +
			taken("A1", client), 1},
		{"of another host", other + said("smtpd", "A1: client="+client) +
			strings.Replace(said("qmgr", "A1: from=<>, size=1, nrcpt=1 (queue active)"), " mx ", " mx2 ", 1),
			0},
		{"another message queued", other + said("smtpd", "A1: client="+client) +
			said("qmgr", "A2: from=<>, size=1, nrcpt=1 (queue active)"), 0},
		{"expired", other + said("smtpd", "A1: client="+client) +
			said("qmgr", "A1: from=<a@b.example>, status=expired, returned to sender"), 0},
		{"removed", other + said("smtpd", "A1: client="+client) + said("qmgr", "A1: removed"), 0},
		{"a sender who writes a log", other + said("smtpd", "A1: client="+client) +
			said("smtpd", "A1: from=<x>, size=1, nrcpt=1 (queue active)"), 0},
		{"without a qmgr", said("smtpd", "A1: client="+client), 1},
		{"without a qmgr, an id used again", said("smtpd", "A1: client="+client) +
			said("smtpd", "A1: client="+client), 2},
		{"without a qmgr, refused by a milter", said("smtpd", "A1: client="+client) +
			said("cleanup", "A1: milter-reject: END-OF-MESSAGE from "+client+": 5.7.1 no; from=<a>"), 0},
		{"without a qmgr, refused", said("smtpd", "A1: client="+client) +
			said("smtpd", "A1: reject: END-OF-MESSAGE from "+client+": 5.7.1 no; from=<a>"), 0},
		{"without a qmgr, one recipient refused", said("smtpd", "A1: client="+client) +
			said("smtpd", "A1: milter-reject: RCPT from "+client+": 5.7.1 no; from=<a>"), 1},
		{"without a queue", said("smtpd", "NOQUEUE: client="+client) +
			said("smtpd", "NOQUEUE: reject: RCPT from "+client+": 554 5.7.1 no"), 0},
		{"another service", said("smtp", "A1: client="+client), 0},
		{"another program", "Nov 24 12:00:00 mx smtpd[7]: A1: client=" + client + "\n", 0},
		{"a program's own words",
			"Nov 24 12:00:00 mx x[1]: postfix/smtpd[7]: A1: client=" + client + "\n", 0},
		{"submission", said("submission/smtpd", "A1: client="+client), 1},
		{"an instance", strings.ReplaceAll(taken("A1", client), "postfix/", "postfix-in/"), 1},
		{"a service of its own name",
			strings.Replace(taken("A1", client), "postfix/smtpd", "mx1/smtpd", 1), 1},
		{"without a process id", strings.ReplaceAll(taken("A1", client), "[7]", ""), 1},
		{"a user", taken("A1", client+", sasl_method=PLAIN, sasl_username=u"), 0},
		{"a sender's word for a user",
			taken("A1", "x[203.0.113.1], sasl_sender=u, orig_client="+client), 0},
		{"a port", taken("A1", client+":25000"), 1},
		{"a port and a user", taken("A1", client+":25000, sasl_method=LOGIN, sasl_username=u"), 0},
		{"through a filter before the queue",
			taken("A1", "localhost[127.0.0.1], orig_client="+client), 1},
		{"through a filter behind the queue", taken("A1", client) +
			taken("A2", "localhost[127.0.0.1], orig_queue_id=A1, orig_client="+client), 1},
		{"from a filter that does not say", taken("A1", "localhost[127.0.0.1]"), 0},
		{"mapped", taken("A1", "x[::ffff:198.51.100.7]"), 1},
		{"not known", taken("A1", "unknown[unknown]"), 0},
		{"a socket", taken("A1", "localhost[unix]"), 0},
		{"a zone", taken("A1", "x[fe80::7%eth0]"), 0},
		{"something behind", taken("A1", client+" or so"), 0},
		{"no bracket", taken("A1", "198.51.100.7"), 0},
		{"a day to come", strings.ReplaceAll(taken("A1", client), "Nov 24 12:00:00",
			"2026-11-25T18:00:01Z"), 0},
		{"no such day", strings.ReplaceAll(taken("A1", client), "Nov 24", "Nov 31"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, stats := points(t, pointOptions(MailLog), tt.in)
			checkSums(t, stats)
			var want []string
			if tt.points > 0 {
				want = append(want, fmt.Sprintf("2026-11-24 198.51.100.7 %d", tt.points))
			}
			if strings.Contains(tt.in, other) {
				want = append(want, "2026-11-24 203.0.113.1 1")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v: %s", stats, diff)
			}
		})
	}
}

// TestFiltered reads real lines without qmgr's: all that smtpd logged and cleanup did not refuse.
func TestFiltered(t *testing.T) {
	text, err := os.ReadFile("testdata/mail.log")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "/qmgr[") {
			b.WriteString(line)
		}
	}
	got, _ := points(t, pointOptions(Auto), b.String())
	want := []string{"2026-11-24 198.51.100.7 1", "2026-11-24 198.51.100.9 11",
		"2026-11-24 2001:db8::7 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWaiting holds how long a message may be in coming, and that those that never do are let go.
func TestWaiting(t *testing.T) {
	at := func(clock, line string) string { return strings.ReplaceAll(line, "12:00:00", clock) }
	begin := func(id string) string { return said("smtpd", id+": client=x[198.51.100.7]") }
	queue := func(id string) string {
		return said("qmgr", id+": from=<>, size=1, nrcpt=1 (queue active)")
	}
	in := at("01:59:00", begin("A1")) + at("01:59:00", begin("A2")) + at("02:00:01", begin("B1")) +
		at("02:10:00", queue("A1")) + at("03:00:00", begin("C1")) + at("03:00:01", queue("A2")) +
		at("03:00:02", queue("B1")) + at("03:00:02", queue("C1"))
	got, stats := points(t, pointOptions(Auto), in)
	if want := "2026-11-24 198.51.100.7 3"; len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if checkSums(t, stats); stats.Skipped[Unqueued] != 1 {
		t.Errorf("got %v, want one unqueued", stats)
	}
	l := newMailLog(newCounter(newStats(), now), now)
	for hour := range 24 {
		for minute := range 60 {
			clock := fmt.Sprintf("%02d:%02d:00", hour, minute)
			if err := l.take(strings.TrimSpace(at(clock, begin(clock)))); err != nil {
				t.Fatal(err)
			}
			if n := len(l.waiting[0]) + len(l.waiting[1]); n > 2*60 {
				t.Fatalf("%s: %d messages waited for", clock, n)
			}
		}
	}
}

func TestStamps(t *testing.T) {
	berlin := time.FixedZone("CET", 60*60)
	january := time.Date(2027, 1, 2, 3, 0, 0, 0, berlin)
	for _, tt := range []struct {
		stamp string
		now   time.Time
		want  string
	}{
		{"Nov 24 12:02:03", now, "2026-11-24T12:02:03Z"},
		{"Nov  4 12:02:03", now, "2026-11-04T12:02:03Z"},
		{"Nov 24 12:02:03", now.In(berlin), "2026-11-24T11:02:03Z"},
		{"Dec 31 23:59:59", january, "2026-12-31T22:59:59Z"},
		{"Jan  1 00:59:59", january, "2026-12-31T23:59:59Z"},
		{"Jan  2 12:00:00", january, "2027-01-02T11:00:00Z"}, // a clock that is ahead
		{"Jan  4 12:00:00", january, "2026-01-04T11:00:00Z"},
		{"Jan  1 00:00:01", time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC), "2027-01-01T00:00:01Z"},
		{"Feb 29 12:00:00", now, "2024-02-29T12:00:00Z"},
		{"Feb 29 12:00:00", time.Date(2103, 11, 24, 0, 0, 0, 0, time.UTC), "2096-02-29T12:00:00Z"},
		{"Feb 30 12:00:00", now, ""},
		{"Nov 24 25:02:03", now, ""},
		{"Nov 2x 12:02:03", now, ""},
		{"2026-11-24T12:02:03+01:00", now, "2026-11-24T11:02:03Z"},
		{"2026-11-24T12:02:03.250123Z", now, "2026-11-24T12:02:03Z"},
		{"2026-11-24T12:02:03.250123+0100", now, "2026-11-24T11:02:03Z"},
		{"2026-11-24T12:02:03", now, ""}, // of no time zone
		{"2026-11-24x12:02:03Z", now, "no stamp"},
		{"1795521718", now, "no stamp"},
		{"Nov 24 12-02-03", now, "no stamp"},
	} {
		e, ok := parseEntry(tt.stamp + " mx postfix/smtpd[1]: x")
		got := ""
		if at, known := e.instant(tt.now); known {
			got = at.UTC().Format(time.RFC3339)
		} else if !ok {
			got = "no stamp"
		}
		if got != tt.want {
			t.Errorf("%s at %s: got %q, want %q", tt.stamp, tt.now, got, tt.want)
		}
	}
}
