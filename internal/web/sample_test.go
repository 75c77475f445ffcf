package web

import (
	"net/netip"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/notice"
)

func causeOf(word string) (c criteria.Cause) {
	_ = c.UnmarshalText([]byte(word)) // of a constant
	return c
}

// monthForTests is 30 days on which something came now and then.
func monthForTests() []notice.Day {
	days := make([]notice.Day, 0, 30)
	for i := range criteria.Day(30) {
		d := notice.Day{Date: (criteria.DayOf(at(0)) - i).String()}
		switch i % 7 {
		case 0:
			d.Spam, d.Reports = 40-int(i), 1
		case 1:
			d.Spam, d.Backscatter = 12, 30
		case 3:
			d.Backscatter = 3
		}
		days = append(days, d)
	}
	return days
}

func listedForTests(serial *uint32) notice.Notice {
	ignored := 2
	return notice.Notice{Scope: scopeOf("198.51.100.7"), State: notice.Listed, Answer: criteria.Spam,
		AsOf: at(0), Since: at(-30), Until: at(18), EndsBy: criteria.DelistAfter, LastHit: at(-7),
		Published: serial, Causes: map[criteria.Cause]int{causeOf("relay"): 3, causeOf("bounce"): 1},
		Sum: &notice.Sum{Traps: 9.8, Reports: 1, Score: 97, Needed: 25, Counted: 5, Squared: true,
			Parts: []notice.Part{
				{Date: "2026-11-24", Class: notice.Spam, Count: 2, Weight: 7.1},
				{Date: "2026-11-23", Class: notice.Backscatter, Count: 1, Weight: 2.7},
				{Date: "2026-11-19", Class: notice.Reported, Count: 1, Weight: 1}}},
		OneMore: &notice.Prospect{Listed: true, Score: 190, Until: at(24)},
		Days:    monthForTests(),
		Hits: []notice.Hit{
			{Hour: at(-7), Class: notice.Spam, Cause: causeOf("relay"),
				Trace: notice.Trace{Direct: true, Stopped: "untrusted-peer", Ignored: &ignored},
				Evidence: []notice.Field{{Name: "Subject", Value: "Cheap <b>watches</b>"},
					{Name: "X-Mailer", Value: "PHPMailer 5.2.22 [removed]"}}},
			{Hour: at(-30), Class: notice.Backscatter, Cause: causeOf("bounce"),
				Trace: notice.Trace{Stopped: "untrusted-peer"}}}}
}

// noticesForTests has one address in each state.
func noticesForTests(serial *uint32) map[string]notice.Notice {
	fresh := notice.Notice{Scope: scopeOf("2001:db8:7::/64"), State: notice.Listed, Fresh: true,
		Answer: criteria.Spam, AsOf: at(0), Since: at(0)}
	backscatter := listedForTests(serial)
	backscatter.Scope, backscatter.Answer, backscatter.Published = scopeOf("198.51.100.9"), criteria.Backscatter, nil
	return map[string]notice.Notice{
		"198.51.100.7": listedForTests(serial), "2001:db8:7::1": fresh, "198.51.100.9": backscatter,
		"198.51.100.70": {Scope: scopeOf("198.51.100.70"), State: notice.Operator, AsOf: at(0), Endless: true,
			Answer: criteria.Operator, Since: at(-300), EndsBy: criteria.ManualEnd, Published: serial,
			Reason: "phishing, <script>alert(1)</script>"},
		"198.51.100.8": {Scope: scopeOf("198.51.100.8"), State: notice.Network, AsOf: at(0),
			Answer: criteria.Network, Since: at(-20), EndsBy: criteria.NetworkEnd, Published: serial},
		"203.0.113.5": {Scope: scopeOf("203.0.113.5"), State: notice.Excepted, AsOf: at(0)},
		"10.0.0.1":    {Scope: scopeOf("10.0.0.1"), State: notice.Special, AsOf: at(0)},
		"192.0.2.8": {Scope: scopeOf("192.0.2.8"), State: notice.Unlisted, AsOf: at(0), LastHit: at(-60),
			Sum: &notice.Sum{Traps: 2.1, Score: 10, Needed: 25, Counted: 2, Lacks: criteria.DelistAfterFew,
				Parts: []notice.Part{{Date: "2026-11-22", Class: notice.Spam, Count: 2, Weight: 2.1}}},
			OneMore: &notice.Prospect{Listed: true, Score: 37, Until: at(24)},
			Causes:  map[criteria.Cause]int{causeOf("script"): 2}, Days: monthForTests()[:3]},
	}
}

// casesForTests has a dispute in each state, with what is private.
func casesForTests() map[string]dispute.Case {
	cases := map[string]dispute.Case{}
	for _, state := range []dispute.State{dispute.Filed, dispute.Open, dispute.Accepted, dispute.Rejected,
		dispute.Removed, dispute.Expired, dispute.Moot} {
		c := dispute.Case{ID: string(state), State: state, Address: netip.MustParseAddr("198.51.100.7"),
			Subject: scopeOf("198.51.100.7"), Claim: dispute.Technical, Filed: at(-5) + 17,
			Private: &dispute.Private{Statement: "SECRET-STATEMENT", Relation: "SECRET-RELATION",
				Contact: "SECRET-CONTACT@corp.example", Network: netip.MustParsePrefix("192.0.2.0/24")}}
		if state != dispute.Filed {
			c.Proofs, c.Opened = []dispute.Proof{dispute.ByAddress, dispute.ByTXT}, at(-4)+17
		}
		switch state {
		case dispute.Open:
			c.AnswerDue, c.DecisionDue, c.Answer = at(44)+17, at(164)+17, "we look at it <i>today</i>"
		case dispute.Accepted, dispute.Rejected:
			c.Ended, c.Reason, c.By = at(-1)+17, "the trap was somebody's: one@traps.example", "root (uid 0)"
			c.Reread = &dispute.Reread{Read: 3, Wrong: []uint64{5, 6}}
		}
		cases[string(state)] = c
	}
	return cases
}
