package admin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/judge"
)

var prefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func change(source string, from, to criteria.Answer) Change {
	var c Change
	if err := c.Source.UnmarshalText([]byte(source)); err != nil {
		panic(err)
	}
	c.From, c.To = from, to
	return c
}

// TestDecide follows one list through every act.
func TestDecide(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	o.blame("2001:db8::5")
	for _, c := range []struct {
		name, network string
		act           criteria.Act
		seconds       int64
		want          []Change
		about         string // the network that the decision is about, if another
	}{
		{"delist", "198.51.100.7/32", criteria.ActDelist, 0,
			[]Change{change("198.51.100.7", criteria.Spam, 0)}, ""},
		{"bar what is not listed", "198.51.100.7/32", criteria.ActDelist, 60, nil, ""},
		{"list", "198.51.100.0/24", criteria.ActList, 0,
			[]Change{change("198.51.100.0/24", 0, criteria.Operator)}, ""},
		{"except a part", "198.51.100.64/26", criteria.ActExcept, 0, nil, ""},
		{"except the rest", "198.51.0.0/16", criteria.ActExcept, 0,
			[]Change{change("198.51.100.0/24", criteria.Operator, 0)}, ""},
		{"take one back", "198.51.0.0/16", criteria.ActUnexcept, 0,
			[]Change{change("198.51.100.0/24", 0, criteria.Operator)}, ""},
		{"delist a network", "198.51.100.0/24", criteria.ActDelist, 0,
			[]Change{change("198.51.100.0/24", criteria.Operator, 0)}, ""},
		{"list a unit by its address", "2001:db8::77/128", criteria.ActList, 0,
			[]Change{change("2001:db8::/64", criteria.Spam, criteria.Operator)}, "2001:db8::/64"},
		{"delist it likewise", "2001:db8::5/128", criteria.ActDelist, 0,
			[]Change{change("2001:db8::/64", criteria.Operator, 0)}, "2001:db8::/64"},
		{"except an address of IPv6 alone", "2001:db8::5/128", criteria.ActExcept, 0, nil, ""},
	} {
		e := o.must(c.act, c.network, c.name, c.seconds)
		about := c.network
		if c.about != "" {
			about = c.about
		}
		if c.want == nil {
			c.want = []Change{}
		}
		if diff := cmp.Diff(c.want, e.Changes, prefixes); diff != "" {
			t.Errorf("%s: changes: %s", c.name, diff)
		}
		if e.Network.String() != about || e.Act != c.act || e.Reason != c.name || e.Who != "tester" ||
			e.Seq != o.Store.Mark().Decision || e.At != criteria.At(o.now()) {
			t.Errorf("%s: %+v", c.name, e)
		}
		if want := criteria.At(o.now()) + criteria.Second(c.seconds); c.seconds > 0 && e.Until != want ||
			c.seconds == 0 && e.Until != 0 {
			t.Errorf("%s: until %v", c.name, e.Until)
		}
	}
}

