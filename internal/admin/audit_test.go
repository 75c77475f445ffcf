package admin

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// TestNothingEscapesTheAudit walks every request of the socket that is no plain question. One that
// can change a listing leaves a record: who, as the kernel says it, why, and what stood before.
func TestNothingEscapesTheAudit(t *testing.T) {
	z := newZoneOffice(t)
	z.Roster = rosterOfTests
	versions := 0
	client := z.doorFor(Orders{Zone: z.zone, Reload: func(ctx context.Context, who string) (Settled, error) {
		versions++
		policy := criteria.DefaultPolicy()
		policy.Threshold += criteria.Micro(versions) * criteria.One
		return z.Settle(ctx, who, judge.Settings{Policy: policy, Version: fmt.Sprint("v", versions)}, func() {})
	}})
	z.blame("198.51.100.7")
	z.build(false)
	z.blame("198.51.100.8")
	z.build(false)
	ctx := t.Context()
	decide := func(act criteria.Act, network string) func() error {
		return func() error {
			_, err := client.Decide(ctx, Order{Act: act, Network: netip.MustParsePrefix(network), Reason: "a test"})
			return err
		}
	}
	trap := func(act criteria.Act, weight criteria.Micro) func() error {
		return func() error {
			_, err := client.Correct(ctx, TrapOrder{Act: act, Trap: "one@traps.example", Weight: weight,
				Reason: "a test"})
			return err
		}
	}
	order := func(act criteria.Act) func() error {
		return func() error {
			z.seconds.Add(1)
			_, err := client.OrderZone(ctx, OrderOfZone{Act: act, Reason: "a test", Origin: ourZone})
			return err
		}
	}
	imports := func(i Import) func() error {
		return func() error { _, err := client.Import(ctx, i); return err }
	}
	points := func() error {
		today := criteria.DayOf(criteria.At(z.now()))
		_, err := client.Count(ctx, "mx", "a test", pointsFor(today, 5, "198.51.100.9"))
		return err
	}
	reload := func() error { _, err := client.Reload(ctx); return err }
	acts := func(all ...criteria.Act) []criteria.Act { return all }
	walked := map[string]bool{}
	for _, c := range []struct {
		route string
		do    func() error
		want  []criteria.Act
		after bool // something stood before
	}{
		{"decide", decide(criteria.ActExcept, "192.0.2.0/24"), acts(criteria.ActExcept), false},
		{"decide", decide(criteria.ActExcept, "192.0.2.0/24"), acts(criteria.ActExcept), true},
		{"decide", decide(criteria.ActUnexcept, "192.0.2.0/24"), acts(criteria.ActUnexcept), true},
		{"decide", decide(criteria.ActList, "198.51.100.9/32"), acts(criteria.ActList), false},
		{"decide", decide(criteria.ActList, "198.51.100.9/32"), acts(criteria.ActList), true},
		{"decide", decide(criteria.ActDelist, "198.51.100.9/32"), acts(criteria.ActDelist), true},
		{"import", imports(importOf("a", "192.0.2.0/25")), acts(criteria.ActExcept), false},
		{"import", imports(Import{Source: "a", Reason: "enough", Remove: true}), acts(criteria.ActUnexcept), true},
		{"traps", trap(criteria.ActBurn, 0), acts(criteria.ActBurn), false},
		{"traps", trap(criteria.ActUnburn, 0), acts(criteria.ActUnburn), true},
		{"traps", trap(criteria.ActReweigh, criteria.One/2), acts(criteria.ActReweigh), false},
		{"traps", trap(criteria.ActReweigh, criteria.One), acts(criteria.ActReweigh), true},
		{"reputation", points, acts(criteria.ActPoints), false},
		{"reputation", points, acts(criteria.ActPoints), true},
		{"zone/order", order(criteria.ActRollback), acts(criteria.ActRollback), false},
		{"zone/order", order(criteria.ActResume), acts(criteria.ActResume), true},
		{"zone/order", order(criteria.ActRetire), acts(criteria.ActRetire), false},
		{"zone/order", order(criteria.ActResume), acts(criteria.ActResume), true},
		{"reload", reload, acts(criteria.ActPolicy, criteria.ActUnexcept, criteria.ActConfig), true},
		{"reload", reload, acts(criteria.ActPolicy, criteria.ActConfig), true},
	} {
		walked[c.route] = true
		first := z.Store.Mark().Decision
		if err := c.do(); err != nil {
			t.Fatalf("%s %v: %v", c.route, c.want, err)
		}
		var got []criteria.Act
		for _, d := range z.since(first) {
			got = append(got, d.Act)
			if d.Who != Self() || d.Reason == "" || d.At == 0 {
				t.Errorf("%s: who, why and when are missing in %+v", c.route, d)
			}
			mayBeFirst := c.route == "reload"
			if (d.Before != nil) != c.after && !mayBeFirst {
				t.Errorf("%s: before is %+v in %+v", c.route, d.Before, d)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.route, diff)
		}
	}
	for route, why := range harmless {
		walked[route] = why != ""
	}
	for _, route := range routesThatPost(t) {
		if !walked[route] {
			t.Errorf("POST /v1/%s is not walked: show that it leaves a record, or say why it needs none", route)
		}
	}
}

