package notice

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
	"github.com/trapline/trapline/store"
)

// TestListed follows a source from its first message to the end of its listing.
func TestListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		begin := criteria.At(time.Now())
		in := func(hours float64) criteria.Second { return begin + criteria.Second(hours*3600) }
		pass(30 * time.Minute)
		d.hit("198.51.100.7", nil, "one@traps.example")
		d.hit("198.51.100.7", nil, "two@traps.example")
		pass(time.Second)
		n := d.see("198.51.100.7")
		if n.State != Listed || !n.Fresh || n.Until != 0 || n.Since != begin || n.Answer != criteria.Spam ||
			n.LastHit != 0 || n.Sum.Counted != 0 {
			t.Errorf("just listed: %+v", n)
		}
		pass(40 * time.Minute)
		n = d.see("198.51.100.7")
		// 30 minutes old, each weighs 4 - 3/96, the two squared 63.5; one more to a new trap 142.2
		want := Sum{Traps: 7.9, Score: 63, Needed: 25, Counted: 2, Squared: true, Parts: []Part{
			{Day: criteria.DayOf(begin), Date: "2000-01-01", Class: Spam, Count: 2, Weight: 7.9}}}
		if diff := cmp.Diff(&want, n.Sum); diff != "" {
			t.Errorf("the sum:\n%s", diff)
		}
		if n.Until != in(13) || n.EndsBy != criteria.DelistAfterFew || n.LastHit != begin || n.Fresh ||
			n.AsOf != in(1) || len(n.Hits) != 0 || n.OneMore.Until != in(25) || n.OneMore.Score != 142 {
			t.Errorf("an hour later: %+v, one more %+v", n, n.OneMore)
		}
		pass(6 * time.Hour)
		if n = d.see("198.51.100.7"); len(n.Hits) != 2 || n.Hits[0].Hour != begin || !n.Hits[0].Trace.Direct {
			t.Errorf("seven hours later the messages are %+v", n.Hits)
		}
		if len(n.Days) != 30 || n.Days[0] != (Day{"2000-01-01", 2, 0, 0}) {
			t.Errorf("the days are %+v", n.Days)
		}
		pass(6 * time.Hour)
		n = d.see("198.51.100.7")
		if n.State != Unlisted || n.Sum.Lacks != criteria.DelistAfterFew || n.Until != 0 || n.Since != 0 ||
			!n.OneMore.Listed {
			t.Errorf("at its end: %+v", n)
		}
	})
}

// TestUnseen: what came from one trap alone is never told, however often, and however old.
func TestUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		for range 4 {
			d.hit("198.51.100.7", nil, "one@traps.example")
		}
		for range 3 {
			pass(5 * time.Hour)
			n := d.see("198.51.100.7")
			if n.State != Unseen || n.Sum != nil || n.Days != nil || n.LastHit != 0 || len(n.Causes) > 0 {
				t.Fatalf("one trap is told of: %+v", n)
			}
		}
		d.hit("198.51.100.7", func(r *store.Record) { r.Weight, r.Recipients[0].Weight = 0, 0 }, "two@traps.example")
		pass(7 * time.Hour)
		if n := d.see("198.51.100.7"); n.State != Unlisted && n.State != Listed || n.Sum == nil {
			t.Errorf("two traps are not told of: %+v", n)
		}
	})
}

// TestStates: what people decide is told at once, the operator's reason without a trap.
func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		now := criteria.At(time.Now())
		d.decide(criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "mails one@traps.example",
			Network: netip.MustParsePrefix("198.51.100.64/26"), Until: now + 5400},
			criteria.Decision{Act: criteria.ActDelist, Who: "root", Reason: "r", Until: now + 9000,
				Network: netip.MustParsePrefix("203.0.113.9/32")})
		n := d.see("198.51.100.70")
		if n.State != Operator || n.Answer != criteria.Operator || n.Until != now+7200 || n.Endless ||
			!strings.HasPrefix(n.Reason, "mails [removed]") {
			t.Errorf("the operator's listing is %+v", n)
		}
		if n = d.see("203.0.113.9"); n.State != Unseen || !n.Barred {
			t.Errorf("an address that is kept off is %+v", n)
		}
	})
}

