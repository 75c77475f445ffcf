package intake

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/trap"
)

const (
	deskAddress = "submit.k3j9@reports.example"
	deskPeer    = "203.0.113.5"
)

// submission carries messages as attachments.
func submission(attached ...string) *trap.Message {
	var b strings.Builder
	b.WriteString("From: noc@corp.example\r\nSubject: spam\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=frontier\r\n\r\n--frontier\r\n\r\nSee below.\r\n")
	for _, m := range attached {
		b.WriteString("--frontier\r\nContent-Type: message/rfc822\r\n\r\n" + m + "\r\n")
	}
	b.WriteString("--frontier--\r\n")
	return message(deskPeer, b.String(), deskAddress)
}

// reported is spam as the reporter's host received it.
func reported(source string, at time.Time) string {
	return received(source, "mx1.corp.example", at) + "Subject: offer to " + source + "\r\n\r\nBuy.\r\n"
}

func TestReports(t *testing.T) {
	hour := now.Add(-time.Hour)
	for _, c := range []struct {
		name     string
		attached []string
		want     []string // source, reason, counted for
		refused  []string
	}{
		{"one", []string{reported("198.51.100.7", hour)}, []string{"198.51.100.7 untrusted-peer [noc]"}, nil},
		{"three", []string{reported("198.51.100.7", hour), reported("198.51.100.8", hour), reported("2001:db8::7", hour)},
			[]string{"198.51.100.7 untrusted-peer [noc]", "198.51.100.8 untrusted-peer [noc]", "2001:db8::7 untrusted-peer [noc]"}, nil},
		{"behind the reporter's relay",
			[]string{received("203.0.113.25", "mx1.corp.example", hour) + received("198.51.100.7", "edge.corp.example", hour) + text},
			[]string{"198.51.100.7 untrusted-peer [noc]"}, nil},
		{"not received by the reporter's host", []string{received("198.51.100.7", "mx.elsewhere.example", hour) + text},
			[]string{"invalid IP no-trusted-start []"}, nil},
		{"a private source", []string{reported("10.0.0.7", hour)}, []string{"invalid IP special-address []"}, nil},
		{"no header at all", []string{"Buy."}, []string{"invalid IP no-received []"}, nil},
		{"nothing attached", nil, []string{"invalid IP nothing-attached []"}, []string{"refused nothing-attached"}},
		{"48 hours old", []string{reported("198.51.100.7", now.Add(-oldestReport))},
			[]string{"198.51.100.7 untrusted-peer [noc]"}, nil},
		{"a second older", []string{reported("198.51.100.7", now.Add(-oldestReport-time.Second))},
			[]string{"198.51.100.7 too-old []"}, []string{"refused too-old"}},
		{"five minutes ahead", []string{reported("198.51.100.7", now.Add(clockSkew))},
			[]string{"198.51.100.7 untrusted-peer [noc]"}, nil},
		{"a second more", []string{reported("198.51.100.7", now.Add(clockSkew+time.Second))},
			[]string{"198.51.100.7 future-date []"}, []string{"refused future-date"}},
		{"no readable date", []string{strings.Replace(reported("198.51.100.7", hour), hour.Format(time.RFC1123Z), "yesterday", 1)},
			[]string{"198.51.100.7 unreadable-date []"}, []string{"refused unreadable-date"}},
		{"one good among bad", []string{reported("198.51.100.7", now.Add(-100*time.Hour)), reported("198.51.100.8", hour)},
			[]string{"198.51.100.7 too-old []", "198.51.100.8 untrusted-peer [noc]"}, []string{"refused too-old"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.accept(submission(c.attached...))
			var got, refused []string
			for i, r := range d.records() {
				got = append(got, fmt.Sprint(r.Source, " ", r.Reason, " ", r.Traps))
				if r.Kind != criteria.Report || r.Inbox || r.Peer.Addr().String() != deskPeer || r.Time <= 0 {
					t.Errorf("recorded %+v", r)
				}
				if v := d.verdict("198.51.100.7"); v.Listed {
					t.Error("one reporter lists")
				}
				if i < len(c.attached) && !strings.Contains(d.evidence(r), strings.TrimSpace(c.attached[i])) {
					t.Errorf("evidence of report %d is %q", i, d.evidence(r))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			for _, line := range d.diary.lines {
				if strings.HasPrefix(line, "refused") {
					refused = append(refused, line)
				}
			}
			if diff := cmp.Diff(c.refused, refused); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The event time of a report is when the reporter's host received the mail.
func TestReportIsAsOldAsTheMail(t *testing.T) {
	d := newDesk(t)
	at := now.Add(-7 * time.Hour)
	d.accept(submission(reported("198.51.100.7", at)))
	if r := d.last(); r.Time != criteria.At(at) || r.Stamp != criteria.At(now) || r.Weight != criteria.One {
		t.Errorf("received %s, stamped %s, weight %s", r.Time, r.Stamp, r.Weight)
	}
	if v := d.verdict("198.51.100.7"); v.Reports != 1 || v.TrapScore.Rat().Sign() != 0 {
		t.Errorf("%d reports, trap score %s", v.Reports, v.TrapScore)
	}
}

// A submission with a reported message twice counts once; from two desks it
// lists, since two people say so.
func TestSameReportTwiceCountsOnce(t *testing.T) {
	d := newDesk(t)
	d.accept(submission(reported("198.51.100.7", now), reported("198.51.100.7", now)))
	d.accept(submission(reported("198.51.100.7", now)))
	if v := d.verdict("198.51.100.7"); v.Reports != 1 {
		t.Errorf("%d reports counted", v.Reports)
	}
}

// However a reporter attaches a message, it is one delivery: with a body that his
// mail program changed, or whole and as its header beside it.
func TestOneDeliveryIsOneReport(t *testing.T) {
	m := reported("198.51.100.7", now.Add(-time.Hour))
	header, _, _ := strings.Cut(m, "\r\n\r\n")
	headerToo := message(deskPeer, "From: noc@corp.example\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed; boundary=f\r\n\r\n--f\r\nContent-Type: message/rfc822\r\n\r\n"+m+
		"\r\n--f\r\nContent-Type: text/rfc822-headers\r\n\r\n"+header+"\r\n\r\n--f--\r\n", deskAddress)
	other := strings.Replace(m, "Subject: offer", "Subject: another offer", 1)
	for _, c := range []struct {
		name        string
		submissions []*trap.Message
		want        int
	}{
		{"an end of line more", []*trap.Message{submission(m), submission(m + "\r\n")}, 1},
		{"a blank in the body", []*trap.Message{submission(m, strings.Replace(m, "Buy.", "Buy. ", 1))}, 1},
		{"folded anew", []*trap.Message{submission(m, strings.Replace(m, " by ", "\r\n\tby ", 1))}, 1},
		{"whole and its header", []*trap.Message{headerToo}, 1},
		{"two messages of one delivery's second", []*trap.Message{submission(m, other)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			for _, s := range c.submissions {
				d.accept(s)
			}
			if v := d.verdict("198.51.100.7"); v.Reports != c.want {
				t.Errorf("%d reports, want %d", v.Reports, c.want)
			}
			p := criteria.DefaultPolicy()
			p.RepeatWindow = 0
			var hits []criteria.Hit
			for _, r := range d.records() {
				hits = append(hits, r.Hit)
			}
			if v := criteria.Score(p, hits, criteria.At(now), 0); v.Reports != c.want {
				t.Errorf("without a repeat_window %d reports, want %d", v.Reports, c.want)
			}
		})
	}
}

var corpus = filepath.Join("..", "..", "..", "shared", "corpus", "bounces", "sisimai")

// Real feedback reports from the corpus: what they say of the reported mail
// counts nothing, and what the reporter's host wrote does.
func TestFeedbackReportsOfTheCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus, "*arf-*.eml"))
	if err != nil || len(files) == 0 {
		t.Skip("no corpus of feedback reports")
	}
	attachment := regexp.MustCompile(`(?i)\r?\ncontent-type:\s*message/rfc822[^\n]*\n(?:[^\r\n]+\n)*\r?\n`)
	taken := 0
	for _, file := range files {
		report, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := newDesk(t)
		d.accept(message(deskPeer, string(report), deskAddress))
		for _, r := range d.records() {
			if len(r.Traps) > 0 || r.Source.IsValid() {
				t.Errorf("%s: blames %s, received by a host that is not the reporter's", file, r.Source)
			}
		}
		place := attachment.FindIndex(report)
		if place == nil || len(parser.Attached(report)) == 0 {
			continue
		}
		taken++
		line := []byte(received("198.51.100.7", "mx1.corp.example", now))
		report = bytes.Join([][]byte{report[:place[1]], line, report[place[1]:]}, nil)
		d.accept(message(deskPeer, string(report), deskAddress))
		if v := d.verdict("198.51.100.7"); v.Reports != 1 {
			t.Errorf("%s: %d reports of the source: %+v", file, v.Reports, d.last())
		}
	}
	if taken < 5 {
		t.Errorf("only %d reports of %d hold a message", taken, len(files))
	}
}

// Reports of the corpus, handed in by the desk whose own host wrote the topmost
// line of the reported message: that line tells the source and when it came,
// whatever the report says, and a relay of the desk is walked past.
func TestFeedbackReportsByOwnHosts(t *testing.T) {
	day := func(year, day, hour, minute, second int) time.Time {
		return time.Date(year, time.April, day, hour, minute, second, 0, time.UTC)
	}
	for _, c := range []struct {
		file, host, relay string
		at                time.Time // in the host's line
		want              string    // source, reason, counted for
	}{
		{"bsd__arf-02.eml", "mta34.mail.g9.yahoo.com", "", day(2013, 30, 7, 45, 6), "192.0.2.8 untrusted-peer [noc]"},
		{"bsd__arf-16.eml", "mxg.senderscore.example.net", "", day(2015, 29, 14, 34, 45), "192.0.2.22 untrusted-peer [noc]"},
		{"bsd__arf-16.eml", "mxg.senderscore.example.net", "192.0.2.22/32", day(2015, 29, 14, 34, 45),
			"192.0.1.3 untrusted-peer [noc]"},
		{"bsd__arf-17.eml", "example.org", "", day(2016, 29, 23, 34, 45), "192.0.2.3 untrusted-peer [noc]"},
		{"bsd__arf-17.eml", "example.com", "", day(2016, 29, 23, 34, 45), "invalid IP no-trusted-start []"},
		{"bsd__arf-19.eml", "nekochan", "", day(2015, 29, 14, 34, 45), "198.51.100.22 untrusted-peer [noc]"},
		{"bsd__arf-20.eml", "ietf.example.com", "", day(2015, 29, 23, 34, 45), "invalid IP special-address []"},
		{"bsd__arf-22.eml", "R7038-AA.example.com", "", day(2016, 29, 23, 34, 45), "203.0.113.245 untrusted-peer [noc]"},
		{"mac__arf-01.eml", "y04.mail.example.net", "192.0.2.41/32", day(2009, 29, 0, 0, 0), "192.0.2.45 untrusted-peer [noc]"},
	} {
		t.Run(strings.Join([]string{c.file, c.host, c.relay}, " "), func(t *testing.T) {
			report, err := os.ReadFile(filepath.Join(corpus, c.file))
			if err != nil {
				t.Skip("no corpus of feedback reports")
			}
			rule := trap.Rule{Class: trap.Reporter, Address: deskAddress, Name: "noc", Hosts: []string{c.host},
				Peers: []netip.Prefix{netip.MustParsePrefix(deskPeer + "/32")}}
			if c.relay != "" {
				rule.Relays = []netip.Prefix{netip.MustParsePrefix(c.relay)}
			}
			for _, after := range []time.Duration{time.Hour, oldestReport + time.Second} {
				want, counts := c.want, strings.HasSuffix(c.want, "[noc]")
				if counts && after > oldestReport {
					want = strings.Replace(want, "untrusted-peer [noc]", "too-old []", 1)
				}
				m := message(deskPeer, string(report))
				m.Time = c.at.Add(after)
				m.Recipients = append(m.Recipients, mustDirectory(rule).Match(deskAddress, m.Peer.Addr(), m.Time))
				d := newDesk(t)
				d.accept(m)
				r := d.last()
				if got := fmt.Sprint(r.Source, " ", r.Reason, " ", r.Traps); got != want || len(d.records()) != 1 {
					t.Errorf("%s later: %d reports, %s, want %s", after, len(d.records()), got, want)
				}
				if counts && r.Time != criteria.At(c.at) {
					t.Errorf("received at %s, want %s", r.Time, criteria.At(c.at))
				}
			}
		})
	}
}
