package criteria

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/trapline/trapline/parser"
)

// TestPoisoning holds what somebody may do to have an innocent address listed.
// Before: it works where the rule against it is switched off. After: it does not
// under the default policy, or under the key that the operator sets against it.
func TestPoisoning(t *testing.T) {
	same := func(h *Hit) { h.Digest = Digest{9} }
	weight := func(w Micro) func(*Hit) { return func(h *Hit) { h.Weight = w } }
	watching := func(h *Hit) { h.Traps, h.Weight = nil, 0 } // as a hit is recorded that no active trap took
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
		{name: "a desk hands in one delivery twice", before: []string{"repeat_window", "0s", "threshold", "12"},
			after: []string{"threshold", "12"}, hits: hitsOf(reports(2, 0).of("desk").with(same), reports(1, 0).of("other")),
			fails: Threshold},
		{name: "mail to a trap that is watched before it may count", hits: hitsOf(trapHits(20, 0).with(watching)),
			instead: hitsOf(trapHits(20, 0)), fails: Reports},
		{name: "one message to such traps, active since", before: []string{"threshold", "20"}, after: []string{"threshold", "20"},
			hits:    hitsOf(trapHits(20, 60).with(watching), trapHits(1, 0).of("a@traps.example+b@traps.example")),
			instead: hitsOf(trapHits(20, 60), trapHits(1, 0).of("a@traps.example+b@traps.example")), fails: Reports},
		{name: "a flood that outgrows any reputation", before: []string{"max_counted", "2000"},
			hits: hitsOf(trapHits(1001, 0)), points: 800_000_001, fails: Ratio},
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

// Causes never weigh: whichever the words of a message suggest, the score is the
// same, and only the answer tells bounces and autoreplies apart.
func TestCausesNeverWeigh(t *testing.T) {
	for _, cause := range parser.Causes() {
		hits := hitsOf(trapHits(2, 0).with(func(h *Hit) { h.Cause = cause }))
		v := Score(DefaultPolicy(), hits, start, 0)
		if v.Score.String() != "64" || !v.Listed {
			t.Errorf("%s: score %s, listed %v", cause, v.Score, v.Listed)
		}
	}
}

// Words of a message never weigh: what a sender writes above his text, or forges
// of an envelope, scores as the plain message does, from the same source.
func TestHeaderWordsNeverWeigh(t *testing.T) {
	const (
		plain  = "From: a@sender.example\nTo: t@traps.example\nSubject: offer\n\nBuy.\n"
		answer = "In-Reply-To: <1@traps.example>\n"
		list   = "List-Id: <l.example>\nList-Post: <mailto:l@lists.example>\nList-Unsubscribe: <mailto:u@lists.example>\n"
		bounce = "From: MAILER-DAEMON@mx.example\nTo: t@traps.example\n" +
			"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" +
			"--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n" +
			"Final-Recipient: rfc822; x@other.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
	)
	for _, c := range []struct {
		name, mailFrom string // "": the null reverse path
		message        string
		cause          Cause
	}{
		{"none", "a@sender.example", plain, parser.Direct},
		{"calls itself automatic", "a@sender.example", "Auto-Submitted: auto-replied\n" + plain, parser.Direct},
		{"an automatic answer", "", "Auto-Submitted: auto-replied\n" + answer + plain, parser.Autoreply},
		{"of low precedence", "a@sender.example", "Precedence: bulk\n" + plain, parser.Direct},
		{"an answer by its precedence", "", "Precedence: auto_reply\n" + answer + plain, parser.Autoreply},
		{"calls itself a list", "a@sender.example", "List-Id: <l.example>\n" + plain, parser.Direct},
		{"of a list", "l-bounces@lists.example", list + plain, parser.List},
		{"urgent", "a@sender.example", "X-Priority: 1 (Highest)\nImportance: high\n" + plain, parser.Direct},
		{"no spam, it says", "a@sender.example", "X-Spam-Score: -99\nX-Spam-Status: No\n" + plain, parser.Direct},
		{"spam, it says", "a@sender.example", "X-Spam-Score: 99\nX-Spam-Flag: YES\n" + plain, parser.Direct},
		{"the null reverse path", "", plain, parser.Direct},
		{"a forged bounce", "", bounce, parser.Bounce},
		{"a forged bounce with a reverse path", "a@sender.example", bounce, parser.Direct},
		{"a forged line of another host", "a@sender.example", "Received: from v.example (v.example [203.0.113.9])\n" +
			"\tby mx.traps.example (Postfix) with ESMTP id 1\n" + plain, parser.Relay},
	} {
		t.Run(c.name, func(t *testing.T) {
			var hits []Hit
			for n := range 2 {
				from := parser.Connection{Peer: netip.MustParseAddr("198.51.100.7"), Helo: "mail.sender.example",
					MailFrom: c.mailFrom, NullSender: c.mailFrom == "", At: start.Time()}
				trace := parser.Parse([]byte(c.message), from, parser.Trust{})
				if trace.Cause != c.cause {
					t.Errorf("cause %s %q, want %s", trace.Cause, trace.Marks, c.cause)
				}
				sum := sha256.Sum256([]byte(c.message))
				hits = append(hits, Hit{LSN: uint64(n + 1), Stamp: start, Time: start, Source: trace.Source,
					Traps: []string{fmt.Sprintf("t%d@traps.example", n)}, Weight: One, Cause: trace.Cause,
					Digest: Digest(sum[:16])})
			}
			v := Score(DefaultPolicy(), hits, start, 0)
			if v.Source.String() != "198.51.100.7" || v.Score.String() != "64" || v.Reports != 2 || v.Traps != 2 ||
				v.Until != start+12*hour {
				t.Errorf("%s: score %s of %d reports, until %s", v.Source, v.Score, v.Reports, v.Until)
			}
		})
	}
}

// TestDecisionsAgainstPoisoning: what the operator decides stands whatever falls
// into the traps later, and what it takes out does not come back.
func TestDecisionsAgainstPoisoning(t *testing.T) {
	host, network := netip.MustParsePrefix("198.51.100.7/32"), netip.MustParsePrefix("198.51.100.0/24")
	hits := hitsOf(trapHits(3, 0))
	burn := func(trap string) Decision { return Decision{Act: ActBurn, Trap: trap, Since: start - hour} }
	for _, c := range []struct {
		name  string
		after []Decision
		later int // hits on as many other traps
		why   string
	}{
		{"a removal", []Decision{{Act: ActDelist, Network: host, After: 3}}, 1, "not listed: 1 report, 2 needed"},
		{"a removal for a time", []Decision{{Act: ActDelist, Network: host, After: 3, Until: start + hour}}, 20,
			"not listed: delisted by the operator until "},
		{"an exception", []Decision{{Act: ActExcept, Network: network, Origin: FromOperator, Reason: "needed"}}, 20,
			"never listed: needed"},
		{"two of three traps burnt", []Decision{burn("t0@traps.example"), burn("t2@traps.example")}, 0,
			"not listed: 1 report, 2 needed"},
		{"a trap as if it were watched", []Decision{{Act: ActReweigh, Trap: "t0@traps.example", After: 3},
			{Act: ActReweigh, Trap: "t1@traps.example", After: 3}}, 0, "not listed: 1 report, 2 needed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := NewEngine(DefaultPolicy(), CorrectionsOf(c.after))
			for _, h := range hits {
				e.Hit(h)
			}
			e.Advance(start)
			if a := answerOf(e, "198.51.100.7"); a != Spam {
				t.Errorf("before: %q", a)
			}
			for _, d := range c.after {
				order(t, e, d)
			}
			for n := range c.later {
				h := hitOn(4+n, "198.51.100.7", fmt.Sprintf("later%d@traps.example", n))
				h.Stamp, h.Time = start, start
				e.Hit(h)
			}
			if v := e.Lookup(host.Addr()); v.Listed || !strings.HasPrefix(v.Why, c.why) {
				t.Errorf("after: %s", v.Why)
			}
		})
	}
}