// message is a record with its head.
func message(head string) func(*store.Record) {
	return func(r *store.Record) { r.Evidence = store.PackEvidence([]byte(head)) }
}

const mailing = "Received: from a by b; Sat, 1 Jan 2000 00:00:01 +0000\r\nSubject: %s\r\n" +
	"From: Shop <info@shop.example>\r\nMessage-ID: <%d@shop.example>\r\nDate: Sat, 1 Jan 2000 00:00:%02d +0000\r\n" +
	"List-Unsubscribe: <https://shop.example/%d>\r\n\r\nHello\r\n"

// TestEvidence: a value is shown when three traps have seen it, and never one that names a message.
func TestEvidence(t *testing.T) {
	for _, test := range []struct {
		amount Amount
		traps  int
		want   []string
	}{
		{Headers, 3, []string{"Subject"}}, {Headers, 2, nil}, {Subject, 3, []string{"Subject"}},
		{Nothing, 3, nil},
	} {
		t.Run(fmt.Sprint(test.amount, test.traps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, criteria.DefaultPolicy())
				defer d.stop()
				d.rules.Evidence = test.amount
				for i := range 3 {
					to := fmt.Sprintf("trap%d@traps.example", min(i, test.traps-1))
					d.hit("198.51.100.7", message(fmt.Sprintf(mailing, "Cheap watches", i, i, i)), to)
				}
				d.hit("198.51.100.7", message(fmt.Sprintf(mailing, "For you alone", 4, 4, 4)), "trap0@traps.example")
				pass(7 * time.Hour)
				n := d.see("198.51.100.7")
				if len(n.Hits) != 4 {
					t.Fatalf("the messages are %+v", n.Hits)
				}
				var names []string
				for _, f := range n.Hits[1].Evidence {
					names = append(names, f.Name)
				}
				if diff := cmp.Diff(test.want, names); diff != "" {
					t.Errorf("shown:\n%s", diff)
				}
				if i := n.Hits[1].Trace.Ignored; i == nil || *i != 1 {
					t.Errorf("the Received lines below are %v", i)
				}
				if text := fmt.Sprintf("%+v", n); strings.Contains(text, "alone") {
					t.Errorf("what one trap saw is shown: %s", text)
				}
			})
		})
	}
}

// TestCanary plants a trap wherever a sender can write, and asks for every notice there is.
func TestCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		for i, to := range []string{"canary.one@traps.example", "canary.two@traps.example",
			"canary.three@traps.example"} {
			d.hit("198.51.100.7", func(r *store.Record) {
				r.Helo, r.MailFrom = "canary.one.traps.example", "bounce-canary.one=traps.example@shop.example"
				r.Cause = []parser.Cause{parser.Direct, parser.Bounce, parser.List}[i]
				message("Subject: for canary.one@traps.example and Y2FuYXJ5Lm9uZUB0cmFwcy5leGFtcGxl\r\n" +
					"From: canary.one <canary.one@traps.example>\r\nX-Mailer: canary%2Eone%40traps\r\n" +
					"User-Agent: elpmaxe.spart@eno.yranac\r\nReply-To: canary.two@traps.example\r\n\r\n")(r)
			}, to)
		}
		pass(7 * time.Hour)
		n := d.see("198.51.100.7")
		body, err := json.Marshal(n)
		if err != nil || len(n.Hits) != 3 || len(n.Hits[0].Evidence) != 3 {
			t.Fatalf("%v: %s", err, body)
		}
		for _, form := range []string{"canary", "traps.example", "Y2FuYXJ5", "yranac", "4711"} {
			if regexp.MustCompile("(?i)" + regexp.QuoteMeta(form)).Match(body) {
				t.Errorf("the notice has %q: %s", form, body)
			}
		}
	})
}

