package admin

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

// TestSettle: a reload answers when the list has followed, and tells what it changed.
func TestSettle(t *testing.T) {
	o := newOffice(t)
	client := o.door()
	for _, a := range []string{"198.51.100.7", "198.51.100.8"} {
		o.blame(a)
	}
	friend := netip.MustParsePrefix("203.0.113.0/24")
	strict := criteria.DefaultPolicy()
	strict.MinReports = 3
	steps := []struct {
		name    string
		policy  criteria.Policy
		except  map[netip.Prefix]string
		want    Settled
		changes []Change
	}{
		{"as before", criteria.DefaultPolicy(), map[netip.Prefix]string{friend: "a friend"},
			Settled{Policy: 1}, []Change{}},
		{"one more exception", criteria.DefaultPolicy(),
			map[netip.Prefix]string{friend: "a friend", netip.MustParsePrefix("198.51.100.7/32"): "ours"},
			Settled{Policy: 1, Decisions: 1, Exceptions: 1, Ended: 1}, []Change{change("198.51.100.7", criteria.Spam, 0)}},
		{"another policy", strict, map[netip.Prefix]string{friend: "a friend"},
			Settled{Another: true, Decisions: 2, Exceptions: 1, Ended: 1}, []Change{change("198.51.100.8", criteria.Spam, 0)}},
		{"the first again", criteria.DefaultPolicy(), map[netip.Prefix]string{friend: "a friend"},
			Settled{Another: true, Decisions: 1, Begun: 2},
			[]Change{change("198.51.100.7", 0, criteria.Spam), change("198.51.100.8", 0, criteria.Spam)}},
	}
	for _, c := range steps {
		committed := 0
		got, err := o.Settle(t.Context(), "config", judge.Settings{Policy: c.policy, Except: c.except},
			func() { committed++ })
		if err != nil || committed != 1 {
			t.Fatalf("%s: %v, committed %d times", c.name, err, committed)
		}
		if c.want.Another {
			p, err := client.Policy()
			if err != nil || p.Version != got.Policy || !p.Criteria.Equal(c.policy) {
				t.Errorf("%s: in force is %+v, %v", c.name, p, err)
			}
			c.want.Policy = got.Policy
		}
		c.want.Changes, c.want.Areas = c.changes, []Area{}
		if diff := cmp.Diff(c.want, got, prefixes); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestSettleMany: of many changes all are counted, and the first are told.
func TestSettleMany(t *testing.T) {
	o := newOffice(t)
	a := netip.MustParseAddr("198.51.100.1")
	for range mostShown + 1 {
		o.bring(a.String(), nil, "one@traps.example")
		o.bring(a.String(), nil, "two@traps.example")
		a = a.Next()
	}
	o.followMail()
	strict := criteria.DefaultPolicy()
	strict.MinReports = 3
	got, err := o.Settle(t.Context(), "config", judge.Settings{Policy: strict}, func() {})
	if err != nil || got.Ended != mostShown+1 || len(got.Changes) != mostShown || got.Begun+got.Changed != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSettleUnread: while the log is read, a reload goes into the ledger, and says that the list
// follows later.
func TestSettleUnread(t *testing.T) {
	o := newUnreadOffice(t)
	strict := criteria.DefaultPolicy()
	strict.MinReports = 3
	committed := false
	got, err := o.Settle(t.Context(), "config", judge.Settings{Policy: strict}, func() { committed = true })
	if err != nil || !committed || !got.Reading || !got.Another || got.Policy != o.Store.Mark().Decision {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSettleRefused: what cannot be written leaves everything as it was.
func TestSettleRefused(t *testing.T) {
	o := newUnreadOffice(t)
	o.Store.Stop()
	strict := criteria.DefaultPolicy()
	strict.MinReports = 3
	_, err := o.Settle(t.Context(), "config", judge.Settings{Policy: strict}, func() {
		t.Error("committed")
	})
	if err == nil {
		t.Error("a ledger that is closed took a decision")
	}
}
