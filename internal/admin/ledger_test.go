package admin

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
)

func importOf(source string, networks ...string) Import {
	i := Import{Source: source, Reason: "known servers"}
	for _, n := range networks {
		i.Networks = append(i.Networks, ImportedNetwork{netip.MustParsePrefix(n), "known servers"})
	}
	return i
}

// TestImport: a source's exceptions are what its list says, nothing more and nothing less, whatever
// it said before; others' are left alone.
func TestImport(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	o.must(criteria.ActExcept, "192.0.2.0/24", "by hand", 0)
	for _, c := range []struct {
		name    string
		list    Import
		want    [4]int // added, renewed, removed, kept
		changes string
	}{
		{"dry", with(importOf("a", "198.51.100.0/24", "192.0.2.0/24"),
			func(i *Import) { i.DryRun = true }), [4]int{2, 0, 0, 0}, "198.51.100.7 127.0.0.2>"},
		{"first", importOf("a", "198.51.100.0/24", "192.0.2.0/24"), [4]int{2, 0, 0, 0},
			"198.51.100.7 127.0.0.2>"},
		{"again", importOf("a", "192.0.2.0/24", "198.51.100.0/24"), [4]int{0, 0, 0, 2}, ""},
		{"another source", importOf("b", "198.51.100.0/25"), [4]int{1, 0, 0, 0}, ""},
		{"newer", importOf("a", "192.0.2.0/24"), [4]int{0, 0, 1, 1}, ""},
		{"for a time", with(importOf("a", "192.0.2.0/24"), func(i *Import) { i.For = 60 }),
			[4]int{0, 1, 0, 0}, ""},
		{"all taken back", Import{Source: "b", Reason: "enough", Remove: true}, [4]int{0, 0, 1, 0},
			"198.51.100.7 >127.0.0.2"},
	} {
		before := o.Store.Mark().Decision
		done, err := o.Import(t.Context(), "tester", c.list)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := [4]int{done.Added, done.Renewed, done.Removed, done.Kept}
		if got != c.want {
			t.Errorf("%s: added, renewed, removed, kept are %v, want %v", c.name, got, c.want)
		}
		var changes []string
		for _, x := range done.Changes {
			changes = append(changes, fmt.Sprintf("%s %s>%s", x.Source, x.From, x.To))
		}
		if got := strings.Join(changes, ","); got != c.changes {
			t.Errorf("%s: changes %q, want %q", c.name, got, c.changes)
		}
		decided := uint64(c.want[0] + c.want[1] + c.want[2])
		if c.list.DryRun {
			decided = 0
		}
		if n := o.Store.Mark().Decision; n != before+decided ||
			decided > 0 && (done.First != before+1 || done.Last != n) {
			t.Errorf("%s: decisions %d to %d, the ledger grew from %d to %d", c.name, done.First,
				done.Last, before, n)
		}
	}
	if _, err := o.Import(t.Context(), "tester", importOf("a")); err == nil || IsNone(err) {
		t.Errorf("an empty list: %v", err)
	}
	if _, err := o.Import(t.Context(), "tester",
		Import{Source: "c", Reason: "r", Remove: true}); !IsNone(err) {
		t.Errorf("taking back what nobody imported: %v", err)
	}
	if got := o.listed("192.0.2.1"); got != criteria.Unlisted {
		t.Errorf("what was excepted by hand: %s", got)
	}
}

func with(i Import, change func(*Import)) Import {
	change(&i)
	return i
}