// TestHours: no instant of a notice lies within an hour.
func TestHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		pass(41*time.Minute + 13*time.Second)
		for _, to := range []string{"one@traps.example", "two@traps.example"} {
			d.hit("198.51.100.7", nil, to)
			d.hit("198.51.100.8", nil, to)
			pass(7 * time.Minute)
		}
		pass(8 * time.Hour)
		list, err := d.Within(netip.MustParsePrefix("198.51.100.0/24"))
		if err != nil || len(list) != 2 {
			t.Fatalf("%v: %v", list, err)
		}
		body, err := json.Marshal([]any{d.see("198.51.100.7"), list})
		if err != nil {
			t.Fatal(err)
		}
		times := regexp.MustCompile(`T\d\d:\d\d:\d\d`).FindAllString(string(body), -1)
		for _, at := range times {
			if !strings.HasSuffix(at, ":00:00") {
				t.Errorf("%s stands in %s", at, body)
			}
		}
		if len(times) < 8 {
			t.Errorf("only %d instants in %s", len(times), body)
		}
	})
}

// TestWithin: the listings of a network, and those that it lies in.
func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, criteria.DefaultPolicy())
		defer d.stop()
		var all []criteria.Decision
		for _, n := range []string{"198.51.100.0/25", "198.51.100.7/32", "198.51.100.200/32", "198.51.101.0/24",
			"2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:2::/64"} {
			all = append(all, criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "r",
				Network: netip.MustParsePrefix(n)})
		}
		d.decide(all...)
		for network, want := range map[string][]string{
			"198.51.100.0/24":   {"198.51.100.0/25", "198.51.100.7", "198.51.100.200"},
			"198.51.100.7/32":   {"198.51.100.0/25", "198.51.100.7"},
			"198.51.100.128/25": {"198.51.100.200"}, "192.0.2.0/24": nil,
			"2001:db8:1:2::/64": {"2001:db8:1::/48", "2001:db8:1:2::/64"}, "2001:db8:3::/48": nil,
		} {
			list, err := d.Within(netip.MustParsePrefix(network))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range list {
				got = append(got, l.Source.String())
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s:\n%s", network, diff)
			}
		}
	})
}

// TestEnds: the list of a network has the ends that people set, and no other: these move with
// each hit.
func TestEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := criteria.DefaultPolicy()
		p.MinListed = 2
		d := newDesk(t, p)
		defer d.stop()
		now := criteria.At(time.Now())
		for _, a := range []string{"198.51.100.7", "198.51.100.8"} {
			d.hit(a, nil, "one@traps.example")
			d.hit(a, nil, "two@traps.example")
		}
		d.decide(criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "r", Until: now + 5400,
			Network: netip.MustParsePrefix("198.51.100.9/32")},
			criteria.Decision{Act: criteria.ActList, Who: "root", Reason: "r", Until: criteria.Never,
				Network: netip.MustParsePrefix("198.51.100.10/32")})
		list, err := d.Within(netip.MustParsePrefix("198.51.100.0/24"))
		if err != nil {
			t.Fatal(err)
		}
		ends := map[string]criteria.Second{}
		for _, l := range list {
			ends[l.Source.String()] = l.Until
		}
		want := map[string]criteria.Second{"198.51.100.0/24": 0, "198.51.100.7": 0, "198.51.100.8": 0,
			"198.51.100.9": now + 7200, "198.51.100.10": 0}
		if diff := cmp.Diff(want, ends); diff != "" {
			t.Error(diff)
		}
		if n := d.see("198.51.100.20"); n.State != Network || n.Until != 0 || n.Endless || n.EndsBy != criteria.NetworkEnd {
			t.Errorf("with its network: %+v", n)
		}
	})
}

// TestZone: its age is told by the hour, and whether it is older than it should be to the second.
func TestZone(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 34, 56, 0, time.UTC)
	for age, stale := range map[time.Duration]bool{0: false, 16 * time.Hour: false, 16*time.Hour + time.Second: true} {
		o := New(Config{Now: func() time.Time { return now }, Zone: func() Zone {
			return Zone{Published: criteria.At(now.Add(-age)), ValidFor: 48 * time.Hour}
		}})
		if z := o.Zone(); z.Stale != stale || z.Published%3600 != 0 || z.Published > criteria.At(now.Add(-age)) {
			t.Errorf("%s: %+v", age, z)
		}
	}
	for _, age := range []criteria.Second{0, 1 << 40} {
		if z := New(Config{Now: time.Now, Zone: func() Zone { return Zone{Published: age} }}).Zone(); z.Stale {
			t.Errorf("%+v", z)
		}
	}
}
