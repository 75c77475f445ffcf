package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	yesterday := pointOptions(List)
	yesterday.Day = now.Add(-24 * time.Hour)
	for _, tt := range []struct {
		name, in string
		o        PointOptions
		want     []string
	}{
		{"today", "198.51.100.7 5\n", pointOptions(Auto), []string{"2026-11-24 198.51.100.7 5"}},
		{"the caller's day", "198.51.100.7 5\n", yesterday, []string{"2026-11-23 198.51.100.7 5"}},
		{"its own day", "198.51.100.7 5 2026-11-01\n", yesterday,
			[]string{"2026-11-01 198.51.100.7 5"}},
		{"tomorrow, where it has begun", "198.51.100.7 5 2026-11-25\n", pointOptions(List),
			[]string{"2026-11-25 198.51.100.7 5"}},
		{"an instant", "198.51.100.7 5 2026-11-24T01:00:00+02:00\n", pointOptions(List),
			[]string{"2026-11-23 198.51.100.7 5"}},
		{"before 1970", "198.51.100.7 5 1969-12-31T23:59:59Z\n", pointOptions(List),
			[]string{"1969-12-31 198.51.100.7 5"}},
		{"added up, sorted", "198.51.100.9 1\n198.51.100.7 2\n2001:db8::1 4\n::ffff:198.51.100.9 3\n",
			pointOptions(List), []string{"2026-11-24 198.51.100.7 2", "2026-11-24 198.51.100.9 4",
				"2026-11-24 2001:db8::1 4"}},
		{"none", "198.51.100.7 0\n", pointOptions(List), []string{"2026-11-24 198.51.100.7 0"}},
		{"CRLF and a mark", "\ufeff198.51.100.7 5\r\n198.51.100.7 1\r\n", pointOptions(Auto),
			[]string{"2026-11-24 198.51.100.7 6"}},
		{"special", "10.0.0.1 5\n2002::1 1\n::1 1\n", pointOptions(Auto), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, stats := points(t, tt.o, tt.in)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			checkSums(t, stats)
		})
	}
}

// TestTooMany holds that memory ends somewhere, and what is said then.
func TestTooMany(t *testing.T) {
	c := newCounter(newStats(), now)
	c.limit = 2
	queries, mails := newQueryLog(c, pointOptions(QueryLog)), newMailLog(c, now)
	for i := range 3 {
		err := (&list{counter: c, day: dayOf(0)}).take(fmt.Sprintf("198.51.100.%d 1", i))
		checkLimit(t, i, err, "addresses a day")
	}
	c.points = map[spot]int64{}
	for i := range 3 {
		err := queries.take(fmt.Sprintf("%d 192.0.2.53 %d.100.51.198.bl.example A IN: NOERROR/1/74",
			24*60*60*(i/2), i%2))
		checkLimit(t, i, err, "addresses a day")
	}
	c.points = map[spot]int64{}
	for i := range 3 {
		err := queries.take(fmt.Sprintf("%d 192.0.2.53 0.%d.51.198.bl.example A IN: NOERROR/1/74",
			24*60*60, i))
		checkLimit(t, i+1, err, "clients and addresses an hour")
		c.points = map[spot]int64{}
	}
	for i := range 3 {
		err := mails.take(fmt.Sprintf(
			"Nov 24 12:02:03 mx postfix/smtpd[1]: %d: client=x[198.51.100.1]", i))
		checkLimit(t, i, err, "messages an hour")
	}
}

func checkLimit(t *testing.T, i int, err error, what string) {
	t.Helper()
	if i < 2 && err != nil {
		t.Errorf("%d: %v", i, err)
	}
	if i >= 2 && (err == nil || !strings.HasPrefix(err.Error(), "more than 2 "+what+": split")) {
		t.Errorf("%d: %v, want too many %s", i, err, what)
	}
}

// ask is a query for 198.51.100.7, so many seconds after 12:00.
func ask(second int, client string) string {
	return fmt.Sprintf("%d %s 7.100.51.198.bl.example A IN: NOERROR/1/74\n", 1795521600+second, client)
}