// harmless are the requests that leave no record here, and why.
var harmless = map[string]string{
	"check":          "only reads",
	"simulate":       "only reads",
	"reload/preview": "only reads",
	"report":         "only reads, and writes a file that nobody here reads",
	"compact":        "leaves every value as it is",
	"inbox/discard":  "is about mail that counts for nothing",
	"ingest":         "see TestIngestIsNoted",
	"rebuild":        "see TestRebuildOverTheSocket",
	"dispute":        "its records are those of the clerk: see internal/dispute",
	"zone":           "its record is a force: see TestZoneForce",
}

// routesThatPost reads from the code which there are.
func routesThatPost(t *testing.T) (routes []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`HandleFunc\("(?:POST|PUT|PATCH|DELETE) /v1/([a-z/]+)"`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			routes = append(routes, m[1])
		}
	}
	if len(routes) < 10 {
		t.Fatalf("found only %v", routes)
	}
	return routes
}

// since gives what the audit has after a decision, in order.
func (o *office) since(seq uint64) []Decision {
	o.Helper()
	var all []Decision
	for d, err := range o.Audit(AuditFilter{OldestFirst: true}) {
		if err != nil {
			o.Fatal(err)
		}
		if d.Seq > seq {
			all = append(all, d)
		}
	}
	return all
}

// TestEveryActIsKnown: the acts that can be asked for are those that the ledger takes.
func TestEveryActIsKnown(t *testing.T) {
	text, err := os.ReadFile("../../criteria/decision.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`Act\w+ +Act = "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(Acts(), criteria.Act(m[1])) {
			t.Errorf("the audit does not know the act %s", m[1])
		}
	}
}