// TestDecideRefuses: what may not be decided, and is not.
func TestDecideRefuses(t *testing.T) {
	o := newOffice(t)
	o.must(criteria.ActList, "198.51.100.0/24", "all of it", 0)
	o.must(criteria.ActExcept, "192.0.2.0/25", "ours", 0)
	if _, err := o.Import(t.Context(), "tester", importOf("dnswl", "198.51.100.128/25")); err != nil {
		t.Fatal(err)
	}
	before := o.Store.Mark().Decision
	for _, c := range []struct {
		name, network string
		act           criteria.Act
		none          bool
		want          string
	}{
		{"in an exception", "192.0.2.7/32", criteria.ActList, false, "192.0.2.0/25 is excepted: ours " +
			"(tester): trapline except rm 192.0.2.0/25"},
		{"in one of the configuration", "203.0.113.0/25", criteria.ActList, false,
			`take the [[except]] with network = "203.0.113.0/24" out of the configuration, and reload`},
		{"in an imported one", "198.51.100.130/32", criteria.ActList, false, "import dnswl anew"},
		{"special space", "10.0.0.1/32", criteria.ActList, false, "special-purpose"},
		{"special space of IPv6", "fd00::/64", criteria.ActList, false, "special-purpose"},
		{"a part of a listing", "198.51.100.7/32", criteria.ActDelist, false, "delist 198.51.100.0/24, or except 198.51.100.7"},
		{"not listed", "192.0.2.200/32", criteria.ActDelist, true, "is not listed: give --for"},
		{"no exception", "192.0.2.128/25", criteria.ActUnexcept, true, "see trapline except list"},
		{"a part of one", "192.0.2.0/26", criteria.ActUnexcept, true, "it lies in 192.0.2.0/25"},
		{"one of the configuration", "203.0.113.0/24", criteria.ActUnexcept, false, "[[except]]"},
		{"an imported one", "198.51.100.128/25", criteria.ActUnexcept, false, "import dnswl anew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := o.decide(c.act, c.network, "r", 0)
			if err == nil || !strings.Contains(err.Error(), c.want) || IsNone(err) != c.none {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if after := o.Store.Mark().Decision; after != before {
		t.Errorf("%d decisions were made", after-before)
	}
}

// TestDelistedHitsStayOut: what was delisted does not come back from old hits, and bars hold.
func TestDelistedHitsStayOut(t *testing.T) {
	o := newOffice(t)
	o.blame("198.51.100.7")
	o.must(criteria.ActDelist, "198.51.100.7/32", "cleaned up", 600)
	o.blame("198.51.100.7")
	if got := o.listed("198.51.100.7"); got != criteria.Unlisted {
		t.Errorf("while it is barred: %s", got)
	}
	o.seconds.Store(600)
	o.blame("198.51.100.8") // so that time has passed for the judge
	if got := o.listed("198.51.100.7"); got != criteria.Spam {
		t.Errorf("hits since, once the bar is over: %q", got)
	}
	o.must(criteria.ActDelist, "198.51.100.7/32", "again", 0)
	if got := o.listed("198.51.100.7"); got != criteria.Unlisted {
		t.Errorf("delisted for good: %s", got)
	}
}

// TestDecideNotReady: while the log is read nobody knows what an order would change.
func TestDecideNotReady(t *testing.T) {
	o := newUnreadOffice(t)
	_, err := o.decide(criteria.ActList, "198.51.100.7/32", "r", 0)
	if !errors.Is(err, judge.ErrNotReady) {
		t.Errorf("got %v", err)
	}
	if n := o.Store.Mark().Decision; n != 1 {
		t.Errorf("%d decisions", n)
	}
}

// TestDecideAtOnce: orders that come at once each have their own number and their own effect.
func TestDecideAtOnce(t *testing.T) {
	o := newOffice(t)
	var wait sync.WaitGroup
	seqs := make([]uint64, 20)
	for i := range seqs {
		wait.Go(func() {
			address := fmt.Sprintf("198.51.100.%d", i)
			e, err := o.decide(criteria.ActList, address+"/32", "r", 0)
			if want := []Change{change(address, 0, criteria.Operator)}; err != nil ||
				!cmp.Equal(want, e.Changes, prefixes) {
				t.Errorf("%s: %v, %+v", address, err, e)
			}
			seqs[i] = e.Seq
		})
	}
	wait.Wait()
	slices.Sort(seqs)
	if n := len(slices.Compact(seqs)); n != 20 {
		t.Errorf("%d numbers for 20 orders", n)
	}
}

// TestWhoDecides: the author is who the kernel says is at the other end.
func TestWhoDecides(t *testing.T) {
	o := newOffice(t)
	e, err := o.door().Decide(context.Background(), Order{Act: criteria.ActList, Reason: "r",
		Network: netip.MustParsePrefix("198.51.100.7/32")})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("uid %d", os.Getuid())
	if e.Who != want && !strings.HasPrefix(e.Who, want+" (") {
		t.Errorf("by %q, want %s", e.Who, want)
	}
}

// TestOrdersOfOthers: an order that is none is refused in words.
func TestOrdersOfOthers(t *testing.T) {
	client := newOffice(t).door()
	for _, order := range []any{"list", 7, []string{}, map[string]any{"act": "list", "nonsense": 1},
		map[string]any{"network": "198.51.100.0/99"}} {
		err := client.order(context.Background(), "decide", order, &struct{}{})
		var p *ProblemError
		if !errors.As(err, &p) || p.Status != 400 || p.Hint == "" {
			t.Errorf("%v: %v", order, err)
		}
	}
}
