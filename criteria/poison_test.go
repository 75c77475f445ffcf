package criteria

import (
	"net/netip"
	"testing"

	"github.com/trapline/trapline/parser"
)

// TestPoisoning holds what somebody may do to have an innocent address listed.
// Before: it works where the rule against it is switched off. After: it does not
// under the default policy, or under the key that the operator sets against it.
func TestPoisoning(t *testing.T) {
	same := func(h *Hit) { h.Digest = Digest{9} }
	weight := func(w Micro) func(*Hit) { return func(h *Hit) { h.Weight = w } }
	oneTrap, oneDesk := trapHits(20, 0).of("t@traps.example"), reports(20, 0).of("desk")
	for _, c := range []struct {
		name          string
		before, after []string // key, value, key, value …
		hits          []Hit
		instead       []Hit // before, where no key switches the rule off: hits that it does not meet
		points        int64
		fails         Ending
	}{
		{name: "one message sent to a trap again and again", before: []string{"repeat_window", "0s", "min_traps", "1"},
			after: []string{"min_traps", "1"}, hits: hitsOf(oneTrap.with(same)), fails: Reports},
		{name: "a known trap subscribed to a newsletter", before: []string{"min_traps", "1"},
			hits: hitsOf(oneTrap), fails: Traps},
		{name: "one trap fills the sum and a second makes it two",
			before: []string{"max_hits_per_trap", "100", "threshold", "1000"},
			after:  []string{"threshold", "1000"}, hits: hitsOf(oneTrap, trapHits(1, 0)), fails: Threshold},
		{name: "every address at one leaked trap domain", after: []string{"min_trap_domains", "2"},
			hits: hitsOf(trapHits(10, 0)), fails: TrapDomains},
		{name: "subdomains of one leaked trap domain", after: []string{"min_trap_domains", "2"},
			hits:  hitsOf(trapHits(5, 0).of("t%d@a.traps.example"), trapHits(5, 0).of("t%d@b.traps.example")),
			fails: TrapDomains},
		{name: "one desk reports whom it dislikes", before: []string{"max_reports_per_reporter", "100"},
			after: []string{"max_reports_per_reporter", "100"}, hits: hitsOf(oneDesk),
			instead: hitsOf(oneDesk, reports(1, 0).of("other")), fails: Traps},
		{name: "two desks, one of them a flood", before: []string{"max_reports_per_reporter", "100"},
			hits: hitsOf(oneDesk, reports(1, 0).of("other")), fails: Threshold},
		{name: "old customers' mail to recycled traps", hits: hitsOf(trapHits(2, 0).with(weight(One / 2))),
			instead: hitsOf(trapHits(2, 0)), fails: Threshold},
		{name: "slips of the finger at typo traps", hits: hitsOf(trapHits(4, 0).with(weight(One / 4))),
			instead: hitsOf(trapHits(4, 0)), fails: Threshold},
		{name: "a customer of a large provider", before: []string{"reputation_ratio", "0"},
			hits: hitsOf(trapHits(2, 0)), points: 5000, fails: Ratio},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.hits
			if c.instead != nil {
				before = c.instead
			}
			if v := Score(policyOf(t, c.before...), before, start, c.points); !v.Listed {
				t.Errorf("before: not listed: %s", v.Why)
			}
			after := policyOf(t, c.after...)
			if v := Score(after, c.hits, start, c.points); v.Listed {
				t.Errorf("after: %s", v.Why)
			}
			if why := whyNot(after, c.hits, c.points); why != c.fails {
				t.Errorf("after: fails %s, want %s", why, c.fails)
			}
		})
	}
}

func policyOf(t *testing.T, keys ...string) Policy {
	t.Helper()
	p := DefaultPolicy()
	for i := 0; i < len(keys); i += 2 {
		if err := p.Set(keys[i], keys[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range p.Check() {
		t.Fatal(f)
	}
	return p
}

// Words of a message never weigh: whatever cause they suggest, the score is the
// same, and only the answer tells bounces and autoreplies apart.
func TestHeaderWordsNeverWeigh(t *testing.T) {
	for _, cause := range parser.Causes() {
		hits := hitsOf(trapHits(2, 0).with(func(h *Hit) { h.Cause = cause }))
		v := Score(DefaultPolicy(), hits, start, 0)
		if v.Score.String() != "64" || !v.Listed {
			t.Errorf("%s: score %s, listed %v", cause, v.Score, v.Listed)
		}
	}
}

// An exception stands whatever falls into the traps, and what fell under it does
// not come back as long as it lasts.
func TestExceptionAgainstPoisoning(t *testing.T) {
	e := fed(DefaultPolicy(), hitsOf(trapHits(10, 0))...)
	if answerOf(e, "198.51.100.7") != Spam {
		t.Fatal("before: not listed")
	}
	order(t, e, Decision{Act: ActExcept, Origin: FromOperator, Reason: "everybody needs it",
		Network: netip.MustParsePrefix("198.51.100.0/24")})
	if a := answerOf(e, "198.51.100.7"); a != Unlisted {
		t.Errorf("after: %s", a)
	}
}
