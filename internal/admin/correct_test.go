package admin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/store"
)

func (o *office) correct(order TrapOrder) Corrected {
	o.Helper()
	order.Reason = "r"
	done, err := o.Correct(o.Context(), "tester", order)
	if err != nil {
		o.Fatalf("%s %s: %v", order.Act, order.Trap, err)
	}
	return done
}

// TestCorrect: two traps list a source. Whatever is decided about one of them changes the list at
// once, and a dry run says before what comes then.
func TestCorrect(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	const one, two, three = "one@traps.example", "two@traps.example", "three@traps.example"
	o.bring("198.51.100.7", nil, one)
	o.bring("198.51.100.7", nil, two)
	o.bring("198.51.100.8", nil, two, three)
	o.bring("198.51.100.8", nil, one)
	o.bring("2001:db8::1", nil, one)
	o.bring("2001:db8::2", nil, two)
	o.bring("192.0.2.1", nil, "old@corp.example") // somebody else's
	o.followMail()
	listed := []string{"198.51.100.7", "198.51.100.8", "2001:db8::5"}
	start := criteria.At(o.now())
	quarter := criteria.One / 4
	gone := func(sources ...string) (all []Change) {
		for _, s := range sources {
			all = append(all, change(s, criteria.Spam, criteria.Unlisted))
		}
		return all
	}
	back := func(sources ...string) (all []Change) {
		for _, s := range sources {
			all = append(all, change(s, criteria.Unlisted, criteria.Spam))
		}
		return all
	}
	for i, c := range []struct {
		order       TrapOrder
		hits, alone int
		since       criteria.Second
		want        []Change
	}{
		// 198.51.100.8 keeps a second trap in the message to two.
		{TrapOrder{Act: criteria.ActBurn, Trap: "TWO@Traps.Example"}, 3, 2, 0,
			gone("198.51.100.7", "2001:db8::/64")},
		{TrapOrder{Act: criteria.ActBurn, Trap: three}, 1, 1, 0, gone("198.51.100.8")},
		{TrapOrder{Act: criteria.ActUnburn, Trap: two}, 3, 3, 0,
			back("198.51.100.7", "198.51.100.8", "2001:db8::/64")},
		{TrapOrder{Act: criteria.ActBurn, Trap: two, Since: start}, 3, 3, start,
			gone("198.51.100.7", "198.51.100.8", "2001:db8::/64")},
		{TrapOrder{Act: criteria.ActUnburn, Trap: two}, 3, 3, start,
			back("198.51.100.7", "198.51.100.8", "2001:db8::/64")},
		{TrapOrder{Act: criteria.ActUnburn, Trap: three}, 1, 0, 0, nil},
		{TrapOrder{Act: criteria.ActReweigh, Trap: one, Weight: quarter}, 3, 3, 0, nil},
		{TrapOrder{Act: criteria.ActReweigh, Trap: one, Weight: 0}, 3, 3, 0,
			gone("198.51.100.7", "198.51.100.8", "2001:db8::/64")},
		{TrapOrder{Act: criteria.ActReweigh, Trap: one, Weight: criteria.One}, 3, 3, 0,
			back("198.51.100.7", "198.51.100.8", "2001:db8::/64")},
	} {
		name := fmt.Sprint(i, " ", c.order.Act, " ", c.order.Trap)
		if c.want == nil {
			c.want = []Change{}
		}
		for _, dry := range []bool{true, false} {
			c.order.DryRun = dry
			before := o.Store.Mark().Decision
			done := o.correct(c.order)
			if diff := cmp.Diff(c.want, done.Changes, prefixes); diff != "" {
				t.Errorf("%s: dry run %t: %s", name, dry, diff)
			}
			if done.Hits != c.hits || done.Alone != c.alone || done.Since != c.since || done.State != "active" ||
				done.Trap != strings.ToLower(c.order.Trap) || done.Who != "tester" || done.At < start {
				t.Errorf("%s: dry run %t: %+v", name, dry, done)
			}
			if decided := o.Store.Mark().Decision - before; dry == (decided > 0) || !dry && done.Seq != before+1 {
				t.Errorf("%s: dry run %t made %d decisions", name, dry, decided)
			}
		}
	}
	for _, a := range listed {
		if o.listed(a) != criteria.Spam {
			t.Errorf("%s is not listed in the end", a)
		}
	}
}

