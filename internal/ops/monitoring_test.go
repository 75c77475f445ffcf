package ops

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/testpeer"
)

// monitoring is the folder with what is shipped for Prometheus and Grafana.
const monitoring = "../../deploy/monitoring/"

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// promtool runs Prometheus' own checker.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.Command(testpeer.Need(t, "promtool", "prometheus"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// TestRules: Prometheus takes the alert rules, and each does what its tests say.
func TestRules(t *testing.T) {
	promtool(t, "", "check", "rules", "--lint-fatal", monitoring+"trapline.rules.yml")
	promtool(t, "", "test", "rules", monitoring+"trapline.rules.test.yml")
}

// TestEveryAlertIsProven: the tests of the rules have, for each alert in its turn, one case in which
// it fires and one in which it does not.
func TestEveryAlertIsProven(t *testing.T) {
	title := regexp.MustCompile(`^(\w+) (fires|does not fire)`)
	_, tests, _ := strings.Cut(readText(t, monitoring+"trapline.rules.test.yml"), "tests:\n")
	var cases []string
	for _, text := range strings.Split(tests, "  - name: ")[1:] {
		found := title.FindStringSubmatch(text)
		if found == nil {
			t.Fatalf("a case without a title: %s", text)
		}
		query := fmt.Sprintf("ALERTS{alertname=%q, alertstate=\"firing\"}", found[1])
		some := strings.Contains(text, "value: ")
		if strings.Contains(text, query) && some == (found[2] == "fires") {
			cases = append(cases, found[0])
		}
	}
	var want []string
	for _, a := range regexp.MustCompile(`- alert: (\w+)`).
		FindAllStringSubmatch(readText(t, monitoring+"trapline.rules.yml"), -1) {
		want = append(want, a[1]+" fires", a[1]+" does not fire")
	}
	if diff := cmp.Diff(want, cases); diff != "" || len(want) < 20 {
		t.Errorf("cases, wanted (-) and there (+):\n%s", diff)
	}
}

// TestMonitoringNamesMetrics: whatever rules, their tests and the dashboard name, is a metric.
func TestMonitoringNamesMetrics(t *testing.T) {
	documented := regexp.MustCompile("(?m)^\\| `(trapline_\\w+)`").
		FindAllStringSubmatch(readText(t, "../../docs/metrics.md"), -1)
	var known []string
	for _, d := range documented {
		known = append(known, d[1])
	}
	for _, file := range []string{"trapline.rules.yml", "trapline.rules.test.yml",
		"trapline.dashboard.json"} {
		names := regexp.MustCompile(`trapline_\w+`).FindAllString(readText(t, monitoring+file), -1)
		if len(names) < 15 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if name = strings.TrimSuffix(name, "_bucket"); !slices.Contains(known, name) {
				t.Errorf("%s names %s, which is no metric", file, name)
			}
		}
	}
}

// dashboard is what we look at of a dashboard of Grafana.
type dashboard struct {
	Title, UID    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Query any }
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct{ RefID, Expr string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(readText(t, monitoring+"trapline.dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboard: panels have what Grafana needs, each its own place on the grid of 24 columns, and
// ask the data source that is chosen.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	var rows []string
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] || p.Title == "" || p.GridPos.W < 1 || p.GridPos.H < 1 {
			t.Errorf("panel %+v: no place, no title, or a number that another has", p)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x > 23 {
					t.Fatalf("%q lies at %d, %d, on %q or outside", p.Title, x, y, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 || p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%q: no data source, target or unit", p.Title)
		}
	}
	want := []string{"At a glance", "Hits", "Sources", "Listings", "Zone", "SMTP", "Store", "Judge", "Process"}
	if diff := cmp.Diff(want, rows); diff != "" || d.Title == "" || d.UID == "" || d.SchemaVersion < 30 {
		t.Errorf("dashboard %q, rows:\n%s", d.Title, diff)
	}
}

// expressions are those of the dashboard, as Grafana would ask them.
func (d dashboard) expressions() []string {
	grafana := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$instance", ".*")
	var all []string
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, grafana.Replace(target.Expr))
		}
	}
	return all
}

// TestDashboardExpressions: Prometheus can read what each panel asks. Its checker reads rules, so
// each expression is made one.
func TestDashboardExpressions(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	all := readDashboard(t).expressions()
	for i, expr := range all {
		fmt.Fprintf(&rules, "  - record: panel:expression:%d\n    expr: %q\n", i, expr)
	}
	if len(all) < 40 {
		t.Fatalf("only %d expressions", len(all))
	}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", path)
}