// TestHours holds that a client counts once an address and hour, and how far time may go back.
func TestHours(t *testing.T) {
	const one, other = "192.0.2.53", "2001:db8::53"
	for _, tt := range []struct {
		name   string
		in     []string
		points int
	}{
		{"once", []string{ask(0, one), ask(1, one), ask(3599, one)}, 1},
		{"two clients", []string{ask(0, one), ask(0, other), ask(1, one), ask(1, other)}, 2},
		{"one client, written twice", []string{ask(0, one), ask(0, "::ffff:192.0.2.53")}, 1},
		{"the next hour", []string{ask(0, one), ask(3600, one), ask(3601, one)}, 2},
		{"on the hour, late", []string{ask(0, one), ask(3600, other), ask(3599, one)}, 2},
		{"an hour set back", []string{ask(3600, one), ask(0, one), ask(3600, one), ask(0, one)}, 2},
		{"an hour of silence", []string{ask(0, one), ask(2*3600, one), ask(3600, one)}, 3},
		{"a long silence", []string{ask(0, one), ask(5*3600, one), ask(4*3600, one)}, 3},
		{"a stranger's time does not matter", []string{ask(5*3600, "192.0.2.66"), ask(0, one)}, 1},
		{"a time to come does not matter", []string{ask(31*3600, one), ask(0, one)}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, stats := points(t, pointOptions(Auto), strings.Join(tt.in, ""))
			want := fmt.Sprintf("2026-11-24 198.51.100.7 %d", tt.points)
			if len(got) != 1 || got[0] != want {
				t.Errorf("got %q, want %s", got, want)
			}
			checkSums(t, stats)
		})
	}
}

// TestForgets holds that what was asked for two hours ago takes no memory.
func TestForgets(t *testing.T) {
	c := newCounter(newStats(), now)
	l := newQueryLog(c, pointOptions(QueryLog))
	for minute := range 24 * 60 {
		for host := range 4 {
			line := fmt.Sprintf("%d 192.0.2.53 %d.%d.51.198.bl.example A IN: NXDOMAIN/0/91",
				1795435200+60*minute, host, minute%60)
			if err := l.take(line); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.seen[0]) + len(l.seen[1]); n > 2*60*4 {
			t.Fatalf("minute %d: %d questions remembered", minute, n)
		}
	}
	if c.Taken != 24*60*4 {
		t.Errorf("got %v, want all taken", c.Stats)
	}
}

// TestQueries holds lines that rbldnsd's log may contain and testdata does not.
func TestQueries(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     Skip
	}{
		{"a name too long to print", "1795521718 192.0.2.53  A IN: NXDOMAIN/0/280", OtherZone},
		{"an unknown type", "1795521718 192.0.2.53 7.100.51.198.bl.example type0 IN: NOERROR/0/1",
			OtherType},
		{"an unknown class", "1795521718 192.0.2.53 7.100.51.198.bl.example A class9: NOERROR/0/1",
			OtherType},
		{"an unknown answer", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: rcode11/0/1", ""},
		{"refused", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: REFUSED/0/1", ""},
		{"a type of another name", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN IN: NOERROR/0/1",
			Unreadable},
		{"cut in the stamp", "17955", Unreadable},
		{"cut in the client", "1795521718 192.0.2.53", Unreadable},
		{"cut in the name", "1795521718 192.0.2.53 7.100.51.198.bl.exam", Unreadable},
		{"cut in the type", "1795521718 192.0.2.53 7.100.51.198.bl.example A", Unreadable},
		{"cut in the class", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN", Unreadable},
		{"cut in the answer", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: NOERR", Unreadable},
		{"cut in the records", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1",
			Unreadable},
		{"cut in the bytes", "1795521718 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/",
			Unreadable},
		{"two lines in one", "1795521718 192.0.2.53 7.100.51.198.bl.ex" + strings.TrimSpace(aQuery),
			Unreadable},
		{"a negative time", "-1 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/74", Unreadable},
		{"a huge time", "4611686018427387903 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/74",
			Ahead},
		{"above 2^63", "9223372036854775808 192.0.2.53 7.100.51.198.bl.example A IN: NOERROR/1/74",
			Unreadable},
		{"a client that is none", "1795521718 localhost 7.100.51.198.bl.example A IN: NOERROR/1/74",
			Unreadable},
		{"a client that begins alike", "1795521718 192.0.2.5 7.100.51.198.bl.example A IN: NOERROR/1/74",
			OtherClient},
		{"a sign", "1795521718 192.0.2.53 +7.100.51.198.bl.example A IN: NOERROR/1/74", NoAddress},
		{"hex", "1795521718 192.0.2.53 0x7.100.51.198.bl.example A IN: NOERROR/1/74", NoAddress},
		{"nothing between dots", "1795521718 192.0.2.53 7..51.198.bl.example A IN: NOERROR/1/74",
			NoAddress},
		{"a nibble that is none", "1795521718 192.0.2.53 g" + strings.Repeat(".0", 31) +
			".bl.example A IN: NXDOMAIN/0/1", NoAddress},
		{"nibbles without dots", "1795521718 192.0.2.53 " + strings.Repeat("0", 63) +
			".bl.example A IN: NXDOMAIN/0/1", NoAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, stats := points(t, pointOptions(QueryLog), aQuery+tt.in+"\n")
			checkSums(t, stats)
			if tt.want == "" {
				tt.want = Repeated // as it means the same as the first line
			}
			if stats.Skipped[tt.want] != 1 || stats.Taken != 1 {
				t.Errorf("got %v, want one %s", stats, tt.want)
			}
		})
	}
}