// TestOrdersDoNotWaitForEachOther: while an order waits for the log to be read anew, orders that do
// not need that are carried out, and the other way round.
func TestOrdersDoNotWaitForEachOther(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	o.blame("198.51.100.7")
	burn := TrapOrder{Act: criteria.ActBurn, Trap: "one@traps.example", Reason: "r",
		Since: criteria.At(o.now()) - 60}
	done := make(chan error, 1)
	func() {
		o.rewriting.Lock() // as such an order does until the list has followed
		defer o.rewriting.Unlock()
		go func() {
			_, err := o.Correct(t.Context(), "tester", burn)
			done <- err
		}()
		o.must(criteria.ActExcept, "192.0.2.0/24", "a friend", 0)
		o.must(criteria.ActList, "198.51.100.9/32", "r", 0)
		if o.listed("198.51.100.9") != criteria.Operator {
			t.Error("the listing does not hold")
		}
		if got := len(o.corrected()); got != 0 {
			t.Errorf("%d traps are corrected by an order that has to wait", got)
		}
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
	o.deciding.Lock()
	defer o.deciding.Unlock()
	burn.Trap = "two@traps.example"
	if _, err := o.Correct(t.Context(), "tester", burn); err != nil {
		t.Error(err)
	}
	if got := len(o.corrected()); got != 2 {
		t.Errorf("%d traps are corrected", got)
	}
}

// TestCorrectConcerns: only hits that are young enough, and received at or after the time that is
// given, and named by the message.
func TestCorrectConcerns(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	const trap = "one@traps.example"
	o.bring("198.51.100.7", nil, trap)
	o.seconds.Store(168*3600 - 1) // it counts for one more second
	o.bring("198.51.100.8", nil, trap)
	since := criteria.At(o.now())
	o.seconds.Add(10)
	o.bring("198.51.100.9", nil, trap)
	o.bring("", nil, trap)
	o.bring("198.51.100.9", func(r *store.Record) { r.Traps = nil }, trap) // while it was watching
	o.bring("198.51.100.9", nil, "two@traps.example")
	o.followMail()
	order := TrapOrder{Act: criteria.ActBurn, Trap: trap, DryRun: true}
	if got := o.correct(order); got.Hits != 2 {
		t.Errorf("all: %+v", got)
	}
	order.Since = since + 1
	if got := o.correct(order); got.Hits != 1 {
		t.Errorf("since: %+v", got)
	}
}

func TestCorrectRefuses(t *testing.T) {
	o := newOffice(t)
	o.Roster = rosterOfTests
	o.bring("198.51.100.7", nil, "x@gone.example")
	o.followMail()
	now := criteria.At(o.now())
	o.correct(TrapOrder{Act: criteria.ActBurn, Trap: "burnt@traps.example", Since: now - 10})
	before := o.Store.Mark().Decision
	for _, c := range []struct {
		name  string
		order TrapOrder
		none  bool
		want  string
	}{
		{"of no trap", TrapOrder{Act: criteria.ActBurn, Trap: "secret@elsewhere.example"}, true,
			"no [[trap]] covers the address, and no hit names it"},
		{"not burnt", TrapOrder{Act: criteria.ActUnburn, Trap: "one@traps.example"}, true, "is not burnt"},
		{"burnt so", TrapOrder{Act: criteria.ActBurn, Trap: "burnt@traps.example", Since: now - 10}, true,
			"burnt since then already, by tester: r (decision"},
		{"in times to come", TrapOrder{Act: criteria.ActBurn, Trap: "one@traps.example", Since: now + 1}, false,
			"yet to come"},
		{"before 1970", TrapOrder{Act: criteria.ActBurn, Trap: "one@traps.example", Since: -1}, false, "1970"},
		{"heavier than a trap", TrapOrder{Act: criteria.ActReweigh, Trap: "one@traps.example",
			Weight: criteria.MaxTrapWeight + 1}, false, "give 0 to 100"},
		{"of less than nothing", TrapOrder{Act: criteria.ActReweigh, Trap: "one@traps.example", Weight: -1}, false,
			"give 0 to 100"},
		{"no trap", TrapOrder{Act: criteria.ActBurn}, false, "no trap is named"},
		{"another act", TrapOrder{Act: criteria.ActList, Trap: "one@traps.example"}, false, "no order about a trap"},
	} {
		c.order.Reason = "r"
		_, err := o.Correct(t.Context(), "tester", c.order)
		if err == nil || !strings.Contains(err.Error(), c.want) || IsNone(err) != c.none {
			t.Errorf("%s: %v", c.name, err)
		} else if strings.Contains(err.Error(), "@") {
			t.Errorf("%s repeats the address: %v", c.name, err)
		}
	}
	if _, err := o.Correct(t.Context(), "tester", TrapOrder{Act: criteria.ActBurn, Trap: "a@traps.example"}); err == nil {
		t.Error("burnt without a reason")
	}
	if after := o.Store.Mark().Decision; after != before {
		t.Errorf("%d decisions were made", after-before)
	}
	// Earlier, or an address that only hits know: both may be.
	o.correct(TrapOrder{Act: criteria.ActBurn, Trap: "burnt@traps.example"})
	if done := o.correct(TrapOrder{Act: criteria.ActBurn, Trap: "X@gone.example"}); done.Hits != 1 || done.State != "" {
		t.Errorf("%+v", done)
	}
}
