package complaint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/redact"
	"github.com/trapline/trapline/parser"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 11, 24, 20, 17, 5, 0, time.UTC)

var secrets = redact.New(redact.Secrets{
	Domains:   []string{"traps.example", "*.lake.example"},
	Addresses: []string{"old.sales@corp.example", "submit.k3j9@reports.example"},
})

// spam is a message as a mailing makes it: the same to all, but for what it adds for each.
func spam(to string, n int) []byte {
	return fmt.Appendf(nil, "Received: from x (unknown [198.51.100.7]) by mx.traps.example (Postfix)\r\n"+
		"\tid 4Bx%d for <%s>; Tue, 24 Nov 2026 0%d:13:%02d +0000\r\n"+
		"Message-ID: <%d.%s@shop.example>\r\nFrom: \"Shop\" <offers@shop.example>\r\nTo: %s\r\n"+
		"Subject: Cheap pills\r\nX-Mailer: Blaster %d.7\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear %s, buy.\r\n",
		n, to, n, n, n, strings.ReplaceAll(to, "@", "="), to, n, to)
}

func messages(traps ...string) []Message {
	var all []Message
	for n, to := range traps {
		all = append(all, Message{At: now.Add(-Rest - time.Duration(n)*97*time.Minute), Cause: "direct",
			Traps: []string{to}, MailFrom: "offers@shop.example", Port: 40001 + uint16(n),
			Header: spam(to, n)})
	}
	return all
}

func complaintOf(exact bool, m ...Message) Complaint {
	return Complaint{ID: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, At: now,
		Agent: "Trapline/1.0", From: "abuse@bl.example", Organization: "Blocklist Häuser",
		Source: netip.MustParseAddr("198.51.100.7"), Messages: m, Exact: exact}
}

func TestReportsAreAsTheyWere(t *testing.T) {
	four := messages("a1@traps.example", "b2@lake.traps.example", "old.sales@corp.example", "c3@x.lake.example")
	expired := messages("a1@traps.example", "b2@traps.example")
	expired[0].Header, expired[1].Header = nil, nil
	expired[1].Cause, expired[1].MailFrom = "bounce", ""
	six := complaintOf(false, four...)
	six.Source = netip.MustParseAddr("2001:db8::7")
	for _, c := range []struct {
		name string
		c    Complaint
	}{
		{"common", complaintOf(false, four...)},
		{"exact", complaintOf(true, four...)},
		{"expired", complaintOf(false, expired...)},
		{"alone", complaintOf(false, four[0])},
		{"six", six},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Of(c.c, secrets)
			checkGolden(t, c.name+".eml", s.ARF())
			checkGolden(t, c.name+".json", s.XARF())
			for _, secret := range []string{"traps.example", "lake", "corp.example", "old.sales", "4Bx"} {
				for form, text := range shownBy(t, s) {
					if strings.Contains(text, secret) {
						t.Errorf("%s shows %s", form, secret)
					}
				}
			}
		})
	}
}

// shownBy is all that the two forms show, with what is encoded in them.
func shownBy(t *testing.T, s *Sighting) map[string]string {
	t.Helper()
	var x xarf
	if err := json.Unmarshal(s.XARF(), &x); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(x.Evidence[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"arf": string(s.ARF()), "xarf": string(s.XARF()) + string(payload)}
}

func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got), see -update:\n%s", name, diff)
	}
}

// What is one message's own is in no report, whatever it looks like: its sender would know by it
// which address was hit.
func TestMarksOfOneMessageAreNotTold(t *testing.T) {
	words := []string{"apple", "pear", "plum", "cherry"}
	var marked []Message
	for n, word := range words {
		to := fmt.Sprintf("trap%d@traps.example", n)
		marked = append(marked, Message{At: now.Add(-Rest - time.Duration(31+n)*time.Minute), Cause: "direct",
			Traps: []string{to}, MailFrom: word + "@shop.example", Port: 50000 + uint16(n),
			Header: []byte("Subject: Buy " + word + "\nX-Mailer: " + word + "\nOrganization: Shop\n" +
				"X-" + word + ": yes\nDate: Tue, 24 Nov 2026 09:00:00 +0000\n" +
				"Received: from " + word + ".shop.example ([198.51.100.7]) by mx; Tue, 24 Nov 2026 09:00:00 +0000\n\n")})
	}
	for form, text := range shownBy(t, Of(complaintOf(false, marked...), secrets)) {
		for _, mark := range append(words, "5000", "09:00:00", ":46:", ":45:", "trap0") {
			if strings.Contains(text, mark) {
				t.Errorf("%s tells %s", form, mark)
			}
		}
		if form == "arf" && !strings.Contains(text, "Organization: Shop") {
			t.Error("what all have in common is left out")
		}
	}
	exact := Of(complaintOf(true, marked...), secrets)
	for form, text := range shownBy(t, exact) {
		for _, told := range []string{"Subject: Buy apple", "50000", "13:46:05"} {
			if !strings.Contains(text, told) {
				t.Errorf("an exact %s does not tell %s", form, told)
			}
		}
	}
}

