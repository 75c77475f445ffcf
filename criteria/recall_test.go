package criteria

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRecall: of the present second and all hits it is the look-up; of a second that is past, what
// an engine says that never heard of later hits.
func TestRecall(t *testing.T) {
	for _, source := range []string{"198.51.100.7", "2001:db8::7"} {
		a := netip.MustParseAddr(source)
		now, then := NewEngine(fast(), Corrections{}), NewEngine(fast(), Corrections{})
		for i := range uint64(12) {
			h := Hit{LSN: i + 1, Stamp: start + Second(i), Time: start + Second(i), Source: a, Weight: One,
				Traps: []string{string(rune('a'+i%4)) + "@traps.example"}, Digest: Digest{byte(i + 1)}}
			now.Hit(h)
			if i < 5 {
				then.Hit(h)
			}
		}
		now.Advance(start + 14)
		if diff := diffOf(now.Lookup(a).Verdict, now.Recall(a, start+14, 1<<48).Verdict); diff != "" {
			t.Errorf("%s, the present:\n%s", source, diff)
		}
		if diff := diffOf(now.WhatIf(a).NewTrap, now.Recall(a, start+14, 1<<48).OneMore); diff != "" {
			t.Errorf("%s, one more at present:\n%s", source, diff)
		}
		then.Advance(start + 6)
		r := now.Recall(a, start+6, 6)
		if diff := diffOf(then.Lookup(a).Verdict, r.Verdict); diff != "" {
			t.Errorf("%s, the past:\n%s", source, diff)
		}
		if diff := diffOf(then.WhatIf(a).NewTrap, r.OneMore); diff != "" {
			t.Errorf("%s, one more in the past:\n%s", source, diff)
		}
		if r := now.Recall(a, start+6, 2); r.Verdict.Listed || r.Lacks != Reports || r.Barred {
			t.Errorf("%s, the first hit alone: %+v", source, r)
		}
	}
}

func diffOf(want, got Verdict) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b Number) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b Source) bool { return a == b }))
}
