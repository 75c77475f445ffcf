package daemon

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/testpeer"
)

// scrape gives what the daemon serves as metrics.
func (s *stand) scrape() string {
	s.Helper()
	w := httptest.NewRecorder()
	s.events.Handler(func() ops.Health { return ops.Health{} }).
		ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

// metric is what is told or documented of one.
type metric struct {
	Type   string
	Labels map[string][]string // a name and its words
}

// free are the labels whose words are the operator's, or the build's.
var free = []string{"listener", "version", "go"}

// metricsIn reads the text format of Prometheus, as far as our own metrics go.
func metricsIn(text string) map[string]metric {
	all := map[string]metric{}
	sample := regexp.MustCompile(`^(trapline_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? \S+$`)
	pair := regexp.MustCompile(`(\w+)="([^"]*)"`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if f := strings.Fields(line); len(f) == 4 && f[1] == "TYPE" && strings.HasPrefix(f[2], "trapline_") {
			all[f[2]] = metric{f[3], map[string][]string{}}
		}
		found := sample.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		for _, p := range pair.FindAllStringSubmatch(found[2], -1) {
			if words := all[found[1]].Labels; p[1] != "le" && !slices.Contains(words[p[1]], p[2]) {
				words[p[1]] = append(words[p[1]], p[2])
			}
		}
	}
	return all
}

// documentedMetrics reads the tables of docs/metrics.md.
func documentedMetrics(t *testing.T) map[string]metric {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile("`([^`]+)`")
	all := map[string]metric{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], " `trapline_") {
			continue
		}
		m := metric{strings.TrimSpace(cells[2]), map[string][]string{}}
		for part := range strings.SplitSeq(cells[3], ";") {
			var words []string
			for _, w := range word.FindAllStringSubmatch(part, -1) {
				words = append(words, w[1])
			}
			if len(words) > 0 {
				m.Labels[words[0]] = words[1:]
			}
		}
		all[strings.Trim(cells[1], " `")] = m
	}
	return all
}

// TestMetricsAreDocumented: docs/metrics.md has every metric that a daemon serves, with its type,
// labels and words, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	s := newStand(t, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	s.events.Started("1", "trapline.toml", nil, "")
	s.bring("198.51.100.7", "one@traps.example")
	s.forward(time.Hour) // so that the engine's state is kept
	s.bring("198.51.100.7", "two@traps.example")
	testpeer.Eventually(t, patience, "a state and a listing", func() bool {
		text := s.scrape()
		return strings.Contains(text, "trapline_snapshot_timestamp_seconds ") &&
			strings.Contains(text, `trapline_listings{answer="127.0.0.2"} 1`)
	})
	got, want := metricsIn(s.scrape()), documentedMetrics(t)
	for _, all := range []map[string]metric{got, want} {
		for _, m := range all {
			for name := range m.Labels {
				slices.Sort(m.Labels[name])
				if slices.Contains(free, name) {
					m.Labels[name] = nil
				}
			}
		}
	}
	// The listener of a stand has no TLS.
	got["trapline_certificate_expiry_timestamp_seconds"] = metric{"gauge", map[string][]string{"listener": nil}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md (-) and a daemon (+) differ:\n%s", diff)
	}
}

// TestPromtoolChecksMetrics: Prometheus' own checker finds nothing to say of names, types and help.
func TestPromtoolChecksMetrics(t *testing.T) {
	promtool := testpeer.Need(t, "promtool", "prometheus")
	s := newStand(t, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	s.bring("198.51.100.7", "one@traps.example")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(s.scrape())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// series are the names of what is counted, with their labels.
func series(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if name, _, found := strings.Cut(line, " "); found && strings.HasPrefix(line, "trapline_") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// TestHostileMailAddsNoSeries: whatever peers say, the metrics are the same ones.
func TestHostileMailAddsNoSeries(t *testing.T) {
	s := newStand(t, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	s.bring("198.51.100.7", "one@traps.example")
	testpeer.Eventually(t, patience, "the first zone, and a state that is kept", func() bool {
		return s.zone() != "" && strings.Contains(s.scrape(), "trapline_snapshot_timestamp_seconds ")
	})
	before := series(s.scrape())
	for i := range 20 {
		odd := fmt.Sprintf("x%d\"}\\ y", i)
		s.converse("EHLO "+odd, "MAIL FROM:<"+odd+"@sender.example>", "RCPT TO:<"+odd+"@traps.example>",
			fmt.Sprintf("RCPT TO:<odd%d@traps.example>", i), "DATA",
			"Received: from "+odd+" by "+odd+"\r\nAuto-Submitted: "+odd+"\r\nX-Mailer: "+odd+"\r\n\r\n.")
		s.converse("GET /"+odd+" HTTP/1.1", "Host: "+odd)
		s.converse(odd, "AUTH "+odd, "BDAT 9", "STARTTLS")
	}
	s.bring("198.51.100.7", "two@traps.example")
	testpeer.Eventually(t, patience, "the listing in the zone", func() bool {
		return strings.Contains(s.zone(), "\n198.51.100.7\n")
	})
	if diff := cmp.Diff(before, series(s.scrape())); diff != "" {
		t.Errorf("series before and after:\n%s", diff)
	}
	if strings.Contains(s.scrape(), `"other"} 1`) {
		t.Error("a word that ops does not know")
	}
}

// converse says lines to the trap, whatever it answers, and reads to the end.
func (s *stand) converse(lines ...string) {
	s.Helper()
	c, err := net.DialTimeout("tcp", s.mail, patience)
	if err != nil {
		s.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.Fatal(err)
	}
	in := bufio.NewReader(c)
	for _, line := range append([]string{""}, append(lines, "QUIT")...) {
		if line != "" {
			if _, err := c.Write([]byte(line + "\r\n")); err != nil {
				return // it has heard enough
			}
		}
		for {
			reply, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if len(reply) > 3 && reply[3] == ' ' {
				break
			}
		}
	}
}

// TestExpiries: each listener with TLS tells when its certificate ends.
func TestExpiries(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	c, err := config.Parse("trapline.toml", []byte(`hostname = "mx.traps.example"
[[listen]]
address = "127.0.0.1:2525"
[[listen]]
address = "127.0.0.1:2526"
tls = "off"
[[trap]]
domain = "traps.example"`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSettings(c, now, &certificates{dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	got := s.expiries()
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, []string{"127.0.0.1:2525"}) {
		t.Fatalf("listeners %q", keys)
	}
	end := time.Unix(int64(got["127.0.0.1:2525"]), 0)
	if end.Before(now.AddDate(1, 0, 0)) || end.After(now.AddDate(30, 0, 0)) {
		t.Errorf("the certificate ends %s", end)
	}
}
