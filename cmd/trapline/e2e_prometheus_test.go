package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trapline/trapline/internal/testpeer"
)

// scrapeConfig has a Prometheus look at a daemon each second, with the alert rules as shipped.
const scrapeConfig = `
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: trapline
    static_configs: [{targets: [%q]}]
`

// prometheus is a real one beside a daemon.
type prometheus struct {
	testing.TB
	address string
}

// startPrometheus has one scrape metrics at an address.
func startPrometheus(t *testing.T, metrics string) *prometheus {
	t.Helper()
	program := testpeer.Need(t, "prometheus", "prometheus")
	rules, err := filepath.Abs("../../deploy/monitoring/trapline.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(path, fmt.Appendf(nil, scrapeConfig, rules, metrics), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &prometheus{t, fmt.Sprintf("127.0.0.1:%d", testpeer.Port(t))}
	testpeer.Start(t, program, "--config.file="+path, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+p.address, "--log.level=warn")
	return p
}

// ask puts a question to its API, whose answer's data goes into one value.
func (p *prometheus) ask(what string, q url.Values, into any) error {
	reply, err := http.Get("http://" + p.address + "/api/v1/" + what + "?" + q.Encode())
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	answer := struct{ Data any }{into}
	if err := json.Unmarshal(body, &answer); err != nil || reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", reply.Status, body)
	}
	return nil
}

// values gives what an expression has at this moment.
func (p *prometheus) values(expr string) (values []string, err error) {
	var vector struct {
		Result []struct{ Value [2]any }
	}
	err = p.ask("query", url.Values{"query": {expr}}, &vector)
	for _, one := range vector.Result {
		values = append(values, fmt.Sprint(one.Value[1]))
	}
	return values, err
}

// await waits until an expression has one value, and that is it.
func (p *prometheus) await(expr, want string) {
	p.Helper()
	testpeer.Eventually(p, patience, expr+" to be "+want, func() bool {
		got, err := p.values(expr)
		return err == nil && slices.Equal(got, []string{want})
	})
}

// testPrometheusScrapes: a real Prometheus sees what happens to a daemon, evaluates the alert rules
// that are shipped, and has data for what the dashboard asks.
func testPrometheusScrapes(t *testing.T, binary string) {
	s := newSite(t, binary, "")
	s.reconfigure("[ops]\naddress = \"\"", "[ops]\naddress = \"127.0.0.1:0\"")
	d := s.serve()
	p := startPrometheus(t, d.events("started")[0].Ops)
	p.await(`up{job="trapline"}`, "1")
	p.await("trapline_ready", "1")
	d.blame("198.51.100.7")
	p.await(`sum(trapline_hits_total{kind="trap", attributed="yes"})`, "2")
	p.await(`trapline_listings{answer="127.0.0.2"}`, "1")
	p.await("trapline_zone_entries", "1")
	p.await(`min(trapline_certificate_expiry_timestamp_seconds - time() > bool 86400)`, "1")
	p.checkRules()
	p.checkDashboard()
	if code := d.stop(); code != exitDone {
		t.Errorf("exit %d", code)
	}
	p.await(`up{job="trapline"}`, "0")
	p.await(`count(ALERTS{alertname="TraplineDown", alertstate="pending"})`, "1")
}

// checkRules: each rule that is shipped was evaluated, and without an error.
func (p *prometheus) checkRules() {
	p.Helper()
	text, err := os.ReadFile("../../deploy/monitoring/trapline.rules.yml")
	if err != nil {
		p.Fatal(err)
	}
	want := strings.Count(string(text), "- alert: ")
	var answer struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	well := func() (names []string) {
		for _, g := range answer.Groups {
			for _, r := range g.Rules {
				if r.Health == "ok" && r.LastError == "" {
					names = append(names, r.Name)
				}
			}
		}
		return names
	}
	testpeer.Eventually(p, patience, fmt.Sprintf("%d rules that are well", want), func() bool {
		return p.ask("rules", nil, &answer) == nil && len(well()) == want
	})
}

// checkDashboard: there is an answer to what each panel of the dashboard asks. Those that leave out
// what is 0 may have an empty one.
func (p *prometheus) checkDashboard() {
	p.Helper()
	text, err := os.ReadFile("../../deploy/monitoring/trapline.dashboard.json")
	if err != nil {
		p.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		p.Fatal(err)
	}
	grafana := strings.NewReplacer("$__rate_interval", "1m", "$job", "trapline", "$instance", ".*")
	asked := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			values, err := p.values(grafana.Replace(target.Expr))
			if err != nil || len(values) == 0 && !strings.HasSuffix(target.Expr, " > 0") {
				p.Errorf("%s: %s: %v, %v", panel.Title, target.Expr, values, err)
			}
			asked++
		}
	}
	if asked < 40 {
		p.Errorf("the dashboard asks %d things", asked)
	}
}
