package complaint

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/parser"
)

// TestXARFKeepsTheSchema looks at each field as xarf-core.json and messaging-spam.json of XARF 4
// want it.
func TestXARFKeepsTheSchema(t *testing.T) {
	m := messages("a@traps.example", "b@traps.example", "c@traps.example")
	for _, exact := range []bool{false, true} {
		var report map[string]any
		if err := json.Unmarshal(Of(complaintOf(exact, m...), secrets).XARF(), &report); err != nil {
			t.Fatal(err)
		}
		required := map[string]string{
			"xarf_version": `^4\.[0-9]+\.[0-9]+$`, "source_identifier": `^198\.51\.100\.7$`,
			"report_id": `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
			"category":  `^messaging$`, "type": `^spam$`, "protocol": `^(smtp|other)$`,
			"evidence_source": `^spamtrap$`, "description": `^.{1,1000}$`,
			"timestamp": `^2026-11-24T\d\d:\d\d:\d\dZ$`,
		}
		for field, form := range required {
			value, _ := report[field].(string)
			if !regexp.MustCompile(form).MatchString(value) {
				t.Errorf("%s is %q", field, value)
			}
		}
		if _, err := time.Parse(time.RFC3339, report["timestamp"].(string)); err != nil {
			t.Error(err)
		}
		if _, port := report["source_port"]; port != (report["protocol"] == "smtp") {
			t.Errorf("protocol %v, port told %v", report["protocol"], port)
		}
		for _, who := range []string{"reporter", "sender"} {
			contact, _ := report[who].(map[string]any)
			if len(contact) != 3 || contact["org"] == "" || contact["contact"] != "abuse@bl.example" ||
				contact["domain"] != "bl.example" {
				t.Errorf("%s is %v", who, contact)
			}
		}
		checkEvidence(t, report["evidence"])
	}
}

func checkEvidence(t *testing.T, evidence any) {
	t.Helper()
	items, _ := evidence.([]any)
	if len(items) != 1 {
		t.Fatalf("evidence is %v", evidence)
	}
	item, _ := items[0].(map[string]any)
	payload, err := base64.StdEncoding.DecodeString(item["payload"].(string))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(payload)
	if item["hash"] != "sha256:"+hex.EncodeToString(sum[:]) || item["size"] != float64(len(payload)) ||
		item["content_type"] != "text/rfc822-headers" || len(item) != 5 {
		t.Errorf("evidence is %v", item)
	}
}

// readPython prints what Python's own reader of mail makes of a report.
const readPython = `
import email, email.policy, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(m.walk())
print(m.get_content_type(), m.get_param("report-type"), sum(len(p.defects) for p in parts))
print(" ".join(p.get_content_type() for p in m.iter_parts()))
report = parts[2].get_payload()[0]
print(report["Feedback-Type"], report["Version"], report["Source-IP"], report["Incidents"])
print(email.message_from_string(parts[-1].get_content(), policy=email.policy.default)["Subject"])
`

func TestARFIsReadByPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there: its package email reads the reports")
	}
	m := messages("a@traps.example", "b@traps.example", "c@traps.example")
	run := exec.CommandContext(t.Context(), python, "-c", readPython)
	run.Stdin = bytes.NewReader(Of(complaintOf(false, m...), secrets).ARF())
	out, err := run.CombinedOutput()
	want := "multipart/report feedback-report 0\n" +
		"text/plain message/feedback-report text/rfc822-headers\n" +
		"abuse 1 198.51.100.7 3\nCheap pills\n"
	if err != nil || string(out) != want {
		t.Errorf("%v: %s", err, out)
	}
}

// canaries are what FuzzReports hides in headers in several spellings. The last is an ordinary word,
// and only exact reports depend on whether it is a trap's.
var canaries = []string{"kestrel.quince", "lagoon.example", "kestrelquince"}

// FuzzReports has strangers write headers: no report shows a trap, and each keeps its form.
func FuzzReports(f *testing.F) {
	f.Add([]byte("Subject: hi kestrel.quince\nFrom: <v=kestrel.quince=lagoon.example@shop.example>\n"), "kestrel.quince@lagoon.example")
	f.Add(spam("kestrel.quince@lagoon.example", 3), "<@x:kestrel.quince@lagoon.example>")
	f.Add([]byte("Subject: =?utf-8?b?a2VzdHJlbC5xdWluY2VAbGFnb29uLmV4YW1wbGU=?=\r\n--=_0102\r\n\r\n"), "")
	f.Add([]byte("Organization: \xff\xfe\x00\n\n--=_0102030405060708090a0b0c0d0e0f10--\n"), "a\r\nb@c.example")
	f.Add([]byte("Comments: "+strings.Repeat("x-y.", 3000)+"\nSubject: ä ö\n"), "é@shop.example")
	f.Fuzz(func(t *testing.T, header []byte, from string) {
		var all []Message
		for n, to := range []string{"kestrel.quince@lagoon.example", "b2@traps.example", "c3@traps.example"} {
			m := Message{At: now.Add(-time.Duration(7+n) * time.Hour), Cause: "direct", Traps: []string{to},
				MailFrom: from, Port: 9, Header: header}
			all = append(all, m)
		}
		for _, exact := range []bool{false, true} {
			s := Of(complaintOf(exact, all...), secrets)
			for form, text := range shownBy(t, s) {
				for i, canary := range canaries {
					if (exact || i < 2) && strings.Contains(strings.ToLower(text), canary) {
						t.Errorf("exact %v: %s shows %s:\n%s", exact, form, canary, text)
					}
				}
			}
			checkARF(t, s.ARF())
		}
	})
}

func checkARF(t *testing.T, arf []byte) {
	t.Helper()
	attached := parser.Attached(arf)
	if len(attached) != 1 {
		t.Fatalf("%d messages attached:\n%s", len(attached), arf)
	}
	trace := parser.Parse(attached[0], parser.Connection{}, parser.Trust{Hosts: []string{"spamtrap.invalid"}})
	if trace.Source.String() != "198.51.100.7" {
		t.Errorf("source %s (%s) in\n%s", trace.Source, trace.Reason, arf)
	}
	for line := range bytes.SplitSeq(arf, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n") || len(line) > 998 ||
			bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x7f || r < ' ' }) {
			t.Errorf("bad line %q", line)
		}
	}
}