// TestAuditFilters: by whom, up to when, and in which order.
func TestAuditFilters(t *testing.T) {
	o := newOffice(t)
	for i, who := range []string{"uid 1000 (alice)", "uid 100 (bob)", "uid 1000 (alice)", "uid 7", "config"} {
		o.seconds.Store(int64(i + 1))
		o.settle(criteria.Decision{Act: criteria.ActList, Who: who, Reason: fmt.Sprint(i),
			Network: netip.MustParsePrefix("198.51.100.7/32")})
	}
	list := AuditFilter{Act: criteria.ActList}
	for _, c := range []struct {
		name, want string
		change     func(*AuditFilter)
	}{
		{"newest first", "43210", func(*AuditFilter) {}},
		{"two of them", "43", func(f *AuditFilter) { f.Limit = 2 }},
		{"oldest first", "01234", func(f *AuditFilter) { f.OldestFirst = true }},
		{"the first two", "01", func(f *AuditFilter) { f.OldestFirst, f.Limit = true, 2 }},
		{"by name", "20", func(f *AuditFilter) { f.By = "alice" }},
		{"by number", "1", func(f *AuditFilter) { f.By = "100" }},
		{"by number without a name", "3", func(f *AuditFilter) { f.By = "7" }},
		{"by all of it", "1", func(f *AuditFilter) { f.By = "uid 100 (bob)" }},
		{"by the configuration", "4", func(f *AuditFilter) { f.By = "config" }},
		{"by part of a name", "", func(f *AuditFilter) { f.By = "ali" }},
		{"until", "10", func(f *AuditFilter) { f.Until = criteria.At(began.Add(3 * time.Second)) }},
	} {
		f, got := list, ""
		c.change(&f)
		for d, err := range o.door().Audit(f) {
			if err != nil {
				t.Fatal(err)
			}
			got += d.Reason
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestAuditPages: a ledger that takes more than one reading loses nothing, and knows what stood
// before from an earlier one.
func TestAuditPages(t *testing.T) {
	o := newUnreadOffice(t)
	var all []criteria.Decision
	for i := range 2*auditPage + 7 {
		all = append(all, criteria.Decision{Act: criteria.ActList, Who: "config", Reason: fmt.Sprint(i),
			Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, byte(i % 1500 / 256), byte(i % 1500)}), 32)})
	}
	if err := o.Store.Decide(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	found := o.since(1)
	if len(found) != len(all) || found[0].Before != nil {
		t.Fatalf("%d decisions, want %d", len(found), len(all))
	}
	if last := found[len(found)-1]; last.Before == nil || last.Before.Reason != fmt.Sprint(len(all)-1-1500) {
		t.Errorf("before the last stood %+v", last.Before)
	}
	var newest []string
	for d, err := range o.Audit(AuditFilter{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		newest = append(newest, d.Reason)
	}
	if got := strings.Join(newest, " "); got != "2006 2005 2004" {
		t.Errorf("the newest are %s", got)
	}
}

// TestPreview: what is told beforehand comes true, and telling it changes nothing.
func TestPreview(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	o.blame("198.51.100.8")
	friend := netip.MustParsePrefix("203.0.113.0/24")
	want := judge.Settings{Policy: criteria.DefaultPolicy(), Except: map[netip.Prefix]string{friend: "a friend"},
		Version: "v1", Parts: map[string]string{"trap": "a"}}
	if _, err := o.Settle(t.Context(), "config", want, func() {}); err != nil {
		t.Fatal(err)
	}
	if p, err := o.Preview(t.Context(), want); err != nil || !p.Empty() || len(p.Parts)+len(p.Differences) > 0 {
		t.Errorf("of what is in force: %+v, %v", p, err)
	}
	want.Policy.Threshold = 26 * criteria.One
	want.Except = map[netip.Prefix]string{netip.MustParsePrefix("198.51.100.7/32"): "ours"}
	want.Version, want.Parts = "v2", map[string]string{"trap": "b"}
	mark := o.Store.Mark().Decision
	p, err := o.Preview(t.Context(), want)
	if err != nil || o.Store.Mark().Decision != mark || o.listed("198.51.100.7") == criteria.Unlisted {
		t.Fatalf("it changed something, or %v", err)
	}
	differences := []Difference{
		{"except", "198.51.100.7/32", "added", "", "reason ours", false},
		{"criteria.threshold", "", "changed", "25", "26", false},
		{"except", "203.0.113.0/24", "removed", "reason a friend", "", false},
	}
	if diff := cmp.Diff(differences, p.Differences); diff != "" || p.Before != "v1" || p.Version != "v2" ||
		p.Decisions != 4 || len(p.Listed)+len(p.Changed) > 0 || len(p.Delisted) != 1 ||
		p.Delisted[0].Source.String() != "198.51.100.7" || !slices.Equal(p.Parts, []string{"trap"}) {
		t.Errorf("%s\n%+v", diff, p)
	}
	done, err := o.Settle(t.Context(), "tester", want, func() {})
	if err != nil || done.Ended != len(p.Delisted) || done.Decisions != p.Decisions {
		t.Errorf("it came to %+v, %v", done, err)
	}
	want.Except, want.Version = nil, "v3"
	if p, err := o.Preview(t.Context(), want); err != nil || len(p.Listed) != 1 || p.Listed[0].Since != 0 {
		t.Errorf("of what lists again: %+v, %v", p, err)
	}
}

// TestPreviewUnread: while the log is read, what a reload would do to the list is not known.
func TestPreviewUnread(t *testing.T) {
	o := newUnreadOffice(t)
	strict := criteria.DefaultPolicy()
	strict.MinReports = 3
	p, err := o.Preview(t.Context(), judge.Settings{Policy: strict, Version: "v1"})
	if err != nil || !p.Reading || p.Empty() {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestIngestIsNoted: whoever brings messages from files is in the audit once for each run, and
// before the hits; without the record nothing is taken.
func TestIngestIsNoted(t *testing.T) {
	o := newOffice(t)
	taken := 0
	orders := Orders{Ingest: func(context.Context, []byte, string, string, bool) (Ingested, error) {
		taken++
		return Ingested{}, nil
	}}
	client := o.doorFor(orders)
	first := o.Store.Mark().Decision
	for _, pass := range []int64{0, 59, 60, 120} {
		o.seconds.Add(pass)
		o.settle(criteria.Decision{Act: criteria.ActForce, Who: "config", Reason: "time passes"})
		if _, err := client.Ingest(t.Context(), []byte("a message"), "", "", false); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, d := range o.since(first) {
		if d.Act != criteria.ActForce {
			got = append(got, fmt.Sprint(d.Act, " ", d.Who))
		}
	}
	want := []string{"ingest " + Self(), "ingest " + Self(), "ingest " + Self()}
	if diff := cmp.Diff(want, got); diff != "" || taken != 4 {
		t.Errorf("%d taken; %s", taken, diff)
	}
	o.Store.Stop()
	if _, err := o.doorFor(orders).Ingest(t.Context(), []byte("a message"), "", "", false); err == nil || taken != 4 {
		t.Errorf("%d taken, %v", taken, err)
	}
}
