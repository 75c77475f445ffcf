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
	hits   []told        // ascending
	looks  time.Duration // between two of them
	end    time.Duration
}

// told is a message at an instant.
type told struct {
	after time.Duration
	trap  string
	cause parser.Cause
	extra bool // it is in one of two stories that are alike otherwise
}

// seen is what one look showed.
type seen struct {
	after  time.Duration
	zone   string // what the zone tells anyway
	notice string
	listed bool
}

// tell plays a story and gives what was seen, with or without the extra message.
func (s story) tell(t *testing.T, extra bool) (all []seen) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, s.policy)
		defer d.stop()
		begin := time.Now()
		hits := slices.Clone(s.hits)
		for look := s.looks; look <= s.end; look += s.looks {
			for len(hits) > 0 && hits[0].after < look {
				pass(hits[0].after - time.Since(begin))
				if !hits[0].extra || extra {
					h := hits[0]
					d.hit(s.source, func(r *store.Record) { r.Cause = h.cause }, h.trap)
				} else {
					d.sent++ // contents that follow are alike in both
				}
				hits = hits[1:]
			}
			pass(look - time.Since(begin))
			n := d.see(s.source)
			body, err := json.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, seen{look, fmt.Sprint(n.State.IsListed(), n.Answer, n.Since), string(body),
				n.State.IsListed()})
		}
	})
	return all
}

// anyStory is a random one, with one extra message in it.
func anyStory(seed uint64) story {
	r := rand.New(rand.NewPCG(seed, 3))
	s := story{source: []string{"198.51.100.7", "2001:db8::7"}[r.IntN(2)], policy: criteria.DefaultPolicy(),
		looks: 10 * time.Minute, end: 15 * time.Hour}
	s.policy.Threshold = []criteria.Micro{25, 60}[r.IntN(2)] * criteria.One
	s.policy.DelistAfter = []time.Duration{4, 24}[r.IntN(2)] * time.Hour
	s.policy.DelistAfterFew = s.policy.DelistAfter / 2
	tale := func(extra bool) told {
		return told{time.Duration(r.Int64N(int64(8 * time.Hour))), fmt.Sprintf("trap%d@traps.example", r.IntN(3)),
			[]parser.Cause{parser.Relay, parser.Bounce}[r.IntN(2)], extra}
	}
	for range r.IntN(6) {
		s.hits = append(s.hits, tale(false))
	}
	s.hits = append(s.hits, tale(true))
	slices.SortStableFunc(s.hits, func(a, b told) int { return int(a.after - b.after) })
	return s
}

// TestBisection plays pairs of stories that differ in one message alone. As long as the zone tells
// both sources alike, nobody can tell the notices apart: of a listed one until the next full
// hour, of another until six hours are over, too.
func TestBisection(t *testing.T) {
	compared, apart := 0, 0
	for seed := range uint64(8) {
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
			if !a.listed {
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
			}
		}
	}
	t.Logf("%d pairs compared, %d told apart when they may be", compared, apart)
	if compared < 50 || apart < 5 {
		t.Error("too few of either: the test proves nothing")
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
