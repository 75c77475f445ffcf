package notice

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/address"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// story is what comes of one source, and when somebody looks.
type story struct {
	source string
	policy criteria.Policy
	lists  netip.Prefix  // by the operator, from the begin on
	hits   []told        // ascending
	looks  time.Duration // between two of them
	end    time.Duration
}

// told is a message at an instant.
type told struct {
	after time.Duration
	of    string // source
	trap  string
	cause parser.Cause
	extra bool // it is in one of two stories that are alike otherwise
}

// seen is what one look showed.
type seen struct {
	after  time.Duration
	zone   string // what the zone tells anyway
	notice string
	scored bool // it is listed by its own score
	lone   bool // what came of it until now, came to one trap
}

// around is the network that anybody may look up at once.
func around(source string) netip.Prefix {
	a := netip.MustParseAddr(source)
	if a.Is4() {
		return netip.PrefixFrom(a, 24).Masked()
	}
	return netip.PrefixFrom(a, 48).Masked()
}

// tell plays a story and gives what was seen, with or without the extra message.
func (s story) tell(t *testing.T, extra bool) (all []seen) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, s.policy)
		defer d.stop()
		if s.lists.IsValid() {
			d.decide(criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "r", Network: s.lists,
				Until: criteria.Never})
		}
		begin := time.Now()
		hits, traps := slices.Clone(s.hits), map[string]bool{}
		for look := s.looks; look <= s.end; look += s.looks {
			for len(hits) > 0 && hits[0].after < look {
				pass(hits[0].after - time.Since(begin))
				h := hits[0]
				if h.of == s.source {
					traps[h.trap] = true
				}
				if !h.extra || extra {
					d.hit(h.of, func(r *store.Record) { r.Cause = h.cause }, h.trap)
				} else {
					d.sent++ // contents that follow are alike in both
				}
				hits = hits[1:]
			}
			pass(look - time.Since(begin))
			n := d.see(s.source)
			list, err := d.Within(around(s.source))
			if err != nil {
				t.Fatal(err)
			}
			body, err := json.Marshal([]any{n, list})
			if err != nil {
				t.Fatal(err)
			}
			zone := []any{n.State.IsListed(), n.Answer, n.Since}
			for _, l := range list {
				zone = append(zone, l.Source, l.Answer, l.Since)
			}
			scored := n.Answer == criteria.Spam || n.Answer == criteria.Backscatter
			all = append(all, seen{look, fmt.Sprint(zone...), string(body), scored, len(traps) < 2})
		}
	})
	return all
}

// anyStory is a random one, with one extra message in it. By turns its source is left alone,
// covered by a listing of the operator, or lies among neighbours that are listed.
func anyStory(seed uint64) story {
	r := rand.New(rand.NewPCG(seed, 3))
	s := story{source: []string{"198.51.100.7", "2001:db8::7"}[r.IntN(2)], policy: criteria.DefaultPolicy(),
		looks: 10 * time.Minute, end: 15 * time.Hour}
	s.policy.Threshold = []criteria.Micro{25, 60}[r.IntN(2)] * criteria.One
	s.policy.DelistAfter = []time.Duration{4, 24}[r.IntN(2)] * time.Hour
	s.policy.DelistAfterFew = s.policy.DelistAfter / 2
	tale := func(extra bool) told {
		return told{time.Duration(r.Int64N(int64(8 * time.Hour))), s.source,
			fmt.Sprintf("trap%d@traps.example", r.IntN(3)),
			[]parser.Cause{parser.Relay, parser.Bounce}[r.IntN(2)], extra}
	}
	for range r.IntN(6) {
		s.hits = append(s.hits, tale(false))
	}
	s.hits = append(s.hits, tale(true))
	switch seed % 3 {
	case 1:
		s.lists = around(s.source)
	case 2:
		s.amongListed()
	}
	slices.SortStableFunc(s.hits, func(a, b told) int { return int(a.after - b.after) })
	return s
}

// amongListed has two neighbours listed from the begin on, and the network with them.
func (s *story) amongListed() {
	s.policy.MinListed = 2
	for n := range 8 {
		for _, a := range []string{"198.51.100.20", "198.51.100.21"} {
			if around(s.source).Addr().Is6() {
				a = "2001:db8:0:" + a[len(a)-2:] + "::1"
			}
			for trap := range 2 {
				s.hits = append(s.hits, told{time.Duration(n) * 100 * time.Minute, a,
					fmt.Sprintf("trap%d@traps.example", trap), parser.Relay, false})
			}
		}
	}
}