func TestWhatIsCommon(t *testing.T) {
	three := messages("a@traps.example", "b@traps.example", "c@traps.example")
	one := messages("a@traps.example", "a@traps.example", "a@traps.example", "a@traps.example")
	at := messages("a@traps.example")
	at[0].Traps = []string{"a@traps.example", "b@traps.example", "c@traps.example"}
	for _, c := range []struct {
		name string
		m    []Message
		want bool
	}{
		{"three messages to three traps", three, true},
		{"two messages", three[:2], false},
		{"four messages to one trap", one, false},
		{"one message to three traps", at, false},
	} {
		s := Of(complaintOf(false, c.m...), secrets)
		if got := strings.Contains(s.Header(), "Cheap pills"); got != c.want || s.mailFrom != "" {
			t.Errorf("%s: told is %v, sender %q", c.name, got, s.mailFrom)
		}
	}
}

// A log has messages in the order in which it heard of them.
func TestMessagesComeInAnyOrder(t *testing.T) {
	m := messages("a@traps.example", "b@traps.example", "c@traps.example")
	for _, exact := range []bool{false, true} {
		want := Of(complaintOf(exact, m...), secrets)
		got := Of(complaintOf(exact, m[1], m[2], m[0]), secrets)
		if diff := cmp.Diff(string(want.ARF()), string(got.ARF())); diff != "" || !got.First.Before(got.Last) {
			t.Errorf("exact %v: %s", exact, diff)
		}
	}
}

func TestYoungMessagesRest(t *testing.T) {
	m := messages("a@traps.example", "b@traps.example", "c@traps.example")
	m[0].At, m[1].At = now, now.Add(-Rest+time.Second)
	s := Of(complaintOf(false, m...), secrets)
	if s.Messages != 1 || s.Young != 2 || !s.Last.Equal(time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)) {
		t.Errorf("told of %d, left out %d, the last at %s", s.Messages, s.Young, s.Last)
	}
	if s := Of(complaintOf(true, m...), secrets); s.Messages != 3 || !s.Last.Equal(now) {
		t.Errorf("an exact report tells of %d, the last at %s", s.Messages, s.Last)
	}
	if s := Of(complaintOf(false, m[:2]...), secrets); s.Messages != 0 || s.Young != 2 {
		t.Errorf("told of %d, left out %d", s.Messages, s.Young)
	}
	if s := Of(complaintOf(false), secrets); s.Messages != 0 || s.Young != 0 {
		t.Errorf("of nothing it tells %+v", s)
	}
}

// Our own parser reads the reports as those of others: the message in it has the source.
func TestARFIsReadBack(t *testing.T) {
	for _, exact := range []bool{false, true} {
		m := messages("a@traps.example", "b@traps.example", "c@traps.example")
		arf := Of(complaintOf(exact, m...), secrets).ARF()
		attached := parser.Attached(arf)
		if len(attached) != 1 {
			t.Fatalf("%d messages attached", len(attached))
		}
		trust := parser.Trust{Hosts: []string{"spamtrap.invalid"}}
		trace := parser.Parse(attached[0], parser.Connection{}, trust)
		if trace.Source.String() != "198.51.100.7" {
			t.Errorf("source %s, %s", trace.Source, trace.Reason)
		}
		if got := parser.Values(attached[0], "Subject"); len(got) != 1 || got[0] != "Cheap pills" {
			t.Errorf("subject %q", got)
		}
		if bytes.ContainsFunc(arf, func(r rune) bool { return r >= 0x80 }) {
			t.Error("not in ASCII")
		}
		for line := range bytes.SplitSeq(bytes.TrimSuffix(arf, []byte("\r\n")), []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n") || len(line) > 998 {
				t.Errorf("bad line %q", line)
			}
		}
	}
}

func TestXARFSaysSMTPOnlyWithPortAndSender(t *testing.T) {
	m := messages("a@traps.example")
	for _, c := range []struct {
		name     string
		change   func(*Message)
		protocol string
	}{
		{"both", func(*Message) {}, "smtp"},
		{"no port", func(m *Message) { m.Port = 0 }, "other"},
		{"null sender", func(m *Message) { m.MailFrom = "" }, "other"},
		{"a sender that tells", func(m *Message) { m.MailFrom = "v-a=traps.example@shop.example" }, "other"},
		{"no address", func(m *Message) { m.MailFrom = "x> <y@shop.example" }, "other"},
	} {
		one := m[0]
		c.change(&one)
		var x xarf
		if err := json.Unmarshal(Of(complaintOf(true, one), secrets).XARF(), &x); err != nil {
			t.Fatal(err)
		}
		whole := x.SourcePort > 0 && x.MailFrom != ""
		if x.Protocol != c.protocol || whole != (c.protocol == "smtp") {
			t.Errorf("%s: %s, port %d, from %q", c.name, x.Protocol, x.SourcePort, x.MailFrom)
		}
	}
}