func TestImportCheck(t *testing.T) {
	for _, c := range []struct {
		name, want string
		list       Import
	}{
		{"no source", "is no name", Import{Reason: "r"}},
		{"blank in it", "is no name", importOf("two words")},
		{"escape in it", "is no name", importOf("a\x1b[31m")},
		{"no UTF-8 in it", "is no name", importOf("a\xff")},
		{"long", "is no name", importOf(strings.Repeat("x", 65))},
		{"no reason", "reason is empty", Import{Source: "a"}},
		{"too wide a network", "wider than a /8", importOf("a", "198.51.100.0/24", "0.0.0.0/0")},
		{"both", "do one after the other",
			with(importOf("a", "198.51.100.0/24"), func(i *Import) { i.Remove = true })},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.list.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestAudit: what was decided, by whom, what stood before; and never a trap.
func TestAudit(t *testing.T) {
	const trap = "old.sales@corp.example"
	o := newOffice(t)
	policy := criteria.DefaultPolicy()
	policy.Threshold = 30 * criteria.One
	o.must(criteria.ActExcept, "192.0.2.0/24", "first", 60)
	o.must(criteria.ActExcept, "192.0.2.0/24", "second", 0)
	o.must(criteria.ActUnexcept, "192.0.2.0/24", "enough", 0)
	o.must(criteria.ActList, "198.51.100.7/32", "short", 60)
	o.seconds.Store(60)
	o.must(criteria.ActList, "198.51.100.7/32", "anew", 0)
	o.must(criteria.ActDelist, "198.51.100.7/32", "cleaned up", 0)
	o.settle(criteria.Decision{Act: criteria.ActPolicy, Who: "config", Policy: &policy},
		criteria.Decision{Act: criteria.ActReweigh, Who: "tester", Trap: trap, Weight: criteria.One / 4,
			Reason: "Old.Sales@corp.example is in a leak"})
	var lines []string
	for d, err := range o.Audit(AuditFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, summary(d))
	}
	name := o.pseudonym(trap)
	want := []string{
		"reweigh " + name + " 0.25: [removed] is in a leak",
		"policy: [{threshold 25 30}], before the first",
		"delist 198.51.100.7/32: cleaned up, before anew",
		"list 198.51.100.7/32: anew",
		"list 198.51.100.7/32 until 2026-11-24T09:01:00Z: short",
		"unexcept 192.0.2.0/24: enough, before second",
		"except 192.0.2.0/24: second, before first",
		"except 192.0.2.0/24 until 2026-11-24T09:01:00Z: first",
		"except 203.0.113.0/24: a friend",
		fmt.Sprintf("policy: the first%d keys", len(criteria.Keys())),
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	for d, err := range o.Audit(AuditFilter{Act: criteria.ActReweigh, ShowTraps: true}) {
		if err != nil || d.Trap != trap {
			t.Errorf("asked to show traps, it shows %q, %v", d.Trap, err)
		}
	}
	for name, c := range map[string]struct {
		filter AuditFilter
		want   int
	}{
		"limit":         {AuditFilter{Limit: 3}, 3},
		"act":           {AuditFilter{Act: criteria.ActExcept}, 3},
		"act and limit": {AuditFilter{Act: criteria.ActExcept, Limit: 1}, 1},
		"since":         {AuditFilter{Since: criteria.At(began) + 60}, 4},
		"in the future": {AuditFilter{Since: criteria.At(began) + 61}, 0},
		"no such thing": {AuditFilter{Act: "nonsense"}, 0},
	} {
		n := 0
		for _, err := range o.Audit(c.filter) {
			if n++; err != nil {
				t.Error(err)
			}
		}
		if n != c.want {
			t.Errorf("%s: %d decisions, want %d", name, n, c.want)
		}
	}
}

func summary(d Decision) string {
	text := string(d.Act)
	if d.Network != nil {
		text += " " + d.Network.String()
	}
	if d.Until > 0 {
		text += " until " + d.Until.String()
	}
	if d.Trap != "" {
		text += fmt.Sprintf(" %s %s", d.Trap, *d.Weight)
	}
	text += ": " + d.Reason
	switch n := len(d.Changed); {
	case n > 2:
		text += fmt.Sprintf("%d keys", n)
	case n > 0:
		text += fmt.Sprint(d.Changed)
	}
	if d.Before != nil {
		text += ", before " + d.Before.Reason
	}
	return text
}