// TestBisection plays pairs of stories that differ in one message alone. As long as the zone tells
// both sources alike, nobody can tell the notices apart: of one that its score lists until the
// next full hour, of another until six hours are over, too, and never while one trap alone saw it.
// The list of the network around is looked at each time.
func TestBisection(t *testing.T) {
	compared, covered, apart := 0, 0, 0
	for seed := range uint64(12) {
		s := anyStory(seed)
		extra := s.hits[slices.IndexFunc(s.hits, func(h told) bool { return h.extra })].after
		with, without := s.tell(t, true), s.tell(t, false)
		for i := range with {
			a, b := with[i], without[i]
			if a.after <= extra {
				continue
			}
			if a.zone != b.zone {
				break // the zone has told
			}
			until := extra.Truncate(time.Hour) + time.Hour
			switch {
			case !a.scored && a.lone:
				until = s.end
			case !a.scored:
				until += 6 * time.Hour
			}
			switch {
			case a.after >= until && a.notice != b.notice:
				apart++
			case a.after < until && a.notice != b.notice:
				t.Fatalf("seed %d, message at %s, seen at %s:\n%s", seed, extra, a.after,
					cmp.Diff(a.notice, b.notice))
			case a.after < until:
				compared++
				if seed%3 > 0 && !a.scored {
					covered++
				}
			}
		}
	}
	t.Logf("%d pairs compared, %d of them under others' listings, %d told apart when they may be",
		compared, covered, apart)
	if compared < 50 || covered < 50 || apart < 5 {
		t.Error("too few of either: the test proves nothing")
	}
}

// TestCovered: a listing of others, around an address or of it alone, makes no hit of it visible
// that one trap alone saw, however old, and shows what two traps saw only when six hours are over.
func TestCovered(t *testing.T) {
	for _, lists := range []string{"203.0.113.0/24", "203.0.113.7/32"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, criteria.DefaultPolicy())
			defer d.stop()
			d.decide(criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "r",
				Network: netip.MustParsePrefix(lists), Until: criteria.Never})
			d.hit("203.0.113.7", nil, "one@traps.example")
			for range 10 {
				pass(time.Hour)
				n := d.see("203.0.113.7")
				if n.State != Operator || !n.Endless || n.Sum != nil || n.LastHit != 0 || n.Days != nil ||
					len(n.Causes) > 0 || len(n.Hits) > 0 || n.OneMore != nil {
					t.Fatalf("%s: what one trap saw is told: %+v", lists, n)
				}
			}
			d.hit("203.0.113.7", nil, "two@traps.example")
			pass(6 * time.Hour)
			if n := d.see("203.0.113.7"); n.Sum != nil {
				t.Errorf("%s: six hours later: %+v", lists, n)
			}
			pass(time.Hour)
			if n := d.see("203.0.113.7"); n.Sum == nil || n.Sum.Counted != 2 || len(n.Hits) != 2 {
				t.Errorf("%s: what two traps saw is not told: %+v", lists, n)
			}
		})
	}
}

// TestOwn: of what is ours, and excepted for that, as little is known as of what never was seen.
func TestOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		d.decide(criteria.Decision{Act: criteria.ActExcept, Who: "config", Origin: criteria.FromSelf,
			Reason: "trust.relay", Network: netip.MustParsePrefix("192.0.2.10/32")},
			criteria.Decision{Act: criteria.ActExcept, Who: "root", Origin: criteria.FromOperator,
				Reason: "mail for one@traps.example", Network: netip.MustParsePrefix("192.0.2.11/32")})
		d.hit("192.0.2.10", nil, "one@traps.example")
		d.hit("192.0.2.10", nil, "two@traps.example")
		pass(8 * time.Hour)
		own, unseen := d.see("192.0.2.10"), d.see("192.0.2.12")
		unseen.Address, unseen.Scope = own.Address, own.Scope
		if diff := cmp.Diff(own, unseen, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
			cmp.Comparer(func(a, b criteria.Source) bool { return a == b })); diff != "" {
			t.Errorf("a relay of ours can be told:\n%s", diff)
		}
		if n := d.see("192.0.2.11"); n.State != Excepted || n.Reason != "" {
			t.Errorf("an exception is %+v", n)
		}
		if n := d.see("10.0.0.1"); n.State != Special || !address.Special(n.Address) {
			t.Errorf("a private address is %+v", n)
		}
	})
}
